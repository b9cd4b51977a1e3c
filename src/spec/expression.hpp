// SPDX-License-Identifier: Apache-2.0
// The language of custom losses and metrics: what a function of Keras's backend looks like in Python, read and never
// run. docs/custom-functions.md has the grammar.
#pragma once

#include <string>
#include <string_view>

#include "modelhop/expression.hpp"
#include "modelhop/model_spec.hpp"

namespace modelhop::spec {

inline constexpr std::size_t kMaxExpressionBytes = 10'000;

/// Reads a function, or the statements or the expression of its body. Throws kInvalidArgument naming line, column and
/// what is wrong there, kNotSupported for Python that this language does not have. Takes time linear in the text.
ExpressionSpec parse_expression(std::string_view text);

/// Checks the shapes of all steps where y_true and y_pred have the shape of a network's output, with the batch before
/// it. Throws kInvalidArgument naming line, column and the shapes where they do not go together, or where the result
/// has no value for each example. Returns the result's shape, the extent of the batch as kBatch.
Shape check_expression_shapes(const ExpressionSpec& expression, const Shape& output);

inline constexpr std::int64_t kBatch = -1;

}  // namespace modelhop::spec
