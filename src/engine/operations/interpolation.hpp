// SPDX-License-Identifier: Apache-2.0
// Weights of resizing along one axis. Every method is linear in the cells, so one matrix an axis says all.
#pragma once

#include <cstdint>
#include <vector>

namespace modelhop::engine {

enum class Interpolation : std::uint8_t {
  kNearest,
  kBilinear,
  kBilinearOfTensorFlow1,  ///< the first cells of input and output coincide, not their outer edges
  kBicubic,
  kLanczos3,
  kLanczos5,
};

/// The cells that are resized: some of the axis, or more of it (cells outside it are padding).
struct ResizedSpan {
  std::int64_t first = 0;
  std::int64_t cells = 1;
};

/// Row-major [outputs, extent]: the weight of each cell of the axis in each output, as TensorFlow's tf.image.resize
/// computes them. Cells of padding have no column.
std::vector<float> interpolation_weights(std::int64_t extent, const ResizedSpan& span, std::int64_t outputs,
                                         Interpolation method, bool antialias);

}  // namespace modelhop::engine
