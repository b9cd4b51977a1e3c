// SPDX-License-Identifier: Apache-2.0
// Custom losses and metrics by name, as a user's object table has them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "modelhop/train_spec.hpp"

namespace modelhop {

struct CustomFunction {
  std::string name;
  std::string text;

  bool operator==(const CustomFunction&) const = default;
};
using CustomFunctions = std::vector<CustomFunction>;

/// Those that a loss or a metric of `train` is, each once, added to `used` where it is not there yet.
void add_used_functions(const TrainSpec& train, CustomFunctions& used);

namespace spec {

/// By its name as written or, where there is none, without regard to case (MADlib compares in lower case). Null: none.
const CustomFunction* find_custom_function(const CustomFunctions& functions, std::string_view written);

/// Reads its text; an error names the function.
ExpressionSpec read_custom_function(const CustomFunction& function);

/// "Did you mean ...? Accepted: ..." for a name that is neither Keras's (`known`) nor a custom function's.
std::string unknown_name_hint(const std::string& name, const std::vector<std::string>& known,
                              const CustomFunctions& functions);

}  // namespace spec

/// Refuses what cannot be stored under this name: a name that is no identifier or is Keras's own, a text that is
/// pickled or cannot be read. Without a name only the text is looked at.
void check_custom_function(const std::optional<std::string>& name, std::string_view object);

}  // namespace modelhop
