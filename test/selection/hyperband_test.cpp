// SPDX-License-Identifier: Apache-2.0
// The published schedules, and what a bracket does with losses that come in any order, are equal, or are no numbers.
#include "selection/hyperband.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "modelhop/error.hpp"
#include "search_run.hpp"

namespace modelhop {
namespace {

using Rows = std::vector<HyperbandRow>;

SearchSpace ranged_space() {
  SearchSpace space;
  space.optimizers = {{{"optimizer", {"SGD"}, {}}, {"lr", {}, Distribution{Distribution::Kind::kLog, 1e-4, 1.0}}}};
  return space;
}

SearchSpace listed_space(int count) {
  SearchSpace space;
  Parameter rate{"lr", {}, {}};
  for (int i = 1; i <= count; ++i) rate.values.push_back(std::to_string(i));
  space.optimizers = {{{"optimizer", {"SGD"}, {}}, rate}};
  return space;
}

double rate_of(const ConfigurationText& configuration) {
  return std::stod(configuration.compile_params.substr(configuration.compile_params.find("lr=") + 3));
}

TEST(HyperbandSchedule, published_ones) {
  EXPECT_EQ(hyperband_schedule(9, 3, 0),
            (Rows{{2, 0, 9, 1}, {2, 1, 3, 3}, {2, 2, 1, 9}, {1, 0, 3, 3}, {1, 1, 1, 9}, {0, 0, 3, 9}}));
  EXPECT_EQ(hyperband_schedule(81, 3, 0), (Rows{{4, 0, 81, 1},
                                                {4, 1, 27, 3},
                                                {4, 2, 9, 9},
                                                {4, 3, 3, 27},
                                                {4, 4, 1, 81},
                                                {3, 0, 27, 3},
                                                {3, 1, 9, 9},
                                                {3, 2, 3, 27},
                                                {3, 3, 1, 81},
                                                {2, 0, 9, 9},
                                                {2, 1, 3, 27},
                                                {2, 2, 1, 81},
                                                {1, 0, 6, 27},
                                                {1, 1, 2, 81},
                                                {0, 0, 5, 81}}));
  EXPECT_EQ(hyperband_schedule(6, 3, 0), (Rows{{1, 0, 3, 2}, {1, 1, 1, 6}, {0, 0, 2, 6}}));
  EXPECT_EQ(hyperband_schedule(5, 5, 0), (Rows{{1, 0, 5, 1}, {1, 1, 1, 5}, {0, 0, 2, 5}}));
  EXPECT_EQ(hyperband_schedule(5, 5, 1), (Rows{{1, 0, 5, 1}}));
  EXPECT_EQ(hyperband_schedule(9, 3, 1), (Rows{{2, 0, 9, 1}, {2, 1, 3, 3}, {1, 0, 3, 3}}));
  EXPECT_EQ(hyperband_schedule(9, 3, 2), (Rows{{2, 0, 9, 1}}));
}

// 3^-5 * 243 and the like must not lose a configuration or an iteration; the bounds of the types must hold.
TEST(HyperbandSchedule, whole_numbers_throughout) {
  for (const auto& [r, eta] :
       {std::pair{243, 3}, {1000, 10}, {7, 2}, {10, 3}, {2147483647, 2}, {2147483647, 2147483647}}) {
    std::int32_t widest = 0;
    for (std::int64_t power = eta; power <= r; power *= eta) ++widest;
    const Rows rows = hyperband_schedule(r, eta, 0);
    EXPECT_EQ(static_cast<std::int32_t>(rows.size()), (widest + 1) * (widest + 2) / 2);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_GE(rows[i].n_i, 1);
      if (rows[i].i == rows[i].s) {
        EXPECT_EQ(rows[i].r_i, r);
      }
      if (rows[i].i == 0) continue;
      EXPECT_GT(rows[i].r_i, rows[i - 1].r_i) << r << " " << eta;
      EXPECT_EQ(rows[i].n_i, rows[i - 1].n_i / eta);
    }
  }
}

std::string refusal(std::int32_t r, std::int32_t eta, std::int32_t skip_last) {
  try {
    hyperband_schedule(r, eta, skip_last);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.what();
  }
  return "accepted";
}

TEST(HyperbandSchedule, refuses_what_makes_no_schedule) {
  EXPECT_EQ(refusal(2, 3, 0), "R must not be less than eta, but R is 2 and eta 3");
  EXPECT_EQ(refusal(9, 1, 0), "eta must be greater than 1, not 1");
  EXPECT_EQ(refusal(-9, -3, 0), "eta must be greater than 1, not -3");
  EXPECT_EQ(refusal(9, 3, 3), "skip_last must be between 0 and 2 where R is 9 and eta 3, not 3");
  EXPECT_EQ(refusal(9, 3, -1), "skip_last must be between 0 and 2 where R is 9 and eta 3, not -1");
  EXPECT_EQ(refusal(9, 3, 2), "accepted");
}

TEST(Hyperband, keeps_to_its_schedule) {
  for (const auto& [r, eta, skip] : {std::tuple{27, 3, 0}, {27, 3, 1}, {6, 3, 0}, {16, 2, 0}, {5, 5, 1}}) {
    HyperbandSearch search({1, 2}, ranged_space(), r, eta, skip, 7);
    std::map<std::pair<int, int>, int> asked;
    std::map<ConfigurationKey, std::int32_t> had;
    std::int64_t iterations = 0;
    for (std::vector<Trial> trials = search.ask(); !trials.empty(); trials = search.ask()) {
      for (const Trial& trial : trials) {
        EXPECT_EQ(trial.configuration.has_value(), trial.rung == 0);
        EXPECT_FALSE(search.is_done());
        ++asked[{trial.bracket, trial.rung}];
        iterations += trial.iterations - had[trial.key];
        had[trial.key] = trial.iterations;
        search.tell(trial.key, trial.key * 0.37);
      }
    }
    EXPECT_TRUE(search.is_done());
    EXPECT_EQ(iterations, search.planned_iterations());
    EXPECT_EQ(static_cast<std::int32_t>(had.size()), search.planned_configurations());
    EXPECT_EQ(had.rbegin()->first, search.planned_configurations());
    const Rows rows = hyperband_schedule(r, eta, skip);
    EXPECT_EQ(asked.size(), rows.size());
    for (const HyperbandRow& row : rows) EXPECT_EQ((asked[{row.s, row.i}]), row.n_i);
  }
}

/// Tells all trials of an ask() with the losses given by key.
void tell_all(Search& search, const std::vector<Trial>& trials, const std::map<ConfigurationKey, double>& losses) {
  for (const Trial& trial : trials) search.tell(trial.key, losses.at(trial.key));
}

std::vector<ConfigurationKey> keys_of(const std::vector<Trial>& trials) {
  std::vector<ConfigurationKey> keys;
  for (const Trial& trial : trials) keys.push_back(trial.key);
  std::sort(keys.begin(), keys.end());
  return keys;
}

using Keys = std::vector<ConfigurationKey>;

TEST(Hyperband, promotes_the_best_and_the_lower_key_among_equals) {
  HyperbandSearch search({1}, ranged_space(), 9, 3, 1, 3);  // brackets of 9 and 3
  const std::vector<Trial> first = search.ask();
  EXPECT_EQ(keys_of(first), (Keys{1, 2, 3, 4, 5, 6, 7, 8, 9}));
  tell_all(search, first, {{1, 5}, {2, 2}, {3, 2}, {4, 9}, {5, 1}, {6, 2}, {7, 8}, {8, 7}, {9, 6}});
  const std::vector<Trial> second = search.ask();
  EXPECT_EQ(keys_of(second), (Keys{2, 3, 5, 10, 11, 12}));
  for (const Trial& trial : second) EXPECT_EQ(trial.iterations, 3);
}

TEST(Hyperband, what_diverged_is_never_promoted_and_its_place_stays_empty) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  HyperbandSearch search({1}, ranged_space(), 9, 3, 0, 3);
  tell_all(search, search.ask(),
           {{1, nan}, {2, infinity}, {3, -infinity}, {4, nan}, {5, 4}, {6, nan}, {7, nan}, {8, 3}, {9, nan}});
  std::vector<Trial> second = search.ask();
  EXPECT_EQ(keys_of(second), (Keys{5, 8, 10, 11, 12, 13, 14, 15}));
  for (const Trial& trial : second) search.tell(trial.key, nan);
  EXPECT_TRUE(search.ask().empty());
  EXPECT_TRUE(search.is_done());
}

// Of two with nearly the same loss the one that still falls goes on.
TEST(Hyperband, ranks_by_the_loss_that_is_headed_for) {
  HyperbandSearch search({1}, ranged_space(), 9, 3, 0, 3);
  tell_all(search, search.ask(), {{1, 1.0}, {2, 1.2}, {3, 2.0}, {4, 9}, {5, 9}, {6, 9}, {7, 9}, {8, 9}, {9, 9}});
  for (const Trial& trial : search.ask()) {
    search.tell(trial.key, trial.key == 1 ? 0.95 : trial.key == 2 ? 1.0 : trial.key == 3 ? 1.1 : 5.0);
  }
  std::set<ConfigurationKey> last;
  for (const Trial& trial : search.ask()) {
    if (trial.bracket == 2) last.insert(trial.key);
  }
  EXPECT_EQ(last, std::set<ConfigurationKey>{3});
}

TEST(Hyperband, the_order_of_tells_does_not_matter) {
  const auto loss = [](const ConfigurationText& configuration, std::int32_t iterations) {
    const double rate = std::log10(rate_of(configuration));
    return rate > -0.5 ? std::numeric_limits<double>::quiet_NaN() : std::abs(rate + 2.0) + 1.0 / iterations;
  };
  std::vector<std::map<ConfigurationKey, std::string>> outcomes;
  for (const bool is_last_first : {false, true}) {
    HyperbandSearch search({1, 2, 3}, ranged_space(), 27, 3, 0, 11);
    std::map<ConfigurationKey, ConfigurationText> known;
    std::map<ConfigurationKey, std::string> outcome;
    std::vector<Trial> waiting;
    while (!search.is_done()) {
      for (Trial& trial : search.ask()) waiting.push_back(std::move(trial));
      auto chosen = is_last_first ? waiting.end() - 1 : waiting.begin();
      const Trial trial = *chosen;
      waiting.erase(chosen);
      if (trial.configuration) known[trial.key] = *trial.configuration;
      outcome[trial.key] = known[trial.key].compile_params + " " + std::to_string(trial.iterations);
      search.tell(trial.key, loss(known[trial.key], trial.iterations));
    }
    outcomes.push_back(outcome);
  }
  EXPECT_EQ(outcomes[0], outcomes[1]);
}

TEST(Hyperband, a_small_space_is_used_up_and_the_plan_knows) {
  for (const int size : {1, 2, 10, 26, 28, 45, 46, 47}) {
    HyperbandSearch search({1}, listed_space(size), 27, 3, 0, 5);
    EXPECT_EQ(search.planned_configurations(), std::min(size, 46));
    std::set<std::string> texts;
    const auto trained =
        carry_out(search, [](const ConfigurationText& configuration, std::int32_t) { return rate_of(configuration); });
    std::int64_t iterations = 0;
    for (const auto& [unused, one] : trained) {
      texts.insert(one.configuration.compile_params);
      iterations += one.iterations;
    }
    EXPECT_EQ(static_cast<int>(texts.size()), std::min(size, 46));
    EXPECT_EQ(iterations, search.planned_iterations());
    EXPECT_TRUE(search.is_done());
  }
}

TEST(Hyperband, refuses_strangers_and_too_many) {
  HyperbandSearch search({1}, ranged_space(), 3, 3, 0, 1);
  search.ask();
  search.tell(1, 0.5);
  EXPECT_THROW(search.tell(1, 0.5), Error);
  EXPECT_THROW(search.tell(99, 0.5), Error);
  EXPECT_THROW(HyperbandSearch({1}, ranged_space(), 2147483647, 2, 0, 1), Error);
}

}  // namespace
}  // namespace modelhop
