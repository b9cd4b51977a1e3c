// SPDX-License-Identifier: Apache-2.0
// Keras optimizers as users write them.
#pragma once

#include <string>

#include "modelhop/model_spec.hpp"
#include "modelhop/train_spec.hpp"
#include "spec/python_literal.hpp"

namespace modelhop::spec {

/// Every optimizer of keras.optimizers, old and new, with every argument of its constructors. Throws kInvalidArgument
/// naming the optimizer and the argument, kNotSupported for what would change the update and is not done here.
OptimizerSpec read_optimizer(const PythonValue& value, SemanticsProfile profile);

/// Keras's class name of an optimizer in any case ("rmsprop" -> "RMSprop"), or `name` where it is not known.
std::string optimizer_class_name(const std::string& name);

/// Whether the optimizer has an argument of that name.
bool optimizer_takes(const std::string& optimizer, const std::string& argument);

/// Arrays of the size of a weight that the optimizer keeps: the one place that says it.
int slot_count(const OptimizerSpec& optimizer);

}  // namespace modelhop::spec
