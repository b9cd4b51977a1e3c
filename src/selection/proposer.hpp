// SPDX-License-Identifier: Apache-2.0
// Names configurations one after the other, none twice: at random, or by TPE from what was seen.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "selection/random_draws.hpp"
#include "selection/tpe_proposal.hpp"

namespace modelhop {

class Proposer {
 public:
  /// Throws kInvalidArgument as random_draws() does.
  Proposer(const std::vector<std::int32_t>& model_ids, const SearchSpace& space, std::int64_t count,
           std::uint64_t seed);

  /// How many can be named: as many as were wanted, or all of a finite space that is smaller.
  std::size_t size() const { return reserve_.size(); }

  /// The first of these are what random_configurations() gives for the seed.
  Draw random_draw();

  /// The observations are in the order of their proposals, and the `good` best of them are the good ones. Which
  /// proposal it is of all that are made decides about the draws.
  Draw tpe_draw(const std::vector<Observation>& observations, std::size_t good, std::int32_t candidates,
                std::int32_t number);

 private:
  bool name(const ConfigurationText& configuration);  ///< whether it is new

  ChoiceTree tree_;
  std::uint64_t seed_;
  std::vector<Draw> reserve_;  ///< random draws
  std::size_t next_ = 0;       ///< those before it in the reserve are named
  std::set<ConfigurationIdentity> named_;
};

}  // namespace modelhop
