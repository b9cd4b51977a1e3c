// SPDX-License-Identifier: Apache-2.0
// Configurations that stand for a whole search space, so that it can be checked before anything of it is trained.
#pragma once

#include <cstdint>
#include <vector>

#include "modelhop/search_space.hpp"
#include "selection/configurations.hpp"

namespace modelhop {

/// Every value of every parameter is in one of them, with every model and every optimizer that it may come with; of a
/// distribution its ends and a value between. All combinations of those where they are few.
std::vector<ConfigurationText> space_samples(const std::vector<std::int32_t>& model_ids, const SearchSpace& space);

}  // namespace modelhop
