// SPDX-License-Identifier: Apache-2.0
// Names trials in the order of their keys, each as soon as what it may know is known.
#include "selection/tpe.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "modelhop/error.hpp"

namespace modelhop {
namespace {

std::int32_t at_least_one(const char* name, std::int32_t value) {
  if (value >= 1) return value;
  throw Error(ErrorCode::kInvalidArgument, std::string(name) + " must be at least 1, not " + std::to_string(value));
}

std::size_t good_count(std::size_t known) {
  constexpr double kShare = 0.15;
  constexpr std::size_t kMost = 25;
  return std::min(static_cast<std::size_t>(std::ceil(kShare * static_cast<double>(known))), kMost);
}

}  // namespace

TpeSearch::TpeSearch(const std::vector<std::int32_t>& model_ids, const SearchSpace& space, std::int32_t num_configs,
                     std::int32_t num_iterations, std::uint64_t seed, const TpeOptions& options)
    : num_iterations_(at_least_one("num_iterations", num_iterations)),
      options_(options),
      proposer_(model_ids, space, at_least_one("num_configs", num_configs), seed) {
  check(options.startup >= 1 && options.candidates >= 1 && options.in_flight >= 1, "an option of TPE is below 1");
}

std::vector<Trial> TpeSearch::ask() {
  std::vector<Trial> trials;
  while (can_name(observations_.size() + 1)) {
    Draw named = draw(observations_.size() + 1);
    observations_.push_back({std::move(named.point), 0.0});
    is_told_.push_back(false);
    const auto key = static_cast<ConfigurationKey>(observations_.size());
    trials.push_back({key, std::move(named.configuration), num_iterations_, 0, 0});
  }
  return trials;
}

bool TpeSearch::can_name(std::size_t number) const {
  if (number > proposer_.size()) return false;
  return number <= static_cast<std::size_t>(options_.startup) ||
         number <= told_prefix_ + static_cast<std::size_t>(options_.in_flight);
}

Draw TpeSearch::draw(std::size_t number) {
  if (number <= static_cast<std::size_t>(options_.startup)) return proposer_.random_draw();
  // Never more than this, though more may be told: what is proposed must not depend on who trains faster.
  const std::size_t known = number - std::min(number, static_cast<std::size_t>(options_.in_flight));
  std::vector<Observation> observations = observations_;
  for (std::size_t i = known; i < observations.size(); ++i) observations[i].loss = HUGE_VAL;
  return proposer_.tpe_draw(observations, good_count(known), options_.candidates, static_cast<std::int32_t>(number));
}

void TpeSearch::tell(ConfigurationKey key, double loss) {
  const auto index = static_cast<std::size_t>(key) - 1;
  check(key >= 1 && index < observations_.size() && !is_told_[index],
        "a loss of a configuration that was not asked for");
  observations_[index].loss = loss;
  is_told_[index] = true;
  while (told_prefix_ < is_told_.size() && is_told_[told_prefix_]) ++told_prefix_;
}

}  // namespace modelhop
