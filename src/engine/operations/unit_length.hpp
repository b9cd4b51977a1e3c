// SPDX-License-Identifier: Apache-2.0
// Scaling to Euclidean length 1, as several layers do.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace modelhop::engine {

/// x / |x| over the axes; lengths whose square is below `smallest_square` divide by its root instead.
at::Tensor unit_length(const at::Tensor& x, const std::vector<std::int64_t>& axes, double smallest_square);

}  // namespace modelhop::engine
