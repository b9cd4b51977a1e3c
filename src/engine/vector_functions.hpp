// SPDX-License-Identifier: Apache-2.0
// Functions of one number for loops that the compiler vectorizes: the C library's cannot be, and their last bits differ
// from one library to the next.
#pragma once

#include <bit>
#include <cstdint>

#include "engine/vector_clones.hpp"

namespace modelhop::engine {

/// relu; NaN stays NaN.
MODELHOP_INLINE float rectified(float x) {
  return x < 0.0F ? 0.0F : x;
}

/// e^x by a polynomial (Cephes) around the nearest power of two; NaN stays NaN.
MODELHOP_INLINE float exponential(float x) {
  x = x > 88.0F ? 88.0F : x;
  x = x < -87.0F ? -87.0F : x;
  // So large that a sum with it is rounded to a whole number, which its lowest bits then hold.
  constexpr float kRounding = 12582912.0F;
  const float shifted = x * 1.44269504088896341F + kRounding;
  const float whole = shifted - kRounding;
  const float r = (x - whole * 0.693359375F) + whole * 2.12194440e-4F;
  float sum = 1.9875691500e-4F;
  sum = sum * r + 1.3981999507e-3F;
  sum = sum * r + 8.3334519073e-3F;
  sum = sum * r + 4.1665795894e-2F;
  sum = sum * r + 1.6666665459e-1F;
  sum = sum * r + 5.0000001201e-1F;
  const float value = sum * r * r + r + 1.0F;
  return value * std::bit_cast<float>((std::bit_cast<std::uint32_t>(shifted) + 127U) << 23);
}

/// log(1 + x) for x in [0, 1], to 1e-7 of it: the series of atanh at x / (2 + x), which is a third at most.
MODELHOP_INLINE float log_one_plus(float x) {
  const float z = x / (2.0F + x);
  const float square = z * z;
  float sum = 1.0F / 13;
  sum = sum * square + 1.0F / 11;
  sum = sum * square + 1.0F / 9;
  sum = sum * square + 1.0F / 7;
  sum = sum * square + 1.0F / 5;
  sum = sum * square + 1.0F / 3;
  return 2.0F * z + 2.0F * z * square * sum;
}

}  // namespace modelhop::engine
