// SPDX-License-Identifier: Apache-2.0
// The Python expressions that MADlib's and Keras's users write in SQL text: literals and calls, never evaluated.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace modelhop {

struct PythonValue;
using PythonList = std::vector<PythonValue>;
using PythonDict = std::vector<std::pair<PythonValue, PythonValue>>;  ///< in the order of the text

/// A name such as `adam`, `keras.losses.MeanSquaredError`, or a call of one with its arguments.
struct PythonCall {
  std::string name;
  bool is_call = false;
  std::vector<PythonValue> positional;
  std::vector<std::pair<std::string, PythonValue>> named;

  // Defined where PythonValue is complete: clang needs that for the containers of it.
  PythonCall();
  PythonCall(const PythonCall&);
  PythonCall(PythonCall&&) noexcept;
  PythonCall& operator=(const PythonCall&);
  PythonCall& operator=(PythonCall&&) noexcept;
  ~PythonCall();
};

struct PythonNone {};

struct PythonValue {
  std::variant<PythonNone, bool, long long, double, std::string, PythonList, PythonDict, PythonCall> value;
  std::string text;  ///< as written, trimmed

  PythonValue();
  PythonValue(const PythonValue&);
  PythonValue(PythonValue&&) noexcept;
  PythonValue& operator=(const PythonValue&);
  PythonValue& operator=(PythonValue&&) noexcept;
  ~PythonValue();
};

/// One value. Throws kInvalidArgument with the position of what is wrong, behind `what` where it is given. Nesting is
/// limited to 32, arguments of a call to 1000, the text to 1 MB.
PythonValue parse_python_value(std::string_view text, std::string_view what = {});

/// `name = value, name = value`; later duplicates win. At most 1000.
std::vector<std::pair<std::string, PythonValue>> parse_python_assignments(std::string_view text,
                                                                          std::string_view what = {});

}  // namespace modelhop
