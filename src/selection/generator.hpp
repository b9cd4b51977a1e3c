// SPDX-License-Identifier: Apache-2.0
// The room's one source of chance, spelled out because the distributions of the standard library differ between
// implementations. What is drawn for a seed may never change: results and saved runs depend on it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace modelhop {

inline constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;

/// Every bit of the result depends on every bit of the argument.
constexpr std::uint64_t mix(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
  return bits ^ (bits >> 31);
}

/// splitmix64
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() { return mix(state_ += kGolden); }
  /// In [0, 1), a multiple of 2^-53.
  double fraction() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  std::size_t index(std::size_t count) {
    // Multiplying the high half keeps the order of the bits; the bias is below count / 2^32.
    return static_cast<std::size_t>(((bits() >> 32) * static_cast<std::uint64_t>(count)) >> 32);
  }

 private:
  std::uint64_t state_;
};

}  // namespace modelhop
