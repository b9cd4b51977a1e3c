// SPDX-License-Identifier: Apache-2.0
// A byte for each maximum's place in the window, where ATen keeps eight, and one pass over memory each way.
#include "engine/pooling_loops.hpp"

#include <algorithm>

#include "engine/vector_clones.hpp"

namespace modelhop::engine {
namespace {

constexpr std::int64_t kTile = 32;  ///< channels that are pooled side by side

/// The cells of one window that lie inside the image.
struct Cells {
  std::int64_t top, bottom, left, right;  ///< in the window: [top, bottom) and [left, right)
  std::int64_t first_row, first_column;   ///< of the window in the image, negative in the padding
};

MODELHOP_INLINE Cells cells_of(const PoolingWindow& window, std::int64_t row, std::int64_t column) {
  const std::int64_t y = row * window.strides[0] - window.before[0];
  const std::int64_t x = column * window.strides[1] - window.before[1];
  return {std::max<std::int64_t>(0, -y),
          std::min(window.size[0], window.height - y),
          std::max<std::int64_t>(0, -x),
          std::min(window.size[1], window.width - x),
          y,
          x};
}

/// Calls visit(number of the cell in its window, the cell's place in the image) in the order of rows.
template <typename Visit>
MODELHOP_INLINE void each_cell(const PoolingWindow& window, const Cells& cells, Visit visit) {
  for (std::int64_t y = cells.top; y < cells.bottom; ++y) {
    for (std::int64_t x = cells.left; x < cells.right; ++x) {
      visit(y * window.size[1] + x, ((cells.first_row + y) * window.width + cells.first_column + x) * window.channels);
    }
  }
}

/// Calls work(first channel, channels) with kTile channels as long as there are so many: a number that the compiler
/// knows.
template <typename Work>
MODELHOP_INLINE void each_tile(std::int64_t channels, Work work) {
  std::int64_t first = 0;
  for (; first + kTile <= channels; first += kTile) work(first, kTile);
  for (; first + kTile / 2 <= channels; first += kTile / 2) work(first, kTile / 2);
  if (first < channels) work(first, channels - first);
}

MODELHOP_INLINE void pool_tile(const PoolingWindow& window, const Cells& cells, const float* image, std::int64_t count,
                               float* output, std::uint8_t* places) {
  float best[kTile];
  std::int32_t place[kTile];
  const float lowest = window.is_rectified ? 0.0F : -__builtin_inff();
  for (std::int64_t i = 0; i < count; ++i) {
    best[i] = lowest;
    place[i] = kMaxPoolingCells;
  }
  each_cell(
      window, cells, [&](std::int64_t number, std::int64_t offset) __attribute__((always_inline)) {
        const float* from = image + offset;
        for (std::int64_t i = 0; i < count; ++i) {
          const float value = from[i];
          const bool wins = static_cast<int>(value > best[i]) | static_cast<int>(value != value);
          best[i] = wins ? value : best[i];
          place[i] = wins ? static_cast<std::int32_t>(number) : place[i];
        }
      });
  for (std::int64_t i = 0; i < count; ++i) output[i] = best[i];
  if (places == nullptr) return;
  for (std::int64_t i = 0; i < count; ++i) places[i] = static_cast<std::uint8_t>(place[i]);
}

/// Every cell lies in exactly one window, so that gradients are written, not added.
bool is_partition(const PoolingWindow& window) {
  return window.size[0] == window.strides[0] && window.size[1] == window.strides[1] && window.before[0] == 0 &&
         window.before[1] == 0 && window.output_height * window.size[0] == window.height &&
         window.output_width * window.size[1] == window.width;
}

template <bool kIsPartition>
MODELHOP_INLINE void scatter(const PoolingWindow& window, std::int64_t rows, const float* __restrict gradient,
                             const std::uint8_t* __restrict places, float* __restrict image) {
  for (std::int64_t index = 0; index < rows; ++index, image += window.height * window.width * window.channels) {
    for (std::int64_t row = 0; row < window.output_height; ++row) {
      for (std::int64_t column = 0; column < window.output_width; ++column) {
        each_cell(
            window, cells_of(window, row, column),
            [&](std::int64_t number, std::int64_t offset) __attribute__((always_inline)) {
              float* into = image + offset;
              for (std::int64_t i = 0; i < window.channels; ++i) {
                const float share = places[i] == number ? gradient[i] : 0.0F;
                into[i] = kIsPartition ? share : into[i] + share;
              }
            });
        gradient += window.channels;
        places += window.channels;
      }
    }
  }
}

}  // namespace

MODELHOP_VECTOR_CLONES void max_pooling(const PoolingWindow& window, std::int64_t rows, const float* images,
                                        float* output, std::uint8_t* places) {
  for (std::int64_t index = 0; index < rows; ++index, images += window.height * window.width * window.channels) {
    for (std::int64_t row = 0; row < window.output_height; ++row) {
      for (std::int64_t column = 0; column < window.output_width; ++column) {
        const Cells cells = cells_of(window, row, column);
        each_tile(
            window.channels, [&](std::int64_t first, std::int64_t count) __attribute__((always_inline)) {
              pool_tile(window, cells, images + first, count, output + first,
                        places == nullptr ? nullptr : places + first);
            });
        output += window.channels;
        if (places != nullptr) places += window.channels;
      }
    }
  }
}

MODELHOP_VECTOR_CLONES void max_pooling_gradient(const PoolingWindow& window, std::int64_t rows, const float* gradient,
                                                 const std::uint8_t* places, float* image_gradient) {
  if (is_partition(window)) return scatter<true>(window, rows, gradient, places, image_gradient);
  std::fill_n(image_gradient, rows * window.height * window.width * window.channels, 0.0F);
  scatter<false>(window, rows, gradient, places, image_gradient);
}

MODELHOP_VECTOR_CLONES void global_maxima(std::int64_t rows, std::int64_t cells, std::int64_t channels,
                                          bool is_rectified, const float* images, float* output) {
  const float lowest = is_rectified ? 0.0F : -__builtin_inff();
  for (std::int64_t row = 0; row < rows; ++row, output += channels, images += cells * channels) {
    each_tile(
        channels, [&](std::int64_t first, std::int64_t count) __attribute__((always_inline)) {
          float best[kTile];
          for (std::int64_t i = 0; i < count; ++i) best[i] = lowest;
          for (std::int64_t cell = 0; cell < cells; ++cell) {
            const float* from = images + cell * channels + first;
            for (std::int64_t i = 0; i < count; ++i) {
              const bool wins = static_cast<int>(from[i] > best[i]) | static_cast<int>(from[i] != from[i]);
              best[i] = wins ? from[i] : best[i];
            }
          }
          for (std::int64_t i = 0; i < count; ++i) output[first + i] = best[i];
        });
  }
}

MODELHOP_VECTOR_CLONES void global_maxima_gradient(std::int64_t rows, std::int64_t cells, std::int64_t channels,
                                                   bool is_rectified, const float* images, const float* output,
                                                   const float* gradient, float* image_gradient) {
  for (std::int64_t row = 0; row < rows; ++row, output += channels, gradient += channels) {
    each_tile(
        channels, [&](std::int64_t first, std::int64_t count) __attribute__((always_inline)) {
          float sharers[kTile] = {}, share[kTile];
          for (std::int64_t cell = 0; cell < cells; ++cell) {
            const float* from = images + cell * channels + first;
            for (std::int64_t i = 0; i < count; ++i) sharers[i] += from[i] == output[first + i] ? 1.0F : 0.0F;
          }
          for (std::int64_t i = 0; i < count; ++i) {
            const bool is_closed = is_rectified && output[first + i] <= 0.0F;
            share[i] = is_closed ? 0.0F : gradient[first + i] / sharers[i];
          }
          for (std::int64_t cell = 0; cell < cells; ++cell) {
            const float* from = images + cell * channels + first;
            float* into = image_gradient + cell * channels + first;
            for (std::int64_t i = 0; i < count; ++i) into[i] = from[i] == output[first + i] ? share[i] : 0.0F;
          }
        });
    images += cells * channels;
    image_gradient += cells * channels;
  }
}

}  // namespace modelhop::engine
