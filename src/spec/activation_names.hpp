// SPDX-License-Identifier: Apache-2.0
// Keras's activation functions by name.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "modelhop/model_spec.hpp"

namespace modelhop::spec {

/// All canonical names.
std::span<const std::string_view> activation_names();

/// Canonical name of a function (swish is silu), or empty where there is none of that name.
std::string canonical_activation(std::string_view name);

/// What an activation leaves of a shape: glu halves the last axis, all others keep it.
Shape activated_shape(const std::string& where, Shape shape, const std::string& activation);

/// Operations per element, roughly.
std::int64_t activation_cost(const std::string& activation);

}  // namespace modelhop::spec
