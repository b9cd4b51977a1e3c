// SPDX-License-Identifier: Apache-2.0
// TPE as asks and tells: what it may know, what it names twice (nothing), and whether it finds the valleys of known
// functions.
#include "selection/tpe.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <iostream>
#include <numbers>

#include "modelhop/error.hpp"
#include "search_run.hpp"

namespace modelhop {
namespace {

Parameter ranged(const std::string& name, double low, double high) {
  return {name, {}, Distribution{Distribution::Kind::kLinear, low, high}};
}

SearchSpace box(int dimensions, double low, double high) {
  SearchSpace space;
  space.optimizers = {{{"optimizer", {"SGD"}, {}}}};
  for (int i = 0; i < dimensions; ++i) space.optimizers[0].push_back(ranged("x" + std::to_string(i), low, high));
  return space;
}

double value_of(const ConfigurationText& configuration, const std::string& name) {
  const std::string& text = configuration.compile_params;
  return std::stod(text.substr(text.find(name + "=") + name.size() + 1));
}

/// Three equal valleys of depth 0.397887.
double branin(const ConfigurationText& configuration, std::int32_t) {
  using std::numbers::pi;
  const double x = value_of(configuration, "x0");
  const double y = value_of(configuration, "x1");
  const double fold = y - 5.1 / (4.0 * pi * pi) * x * x + 5.0 / pi * x - 6.0;
  return fold * fold + 10.0 * (1.0 - 1.0 / (8.0 * pi)) * std::cos(x) + 10.0;
}

SearchSpace branin_space() {
  SearchSpace space;
  space.optimizers = {{{"optimizer", {"SGD"}, {}}, ranged("x0", -5.0, 10.0), ranged("x1", 0.0, 15.0)}};
  return space;
}

/// Six valleys, the deepest -3.32237.
double hartmann6(const ConfigurationText& configuration, std::int32_t) {
  constexpr std::array<double, 4> kHeights = {1.0, 1.2, 3.0, 3.2};
  constexpr double kWidths[4][6] = {
      {10, 3, 17, 3.5, 1.7, 8}, {0.05, 10, 17, 0.1, 8, 14}, {3, 3.5, 1.7, 10, 17, 8}, {17, 8, 0.05, 10, 0.1, 14}};
  constexpr double kCentres[4][6] = {{0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
                                     {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
                                     {0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650},
                                     {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}};
  double sum = 0.0;
  for (std::size_t valley = 0; valley < 4; ++valley) {
    double distance = 0.0;
    for (std::size_t i = 0; i < 6; ++i) {
      const double from_centre = value_of(configuration, "x" + std::to_string(i)) - kCentres[valley][i];
      distance += kWidths[valley][i] * from_centre * from_centre;
    }
    sum -= kHeights[valley] * std::exp(-distance);
  }
  return sum;
}

/// Over 60 seeds each: the median of the best value after 20, 30, ... 100 trials, against random search's.
void expect_deeper(const char* name, const SearchSpace& space, const Training& function, double margin) {
  constexpr std::uint64_t kSeeds = 60;
  constexpr std::int32_t kTrials = 100;
  std::vector<std::map<ConfigurationKey, Trained>> own;
  std::vector<std::map<ConfigurationKey, Trained>> random;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    TpeSearch tpe({1}, space, kTrials, 1, seed);
    own.push_back(carry_out(tpe, function));
    RandomSearch reference({1}, space, kTrials, 1, seed);
    random.push_back(carry_out(reference, function));
  }
  for (std::int32_t trials = 20; trials <= kTrials; trials += 10) {
    std::vector<double> own_bests;
    std::vector<double> random_bests;
    for (std::size_t i = 0; i < kSeeds; ++i) {
      own_bests.push_back(best_loss(own[i], 1, trials));
      random_bests.push_back(best_loss(random[i], 1, trials));
    }
    std::cout << name << " after " << trials << " trials: median " << median(own_bests) << ", random search "
              << median(random_bests) << "\n";
    EXPECT_LE(median(own_bests), median(random_bests)) << trials;
    if (trials == kTrials) {
      EXPECT_LT(median(own_bests), median(random_bests) - margin);
    }
  }
}

TEST(Tpe, finds_the_valleys_of_branin) {
  expect_deeper("Branin", branin_space(), branin, 0.2);
}

TEST(Tpe, finds_the_valleys_of_hartmann6) {
  expect_deeper("Hartmann6", box(6, 0.0, 1.0), hartmann6, 0.3);
}

// The parameters of the worse optimizer must not be learned from the better one's, nor the other way round.
TEST(Tpe, learns_along_the_tree_on_every_scale) {
  SearchSpace space;
  space.optimizers = {{{"optimizer", {"SGD"}, {}},
                       {"lr", {}, Distribution{Distribution::Kind::kLog, 1e-6, 1.0}},
                       {"momentum", {}, Distribution{Distribution::Kind::kLogNearOne, 0.1, 0.9999}}},
                      {{"optimizer", {"Adam"}, {}}, {"lr", {}, Distribution{Distribution::Kind::kLog, 1e-6, 1.0}}}};
  const auto loss = [](const ConfigurationText& configuration, std::int32_t) {
    const double rate = std::log10(value_of(configuration, "lr"));
    if (configuration.compile_params.find("Adam") != std::string::npos) return 3.0 + std::abs(rate + 5.0);
    const double momentum = std::log10(1.0 - value_of(configuration, "momentum"));
    return std::abs(rate + 2.0) + std::abs(momentum + 3.0) + (configuration.model_id == 3 ? 0.0 : 1.0);
  };
  std::vector<double> rates;
  std::vector<double> momenta;
  int right_model = 0;
  int right_optimizer = 0;
  constexpr int kSeeds = 20;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    TpeSearch search({1, 2, 3}, space, 80, 1, seed);
    const auto trained = carry_out(search, loss);
    for (ConfigurationKey key = 71; key <= 80; ++key) {
      const ConfigurationText& configuration = trained.at(key).configuration;
      right_model += configuration.model_id == 3 ? 1 : 0;
      if (configuration.compile_params.find("SGD") == std::string::npos) continue;
      ++right_optimizer;
      rates.push_back(std::log10(value_of(configuration, "lr")));
      momenta.push_back(std::log10(1.0 - value_of(configuration, "momentum")));
    }
  }
  EXPECT_GT(right_model, kSeeds * 10 / 2);
  EXPECT_GT(right_optimizer, kSeeds * 10 * 3 / 4);
  EXPECT_NEAR(median(rates), -2.0, 0.5);
  EXPECT_NEAR(median(momenta), -3.0, 0.5);
}

TEST(Tpe, knows_so_many_losses_and_no_more_whatever_the_order) {
  const auto carried_out = [](int order) {
    TpeSearch search({1}, branin_space(), 60, 3, 17, {.startup = 10, .candidates = 24, .in_flight = 5});
    std::vector<std::string> texts;
    std::vector<Trial> waiting;
    Generator generator(99);
    while (!search.is_done()) {
      for (Trial& trial : search.ask()) {
        EXPECT_EQ(trial.iterations, 3);
        texts.push_back(trial.configuration->compile_params);
        EXPECT_EQ(trial.key, static_cast<ConfigurationKey>(texts.size()));
        waiting.push_back(std::move(trial));
      }
      const std::size_t place = order == 0 ? 0 : order == 1 ? waiting.size() - 1 : generator.index(waiting.size());
      const Trial trial = waiting[place];
      waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(place));
      search.tell(trial.key, branin(*trial.configuration, 3));
    }
    return texts;
  };
  const auto first = carried_out(0);
  EXPECT_EQ(first.size(), 60U);
  EXPECT_EQ(carried_out(1), first);
  EXPECT_EQ(carried_out(2), first);
}

TEST(Tpe, keeps_its_number_in_flight) {
  TpeSearch search({1}, branin_space(), 30, 1, 1, {.startup = 8, .candidates = 24, .in_flight = 3});
  EXPECT_EQ(search.planned_configurations(), 30);
  EXPECT_EQ(search.planned_iterations(), 30);
  EXPECT_EQ(search.ask().size(), 8U);
  EXPECT_TRUE(search.ask().empty());
  search.tell(8, 1.0);
  search.tell(2, 1.0);
  EXPECT_TRUE(search.ask().empty());
  for (const ConfigurationKey key : {1, 3, 4, 5}) search.tell(key, 1.0);
  EXPECT_TRUE(search.ask().empty());
  search.tell(6, 1.0);
  EXPECT_EQ(search.ask().size(), 1U);
  search.tell(7, 1.0);
  EXPECT_EQ(search.ask().size(), 2U);
  EXPECT_FALSE(search.is_done());
}

SearchSpace listed_space() {
  SearchSpace space;
  space.optimizers = {{{"optimizer", {"Adam", "SGD"}, {}}, {"lr", {"0.1", "0.01", "0.001", "0.0001"}, {}}},
                      {{"optimizer", {"Adagrad"}, {}}}};
  space.fit = {{"batch_size", {"16", "32", "64"}, {}}, {"epochs", {"1"}, {}}};
  return space;
}

// One corner is far better than all others, so that it would be proposed again and again.
TEST(Tpe, names_nothing_twice_until_a_small_space_is_used_up) {
  for (const std::int32_t wanted : {30, 54, 200}) {
    TpeSearch search({4, 9}, listed_space(), wanted, 2, 3);
    const std::int32_t size = std::min(wanted, 54);
    EXPECT_EQ(search.planned_configurations(), size);
    EXPECT_EQ(search.planned_iterations(), 2 * size);
    std::set<ConfigurationIdentity> named;
    const auto trained = carry_out(search, [](const ConfigurationText& configuration, std::int32_t) {
      const bool is_corner = configuration.compile_params.find("SGD(lr=0.01)") != std::string::npos;
      return is_corner && configuration.model_id == 9 ? -1.0 : 1.0;
    });
    for (const auto& [unused, one] : trained) named.insert(identity_of(one.configuration));
    EXPECT_EQ(static_cast<std::int32_t>(named.size()), size);
    EXPECT_TRUE(search.is_done());
  }
}

TEST(Tpe, goes_where_nothing_diverges) {
  const auto loss = [](const ConfigurationText& configuration, std::int32_t) {
    const double x = value_of(configuration, "x0");
    return x > 0.4 ? std::numeric_limits<double>::quiet_NaN() : std::sin(1000.0 * x);
  };
  int diverged = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    TpeSearch search({1}, box(1, 0.0, 1.0), 60, 1, seed);
    for (const auto& [key, one] : carry_out(search, loss)) diverged += key > 40 && std::isnan(one.loss) ? 1 : 0;
  }
  EXPECT_LT(diverged, 20 * 20 / 4);
  TpeSearch hopeless({1}, box(2, 0.0, 1.0), 40, 1, 1);
  EXPECT_EQ(carry_out(hopeless, [](const ConfigurationText&, std::int32_t) { return HUGE_VAL; }).size(), 40U);
}

TEST(Tpe, draws_where_both_ends_have_one_logarithm) {
  SearchSpace space = box(1, 0.0, 1.0);
  const double low = 1e-3;
  space.optimizers[0].push_back({"lr", {}, Distribution{Distribution::Kind::kLog, low, std::nextafter(low, 1.0)}});
  TpeSearch search({1}, space, 30, 1, 5);
  int named = 0;
  for (auto trials = search.ask(); !trials.empty(); trials = search.ask()) {
    for (const Trial& trial : trials) {
      EXPECT_NE(trial.configuration->compile_params.find("lr=0.001"), std::string::npos);
      search.tell(trial.key, value_of(*trial.configuration, "x0"));
      ++named;
    }
  }
  EXPECT_EQ(named, 30);
  EXPECT_TRUE(search.is_done());
}

TEST(RandomSearch, is_what_random_configurations_draws) {
  RandomSearch search({1, 2}, branin_space(), 50, 4, 12);
  const std::vector<Trial> trials = search.ask();
  const auto drawn = random_configurations({1, 2}, branin_space(), 50, 12);
  ASSERT_EQ(trials.size(), drawn.size());
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    EXPECT_EQ(identity_of(*trials[i].configuration), identity_of(drawn[i]));
    EXPECT_EQ(trials[i].iterations, 4);
    EXPECT_FALSE(search.is_done());
    search.tell(trials[i].key, 1.0);
  }
  EXPECT_TRUE(search.is_done());
}

TEST(Tpe, refuses_bad_numbers_and_strangers) {
  EXPECT_THROW(TpeSearch({1}, listed_space(), -2, 1, 1), Error);
  EXPECT_THROW(TpeSearch({1}, listed_space(), 0, 1, 1), Error);
  EXPECT_THROW(TpeSearch({1}, listed_space(), 2'000'000, 1, 1), Error);
  EXPECT_THROW(TpeSearch({1}, listed_space(), 5, 0, 1), Error);
  EXPECT_THROW(RandomSearch({}, listed_space(), 5, 1, 1), Error);
  TpeSearch search({1}, listed_space(), 5, 1, 1);
  EXPECT_THROW(search.tell(1, 0.0), Error);
  search.ask();
  search.tell(1, 0.0);
  EXPECT_THROW(search.tell(1, 0.0), Error);
  EXPECT_THROW(search.tell(6, 0.0), Error);
}

}  // namespace
}  // namespace modelhop
