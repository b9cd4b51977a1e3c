// SPDX-License-Identifier: Apache-2.0
// Which input of a call is which argument of Keras's call().
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace modelhop {

/// Index of the input that is given by this keyword, or as positional argument number `position`; -1 where there is
/// none. `roles` as in NodeSpec.
inline int argument_index(const std::vector<std::string>& roles, std::string_view keyword, int position = -1) {
  int positional = 0;
  for (int index = 0; index < static_cast<int>(roles.size()); ++index) {
    if (roles[index] == keyword) return index;
    if (roles[index].empty() && positional++ == position) return index;
  }
  return -1;
}

/// Inputs of a recurrent layer beside the sequence that are states: positional in Keras 2, by keyword in Keras 3.
inline std::vector<int> state_indexes(const std::vector<std::string>& roles) {
  std::vector<int> states;
  for (int index = 1; index < static_cast<int>(roles.size()); ++index) {
    if (roles[index].empty() || roles[index] == "initial_state") states.push_back(index);
  }
  return states;
}

}  // namespace modelhop
