// SPDX-License-Identifier: Apache-2.0
// Carries a search out where training is only looking up a loss, and what tests ask about the outcome.
#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "selection/search.hpp"

namespace modelhop {

/// Losses of a configuration after so many iterations in all.
using Training = std::function<double(const ConfigurationText& configuration, std::int32_t iterations)>;

struct Trained {
  ConfigurationText configuration;
  std::int32_t iterations = 0;
  double loss = 0.0;
};

/// Everything that was trained, by key.
inline std::map<ConfigurationKey, Trained> carry_out(Search& search, const Training& training) {
  std::map<ConfigurationKey, Trained> trained;
  for (std::vector<Trial> trials = search.ask(); !trials.empty(); trials = search.ask()) {
    for (const Trial& trial : trials) {
      Trained& one = trained[trial.key];
      if (trial.configuration) one.configuration = *trial.configuration;
      one.iterations = trial.iterations;
      one.loss = training(one.configuration, trial.iterations);
      search.tell(trial.key, one.loss);
    }
  }
  return trained;
}

/// The lowest loss among the first `count` keys that had at least `iterations`.
inline double best_loss(const std::map<ConfigurationKey, Trained>& trained, std::int32_t iterations,
                        ConfigurationKey count = std::numeric_limits<ConfigurationKey>::max()) {
  double best = std::numeric_limits<double>::infinity();
  for (const auto& [key, one] : trained) {
    if (key <= count && one.iterations >= iterations && one.loss < best) best = one.loss;
  }
  return best;
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
}

}  // namespace modelhop
