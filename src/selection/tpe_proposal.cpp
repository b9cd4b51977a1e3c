// SPDX-License-Identifier: Apache-2.0
// Splits what was seen into good and other, and compares the two.
#include "selection/tpe_proposal.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "selection/parzen.hpp"

namespace modelhop {
namespace {

/// Coordinates of one choice, where it was made.
struct Seen {
  std::vector<double> good;
  std::vector<double> others;
};

/// Which observations are the good ones. Ties go to the older; what diverged is never good.
std::vector<bool> good_ones(const std::vector<Observation>& observations, std::size_t good) {
  std::vector<std::size_t> ranking;
  for (std::size_t i = 0; i < observations.size(); ++i) {
    if (std::isfinite(observations[i].loss)) ranking.push_back(i);
  }
  std::stable_sort(ranking.begin(), ranking.end(), [&observations](std::size_t left, std::size_t right) {
    return observations[left].loss < observations[right].loss;
  });
  ranking.resize(std::min(ranking.size(), good));
  std::vector<bool> is_good(observations.size(), false);
  for (const std::size_t i : ranking) is_good[i] = true;
  return is_good;
}

Seen seen_at(std::size_t choice, const std::vector<Observation>& observations, const std::vector<bool>& is_good) {
  Seen seen;
  for (std::size_t i = 0; i < observations.size(); ++i) {
    const std::optional<double>& coordinate = observations[i].point[choice];
    if (coordinate) (is_good[i] ? seen.good : seen.others).push_back(*coordinate);
  }
  return seen;
}

double best_category(const Choice& choice, const Seen& seen, std::int32_t candidates, Generator& generator) {
  const std::vector<double> good = category_posterior(seen.good, choice.count);
  const std::vector<double> others = category_posterior(seen.others, choice.count);
  std::size_t best = draw_from(good, generator);
  for (std::int32_t i = 1; i < candidates; ++i) {
    const std::size_t draw = draw_from(good, generator);
    if (good[draw] / others[draw] > good[best] / others[best]) best = draw;
  }
  return static_cast<double>(best);
}

double best_number(const Choice& choice, const Seen& seen, std::int32_t candidates, Generator& generator) {
  // Neighbouring numbers have one logarithm, and between equal ends there is nothing to draw.
  if (choice.low >= choice.high) return choice.low;
  const Mixture good = parzen_mixture(seen.good, choice.low, choice.high);
  const Mixture others = parzen_mixture(seen.others, choice.low, choice.high);
  double best = 0.0;
  double best_score = -HUGE_VAL;
  for (std::int32_t i = 0; i < candidates; ++i) {
    const double draw = draw_from(good, generator);
    const double score = log_density(good, draw) - log_density(others, draw);
    if (score > best_score) {
      best = draw;
      best_score = score;
    }
  }
  return best;
}

}  // namespace

Point tpe_proposal(const ChoiceTree& tree, const std::vector<Observation>& observations, std::size_t good,
                   std::int32_t candidates, Generator& generator) {
  const std::vector<bool> is_good = good_ones(observations, good);
  const std::vector<Choice>& choices = tree.choices();
  Point point(choices.size());
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (!tree.is_made(i, point)) continue;
    const Seen seen = seen_at(i, observations, is_good);
    point[i] = choices[i].count > 0 ? best_category(choices[i], seen, candidates, generator)
                                    : best_number(choices[i], seen, candidates, generator);
  }
  return point;
}

}  // namespace modelhop
