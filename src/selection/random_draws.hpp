// SPDX-License-Identifier: Apache-2.0
// Distinct random draws from a tree of choices: all of random search, and where the other searches begin.
#pragma once

#include <cstdint>
#include <set>
#include <tuple>
#include <vector>

#include "selection/choice_tree.hpp"

namespace modelhop {

struct Draw {
  Point point;
  ConfigurationText configuration;
};

/// What makes two configurations the same.
using ConfigurationIdentity = std::tuple<std::int32_t, std::string, std::string>;
ConfigurationIdentity identity_of(const ConfigurationText& configuration);

/// `count` distinct draws; fewer where the tree is finite and smaller, never an endless loop. Throws kInvalidArgument
/// where `count` is below 1 or above kMaxConfigurations.
std::vector<Draw> random_draws(const ChoiceTree& tree, std::int64_t count, std::uint64_t random_state);

}  // namespace modelhop
