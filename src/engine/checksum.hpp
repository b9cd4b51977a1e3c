// SPDX-License-Identifier: Apache-2.0
// A 64-bit checksum that finds damage and tells architectures apart. Not cryptographic.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace modelhop::engine {

/// Four independent lanes of multiply and rotate, so that it runs at memory speed.
class Checksum {
 public:
  void add_word(std::uint64_t word) {
    std::uint64_t& lane = lanes_[count_++ & 3];
    lane = std::rotl((lane ^ word) * kPrime1, 31) * kPrime2;
  }

  void add_bytes(std::span<const std::byte> bytes) {
    std::size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8) {
      std::uint64_t word;
      std::memcpy(&word, bytes.data() + at, 8);
      add_word(word);
    }
    std::uint64_t rest = 0;
    if (at < bytes.size()) std::memcpy(&rest, bytes.data() + at, bytes.size() - at);
    add_word(rest);
    add_word(bytes.size());
  }

  void add_text(std::string_view text) { add_bytes(std::as_bytes(std::span(text))); }

  std::uint64_t value() const {
    std::uint64_t result = count_ * kPrime2;
    for (const std::uint64_t lane : lanes_) {
      result = (result ^ lane) * kPrime1;
      result ^= result >> 32;
    }
    return result;
  }

 private:
  static constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87U;
  static constexpr std::uint64_t kPrime2 = 0xC2B2AE3D27D4EB4FU;
  std::uint64_t lanes_[4] = {kPrime1, kPrime2, ~kPrime1, ~kPrime2};
  std::uint64_t count_ = 0;
};

}  // namespace modelhop::engine
