// SPDX-License-Identifier: Apache-2.0
// One update of a flat buffer, one pass, vectorized for the processor at run time.
#pragma once

#include <cstdint>

namespace modelhop::engine {

/// A step's numbers, all that depends on the step count worked out.
struct StepFactors {
  float rate = 0.0F;  ///< learning rate now; for Adam with its bias correction
  float momentum = 0.0F;
  bool nesterov = false;
  float rho = 0.0F;  ///< also Adam's beta_2
  float beta_1 = 0.0F;
  float one_minus_rho = 0.0F;
  float one_minus_beta_1 = 0.0F;
  float epsilon = 0.0F;
  bool is_epsilon_inside = false;  ///< sqrt(a + epsilon) instead of sqrt(a) + epsilon
};

void step_sgd(float* weights, const float* gradients, std::int64_t count, StepFactors step);
void step_momentum(float* weights, float* velocity, const float* gradients, std::int64_t count, StepFactors step);
void step_adagrad(float* weights, float* accumulator, const float* gradients, std::int64_t count, StepFactors step);
void step_adam(float* weights, float* mean, float* square, const float* gradients, std::int64_t count,
               StepFactors step);
void step_amsgrad(float* weights, float* mean, float* square, float* largest, const float* gradients,
                  std::int64_t count, StepFactors step);

/// `mean` and `momentum` are null where the optimizer is not centered or has no momentum.
void step_rmsprop(float* weights, float* square, float* mean, float* momentum, const float* gradients,
                  std::int64_t count, StepFactors step);

/// gradients += l1 * sign(weights) + 2 * l2 * weights
void add_penalty_gradients(float* gradients, const float* weights, std::int64_t count, float l1, float twice_l2);

}  // namespace modelhop::engine
