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

}  // namespace modelhop::test
