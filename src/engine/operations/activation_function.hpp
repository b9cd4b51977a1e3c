// SPDX-License-Identifier: Apache-2.0
// Activation functions as ATen expressions, for operations that apply them inside larger ones.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>

#include "modelhop/model_spec.hpp"

namespace modelhop::engine {

using ActivationFunction = std::function<at::Tensor(const at::Tensor&)>;

/// The function of a text that attributes hold (spec/activation_names.hpp), softmax and its kin over the last axis
/// unless the text says otherwise. Empty where there is none.
ActivationFunction activation_function(const std::string& text, SemanticsProfile profile);

}  // namespace modelhop::engine
