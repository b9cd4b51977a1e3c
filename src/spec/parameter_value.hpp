// SPDX-License-Identifier: Apache-2.0
// Typed reading of Python values; every error names the parameter and the value as written.
#pragma once

#include <string>
#include <vector>

#include "spec/python_literal.hpp"

namespace modelhop::spec {

bool is_none(const PythonValue& value);

/// A finite number, also an integer or an integer where a number is meant. `what` names it in the error.
double number_of(const std::string& what, const PythonValue& value);
bool boolean_of(const std::string& what, const PythonValue& value);
int integer_of(const std::string& what, const PythonValue& value, int low);
std::string string_of(const std::string& what, const PythonValue& value);
/// A word in any case, in lower case: 'SUM', or the last part of a name such as tf.keras.losses.Reduction.SUM.
std::string word_of(const std::string& what, const PythonValue& value);

/// Whether {'class_name': ...} is meant, not a dict by output.
bool names_a_class(const PythonDict& dict);

/// A list, dict or None that was written in quotes, as MADlib allows it; any other value as it is.
PythonValue without_quotes(const PythonValue& value);

/// `adam`, 'adam', 'Adam(lr=0.1)', keras.optimizers.Adam(lr=0.1) or {'class_name': 'Adam', 'config': {...}}, as one
/// call. Packages and modules (keras., tf.keras.optimizers.legacy.) are taken off the name.
PythonCall callable_of(const std::string& what, const PythonValue& value);

/// What the name says without its package: the last part of a dotted name.
std::string bare_name(const std::string& dotted);

/// `categorical_crossentropy` of `CategoricalCrossentropy`; other names in lower case.
std::string snake_case(const std::string& name);

}  // namespace modelhop::spec
