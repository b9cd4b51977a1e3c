// SPDX-License-Identifier: Apache-2.0
// Plain loops that the compiler vectorizes; branches on the step's flags are moved out of them.
#include "engine/optimizer_loops.hpp"

#include <algorithm>
#include <cmath>

#include "engine/vector_clones.hpp"

namespace modelhop::engine {

MODELHOP_VECTOR_CLONES void step_sgd(float* __restrict weights, const float* __restrict gradients, std::int64_t count,
                                     StepFactors step) {
  for (std::int64_t i = 0; i < count; ++i) weights[i] -= step.rate * gradients[i];
}

MODELHOP_VECTOR_CLONES void step_momentum(float* __restrict weights, float* __restrict velocity,
                                          const float* __restrict gradients, std::int64_t count, StepFactors step) {
  if (step.nesterov) {
    for (std::int64_t i = 0; i < count; ++i) {
      const float move = step.rate * gradients[i];
      const float v = step.momentum * velocity[i] - move;
      velocity[i] = v;
      weights[i] += step.momentum * v - move;
    }
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      const float v = step.momentum * velocity[i] - step.rate * gradients[i];
      velocity[i] = v;
      weights[i] += v;
    }
  }
}

MODELHOP_VECTOR_CLONES void step_adagrad(float* __restrict weights, float* __restrict accumulator,
                                         const float* __restrict gradients, std::int64_t count, StepFactors step) {
  const float inside = step.is_epsilon_inside ? step.epsilon : 0.0F;
  const float outside = step.is_epsilon_inside ? 0.0F : step.epsilon;
  for (std::int64_t i = 0; i < count; ++i) {
    const float a = accumulator[i] + gradients[i] * gradients[i];
    accumulator[i] = a;
    weights[i] -= step.rate * gradients[i] / (std::sqrt(a + inside) + outside);
  }
}

MODELHOP_VECTOR_CLONES void step_adam(float* __restrict weights, float* __restrict mean, float* __restrict square,
                                      const float* __restrict gradients, std::int64_t count, StepFactors step) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = gradients[i];
    const float m = step.beta_1 * mean[i] + step.one_minus_beta_1 * g;
    const float v = step.rho * square[i] + step.one_minus_rho * (g * g);
    mean[i] = m;
    square[i] = v;
    weights[i] -= step.rate * m / (std::sqrt(v) + step.epsilon);
  }
}

MODELHOP_VECTOR_CLONES void step_amsgrad(float* __restrict weights, float* __restrict mean, float* __restrict square,
                                         float* __restrict largest, const float* __restrict gradients,
                                         std::int64_t count, StepFactors step) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = gradients[i];
    const float m = step.beta_1 * mean[i] + step.one_minus_beta_1 * g;
    const float v = step.rho * square[i] + step.one_minus_rho * (g * g);
    const float top = v > largest[i] ? v : largest[i];
    mean[i] = m;
    square[i] = v;
    largest[i] = top;
    weights[i] -= step.rate * m / (std::sqrt(top) + step.epsilon);
  }
}

namespace {

MODELHOP_VECTOR_CLONES void step_rmsprop_plain(float* __restrict weights, float* __restrict square,
                                               const float* __restrict gradients, std::int64_t count,
                                               StepFactors step) {
  const float inside = step.is_epsilon_inside ? step.epsilon : 0.0F;
  const float outside = step.is_epsilon_inside ? 0.0F : step.epsilon;
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = gradients[i];
    const float a = step.rho * square[i] + step.one_minus_rho * (g * g);
    square[i] = a;
    weights[i] -= step.rate * g / (std::sqrt(a + inside) + outside);
  }
}

MODELHOP_VECTOR_CLONES void step_rmsprop_centered(float* __restrict weights, float* __restrict square,
                                                  float* __restrict mean, const float* __restrict gradients,
                                                  std::int64_t count, StepFactors step) {
  const float inside = step.is_epsilon_inside ? step.epsilon : 0.0F;
  const float outside = step.is_epsilon_inside ? 0.0F : step.epsilon;
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = gradients[i];
    const float a = step.rho * square[i] + step.one_minus_rho * (g * g);
    const float mg = step.rho * mean[i] + step.one_minus_rho * g;
    square[i] = a;
    mean[i] = mg;
    weights[i] -= step.rate * g / (std::sqrt(a - mg * mg + inside) + outside);
  }
}

MODELHOP_VECTOR_CLONES void step_rmsprop_momentum(float* __restrict weights, float* __restrict square,
                                                  float* __restrict momentum, const float* __restrict gradients,
                                                  std::int64_t count, StepFactors step) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = gradients[i];
    const float a = step.rho * square[i] + step.one_minus_rho * (g * g);
    const float m = step.momentum * momentum[i] + step.rate * g / std::sqrt(a + step.epsilon);
    square[i] = a;
    momentum[i] = m;
    weights[i] -= m;
  }
}

MODELHOP_VECTOR_CLONES void step_rmsprop_centered_momentum(float* __restrict weights, float* __restrict square,
                                                           float* __restrict mean, float* __restrict momentum,
                                                           const float* __restrict gradients, std::int64_t count,
                                                           StepFactors step) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = gradients[i];
    const float a = step.rho * square[i] + step.one_minus_rho * (g * g);
    const float mg = step.rho * mean[i] + step.one_minus_rho * g;
    const float m = step.momentum * momentum[i] + step.rate * g / std::sqrt(a - mg * mg + step.epsilon);
    square[i] = a;
    mean[i] = mg;
    momentum[i] = m;
    weights[i] -= m;
  }
}

}  // namespace

void step_rmsprop(float* weights, float* square, float* mean, float* momentum, const float* gradients,
                  std::int64_t count, StepFactors step) {
  if (mean != nullptr && momentum != nullptr) {
    step_rmsprop_centered_momentum(weights, square, mean, momentum, gradients, count, step);
  } else if (momentum != nullptr) {
    step_rmsprop_momentum(weights, square, momentum, gradients, count, step);
  } else if (mean != nullptr) {
    step_rmsprop_centered(weights, square, mean, gradients, count, step);
  } else {
    step_rmsprop_plain(weights, square, gradients, count, step);
  }
}

MODELHOP_VECTOR_CLONES void add_penalty_gradients(float* __restrict gradients, const float* __restrict weights,
                                                  std::int64_t count, float l1, float twice_l2) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float sign = static_cast<float>(weights[i] > 0.0F) - static_cast<float>(weights[i] < 0.0F);
    gradients[i] += l1 * sign + twice_l2 * weights[i];
  }
}

}  // namespace modelhop::engine
