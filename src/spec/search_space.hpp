// SPDX-License-Identifier: Apache-2.0
// Text of compile_params_grid and fit_params_grid -> SearchSpace.
#pragma once

#include <string_view>

#include "modelhop/search_space.hpp"

namespace modelhop {

/// Each text is a Python dict of lists; `optimizer_params_list` is a list of such dicts (without 'optimizer': RMSprop).
/// Throws kInvalidArgument naming the grid, the key and the value: not a dict, not a list, an unknown key, a key both
/// inside and outside, high <= low, an unknown distribution.
SearchSpace parse_search_space(std::string_view compile_params_grid, std::string_view fit_params_grid);

}  // namespace modelhop
