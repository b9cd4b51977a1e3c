// SPDX-License-Identifier: Apache-2.0
// Plain loops with an exponential of our own: the C library's cannot be vectorized, and its last bit differs.
#include "engine/recurrent_loops.hpp"

#include "engine/vector_clones.hpp"
#include "engine/vector_functions.hpp"

namespace modelhop::engine {
namespace {

MODELHOP_INLINE float sigmoid(float x) {
  return 1.0F / (1.0F + exponential(-x));
}

/// Small arguments by a polynomial (Cephes): the quotient would cancel there.
MODELHOP_INLINE float hyperbolic_tangent(float x) {
  const float size = x < 0.0F ? -x : x;
  const float square = x * x;
  float sum = -5.70498872745e-3F;
  sum = sum * square + 2.06390887954e-2F;
  sum = sum * square - 5.37397155531e-2F;
  sum = sum * square + 1.33314422036e-1F;
  sum = sum * square - 3.33332819422e-1F;
  const float small = sum * square * x + x;
  const float quotient = 1.0F - 2.0F / (exponential(2.0F * size) + 1.0F);
  const float large = x < 0.0F ? -quotient : quotient;
  return size < 0.625F ? small : large;
}

MODELHOP_INLINE float between_zero_and_one(float x) {
  x = x < 0.0F ? 0.0F : x;
  return x > 1.0F ? 1.0F : x;
}

template <typename Function>
MODELHOP_INLINE void each(float* values, std::int64_t count, Function function) {
#pragma GCC ivdep
  for (std::int64_t i = 0; i < count; ++i) values[i] = function(values[i]);
}

/// In the loops, where a row of sums is in the first level of the cache, and not before the products.
MODELHOP_INLINE void add_bias(const float* bias, std::int64_t first, std::int64_t count, float* sums) {
  if (bias == nullptr) return;
#pragma GCC ivdep
  for (std::int64_t i = 0; i < count; ++i) sums[i] += bias[first + i];
}

MODELHOP_INLINE void activate(LoopActivation kind, float* values, std::int64_t count) {
  switch (kind) {
    case LoopActivation::kLinear:
      break;
    case LoopActivation::kRelu:
      each(values, count, [](float x) { return x < 0.0F ? 0.0F : x; });
      break;
    case LoopActivation::kTanh:
      each(values, count, [](float x) { return hyperbolic_tangent(x); });
      break;
    case LoopActivation::kSigmoid:
      each(values, count, [](float x) { return sigmoid(x); });
      break;
    case LoopActivation::kHardSigmoidKeras2:
      each(values, count, [](float x) { return between_zero_and_one(x * 0.2F + 0.5F); });
      break;
    case LoopActivation::kHardSigmoidKeras3:
      each(values, count, [](float x) { return between_zero_and_one((x + 3.0F) / 6.0F); });
      break;
  }
}

/// The derivative at value y is a + b y + c y^2 inside (low, high), and 0 outside.
struct Derivative {
  float a, b, c, low, high;
};

constexpr float kFar = 3.0e38F;

MODELHOP_INLINE Derivative derivative_of(LoopActivation kind) {
  switch (kind) {
    case LoopActivation::kRelu:
      return {1.0F, 0.0F, 0.0F, 0.0F, kFar};
    case LoopActivation::kTanh:
      return {1.0F, 0.0F, -1.0F, -kFar, kFar};
    case LoopActivation::kSigmoid:
      return {0.0F, 1.0F, -1.0F, -kFar, kFar};
    case LoopActivation::kHardSigmoidKeras2:
      return {0.2F, 0.0F, 0.0F, 0.0F, 1.0F};
    case LoopActivation::kHardSigmoidKeras3:
      return {1.0F / 6.0F, 0.0F, 0.0F, 0.0F, 1.0F};
    default:
      return {1.0F, 0.0F, 0.0F, -kFar, kFar};
  }
}

MODELHOP_INLINE float at_value(const Derivative& d, float y) {
  const float slope = d.a + y * (d.b + y * d.c);
  return static_cast<int>(y <= d.low) | static_cast<int>(y >= d.high) ? 0.0F : slope;
}

MODELHOP_INLINE bool counts(RowMask mask, std::int64_t row) {
  return mask == nullptr || mask[row] > 0.0F;
}

MODELHOP_INLINE void copy(const float* from, std::int64_t count, float* into) {
#pragma GCC ivdep
  for (std::int64_t i = 0; i < count; ++i) into[i] = from[i];
}

MODELHOP_INLINE void clear(float* values, std::int64_t count) {
#pragma GCC ivdep
  for (std::int64_t i = 0; i < count; ++i) values[i] = 0.0F;
}

}  // namespace

std::optional<LoopActivation> loop_activation(std::string_view name, SemanticsProfile profile) {
  if (name == "linear") return LoopActivation::kLinear;
  if (name == "relu") return LoopActivation::kRelu;
  if (name == "tanh") return LoopActivation::kTanh;
  if (name == "sigmoid") return LoopActivation::kSigmoid;
  if (name == "hard_sigmoid") {
    return profile == SemanticsProfile::kKeras3 ? LoopActivation::kHardSigmoidKeras3
                                                : LoopActivation::kHardSigmoidKeras2;
  }
  return std::nullopt;
}

MODELHOP_VECTOR_CLONES
void simple_forward(const CellLoop& loop, const float* state, float* sums, float* next, RowMask mask) {
  const std::int64_t units = loop.units;
  for (std::int64_t row = 0; row < loop.rows; ++row, state += units, sums += units, next += units) {
    add_bias(loop.bias, 0, units, sums);
    activate(loop.activation, sums, units);
    copy(counts(mask, row) ? sums : state, units, next);
  }
}

MODELHOP_VECTOR_CLONES
void simple_backward(const CellLoop& loop, float* gradient, float* sums, RowMask mask) {
  const std::int64_t units = loop.units;
  const Derivative d = derivative_of(loop.activation);
  for (std::int64_t row = 0; row < loop.rows; ++row, gradient += units, sums += units) {
    if (!counts(mask, row)) {
      clear(sums, units);
      continue;
    }
#pragma GCC ivdep
    for (std::int64_t i = 0; i < units; ++i) {
      sums[i] = gradient[i] * at_value(d, sums[i]);
      gradient[i] = 0.0F;
    }
  }
}

MODELHOP_VECTOR_CLONES
void lstm_forward(const CellLoop& loop, const float* state, const float* carry, float* gates, float* next_carry,
                  float* bent, float* next, RowMask mask) {
  const std::int64_t units = loop.units;
  for (std::int64_t row = 0; row < loop.rows; ++row) {
    add_bias(loop.bias, 0, 4 * units, gates);
    activate(loop.gate_activation, gates, 2 * units);
    activate(loop.activation, gates + 2 * units, units);
    activate(loop.gate_activation, gates + 3 * units, units);
    const float *forget = gates + units, *candidate = gates + 2 * units, *open = gates + 3 * units;
    const bool counted = counts(mask, row);
    if (counted) {
#pragma GCC ivdep
      for (std::int64_t i = 0; i < units; ++i) {
        next_carry[i] = bent[i] = forget[i] * carry[i] + gates[i] * candidate[i];
      }
    } else {
      copy(carry, units, next_carry);
      copy(carry, units, bent);
    }
    activate(loop.activation, bent, units);
    if (counted) {
#pragma GCC ivdep
      for (std::int64_t i = 0; i < units; ++i) next[i] = open[i] * bent[i];
    } else {
      copy(state, units, next);
    }
    gates += 4 * units;
    state += units;
    carry += units;
    next_carry += units;
    bent += units;
    next += units;
  }
}

MODELHOP_VECTOR_CLONES
void lstm_backward(const CellLoop& loop, float* gradient, float* carry_gradient, const float* carry, const float* bent,
                   float* gates, RowMask mask) {
  const std::int64_t units = loop.units;
  const Derivative of_gate = derivative_of(loop.gate_activation), of_value = derivative_of(loop.activation);
  for (std::int64_t row = 0; row < loop.rows; ++row) {
    if (!counts(mask, row)) {
      clear(gates, 4 * units);
    } else {
      float *in = gates, *forget = gates + units, *candidate = gates + 2 * units, *open = gates + 3 * units;
#pragma GCC ivdep
      for (std::int64_t i = 0; i < units; ++i) {
        const float total = carry_gradient[i] + gradient[i] * open[i] * at_value(of_value, bent[i]);
        const float i_gate = in[i], f_gate = forget[i], value = candidate[i], o_gate = open[i];
        in[i] = total * value * at_value(of_gate, i_gate);
        forget[i] = total * carry[i] * at_value(of_gate, f_gate);
        candidate[i] = total * i_gate * at_value(of_value, value);
        open[i] = gradient[i] * bent[i] * at_value(of_gate, o_gate);
        carry_gradient[i] = total * f_gate;
        gradient[i] = 0.0F;
      }
    }
    gradient += units;
    carry_gradient += units;
    carry += units;
    bent += units;
    gates += 4 * units;
  }
}

MODELHOP_VECTOR_CLONES
void gru_after_forward(const CellLoop& loop, const float* state, float* gates, float* products, float* next,
                       RowMask mask) {
  const std::int64_t units = loop.units, width = 3 * units;
  for (std::int64_t row = 0; row < loop.rows; ++row) {
    float* gate = gates + row * width;
    float* product = products + row * width;
    add_bias(loop.bias, 0, 2 * units, gate);
    add_bias(loop.state_bias, 0, width, product);
#pragma GCC ivdep
    for (std::int64_t i = 0; i < 2 * units; ++i) gate[i] += product[i];
    activate(loop.gate_activation, gate, 2 * units);
#pragma GCC ivdep
    for (std::int64_t i = 0; i < units; ++i) gate[2 * units + i] += gate[units + i] * product[2 * units + i];
  }
  gru_before_forward(loop, state, gates, next, mask);
}

MODELHOP_VECTOR_CLONES
void gru_before_forward(const CellLoop& loop, const float* state, float* gates, float* next, RowMask mask) {
  const std::int64_t units = loop.units, width = 3 * units;
  for (std::int64_t row = 0; row < loop.rows; ++row) {
    float *update = gates + row * width, *candidate = update + 2 * units, *into = next + row * units;
    const float* old = state + row * units;
    add_bias(loop.bias, 2 * units, units, candidate);
    activate(loop.activation, candidate, units);
    if (counts(mask, row)) {
#pragma GCC ivdep
      for (std::int64_t i = 0; i < units; ++i) into[i] = update[i] * old[i] + (1.0F - update[i]) * candidate[i];
    } else {
      copy(old, units, into);
    }
  }
}

MODELHOP_VECTOR_CLONES
void gru_after_backward(const CellLoop& loop, float* gradient, const float* state, float* gates, float* products,
                        RowMask mask) {
  const std::int64_t units = loop.units;
  const Derivative of_gate = derivative_of(loop.gate_activation), of_value = derivative_of(loop.activation);
  for (std::int64_t row = 0; row < loop.rows; ++row) {
    if (!counts(mask, row)) {
      clear(gates, 3 * units);
      clear(products, 3 * units);
    } else {
      float *update = gates, *reset = gates + units, *candidate = gates + 2 * units;
#pragma GCC ivdep
      for (std::int64_t i = 0; i < units; ++i) {
        const float z = update[i], r = reset[i], value = candidate[i];
        const float of_sum = gradient[i] * (1.0F - z) * at_value(of_value, value);
        const float of_reset = of_sum * products[2 * units + i] * at_value(of_gate, r);
        const float of_update = gradient[i] * (state[i] - value) * at_value(of_gate, z);
        update[i] = products[i] = of_update;
        reset[i] = products[units + i] = of_reset;
        candidate[i] = of_sum;
        products[2 * units + i] = of_sum * r;
        gradient[i] *= z;
      }
    }
    gradient += units;
    state += units;
    gates += 3 * units;
    products += 3 * units;
  }
}

MODELHOP_VECTOR_CLONES
void gru_before_gates(const CellLoop& loop, const float* state, float* gates, float* left) {
  const std::int64_t units = loop.units, width = 3 * units;
  for (std::int64_t row = 0; row < loop.rows; ++row) {
    add_bias(loop.bias, 0, 2 * units, gates + row * width);
    activate(loop.gate_activation, gates + row * width, 2 * units);
    const float* reset = gates + row * width + units;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < units; ++i) left[row * units + i] = reset[i] * state[row * units + i];
  }
}

MODELHOP_VECTOR_CLONES
void gru_before_candidate_backward(const CellLoop& loop, float* gradient, const float* state, float* gates,
                                   RowMask mask) {
  const std::int64_t units = loop.units;
  const Derivative of_gate = derivative_of(loop.gate_activation), of_value = derivative_of(loop.activation);
  for (std::int64_t row = 0; row < loop.rows; ++row) {
    if (!counts(mask, row)) {
      clear(gates, units);
      clear(gates + 2 * units, units);
    } else {
      float *update = gates, *candidate = gates + 2 * units;
#pragma GCC ivdep
      for (std::int64_t i = 0; i < units; ++i) {
        const float z = update[i], value = candidate[i];
        update[i] = gradient[i] * (state[i] - value) * at_value(of_gate, z);
        candidate[i] = gradient[i] * (1.0F - z) * at_value(of_value, value);
        gradient[i] *= z;
      }
    }
    gradient += units;
    state += units;
    gates += 3 * units;
  }
}

MODELHOP_VECTOR_CLONES
void gru_before_reset_backward(const CellLoop& loop, float* gradient, const float* state, float* gates,
                               const float* left_gradient, RowMask mask) {
  const std::int64_t units = loop.units;
  const Derivative of_gate = derivative_of(loop.gate_activation);
  for (std::int64_t row = 0; row < loop.rows; ++row) {
    float* reset = gates + units;
    if (!counts(mask, row)) {
      clear(reset, units);
    } else {
#pragma GCC ivdep
      for (std::int64_t i = 0; i < units; ++i) {
        const float r = reset[i];
        gradient[i] += left_gradient[i] * r;
        reset[i] = left_gradient[i] * state[i] * at_value(of_gate, r);
      }
    }
    gradient += units;
    state += units;
    gates += 3 * units;
    left_gradient += units;
  }
}

}  // namespace modelhop::engine
