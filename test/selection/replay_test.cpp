// SPDX-License-Identifier: Apache-2.0
// Searches on recorded learning curves of a real grid, against random search of equal cost.
//
// The protocol, written down before the first replay:
//   - The cost is the number of iterations, summed over all configurations; going on costs only what is added.
//   - Hyperband (R = 27, eta = 3) has 342 iterations. Random search trains 13 configurations for 27 iterations: 351.
//   - TPE has 40 configurations of 27 iterations, as has random search.
//   - Each has the seeds 1 to 100; random search has 1001 to 1100, so that the two share no draws.
//   - Regret: the lowest recorded loss after 27 iterations among those that were trained so long, less the grid's
//   lowest.
//   - A search passes where the median of its regret is lower, and where its regret is lower or equal in at least 65 of
//     the 100 pairs.
// Published Hyperband missed it (52 pairs). What was added to it was chosen on other seeds of this grid and on other
// curves; over 4,000 seeds its expectation is 64 of 100, so that a change of what is drawn may miss 65 by chance
// (docs/decisions.md).
#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <memory>

#include "recorded_curves.hpp"
#include "search_run.hpp"
#include "selection/hyperband.hpp"
#include "selection/tpe.hpp"

namespace modelhop {
namespace {

constexpr int kSeeds = 100;
constexpr std::int32_t kIterations = RecordedCurves::kIterations;

const RecordedCurves& curves() {
  static const RecordedCurves recorded("data/curves.csv");
  return recorded;
}

using MakeSearch = std::function<std::unique_ptr<Search>(std::uint64_t seed)>;

std::vector<double> regrets(const MakeSearch& make, std::uint64_t first_seed) {
  std::vector<double> values;
  for (std::uint64_t seed = first_seed; seed < first_seed + kSeeds; ++seed) {
    const auto search = make(seed);
    const auto trained = carry_out(*search, [](const ConfigurationText& configuration, std::int32_t iterations) {
      return curves().loss(configuration, iterations);
    });
    values.push_back(best_loss(trained, kIterations) - curves().best_loss());
  }
  return values;
}

MakeSearch random_search(std::int32_t num_configs) {
  return [num_configs](std::uint64_t seed) {
    return std::make_unique<RandomSearch>(RecordedCurves::model_ids(), RecordedCurves::space(), num_configs,
                                          kIterations, seed);
  };
}

void expect_better(const char* name, const MakeSearch& search, const MakeSearch& reference) {
  const std::vector<double> own = regrets(search, 1);
  const std::vector<double> random = regrets(reference, 1001);
  int not_worse = 0;
  int better = 0;
  for (int i = 0; i < kSeeds; ++i) {
    const auto place = static_cast<std::size_t>(i);
    not_worse += own[place] <= random[place] ? 1 : 0;
    better += own[place] < random[place] ? 1 : 0;
  }
  std::cout << name << ": median regret " << median(own) << ", random search " << median(random) << "; not worse in "
            << not_worse << " of " << kSeeds << " pairs, better in " << better << "\n";
  EXPECT_LT(median(own), median(random));
  EXPECT_GE(not_worse, 65);
}

TEST(Replay, the_whole_grid_was_recorded) {
  const auto grid = grid_configurations(RecordedCurves::model_ids(), RecordedCurves::space());
  EXPECT_EQ(grid.size(), 168U);
  EXPECT_EQ(curves().size(), grid.size());
  for (const ConfigurationText& configuration : grid) EXPECT_GT(curves().loss(configuration, kIterations), 0.0);
}

TEST(Replay, hyperband_beats_random_search) {
  const auto hyperband = [](std::uint64_t seed) {
    return std::make_unique<HyperbandSearch>(RecordedCurves::model_ids(), RecordedCurves::space(), kIterations, 3, 0,
                                             seed);
  };
  EXPECT_EQ(hyperband(1)->planned_iterations(), 342);
  expect_better("Hyperband", hyperband, random_search(13));
}

TEST(Replay, tpe_beats_random_search) {
  const auto tpe = [](std::uint64_t seed) {
    return std::make_unique<TpeSearch>(RecordedCurves::model_ids(), RecordedCurves::space(), 40, kIterations, seed);
  };
  expect_better("TPE", tpe, random_search(40));
}

}  // namespace
}  // namespace modelhop
