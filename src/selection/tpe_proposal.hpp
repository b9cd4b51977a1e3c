// SPDX-License-Identifier: Apache-2.0
// What tree-structured Parzen estimators (Bergstra et al. 2011) propose next, given what was tried. Follows hyperopt
// 0.2.7.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "selection/choice_tree.hpp"
#include "selection/generator.hpp"

namespace modelhop {

struct Observation {
  Point point;
  double loss = 0.0;  ///< not finite: worse than every number
};

/// Choice by choice, of `candidates` draws from where the good observations lie, the one that the good ones make most
/// probable in comparison with the others. `observations` are in the order in which they were proposed; the `good` best
/// are the good ones, or fewer where the rest diverged.
Point tpe_proposal(const ChoiceTree& tree, const std::vector<Observation>& observations, std::size_t good,
                   std::int32_t candidates, Generator& generator);

}  // namespace modelhop
