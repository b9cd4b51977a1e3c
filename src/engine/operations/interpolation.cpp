// SPDX-License-Identifier: Apache-2.0
// TensorFlow's arithmetic of resizing, in single precision as there, so that cells at a boundary fall on the same side.
#include "engine/operations/interpolation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace modelhop::engine {
namespace {

/// The weights of the resized cells in one output.
class Taps {
 public:
  Taps(std::int64_t extent, const ResizedSpan& span, float* row) : extent_(extent), span_(span), row_(row) {}

  std::int64_t cells() const { return span_.cells; }
  void add(std::int64_t cell, float weight) {
    const std::int64_t column = span_.first + cell;
    if (column >= 0 && column < extent_) row_[column] += weight;
  }

 private:
  std::int64_t extent_;
  const ResizedSpan& span_;
  float* row_;
};

void nearest(Taps& taps, float place) {
  taps.add(std::min(static_cast<std::int64_t>(std::floor(place)), taps.cells() - 1), 1.0F);
}

void bilinear(Taps& taps, float place) {
  const float floor = std::floor(place);
  const float share = place - floor;
  const auto lower = std::max(static_cast<std::int64_t>(floor), std::int64_t{0});
  const auto upper = std::min(static_cast<std::int64_t>(std::ceil(place)), taps.cells() - 1);
  taps.add(lower, 1.0F - share);
  taps.add(upper, share);
}

float keys_cubic(float x) {
  if (x >= 2.0F) return 0.0F;
  if (x >= 1.0F) return ((-0.5F * x + 2.5F) * x - 4.0F) * x + 2.0F;
  return ((1.5F * x - 2.5F) * x) * x + 1.0F;
}

/// Cells beyond the edge are left out and the other weights made to sum to 1. TensorFlow looks weights up in a table.
void bicubic(Taps& taps, float place) {
  constexpr float kTableSize = 1024.0F;
  const float floor = std::floor(place);
  const auto cell = static_cast<std::int64_t>(floor);
  const float share = std::nearbyint((place - floor) * kTableSize) / kTableSize;
  float weights[4];
  float sum = 0.0F;
  for (int tap = 0; tap < 4; ++tap) {
    const std::int64_t at = cell - 1 + tap;
    weights[tap] = at >= 0 && at < taps.cells() ? keys_cubic(std::abs(static_cast<float>(tap - 1) - share)) : 0.0F;
    sum += weights[tap];
  }
  for (int tap = 0; tap < 4; ++tap) {
    if (weights[tap] != 0.0F) taps.add(cell - 1 + tap, weights[tap] / sum);
  }
}

float triangle(float x) {
  return std::max(1.0F - x, 0.0F);
}

float lanczos(float x, float radius) {
  constexpr float kPi = 3.14159265358979F;
  if (x > radius) return 0.0F;
  if (x <= 1e-3F) return 1.0F;
  return radius * std::sin(kPi * x) * std::sin(kPi * x / radius) / (kPi * kPi * x * x);
}

/// A kernel around the output's place, wider when cells become fewer and `antialias` asks for it.
void kernel(Taps& taps, float place, float scale, Interpolation method) {
  const float radius = method == Interpolation::kBilinear   ? 1.0F
                       : method == Interpolation::kBicubic  ? 2.0F
                       : method == Interpolation::kLanczos3 ? 3.0F
                                                            : 5.0F;
  const auto last = taps.cells() - 1;
  const auto first_cell = static_cast<std::int64_t>(std::ceil(place - radius * scale - 0.5F));
  const auto last_cell = static_cast<std::int64_t>(std::floor(place + radius * scale - 0.5F));
  const std::int64_t begin = std::clamp(first_cell, std::int64_t{0}, last);
  std::vector<float> weights;
  float sum = 0.0F;
  for (std::int64_t cell = begin; cell <= std::clamp(last_cell, std::int64_t{0}, last); ++cell) {
    const float distance = std::abs(static_cast<float>(cell) + 0.5F - place) / scale;
    weights.push_back(method == Interpolation::kBilinear  ? triangle(distance)
                      : method == Interpolation::kBicubic ? keys_cubic(distance)
                                                          : lanczos(distance, radius));
    sum += weights.back();
  }
  if (std::abs(sum) < 1000.0F * std::numeric_limits<float>::min()) return;
  for (std::size_t tap = 0; tap < weights.size(); ++tap) {
    taps.add(begin + static_cast<std::int64_t>(tap), weights[tap] / sum);
  }
}

}  // namespace

std::vector<float> interpolation_weights(std::int64_t extent, const ResizedSpan& span, std::int64_t outputs,
                                         Interpolation method, bool antialias) {
  std::vector<float> weights(static_cast<std::size_t>(outputs * extent));
  const float scale = static_cast<float>(span.cells) / static_cast<float>(outputs);
  const float widening = antialias ? std::max(scale, 1.0F) : 1.0F;
  const bool has_kernel = method == Interpolation::kLanczos3 || method == Interpolation::kLanczos5 ||
                          (antialias && method != Interpolation::kNearest);
  for (std::int64_t output = 0; output < outputs; ++output) {
    Taps taps(extent, span, weights.data() + output * extent);
    const float middle = (static_cast<float>(output) + 0.5F) * scale;
    if (has_kernel) {
      kernel(taps, middle, widening, method);
    } else if (method == Interpolation::kNearest) {
      nearest(taps, middle);
    } else if (method == Interpolation::kBicubic) {
      bicubic(taps, middle - 0.5F);
    } else if (method == Interpolation::kBilinear) {
      bilinear(taps, middle - 0.5F);
    } else {
      bilinear(taps, static_cast<float>(output) * scale);
    }
  }
  return weights;
}

}  // namespace modelhop::engine
