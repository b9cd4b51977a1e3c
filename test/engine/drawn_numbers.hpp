// SPDX-License-Identifier: Apache-2.0
// Numbers for tests of loops.
#pragma once

#include <cstdint>
#include <vector>

namespace modelhop::test {

/// In [-1, 1), from a linear congruential generator: the same on every machine.
inline std::vector<float> drawn_numbers(std::int64_t count, std::uint32_t seed) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) {
    seed = seed * 1664525U + 1013904223U;
    value = static_cast<float>(seed >> 8) / 8388608.0F - 1.0F;
  }
  return values;
}

/// About one number in `share` is not zero; some zeros have a sign.
inline std::vector<float> sparse_numbers(std::int64_t count, int share) {
  std::vector<float> values = drawn_numbers(count, 7);
  const std::vector<float> choice = drawn_numbers(count, 11);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if ((choice[i] + 1.0F) * static_cast<float>(share) > 2.0F) values[i] = i % 3 == 0 ? -0.0F : 0.0F;
  }
  return values;
}

}  // namespace modelhop::test
