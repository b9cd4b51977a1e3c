// SPDX-License-Identifier: Apache-2.0
// Keras's activation functions by name. An attribute holds a canonical name, or a name with the parameters of an
// activation layer that was given as a function: "leaky_relu(0.1)".
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "modelhop/model_spec.hpp"

namespace modelhop::spec {

/// All canonical names.
std::span<const std::string_view> activation_names();

/// Canonical name of a function (swish is silu), or empty where there is none of that name.
std::string canonical_activation(std::string_view name);

/// "leaky_relu(0.1)". Parameters: relu(maximum, negative slope, threshold), leaky_relu(slope), elu(alpha),
/// thresholded_relu(theta), softmax(axis as Keras writes it).
std::string activation_text(const std::string& name, const std::vector<double>& parameters);

struct ActivationCall {
  std::string name;
  std::vector<double> parameters;
};
/// A name, or what activation_text() wrote.
ActivationCall split_activation(const std::string& text);

/// What an activation leaves of a shape: glu halves the last axis, all others keep it.
Shape activated_shape(const std::string& where, Shape shape, const std::string& activation);

/// Operations per element, roughly.
std::int64_t activation_cost(const std::string& activation);

}  // namespace modelhop::spec
