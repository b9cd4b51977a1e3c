// SPDX-License-Identifier: Apache-2.0
// keras.callbacks as users write them in fit parameters.
#pragma once

#include <vector>

#include "modelhop/train_spec.hpp"
#include "spec/python_literal.hpp"

namespace modelhop::spec {

/// A list of calls, one call, or None. Throws kInvalidArgument naming the callback and the argument, kNotSupported with
/// the reason for callbacks that cannot run in a database.
std::vector<CallbackSpec> read_callbacks(const PythonValue& value);

}  // namespace modelhop::spec
