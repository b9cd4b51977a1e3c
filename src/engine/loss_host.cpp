// SPDX-License-Identifier: Apache-2.0
// Losses as loops over contiguous rows: values summed in double, derivatives written in the same pass.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <string>

#include "engine/loss_rows.hpp"
#include "engine/vector_functions.hpp"
#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

constexpr float kEpsilon = 1e-7F;
constexpr float kTop = 1.0F - kEpsilon;

bool is_clipped(float p) {
  return p < kEpsilon || p > kTop;
}
float clipped(float p) {
  return p < kEpsilon ? kEpsilon : p > kTop ? kTop : p;
}

/// Target of column j: smoothed one-hot of a class, or a smoothed float row.
struct CategoricalTarget {
  const float* row;
  std::int64_t class_id;
  float keep, add;

  float operator[](std::int64_t j) const {
    const float y = row != nullptr ? row[j] : j == class_id ? 1.0F : 0.0F;
    return y * keep + add;
  }
};

struct LogSoftmax {
  float largest;
  float sum;  ///< of exp(x - largest)
};

LogSoftmax log_softmax_of(const float* x, std::int64_t columns) {
  float largest = x[0];
  for (std::int64_t j = 1; j < columns; ++j) largest = x[j] > largest ? x[j] : largest;
  float sum = 0.0F;
  for (std::int64_t j = 0; j < columns; ++j) sum += std::exp(x[j] - largest);
  return {largest, sum};
}

double categorical_logits_row(const float* x, const CategoricalTarget& y, std::int64_t columns, float* gradient,
                              float scale) {
  const auto [largest, sum] = log_softmax_of(x, columns);
  const float log_sum = std::log(sum);
  double loss = 0.0;
  // A target of zero leaves out -infinity times zero, but not a NaN output: that one is in the sum.
  for (std::int64_t j = 0; j < columns; ++j) {
    const float target = y[j];
    if (target != 0.0F) loss += target * (log_sum - (x[j] - largest));
  }
  if (std::isnan(sum)) loss = sum;
  if (gradient != nullptr) {
    for (std::int64_t j = 0; j < columns; ++j) gradient[j] = (std::exp(x[j] - largest) / sum - y[j]) * scale;
  }
  return loss;
}

/// Keras divides by the sum, clips, and takes the logarithm; clipping passes no gradient.
double categorical_probabilities_row(const float* p, const CategoricalTarget& y, std::int64_t columns, float* gradient,
                                     float scale) {
  float sum = 0.0F;
  for (std::int64_t j = 0; j < columns; ++j) sum += p[j];
  double loss = 0.0, inner = 0.0;
  for (std::int64_t j = 0; j < columns; ++j) {
    const float q = p[j] / sum;
    loss -= y[j] * std::log(clipped(q));
    if (!is_clipped(q)) inner -= y[j];
  }
  if (gradient != nullptr) {
    for (std::int64_t j = 0; j < columns; ++j) {
      const float q = p[j] / sum;
      const float own = is_clipped(q) ? 0.0F : -y[j] / q;
      gradient[j] = (own - static_cast<float>(inner)) / sum * scale;
    }
  }
  return loss;
}

/// Keras clips, takes the logarithm, and uses that as logits.
double sparse_probabilities_row(const float* p, std::int64_t class_id, std::int64_t columns, float* gradient,
                                float scale) {
  float sum = 0.0F;
  for (std::int64_t j = 0; j < columns; ++j) sum += clipped(p[j]);
  if (gradient != nullptr) {
    for (std::int64_t j = 0; j < columns; ++j) {
      const float own = j == class_id ? 1.0F / clipped(p[j]) : 0.0F;
      gradient[j] = is_clipped(p[j]) ? 0.0F : (1.0F / sum - own) * scale;
    }
  }
  return std::log(sum) - std::log(clipped(p[class_id]));
}

struct BinaryLogits {
  const float* x;
  const float* target;
  std::int64_t columns;
  float smoothing, scale;
};

/// In blocks, so that the compiler vectorizes what it then adds up in double: the C library's logarithms took 6 % of a
/// run of small networks on the census data.
template <bool kHasGradient>
MODELHOP_INLINE double binary_logits(const BinaryLogits& row, float* __restrict gradient) {
  constexpr std::int64_t kBlock = 64, kSums = 8;
  double sums[kSums] = {};
  for (std::int64_t first = 0; first < row.columns; first += kBlock) {
    float losses[kBlock] = {};
    const std::int64_t count = std::min(kBlock, row.columns - first);
    for (std::int64_t i = 0; i < count; ++i) {
      const float x = row.x[first + i];
      const float y = row.target[first + i] * (1.0F - row.smoothing) + 0.5F * row.smoothing;
      const float small = exponential(x < 0.0F ? x : -x);
      losses[i] = (x > 0.0F ? x : 0.0F) - x * y + log_one_plus(small);
      if (kHasGradient) {
        const float sigmoid = (x >= 0.0F ? 1.0F : small) / (1.0F + small);
        gradient[first + i] = (sigmoid - y) * row.scale;
      }
    }
    for (std::int64_t i = 0; i < kBlock; i += kSums) {
      for (std::int64_t lane = 0; lane < kSums; ++lane) sums[lane] += losses[i + lane];
    }
  }
  return std::accumulate(std::begin(sums), std::end(sums), 0.0);
}

MODELHOP_VECTOR_CLONES double binary_logits_row(const BinaryLogits& row, float* gradient) {
  return gradient == nullptr ? binary_logits<false>(row, nullptr) : binary_logits<true>(row, gradient);
}

double binary_probabilities_row(const float* p, const float* target, std::int64_t columns, float smoothing,
                                float inside, float* gradient, float scale) {
  double loss = 0.0;
  for (std::int64_t j = 0; j < columns; ++j) {
    const float y = target[j] * (1.0F - smoothing) + 0.5F * smoothing;
    const float q = clipped(p[j]);
    const float yes = q + inside, no = 1.0F - q + inside;
    loss -= y * std::log(yes) + (1.0F - y) * std::log(no);
    if (gradient != nullptr) gradient[j] = is_clipped(p[j]) ? 0.0F : ((1.0F - y) / no - y / yes) * scale;
  }
  return loss;
}

double squared_row(const float* p, const float* y, std::int64_t columns, float* gradient, float scale) {
  double loss = 0.0;
  for (std::int64_t j = 0; j < columns; ++j) {
    const float error = p[j] - y[j];
    loss += static_cast<double>(error) * error;
    if (gradient != nullptr) gradient[j] = 2.0F * error * scale;
  }
  return loss;
}

double absolute_row(const float* p, const float* y, std::int64_t columns, float* gradient, float scale) {
  double loss = 0.0;
  for (std::int64_t j = 0; j < columns; ++j) {
    const float error = p[j] - y[j];
    loss += std::abs(error);
    if (gradient != nullptr) gradient[j] = error > 0.0F ? scale : error < 0.0F ? -scale : 0.0F * error;
  }
  return loss;
}

/// Losses of a class: a row is not averaged over its columns.
double class_losses(const OutputLoss& output, const LossRows& rows, const float* factors, float* gradient,
                    float scale) {
  const bool is_sparse = output.loss.kind == LossKind::kSparseCategoricalCrossentropy;
  const auto smoothing = is_sparse ? 0.0F : static_cast<float>(output.loss.label_smoothing);
  double sum = 0.0;
  for (std::int64_t row = 0; row < rows.count(); ++row) {
    const float* x = rows.outputs + row * rows.columns;
    float* g = gradient == nullptr ? nullptr : gradient + row * rows.columns;
    const float factor = factors == nullptr ? 1.0F : factors[row];
    if (factor == 0.0F) {
      if (g != nullptr) std::fill(g, g + rows.columns, 0.0F);
      continue;
    }
    const bool needs_class = is_sparse || rows.targets == nullptr;
    const CategoricalTarget y = {needs_class ? nullptr : rows.targets + row * rows.columns,
                                 needs_class ? true_class(rows, row) : -1, 1.0F - smoothing,
                                 smoothing / static_cast<float>(rows.columns)};
    if (output.takes_logits()) {
      sum += factor * categorical_logits_row(x, y, rows.columns, g, scale * factor);
    } else if (is_sparse) {
      sum += factor * sparse_probabilities_row(x, y.class_id, rows.columns, g, scale * factor);
    } else {
      sum += factor * categorical_probabilities_row(x, y, rows.columns, g, scale * factor);
    }
  }
  return sum;
}

double element_row(const OutputLoss& output, const float* p, const float* y, std::int64_t count, float* gradient,
                   float scale) {
  const auto smoothing = static_cast<float>(output.loss.label_smoothing);
  if (output.loss.kind == LossKind::kMeanSquaredError) return squared_row(p, y, count, gradient, scale);
  if (output.loss.kind == LossKind::kMeanAbsoluteError) return absolute_row(p, y, count, gradient, scale);
  if (output.takes_logits()) return binary_logits_row({p, y, count, smoothing, scale}, gradient);
  const bool is_tf = output.profile != SemanticsProfile::kKeras22 && output.profile != SemanticsProfile::kKeras3;
  return binary_probabilities_row(p, y, count, smoothing, is_tf ? kEpsilon : 0.0F, gradient, scale);
}

/// Losses of each element: without factors the whole batch is one long row.
double element_losses(const OutputLoss& output, const LossRows& rows, const float* factors, float* gradient,
                      float scale) {
  check(rows.targets != nullptr, "a loss of elements needs float targets");
  const auto columns = static_cast<double>(rows.columns);
  const float element_scale = scale / static_cast<float>(rows.columns);
  if (factors == nullptr) {
    return element_row(output, rows.outputs, rows.targets, rows.count() * rows.columns, gradient, element_scale) /
           columns;
  }
  double sum = 0.0;
  for (std::int64_t row = 0; row < rows.count(); ++row) {
    const std::int64_t first = row * rows.columns;
    float* g = gradient == nullptr ? nullptr : gradient + first;
    if (factors[row] == 0.0F) {
      if (g != nullptr) std::fill(g, g + rows.columns, 0.0F);
      continue;
    }
    sum += factors[row] * element_row(output, rows.outputs + first, rows.targets + first, rows.columns, g,
                                      element_scale * factors[row]);
  }
  return sum / columns;
}

}  // namespace

LossRows host_rows(const at::Tensor& outputs, const at::Tensor& target, bool target_is_class_id) {
  check(outputs.is_contiguous() && target.is_contiguous(), "outputs and targets of a loss must be contiguous");
  LossRows rows;
  rows.examples = outputs.size(0);
  rows.columns = outputs.dim() > 1 ? outputs.size(-1) : 1;
  rows.positions = rows.examples == 0 ? 1 : outputs.numel() / rows.examples / rows.columns;
  rows.outputs = outputs.const_data_ptr<float>();
  if (target_is_class_id) {
    check(target.numel() == rows.count(), "class ids do not fit the outputs");
    rows.class_ids = target.const_data_ptr<std::int64_t>();
  } else {
    check(target.numel() == outputs.numel(), "targets do not fit the outputs");
    rows.targets = target.const_data_ptr<float>();
  }
  return rows;
}

std::int64_t true_class(const LossRows& rows, std::int64_t row) {
  if (rows.class_ids == nullptr) {
    const float* y = rows.targets + row * rows.columns;
    return std::max_element(y, y + rows.columns) - y;
  }
  const std::int64_t id = rows.class_ids[row];
  if (id >= 0 && id < rows.columns) return id;
  throw Error(ErrorCode::kInvalidArgument, "class id " + std::to_string(id) + " is outside 0.." +
                                               std::to_string(rows.columns - 1) +
                                               ", the classes of the model's output");
}

bool has_loop(LossKind kind) {
  return kind == LossKind::kCategoricalCrossentropy || kind == LossKind::kSparseCategoricalCrossentropy ||
         kind == LossKind::kBinaryCrossentropy || kind == LossKind::kMeanSquaredError ||
         kind == LossKind::kMeanAbsoluteError;
}

double loss_on_host(const OutputLoss& loss, const LossRows& rows, const float* factors, float* gradient, float scale) {
  const bool is_of_classes = loss.loss.kind == LossKind::kCategoricalCrossentropy ||
                             loss.loss.kind == LossKind::kSparseCategoricalCrossentropy;
  return is_of_classes ? class_losses(loss, rows, factors, gradient, scale)
                       : element_losses(loss, rows, factors, gradient, scale);
}

}  // namespace modelhop::engine
