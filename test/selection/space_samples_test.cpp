// SPDX-License-Identifier: Apache-2.0
#include "selection/space_samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace modelhop {
namespace {

SearchSpace small_space() {
  SearchSpace space;
  space.compile = {{"loss", {"'mse'", "'mae'"}, {}}};
  space.optimizers = {{{"optimizer", {"SGD"}, {}}, {"lr", {}, Distribution{Distribution::Kind::kLinear, 0.5, 8.5}}},
                      {{"optimizer", {"Adam", "Nadam"}, {}}}};
  space.fit = {{"batch_size", {"4", "8", "16"}, {}}};
  return space;
}

bool holds(const std::vector<ConfigurationText>& samples, const std::string& compile, const std::string& fit) {
  return std::any_of(samples.begin(), samples.end(), [&](const ConfigurationText& sample) {
    return sample.compile_params.find(compile) != std::string::npos && sample.fit_params.find(fit) != std::string::npos;
  });
}

TEST(SpaceSamples, TakesAllCombinationsWhereTheyAreFew) {
  const auto samples = space_samples({3, 7}, small_space());
  // Of each model: SGD with three rates, and two optimizers without; two losses, three batch sizes.
  EXPECT_EQ(samples.size(), 2U * (3 + 2) * 2 * 3);
  std::set<std::string> distinct;
  for (const ConfigurationText& sample : samples) {
    distinct.insert(std::to_string(sample.model_id) + sample.compile_params + sample.fit_params);
  }
  EXPECT_EQ(distinct.size(), samples.size());
  EXPECT_TRUE(holds(samples, "SGD(lr=0.5)", "16"));
  EXPECT_TRUE(holds(samples, "SGD(lr=8.5)", "4"));
  EXPECT_TRUE(holds(samples, "Nadam()", "batch_size=8"));
}

TEST(SpaceSamples, HoldsEveryValueOfALargeSpace) {
  SearchSpace space = small_space();
  Parameter many{"epochs", {}, {}};
  for (int i = 1; i <= 400; ++i) many.values.push_back(std::to_string(i));
  space.fit.push_back(many);
  const auto samples = space_samples({3, 7}, space);
  EXPECT_LT(samples.size(), 5000U);
  for (const std::string& value : many.values) EXPECT_TRUE(holds(samples, "SGD", "epochs=" + value));
  for (const char* optimizer : {"SGD(lr=0.5)", "SGD(lr=8.5)", "Adam", "Nadam"}) {
    for (const char* size : {"batch_size=4,", "batch_size=8,", "batch_size=16,"}) {
      EXPECT_TRUE(holds(samples, optimizer, "")) << optimizer;
      EXPECT_TRUE(holds(samples, "", size)) << size;
    }
  }
}

}  // namespace
}  // namespace modelhop
