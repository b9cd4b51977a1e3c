// SPDX-License-Identifier: Apache-2.0
// Tries what TPE proposes until something is new, and falls back on random draws.
#include "selection/proposer.hpp"

#include <utility>

#include "modelhop/error.hpp"

namespace modelhop {

Proposer::Proposer(const std::vector<std::int32_t>& model_ids, const SearchSpace& space, std::int64_t count,
                   std::uint64_t seed)
    : tree_(model_ids, space), seed_(seed), reserve_(random_draws(tree_, count, seed)) {}

Draw Proposer::random_draw() {
  // The reserve has as many as can be named at all, so that there is always one left.
  while (next_ < reserve_.size() && !name(reserve_[next_].configuration)) ++next_;
  check(next_ < reserve_.size(), "more configurations are named than were wanted");
  return reserve_[next_++];
}

Draw Proposer::tpe_draw(const std::vector<Observation>& observations, std::size_t good, std::int32_t candidates,
                        std::int32_t number) {
  constexpr int kRepeats = 8;
  Generator generator(configuration_seed(seed_, number));
  // The fewer the candidates, the less do proposals repeat themselves.
  for (std::int32_t compared = candidates; compared > 0; compared /= 2) {
    for (int repeat = 0; repeat < kRepeats; ++repeat) {
      Point point = tpe_proposal(tree_, observations, good, compared, generator);
      ConfigurationText text = tree_.text(point);
      if (name(text)) return {std::move(point), std::move(text)};
    }
  }
  return random_draw();
}

bool Proposer::name(const ConfigurationText& configuration) {
  return named_.insert(identity_of(configuration)).second;
}

}  // namespace modelhop
