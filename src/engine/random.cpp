// SPDX-License-Identifier: Apache-2.0
// Philox4x32-10 and what is drawn from it: orders of examples, dropout masks, normal noise.
#include "engine/random.hpp"

#include <algorithm>
#include <bit>
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

struct StreamKey {
  std::uint32_t key0, key1, operation, step0, step1;
};

/// The four words of one block. Inlined into a loop over lanes that the compiler vectorizes; the rounds are unrolled.
MODELHOP_INLINE std::array<std::uint32_t, 4> block_of(std::uint32_t block, StreamKey stream) {
  std::uint32_t c0 = block, c1 = stream.operation, c2 = stream.step0, c3 = stream.step1;
  std::uint32_t key0 = stream.key0, key1 = stream.key1;
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
  return {c0, c1, c2, c3};
}

/// 0 or `scale`: a word up to `limit` keeps its element.
struct Mask {
  std::uint32_t limit;
  float scale;
};

/// Element word * kLanes + lane of a group is word `word` of block (first_block + lane): stores stay contiguous.
MODELHOP_INLINE void fill_group(float* __restrict out, std::uint32_t first_block, StreamKey stream, Mask mask) {
  for (std::uint32_t lane = 0; lane < kLanes; ++lane) {
    const auto [c0, c1, c2, c3] = block_of(first_block + lane, stream);
    out[lane] = c0 <= mask.limit ? mask.scale : 0.0F;
    out[kLanes + lane] = c1 <= mask.limit ? mask.scale : 0.0F;
    out[2 * kLanes + lane] = c2 <= mask.limit ? mask.scale : 0.0F;
    out[3 * kLanes + lane] = c3 <= mask.limit ? mask.scale : 0.0F;
  }
}

struct Normal {
  float deviation;
};

/// Natural logarithm of x in (0, 1): the series of atanh on a mantissa in [sqrt 1/2, sqrt 2).
MODELHOP_INLINE float logarithm(float x) {
  const auto bits = std::bit_cast<std::int32_t>(x);
  const std::int32_t exponent = (bits - 0x3F3504F3) >> 23;
  const float mantissa = std::bit_cast<float>(bits - (exponent << 23));
  const float s = (mantissa - 1.0F) / (mantissa + 1.0F);
  const float square = s * s;
  const float series = 1.0F + square * (1.0F / 3 + square * (1.0F / 5 + square * (1.0F / 7 + square * (1.0F / 9))));
  return 2.0F * s * series + static_cast<float>(exponent) * 0.693147180559945F;
}

struct Point {
  float x, y;
};

/// Two independent normal numbers: a radius from one word, an angle from the other.
MODELHOP_INLINE Point normal_pair(std::uint32_t radius_word, std::uint32_t angle_word, float deviation) {
  const float uniform = (static_cast<float>(static_cast<std::int32_t>(radius_word >> 9)) + 0.5F) * 0x1p-23F;
  const float radius = deviation * std::sqrt(-2.0F * logarithm(uniform));
  // The two highest bits choose the quarter of the circle, the next 24 the place in it.
  const auto place = static_cast<std::int32_t>((angle_word >> 6) & 0xFFFFFFU);
  const float angle = (static_cast<float>(place) * 0x1p-24F - 0.5F) * 1.5707963267948966F;
  const float square = angle * angle;
  const float sine = angle * (1.0F + square * (-1.0F / 6 + square * (1.0F / 120 + square * (-1.0F / 5040))));
  const float cosine =
      1.0F + square * (-0.5F + square * (1.0F / 24 + square * (-1.0F / 720 + square * (1.0F / 40320))));
  const bool is_turned = (angle_word & 0x40000000U) != 0, is_opposite = (angle_word & 0x80000000U) != 0;
  const float x = is_turned ? -sine : cosine, y = is_turned ? cosine : sine;
  const float signed_radius = is_opposite ? -radius : radius;
  return {signed_radius * x, signed_radius * y};
}

MODELHOP_INLINE void fill_group(float* __restrict out, std::uint32_t first_block, StreamKey stream, Normal normal) {
  for (std::uint32_t lane = 0; lane < kLanes; ++lane) {
    const auto [c0, c1, c2, c3] = block_of(first_block + lane, stream);
    const Point first = normal_pair(c0, c1, normal.deviation), second = normal_pair(c2, c3, normal.deviation);
    out[lane] = first.x;
    out[kLanes + lane] = first.y;
    out[2 * kLanes + lane] = second.x;
    out[3 * kLanes + lane] = second.y;
  }
}

MODELHOP_VECTOR_CLONES void fill_groups(float* out, std::int64_t groups, StreamKey stream, Mask mask) {
  for (std::int64_t group = 0; group < groups; ++group) {
    fill_group(out + group * kGroup, static_cast<std::uint32_t>(group * kLanes), stream, mask);
  }
}

MODELHOP_VECTOR_CLONES void fill_groups(float* out, std::int64_t groups, StreamKey stream, Normal normal) {
  for (std::int64_t group = 0; group < groups; ++group) {
    fill_group(out + group * kGroup, static_cast<std::uint32_t>(group * kLanes), stream, normal);
  }
}

/// Whole groups, then what is left.
template <typename Distribution>
void fill(std::span<float> values, std::uint64_t key, std::uint64_t step, std::uint32_t operation,
          Distribution distribution) {
  const StreamKey stream = {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32), operation,
                            static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(step >> 32)};
  const auto count = static_cast<std::int64_t>(values.size());
  const std::int64_t groups = count / kGroup;
  fill_groups(values.data(), groups, stream, distribution);
  if (groups * kGroup < count) {
    float rest[kGroup];
    fill_group(rest, static_cast<std::uint32_t>(groups * kLanes), stream, distribution);
    std::copy_n(rest, count - groups * kGroup, values.data() + groups * kGroup);
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
  fill(mask, stream_key(configuration_seed, Stream::kDropout, 0), step, operation,
       Mask{static_cast<std::uint32_t>(threshold - 1.0), static_cast<float>(1.0 / (1.0 - rate))});
}

void normal_noise(std::span<float> values, double deviation, std::uint64_t configuration_seed, std::uint64_t step,
                  std::uint32_t operation) {
  fill(values, stream_key(configuration_seed, Stream::kNoise, 0), step, operation,
       Normal{static_cast<float>(deviation)});
}

std::uint64_t layer_seed(std::int64_t seed) {
  return stream_key(static_cast<std::uint64_t>(seed), Stream::kLayerSeed, 0);
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
