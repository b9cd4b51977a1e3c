// SPDX-License-Identifier: Apache-2.0
// hyperopt's own numbers (data/tpe_fixtures.json, written by tpe_fixtures.py) against ours.
#include "selection/parzen.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

namespace modelhop {
namespace {

const nlohmann::json& fixtures(const char* name) {
  static const nlohmann::json all = nlohmann::json::parse(std::ifstream("data/tpe_fixtures.json"));
  return all.at(name);
}

std::vector<double> numbers(const nlohmann::json& fixture, const char* name) {
  return fixture.at(name).get<std::vector<double>>();
}

void expect_near(const std::vector<double>& own, const std::vector<double>& expected) {
  ASSERT_EQ(own.size(), expected.size());
  for (std::size_t i = 0; i < own.size(); ++i) EXPECT_NEAR(own[i], expected[i], 1e-9 * (1.0 + std::abs(expected[i])));
}

Mixture mixture_of(const nlohmann::json& fixture, const char* observations) {
  return parzen_mixture(numbers(fixture, observations), fixture.at("low"), fixture.at("high"));
}

TEST(Parzen, forgets_as_hyperopt) {
  ASSERT_EQ(fixtures("forgetting").size(), 11U);
  for (const auto& fixture : fixtures("forgetting")) {
    expect_near(forgetting_weights(fixture.at("count")), numbers(fixture, "weights"));
  }
}

TEST(Parzen, mixtures_are_those_of_hyperopt) {
  ASSERT_EQ(fixtures("mixtures").size(), 48U);
  for (const auto& fixture : fixtures("mixtures")) {
    const Mixture mixture = mixture_of(fixture, "observations");
    SCOPED_TRACE(fixture.at("observations").dump());
    expect_near(mixture.weights, numbers(fixture, "weights"));
    expect_near(mixture.means, numbers(fixture, "means"));
    expect_near(mixture.deviations, numbers(fixture, "deviations"));
    std::vector<double> densities;
    for (const double candidate : numbers(fixture, "candidates")) densities.push_back(log_density(mixture, candidate));
    expect_near(densities, numbers(fixture, "log_densities"));
  }
}

TEST(Parzen, ratios_on_a_logarithmic_scale_are_those_of_hyperopt) {
  ASSERT_EQ(fixtures("log_ratios").size(), 4U);
  for (const auto& fixture : fixtures("log_ratios")) {
    const Mixture good = mixture_of(fixture, "good");
    const Mixture others = mixture_of(fixture, "others");
    std::vector<double> ratios;
    for (const double candidate : numbers(fixture, "candidates")) {
      ratios.push_back(log_density(good, candidate) - log_density(others, candidate));
    }
    const double first = ratios.front();
    for (double& ratio : ratios) ratio -= first;
    expect_near(ratios, numbers(fixture, "log_ratios"));
  }
}

TEST(Parzen, categories_are_those_of_hyperopt) {
  ASSERT_EQ(fixtures("categories").size(), 33U);
  for (const auto& fixture : fixtures("categories")) {
    expect_near(category_posterior(numbers(fixture, "observations"), fixture.at("count")),
                numbers(fixture, "probabilities"));
  }
}

TEST(Parzen, draws_follow_the_mixture) {
  const Mixture mixture = parzen_mixture({0.05, 0.06, 0.07, 0.9}, 0.0, 1.0);
  Generator generator(5);
  constexpr int kDraws = 40'000;
  std::vector<int> counts(10);
  for (int i = 0; i < kDraws; ++i) {
    const double draw = draw_from(mixture, generator);
    ASSERT_GE(draw, 0.0);
    ASSERT_LT(draw, 1.0);
    ++counts[static_cast<std::size_t>(draw * 10.0)];
  }
  // The probability of a tenth, by the midpoint rule.
  for (std::size_t tenth = 0; tenth < counts.size(); ++tenth) {
    double expected = 0.0;
    for (int i = 0; i < 100; ++i) {
      expected += 1e-3 * std::exp(log_density(mixture, 0.1 * static_cast<double>(tenth) + 1e-3 * (i + 0.5)));
    }
    EXPECT_NEAR(counts[tenth] / static_cast<double>(kDraws), expected, 0.01);
  }
}

TEST(Parzen, categories_are_drawn_by_their_probability) {
  Generator generator(6);
  std::vector<int> counts(3);
  for (int i = 0; i < 20'000; ++i) ++counts[draw_from(std::vector<double>{0.2, 0.7, 0.1}, generator)];
  EXPECT_NEAR(counts[0], 4'000, 300);
  EXPECT_NEAR(counts[1], 14'000, 300);
  EXPECT_NEAR(counts[2], 2'000, 300);
}

}  // namespace
}  // namespace modelhop
