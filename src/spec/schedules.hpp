// SPDX-License-Identifier: Apache-2.0
// Learning rate schedules (keras.optimizers.schedules) as users write them.
#pragma once

#include <string>

#include "modelhop/train_spec.hpp"
#include "spec/python_literal.hpp"

namespace modelhop::spec {

/// `ExponentialDecay(0.1, decay_steps=100, decay_rate=0.9)`, also in quotes or as {'class_name': ..., 'config': {...}}.
/// `what` names the parameter in errors.
ScheduleSpec read_schedule(const std::string& what, const PythonValue& value);

/// Whether the value is a call, a name or a dict, that is, no number.
bool looks_like_schedule(const PythonValue& value);

}  // namespace modelhop::spec
