// SPDX-License-Identifier: Apache-2.0
// Projections after the update, by hand.
#include "engine/constraint.hpp"

#include <gtest/gtest.h>

#include "layer_network.hpp"

namespace modelhop::engine {
namespace {

using Floats = std::vector<float>;

/// The weights of a layer without bias after a projection.
Floats projected(const Shape& input, const std::string& class_name, const std::string& config, const Floats& weights) {
  initialize_engine({});
  const ComputeScope scope;
  const ModelSpec spec = network_of(input, {{class_name, config + R"(,"use_bias":false)"}});
  FlatState state(std::make_shared<StateLayout>(make_state_layout(spec, test::sgd(0.1))), {}, 1);
  state.set_weights(weights);
  apply_constraints(state);
  Floats result(weights.size());
  state.get_weights(result);
  return result;
}

std::string dense(const std::string& kind, const std::string& arguments) {
  return R"("units":1,"kernel_constraint":{"class_name":")" + kind + R"(","config":{)" + arguments + "}}";
}

TEST(Constraint, ProjectsAsKerasDoes) {
  const Floats column = {3, 4};
  // One rounding of float32 at 1.2 is 1.2e-7.
  expect_near(projected({2}, "Dense", dense("MaxNorm", R"("max_value":2,"axis":0)"), column),
              {1.19999998F, 1.59999997F}, 2e-7F);
  expect_near(projected({2}, "Dense", dense("MaxNorm", R"("max_value":9,"axis":0)"), column), column, 1e-6F);
  expect_near(projected({2}, "Dense", dense("UnitNorm", R"("axis":0)"), column), {0.6F, 0.8F}, 1e-6F);
  expect_near(projected({2}, "Dense", dense("UnitNorm", R"("axis":1)"), {-3, 4}), {-1, 1}, 1e-6F);
  expect_near(projected({2}, "Dense", dense("NonNeg", ""), {-3, 4}), {0, 4}, 0.0F);
  expect_near(projected({2}, "Dense", dense("MinMaxNorm", R"("min_value":0.5,"max_value":1,"rate":0.5)"), column),
              {1.8F, 2.4F}, 1e-6F);
  expect_near(projected({2}, "Dense", dense("MinMaxNorm", R"("min_value":10,"max_value":20)"), column), {6, 8}, 1e-6F);
}

TEST(Constraint, CountsAxesInKerassLayout) {
  // Kernel (1, 2, 1, 2): position, then filter.
  const std::string config =
      R"("filters":2,"kernel_size":[1,2],"kernel_constraint":{"class_name":"UnitNorm","config":{"axis":[0,1,2]}})";
  expect_near(projected({3, 3, 1}, "Conv2D", config, {3, 5, 4, 12}), {0.6F, 5.0F / 13, 0.8F, 12.0F / 13}, 1e-6F);
}

TEST(Constraint, LeavesFrozenWeightsAlone) {
  const std::string config = dense("UnitNorm", R"("axis":0)") + R"(,"trainable":false)";
  expect_near(projected({2}, "Dense", config, {3, 4}), {3, 4}, 0.0F);
}

}  // namespace
}  // namespace modelhop::engine
