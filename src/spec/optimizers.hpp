// SPDX-License-Identifier: Apache-2.0
// Keras optimizers as users write them.
#pragma once

#include <string>

#include "modelhop/train_spec.hpp"
#include "spec/keras_json.hpp"
#include "spec/python_literal.hpp"

namespace modelhop::spec {

/// Throws kInvalidArgument naming the optimizer and the argument, kNotSupported for optimizers of Keras that are not
/// supported and for arguments that would change the update.
OptimizerSpec read_optimizer(const PythonValue& value, SemanticsProfile profile);

/// Keras's class name of an optimizer in any case ("rmsprop" -> "RMSprop"), or `name` where it is not known.
std::string optimizer_class_name(const std::string& name);

/// Whether the optimizer has an argument of that name that means something here.
bool optimizer_takes(const std::string& optimizer, const std::string& argument);

/// Arrays of the size of a weight that the optimizer keeps.
int slot_count(const OptimizerSpec& optimizer);

}  // namespace modelhop::spec
