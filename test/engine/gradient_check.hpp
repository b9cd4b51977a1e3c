// SPDX-License-Identifier: Apache-2.0
// Gradients of a network against finite differences of its loss.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <ostream>
#include <vector>

#include "engine/batch_builder.hpp"
#include "engine/device.hpp"
#include "engine/plan.hpp"
#include "network_builder.hpp"

namespace modelhop::engine {

/// A network with a training plan on one batch, so that its loss is a function of its parameters.
class LossFunction {
 public:
  LossFunction(const ModelSpec& spec, LossKind loss, std::int64_t rows)
      : network_(spec, test::train_spec(loss, test::sgd(0.1), static_cast<int>(rows)), {},
                 {element_count(spec.output_shape(0))}),
        state_(std::make_shared<StateLayout>(network_.layout()), {}, 5),
        plan_(network_, Purpose::kTraining, rows),
        data_(rows, element_count(spec.input_shape(0)), element_count(spec.output_shape(0))) {
    state_.initialize();
    // Nothing may be at a special value: biases of zero would hide a missing term.
    float* parameters = state_.parameters.mutable_data_ptr<float>();
    for (const WeightPlace& place : network_.layout().weights) {
      if (!place.is_trainable) continue;
      for (std::int64_t index = 0; index < place.count; ++index) {
        parameters[place.offset + index] += 0.1F * std::sin(static_cast<float>(place.offset + 3 * index));
      }
    }
    statistics_ = state_.statistics.clone();
    plan_.bind(state_);
    const Examples examples = data_.examples();
    BatchBuilder batch;
    batch.begin(examples);
    batch.add(examples, 0, rows);
    plan_.load(batch.rows());
  }

  /// Mean loss at the present parameters.
  double operator()() {
    state_.statistics.copy_(statistics_);
    return plan_.compute_gradients({1, 2}) / static_cast<double>(plan_.rows());
  }
  float* parameters() { return state_.parameters.mutable_data_ptr<float>(); }
  std::vector<float> gradients() {
    const float* begin = plan_.gradients().const_data_ptr<float>();
    return {begin, begin + plan_.gradients().numel()};
  }
  const StateLayout& layout() const { return network_.layout(); }

 private:
  ComputeScope scope_;
  Network network_;
  FlatState state_;
  Plan plan_;
  test::Dataset data_;
  at::Tensor statistics_;
};

/// Fourth-order central difference: its error is rounding, about 1e-6 of the loss over the step.
inline double difference_quotient(LossFunction& loss, float& parameter, double step) {
  const float start = parameter;
  const auto at = [&](double offset) {
    parameter = static_cast<float>(start + offset);
    return loss();
  };
  const double result = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
  parameter = start;
  return result;
}

struct GradientCase {
  const char* name;
  ModelSpec spec;
  LossKind loss = LossKind::kMeanSquaredError;
  bool needs_small_steps = false;  ///< kinks or strong curvature within a step; small steps cost rounding
};

inline void PrintTo(const GradientCase& test_case, std::ostream* out) {
  *out << test_case.name;
}

inline void expect_gradients_of_differences(const GradientCase& test_case) {
  initialize_engine({});
  LossFunction loss(test_case.spec, test_case.loss, 5);
  loss();
  const std::vector<float> gradients = loss.gradients();
  double largest = 0.0;
  for (const float gradient : gradients) largest = std::max(largest, std::abs(static_cast<double>(gradient)));
  ASSERT_GT(largest, 1e-3);
  const double step = test_case.needs_small_steps ? 1.0 / 8192 : 1.0 / 64;
  const double tolerance = test_case.needs_small_steps ? 5e-3 * largest : 1e-4 * largest + 5e-6;
  for (const WeightPlace& place : loss.layout().weights) {
    if (!place.is_trainable) continue;
    const std::int64_t stride = std::max<std::int64_t>(1, place.count / 24);
    for (std::int64_t index = 0; index < place.count; index += stride) {
      const std::int64_t at = place.offset + index;
      EXPECT_NEAR(gradients[at], difference_quotient(loss, loss.parameters()[at], step), tolerance)
          << place.name << "[" << index << "]";
    }
  }
}

}  // namespace modelhop::engine
