// SPDX-License-Identifier: Apache-2.0
// Philox4x32-10 and what is drawn from it: orders of examples and dropout masks.
#include "engine/random.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/vector_clones.hpp"

namespace modelhop::engine {
namespace {

constexpr std::uint32_t kMultiplier0 = 0xD2511F53U;
constexpr std::uint32_t kMultiplier1 = 0xCD9E8D57U;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9U;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85U;
constexpr int kRounds = 10;

/// Blocks computed side by side for a mask: one vector register of 32-bit words.
constexpr int kLanes = 16;
constexpr std::int64_t kGroup = 4 * kLanes;

struct MaskKey {
  std::uint32_t key0, key1, operation, step0, step1;
  std::uint32_t limit;  ///< a word up to this one keeps its element
  float scale;
};

/// Element word * kLanes + lane of a group is word `word` of block (first_block + lane): stores stay contiguous. The
/// loop over lanes is the one that the compiler vectorizes; the rounds inside it are unrolled.
__attribute__((always_inline)) inline void fill_group(float* __restrict out, std::uint32_t first_block, MaskKey mask) {
  for (std::uint32_t lane = 0; lane < kLanes; ++lane) {
    std::uint32_t c0 = first_block + lane, c1 = mask.operation, c2 = mask.step0, c3 = mask.step1;
    std::uint32_t key0 = mask.key0, key1 = mask.key1;
#pragma GCC unroll 10
    for (int round = 0; round < kRounds; ++round) {
      const std::uint64_t product0 = std::uint64_t{kMultiplier0} * c0;
      const std::uint64_t product1 = std::uint64_t{kMultiplier1} * c2;
      c0 = static_cast<std::uint32_t>(product1 >> 32) ^ c1 ^ key0;
      c1 = static_cast<std::uint32_t>(product1);
      c2 = static_cast<std::uint32_t>(product0 >> 32) ^ c3 ^ key1;
      c3 = static_cast<std::uint32_t>(product0);
      key0 += kWeyl0;
      key1 += kWeyl1;
    }
    out[lane] = c0 <= mask.limit ? mask.scale : 0.0F;
    out[kLanes + lane] = c1 <= mask.limit ? mask.scale : 0.0F;
    out[2 * kLanes + lane] = c2 <= mask.limit ? mask.scale : 0.0F;
    out[3 * kLanes + lane] = c3 <= mask.limit ? mask.scale : 0.0F;
  }
}

MODELHOP_VECTOR_CLONES void fill_groups(float* out, std::int64_t groups, MaskKey mask) {
  for (std::int64_t group = 0; group < groups; ++group) {
    fill_group(out + group * kGroup, static_cast<std::uint32_t>(group * kLanes), mask);
  }
}

/// 64-bit words of one stream, two from each counter value.
class WordStream {
 public:
  explicit WordStream(std::uint64_t key) : key_(key) {}

  std::uint64_t next() {
    if (is_second_left_) {
      is_second_left_ = false;
      return second_;
    }
    const auto words = philox(key_, counter_++, 0);
    second_ = words[2] | std::uint64_t{words[3]} << 32;
    is_second_left_ = true;
    return words[0] | std::uint64_t{words[1]} << 32;
  }

  /// Uniform in 0..bound-1 without bias (Lemire's multiplication with rejection).
  std::uint64_t below(std::uint64_t bound) {
    auto product = static_cast<unsigned __int128>(next()) * bound;
    if (static_cast<std::uint64_t>(product) < bound) {
      const std::uint64_t threshold = -bound % bound;
      while (static_cast<std::uint64_t>(product) < threshold) product = static_cast<unsigned __int128>(next()) * bound;
    }
    return static_cast<std::uint64_t>(product >> 64);
  }

 private:
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
  std::uint64_t second_ = 0;
  bool is_second_left_ = false;
};

}  // namespace

std::array<std::uint32_t, 4> philox(std::uint64_t key, std::uint64_t counter_low, std::uint64_t counter_high) {
  std::uint32_t key0 = static_cast<std::uint32_t>(key), key1 = static_cast<std::uint32_t>(key >> 32);
  std::array<std::uint32_t, 4> c = {
      static_cast<std::uint32_t>(counter_low), static_cast<std::uint32_t>(counter_low >> 32),
      static_cast<std::uint32_t>(counter_high), static_cast<std::uint32_t>(counter_high >> 32)};
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t product0 = std::uint64_t{kMultiplier0} * c[0];
    const std::uint64_t product1 = std::uint64_t{kMultiplier1} * c[2];
    c = {static_cast<std::uint32_t>(product1 >> 32) ^ c[1] ^ key0, static_cast<std::uint32_t>(product1),
         static_cast<std::uint32_t>(product0 >> 32) ^ c[3] ^ key1, static_cast<std::uint32_t>(product0)};
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return c;
}

std::uint64_t stream_key(std::uint64_t seed, Stream stream, std::uint64_t detail) {
  const auto words = philox(seed, detail, static_cast<std::uint64_t>(stream) << 32);
  return words[0] | std::uint64_t{words[1]} << 32;
}

std::vector<std::int64_t> permutation(const OrderKey& key, std::int64_t n) {
  const std::uint64_t place = static_cast<std::uint32_t>(key.iteration) | std::uint64_t(std::uint32_t(key.segment))
                                                                              << 32;
  const std::uint64_t unit = stream_key(key.run_seed, Stream::kOrder, place);
  const std::uint64_t pass = stream_key(unit, Stream::kOrder, static_cast<std::uint32_t>(key.pass));
  WordStream words(stream_key(pass, Stream::kOrder, static_cast<std::uint64_t>(key.buffer)));

  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::int64_t i = n - 1; i > 0; --i) {
    std::swap(order[static_cast<std::size_t>(i)], order[words.below(static_cast<std::uint64_t>(i) + 1)]);
  }
  return order;
}

void dropout_mask(std::span<float> mask, double rate, std::uint64_t configuration_seed, std::uint64_t step,
                  std::uint32_t operation) {
  const double threshold = std::nearbyint((1.0 - rate) * 4294967296.0);
  if (threshold < 1.0 || threshold >= 4294967296.0) {
    std::fill(mask.begin(), mask.end(), threshold < 1.0 ? 0.0F : 1.0F);
    return;
  }
  const std::uint64_t key = stream_key(configuration_seed, Stream::kDropout, 0);
  const MaskKey mask_key = {static_cast<std::uint32_t>(key),
                            static_cast<std::uint32_t>(key >> 32),
                            operation,
                            static_cast<std::uint32_t>(step),
                            static_cast<std::uint32_t>(step >> 32),
                            static_cast<std::uint32_t>(threshold - 1.0),
                            static_cast<float>(1.0 / (1.0 - rate))};
  const std::int64_t count = static_cast<std::int64_t>(mask.size());
  const std::int64_t groups = count / kGroup;
  fill_groups(mask.data(), groups, mask_key);
  if (groups * kGroup < count) {
    float rest[kGroup];
    fill_group(rest, static_cast<std::uint32_t>(groups * kLanes), mask_key);
    std::copy_n(rest, count - groups * kGroup, mask.data() + groups * kGroup);
  }
}

std::array<double, 4> example_draws(std::uint64_t configuration_seed, std::uint64_t step, std::uint32_t operation,
                                    std::int64_t example) {
  const std::uint64_t key = stream_key(configuration_seed, Stream::kAugmentation, operation);
  const auto words = philox(key, step, static_cast<std::uint64_t>(example));
  std::array<double, 4> draws{};
  std::transform(words.begin(), words.end(), draws.begin(), [](std::uint32_t word) { return word * 0x1p-32; });
  return draws;
}

}  // namespace modelhop::engine
