// SPDX-License-Identifier: Apache-2.0
// The names under which SQL knows Keras's generations: k22, tf1, tf2l, tf2n, k3.
#pragma once

#include <optional>
#include <string>

#include "modelhop/model_spec.hpp"

namespace modelhop::server {

const char* semantics_name(SemanticsProfile profile);

/// Throws Error(kInvalidArgument) naming the argument keras_semantics where there is no such name.
SemanticsProfile semantics_named(const std::string& name);
std::optional<SemanticsProfile> semantics_named(const std::optional<std::string>& name);

}  // namespace modelhop::server
