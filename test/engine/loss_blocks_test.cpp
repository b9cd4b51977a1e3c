// SPDX-License-Identifier: Apache-2.0
// Losses of more elements than the vectorized loops take at once, against double precision.
#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/loss.hpp"

namespace modelhop::engine {
namespace {

/// Blocks of 64, the fixtures being shorter; numbers far from zero, where a sigmoid ends.
TEST(Loss, BinaryCrossentropyOfManyLogits) {
  OutputLoss loss;
  loss.loss.kind = LossKind::kBinaryCrossentropy;
  loss.fused = FinalActivation::kSigmoid;
  for (const std::int64_t count : {1, 63, 64, 65, 200}) {
    at::Tensor x = at::empty({count, 1}), y = at::empty({count, 1}), gradient = at::empty({count, 1});
    double expected = 0.0;
    std::vector<double> slopes;
    for (std::int64_t i = 0; i < count; ++i) {
      const float logit = i == 0 ? 100.0F : i == 1 ? -100.0F : std::sin(static_cast<float>(i)) * 10.0F;
      x.mutable_data_ptr<float>()[i] = logit;
      y.mutable_data_ptr<float>()[i] = static_cast<float>(i % 3 == 0);
      const double target = i % 3 == 0, exact = logit;
      expected += std::log1p(std::exp(-std::abs(exact))) + std::max(exact, 0.0) - exact * target;
      slopes.push_back((1.0 / (1.0 + std::exp(-exact)) - target) / static_cast<double>(count));
    }
    EXPECT_NEAR(loss_and_gradient(loss, x, y, {}, &gradient), expected, 1e-6 * (1.0 + expected)) << count;
    EXPECT_NEAR(loss_and_gradient(loss, x, y, {}, nullptr), expected, 1e-6 * (1.0 + expected)) << count;
    for (std::int64_t i = 0; i < count; ++i) {
      EXPECT_NEAR(gradient.const_data_ptr<float>()[i], slopes[static_cast<std::size_t>(i)], 1e-6 / count) << i;
    }
  }
}

}  // namespace
}  // namespace modelhop::engine
