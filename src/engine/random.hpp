// SPDX-License-Identifier: Apache-2.0
// Counter-based random streams (Philox4x32-10; Salmon et al., SC 2011): every draw is a function of its key and its
// counter, so results depend neither on the schedule nor on the slot.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace modelhop::engine {

/// Four random words for one counter.
std::array<std::uint32_t, 4> philox(std::uint64_t key, std::uint64_t counter_low, std::uint64_t counter_high);

/// Purposes keep streams of one seed apart.
enum class Stream : std::uint32_t {
  kInitializer = 1,
  kOrder = 2,
  kDropout = 3,
  kNoise = 4,
  kLayerSeed = 5,
  kAugmentation = 8,
};

/// The key of one stream of a seed; `detail` tells streams of one purpose apart.
std::uint64_t stream_key(std::uint64_t seed, Stream stream, std::uint64_t detail);

/// Order of n examples: a permutation of 0..n-1 (Fisher-Yates) keyed by everything it may depend on.
struct OrderKey {
  std::uint64_t run_seed = 0;
  std::int32_t iteration = 0;
  std::int32_t segment = 0;
  std::int32_t pass = 0;
  std::int64_t buffer = -1;  ///< -1: the whole segment
};
std::vector<std::int64_t> permutation(const OrderKey& key, std::int64_t n);

/// Fills mask with 0 or 1/(1-rate), keep probability 1-rate, a function of (configuration_seed, step, operation,
/// index). Vectorized for the processor at run time; same bits on every processor.
void dropout_mask(std::span<float> mask, double rate, std::uint64_t configuration_seed, std::uint64_t step,
                  std::uint32_t operation);

/// Fills values with normal numbers of that deviation around 0 (Box-Muller on words of 23 and 32 bits), a function of
/// the same things from another stream. Vectorized, same bits on every processor.
void normal_noise(std::span<float> values, double deviation, std::uint64_t configuration_seed, std::uint64_t step,
                  std::uint32_t operation);

/// What a layer that has a seed of its own takes in the place of the configuration's.
std::uint64_t layer_seed(std::int64_t seed);

/// Four draws in [0, 1) for one example of a batch, a function of (configuration_seed, step, operation, example).
std::array<double, 4> example_draws(std::uint64_t configuration_seed, std::uint64_t step, std::uint32_t operation,
                                    std::int64_t example);

}  // namespace modelhop::engine
