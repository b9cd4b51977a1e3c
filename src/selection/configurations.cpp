// SPDX-License-Identifier: Apache-2.0
// Enumerates and draws configurations.
#include "selection/configurations.hpp"

#include <utility>

#include "selection/choice_tree.hpp"
#include "selection/generator.hpp"
#include "selection/random_draws.hpp"

namespace modelhop {

std::vector<ConfigurationText> grid_configurations(const std::vector<std::int32_t>& model_ids,
                                                   const SearchSpace& space) {
  const ChoiceTree tree(model_ids, space);
  std::vector<ConfigurationText> configurations;
  std::set<ConfigurationIdentity> seen;
  tree.for_each_point([&](const Point& point) {
    ConfigurationText text = tree.text(point);
    if (seen.insert(identity_of(text)).second) configurations.push_back(std::move(text));
  });
  return configurations;
}

std::vector<ConfigurationText> random_configurations(const std::vector<std::int32_t>& model_ids,
                                                     const SearchSpace& space, std::int32_t count,
                                                     std::uint64_t random_state) {
  std::vector<ConfigurationText> configurations;
  for (Draw& draw : random_draws(ChoiceTree(model_ids, space), count, random_state)) {
    configurations.push_back(std::move(draw.configuration));
  }
  return configurations;
}

std::uint64_t configuration_seed(std::uint64_t run_seed, std::int32_t mst_key) {
  const std::uint64_t key = static_cast<std::uint32_t>(mst_key);
  return mix(mix(run_seed + kGolden) + (key + 1) * kGolden);
}

}  // namespace modelhop
