// SPDX-License-Identifier: Apache-2.0
// Grids in MADlib's spelling and order; random draws that are the same everywhere.
#include "selection/configurations.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "modelhop/error.hpp"

namespace modelhop {
namespace {

Parameter listed(const std::string& name, std::vector<std::string> values) {
  return {name, std::move(values), {}};
}
Parameter ranged(const std::string& name, Distribution range) {
  return {name, {}, range};
}

SearchSpace small_space() {
  SearchSpace space;
  space.compile = {listed("loss", {"'categorical_crossentropy'"}), listed("metrics", {"['categorical_accuracy']"})};
  space.optimizers = {{listed("optimizer", {"Adam", "SGD"}), listed("lr", {"0.001", "0.01", "0.1"})}};
  space.fit = {listed("batch_size", {"10", "20"}), listed("epochs", {"1"})};
  return space;
}

SearchSpace ranged_space() {
  SearchSpace space = small_space();
  space.optimizers = {{listed("optimizer", {"SGD"}), ranged("lr", {Distribution::Kind::kLog, 1e-4, 1e-1}),
                       ranged("momentum", {Distribution::Kind::kLogNearOne, 0.5, 0.99}),
                       ranged("decay", {Distribution::Kind::kLinear, 0.25, 0.75})}};
  return space;
}

using Key = std::tuple<int, std::string, std::string>;

std::vector<Key> keys(const std::vector<ConfigurationText>& texts) {
  std::vector<Key> list;
  for (const ConfigurationText& text : texts) list.emplace_back(text.model_id, text.compile_params, text.fit_params);
  return list;
}

TEST(Configurations, grid_has_every_combination_in_order) {
  const auto grid = grid_configurations({1, 2}, small_space());
  ASSERT_EQ(grid.size(), 24U);
  EXPECT_EQ(grid[0].model_id, 1);
  EXPECT_EQ(grid[0].compile_params,
            "optimizer='Adam(lr=0.001)',loss='categorical_crossentropy',metrics=['categorical_accuracy']");
  EXPECT_EQ(grid[0].fit_params, "batch_size=10,epochs=1");
  EXPECT_EQ(grid[1].fit_params, "batch_size=20,epochs=1");
  EXPECT_EQ(grid[1].compile_params, grid[0].compile_params);
  EXPECT_EQ(grid[11].compile_params.substr(0, 22), "optimizer='SGD(lr=0.1)");
  EXPECT_EQ(grid[12].model_id, 2);
  const auto all = keys(grid);
  EXPECT_EQ(std::set<Key>(all.begin(), all.end()).size(), 24U);
}

TEST(Configurations, optimizers_without_parameters_and_whole_ones) {
  SearchSpace space;
  space.optimizers = {{listed("optimizer", {"RMSprop", "Adam(lr=0.1,decay=0.5)"})}};
  const auto grid = grid_configurations({7}, space);
  ASSERT_EQ(grid.size(), 2U);
  EXPECT_EQ(grid[0].compile_params, "optimizer='RMSprop()'");
  EXPECT_EQ(grid[1].compile_params, "optimizer='Adam(lr=0.1,decay=0.5)'");
  EXPECT_EQ(grid[0].fit_params, "");
}

TEST(Configurations, several_parameters_are_joined) {
  SearchSpace space;
  space.optimizers = {{listed("optimizer", {"SGD"}), listed("lr", {"0.1"}), listed("momentum", {"0.9"})}};
  EXPECT_EQ(grid_configurations({1}, space)[0].compile_params, "optimizer='SGD(lr=0.1,momentum=0.9)'");
}

TEST(Configurations, grid_refuses_distributions_empty_lists_and_explosions) {
  EXPECT_THROW(grid_configurations({1}, ranged_space()), Error);
  EXPECT_THROW(grid_configurations({}, small_space()), Error);
  SearchSpace large = small_space();
  std::vector<std::string> many;
  for (int i = 0; i < 2000; ++i) many.push_back(std::to_string(i));
  large.fit = {listed("batch_size", many), listed("epochs", many)};
  EXPECT_THROW(grid_configurations({1}, large), Error);
  large.fit = {listed("batch_size", many)};
  large.optimizers = {{listed("optimizer", {"SGD"}), listed("lr", many)}};
  EXPECT_THROW(grid_configurations({1}, large), Error);
}

TEST(Configurations, random_draws_repeat_with_their_seed) {
  EXPECT_EQ(keys(random_configurations({1, 2}, ranged_space(), 20, 5)),
            keys(random_configurations({1, 2}, ranged_space(), 20, 5)));
  EXPECT_NE(keys(random_configurations({1, 2}, ranged_space(), 20, 5)),
            keys(random_configurations({1, 2}, ranged_space(), 20, 6)));
  EXPECT_NE(keys(random_configurations({1, 2}, ranged_space(), 20, 0)),
            keys(random_configurations({1, 2}, ranged_space(), 20, 1)));
}

/// The value behind `name=` in a text.
double drawn_value(const std::string& text, const std::string& name) {
  const std::size_t at = text.find(name + "=");
  EXPECT_NE(at, std::string::npos) << text;
  return std::stod(text.substr(at + name.size() + 1));
}

TEST(Configurations, distributions_fill_their_range) {
  int low_rates = 0;
  int far_momenta = 0;
  double decay = 0;
  const auto draws = random_configurations({1}, ranged_space(), 3000, 11);
  ASSERT_EQ(draws.size(), 3000U);
  for (const ConfigurationText& draw : draws) {
    const double rate = drawn_value(draw.compile_params, "lr");
    const double momentum = drawn_value(draw.compile_params, "momentum");
    ASSERT_GE(rate, 1e-4);
    ASSERT_LE(rate, 1e-1);
    ASSERT_GE(momentum, 0.5);
    ASSERT_LE(momentum, 0.99);
    low_rates += rate < 1e-3 ? 1 : 0;
    far_momenta += 1.0 - momentum < std::sqrt(0.5 * 0.01) ? 1 : 0;
    decay += drawn_value(draw.compile_params, "decay");
  }
  // A third of the decades, half of the decades, and the middle.
  EXPECT_NEAR(low_rates / 3000.0, 1.0 / 3.0, 0.04);
  EXPECT_NEAR(far_momenta / 3000.0, 0.5, 0.04);
  EXPECT_NEAR(decay / 3000.0, 0.5, 0.015);
}

TEST(Configurations, a_small_space_is_exhausted_and_no_more) {
  const auto draws = random_configurations({1, 2}, small_space(), 1000, 3);
  EXPECT_EQ(draws.size(), 24U);
  const auto drawn = keys(draws);
  const auto grid = keys(grid_configurations({1, 2}, small_space()));
  EXPECT_EQ(std::set<Key>(drawn.begin(), drawn.end()), std::set<Key>(grid.begin(), grid.end()));
  EXPECT_EQ(random_configurations({1, 2}, small_space(), 5, 3).size(), 5U);
}

TEST(Configurations, a_rare_corner_is_found_too) {
  SearchSpace space;
  space.optimizers = {{listed("optimizer", {"SGD"})}, {listed("optimizer", {"Adam"})}};
  std::vector<std::string> many;
  for (int i = 0; i < 3000; ++i) many.push_back(std::to_string(i));
  space.optimizers[1].push_back(listed("lr", many));
  EXPECT_EQ(random_configurations({1}, space, 3001, 9).size(), 3001U);
  EXPECT_EQ(random_configurations({1}, space, 4000, 9).size(), 3001U);
}

TEST(Configurations, random_refuses_bad_counts) {
  EXPECT_THROW(random_configurations({1}, small_space(), 0, 1), Error);
  EXPECT_THROW(random_configurations({1}, small_space(), -3, 1), Error);
  EXPECT_THROW(random_configurations({1}, small_space(), 2'000'000, 1), Error);
  EXPECT_THROW(random_configurations({}, small_space(), 1, 1), Error);
}

// Results and saved runs depend on these values: they may never change.
TEST(Configurations, pinned_values) {
  EXPECT_EQ(configuration_seed(0, 1), 12935080325729570654ULL);
  EXPECT_EQ(configuration_seed(0, 2), 7141179953334974231ULL);
  EXPECT_EQ(configuration_seed(42, 1), 17630415256238047317ULL);
  EXPECT_EQ(configuration_seed(18446744073709551615ULL, -1), 14290652553135621084ULL);
  const auto draws = random_configurations({1, 2}, ranged_space(), 2, 42);
  EXPECT_EQ(draws[0].model_id, 2);
  EXPECT_EQ(draws[0].compile_params,
            "optimizer='SGD(lr=0.00107788,momentum=0.988395882556,decay=0.684114)',loss='categorical_crossentropy',"
            "metrics=['categorical_accuracy']");
  EXPECT_EQ(draws[1].model_id, 1);
  EXPECT_EQ(draws[1].compile_params,
            "optimizer='SGD(lr=0.00363111,momentum=0.86507703171,decay=0.351718)',loss='categorical_crossentropy',"
            "metrics=['categorical_accuracy']");
}

TEST(Configurations, seeds_differ) {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t run = 0; run < 100; ++run) {
    for (int key = 1; key <= 100; ++key) seeds.insert(configuration_seed(run, key));
  }
  EXPECT_EQ(seeds.size(), 10'000U);
}

}  // namespace
}  // namespace modelhop
