// SPDX-License-Identifier: Apache-2.0
// Grids and random draws of configurations: generate_model_configs and load_model_selection_table without SQL.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "modelhop/search_space.hpp"

namespace modelhop {

struct ConfigurationText {
  std::int32_t model_id = 0;
  std::string compile_params;
  std::string fit_params;
};

/// Every combination; model ids outermost, then compile, then fit. Throws kInvalidArgument where the space holds a
/// distribution. Texts are spelled as MADlib 2.x spells them.
std::vector<ConfigurationText> grid_configurations(const std::vector<std::int32_t>& model_ids,
                                                   const SearchSpace& space);

/// `count` distinct draws; fewer where the space is finite and smaller, never an endless loop. Model id, then
/// optimizer, then each parameter. The same random_state gives the same draws on every machine.
std::vector<ConfigurationText> random_configurations(const std::vector<std::int32_t>& model_ids,
                                                     const SearchSpace& space, std::int32_t count,
                                                     std::uint64_t random_state);

/// Fixed 64-bit hash of (run seed, mst_key): the configuration's seed.
std::uint64_t configuration_seed(std::uint64_t run_seed, std::int32_t mst_key);

}  // namespace modelhop
