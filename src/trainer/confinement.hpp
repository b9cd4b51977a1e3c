// SPDX-License-Identifier: Apache-2.0
// What the process does to itself before anything else, so that it cannot outlive or starve its server.
#pragma once

#include <cstdint>

#include "trainer/options.hpp"

namespace modelhop::trainer {

/// Dies with the parent, is the first choice of the out-of-memory killer, keeps its files private, gives way to the
/// server, and takes no more address space than it could need. Throws Error where the parent has gone.
void confine_process(const Options& options);

/// Address space that the process may take beyond what it holds at its start; 0 where there is no memory limit.
std::int64_t address_space_margin(const Options& options);

}  // namespace modelhop::trainer
