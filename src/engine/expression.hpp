// SPDX-License-Identifier: Apache-2.0
// Custom losses and metrics as ATen operations, which autograd derives.
#pragma once

#include <ATen/core/Tensor.h>

#include "modelhop/expression.hpp"

namespace modelhop::engine {

/// The value for each row (a row is a position of an example: all axes but the last). y_true and y_pred: [examples,
/// ...] of one shape that check_expression_shapes() has accepted. A result with further axes is averaged over them, one
/// with fewer stands for all rows that it is of; conditions are 0 and 1.
at::Tensor expression_rows(const ExpressionSpec& expression, const at::Tensor& y_true, const at::Tensor& y_pred);

}  // namespace modelhop::engine
