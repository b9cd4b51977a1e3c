// SPDX-License-Identifier: Apache-2.0
// Activation functions as expressions, for layers that use them inside.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "modelhop/model_spec.hpp"

namespace modelhop::engine {

using ActivationFunction = at::Tensor (*)(const at::Tensor& x);

/// By its Keras name, "linear" included; null where there is none.
ActivationFunction activation_function(const std::string& name, SemanticsProfile profile);

}  // namespace modelhop::engine
