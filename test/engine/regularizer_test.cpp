// SPDX-License-Identifier: Apache-2.0
// Penalties by hand, and their gradients against differences.
#include "engine/regularizer.hpp"

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

namespace modelhop::engine {
namespace {

at::Tensor matrix() {
  return at::tensor(std::vector<float>{0.5F, -1.0F, 2.0F, 1.5F, 0.25F, -0.75F}).view({2, 3});
}

double penalty(const RegularizerSpec& regularizer, const at::Tensor& values) {
  return penalty_of(regularizer, values).item<double>();
}

TEST(Regularizer, SumsAbsolutesAndSquares) {
  EXPECT_NEAR(penalty({.l1 = 0.1}, matrix()), 0.6, 1e-7);
  EXPECT_NEAR(penalty({.l2 = 0.1}, matrix()), 0.1 * 8.125, 1e-7);
}

TEST(Regularizer, SumsCosinesOfDifferentRows) {
  const at::Tensor rows = at::tensor(std::vector<float>{3, 0, 1, 1}).view({2, 2});
  EXPECT_NEAR(penalty({.orthogonal = 0.5}, rows), 0.5 * 0.70710678, 1e-6);
  const at::Tensor columns = rows.t().contiguous();
  EXPECT_NEAR(penalty({.orthogonal = 0.5, .orthogonal_of_columns = true}, columns), 0.5 * 0.70710678, 1e-6);
  EXPECT_EQ(penalty({.orthogonal = 0.5}, rows.narrow(0, 0, 1)), 0.0);
}

TEST(Regularizer, HasTheGradientOfItsPenalty) {
  const RegularizerSpec kinds[] = {
      {.l1 = 0.3}, {.l2 = 0.2}, {.orthogonal = 0.7}, {.orthogonal = 0.7, .orthogonal_of_columns = true}};
  for (const RegularizerSpec& regularizer : kinds) {
    at::Tensor values = matrix();
    at::Tensor gradient = at::zeros_like(values);
    add_penalty_gradient(regularizer, values, 2.0, gradient);
    for (std::int64_t index = 0; index < values.numel(); ++index) {
      float& value = values.mutable_data_ptr<float>()[index];
      const float start = value;
      value = start + 1.0F / 256;
      const double above = penalty(regularizer, values);
      value = start - 1.0F / 256;
      const double below = penalty(regularizer, values);
      value = start;
      EXPECT_NEAR(gradient.view(-1)[index].item<double>(), 2.0 * (above - below) * 128, 1e-4) << index;
    }
  }
}

}  // namespace
}  // namespace modelhop::engine
