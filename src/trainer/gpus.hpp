// SPDX-License-Identifier: Apache-2.0
// The GPUs of the trainer, in words.
#pragma once

#include <string>
#include <vector>

#include "trainer/options.hpp"

namespace modelhop::trainer {

/// Those that the engine can compute on, in its order; none where the options say that it shall not.
std::vector<std::string> describe_gpus(const Options& options);

}  // namespace modelhop::trainer
