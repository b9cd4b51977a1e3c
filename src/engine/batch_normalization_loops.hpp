// SPDX-License-Identifier: Apache-2.0
// Batch normalization of relu(x), which nobody computes, for contiguous rows of channels on the CPU. What costs is
// reading and writing memory, so each of the four passes goes over its tensors once (the first block of moments twice),
// vectorized at run time. All is summed in one fixed order.
#pragma once

#include <cstdint>
#include <vector>

namespace modelhop::engine {

struct RowsOfChannels {
  std::int64_t rows = 0;
  std::int64_t channels = 0;
};

/// Mean and biased variance of each channel of relu(x).
void channel_moments(RowsOfChannels size, const float* x, std::vector<double>& mean, std::vector<double>& variance);

/// y = (relu(x) - mean) * scale + shift, one number per channel each; `y` may be `x`.
void scale_channels(RowsOfChannels size, const float* x, const std::vector<float>& mean,
                    const std::vector<float>& scale, const std::vector<float>& shift, float* y);

/// Sums of gradient and of gradient * (relu(x) - mean) of each channel.
void channel_gradient_sums(RowsOfChannels size, const float* gradient, const float* x, const std::vector<float>& mean,
                           std::vector<double>& sum, std::vector<double>& product);

/// gradient = (gradient - offset - (x - mean) * slope) * scale where x is above zero, else 0
void scale_channel_gradients(RowsOfChannels size, float* gradient, const float* x, const std::vector<float>& mean,
                             const std::vector<float>& offset, const std::vector<float>& slope,
                             const std::vector<float>& scale);

}  // namespace modelhop::engine
