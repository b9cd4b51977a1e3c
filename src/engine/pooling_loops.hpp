// SPDX-License-Identifier: Apache-2.0
// Maximum pooling on the CPU, vectorized over channels for the processor at run time. Images are [height, width,
// channels], contiguous. `is_rectified`: of relu(image), which nobody computes: the maximum alone is rectified, and no
// gradient flows where it is not above zero.
#pragma once

#include <cstdint>

namespace modelhop::engine {

struct PoolingWindow {
  std::int64_t height = 1, width = 1, channels = 1;  ///< of the input
  std::int64_t output_height = 1, output_width = 1;
  std::int64_t size[2] = {1, 1}, strides[2] = {1, 1};  ///< of height and width
  std::int64_t before[2] = {0, 0};                     ///< cells of padding, which never win
  bool is_rectified = false;
};

/// More cells than a byte tells apart have no loops.
constexpr std::int64_t kMaxPoolingCells = 255;

/// The first largest cell of each window wins, NaN before all; nobody wins among -infinities. `places` (null: not asked
/// for) gets its number in the window, or kMaxPoolingCells where no gradient will flow.
void max_pooling(const PoolingWindow& window, std::int64_t rows, const float* images, float* output,
                 std::uint8_t* places);
/// Writes the whole gradient of the images.
void max_pooling_gradient(const PoolingWindow& window, std::int64_t rows, const float* gradient,
                          const std::uint8_t* places, float* image_gradient);

/// The maximum of each channel over all cells of an image.
void global_maxima(std::int64_t rows, std::int64_t cells, std::int64_t channels, bool is_rectified, const float* images,
                   float* output);
/// Cells that share a maximum share its gradient, as TensorFlow's reduce_max does.
void global_maxima_gradient(std::int64_t rows, std::int64_t cells, std::int64_t channels, bool is_rectified,
                            const float* images, const float* output, const float* gradient, float* image_gradient);

}  // namespace modelhop::engine
