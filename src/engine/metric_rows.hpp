// SPDX-License-Identifier: Apache-2.0
// A batch of one output as metrics read it: host rows, and what each counts.
#pragma once

#include <span>
#include <vector>

#include "engine/loss_rows.hpp"

namespace modelhop::engine {

struct MetricRows {
  LossRows rows;
  std::vector<double> weights;  ///< one per row; empty: 1 each

  double weight(std::int64_t row) const { return weights.empty() ? 1.0 : weights[static_cast<std::size_t>(row)]; }
  /// Element of the target; of class ids 0 or 1 for that class, or the id itself where there is one column.
  double target(std::int64_t row, std::int64_t column) const {
    if (rows.class_ids != nullptr && rows.columns == 1) return static_cast<double>(rows.class_ids[row]);
    if (rows.class_ids != nullptr) return rows.class_ids[row] == column ? 1.0 : 0.0;
    return rows.targets[row * rows.columns + column];
  }
};

bool has_nan(const float* p, std::int64_t columns);

// Each adds the rows to the sums of its family (metric.hpp).
void add_counts(const MetricSpec& metric, const MetricRows& batch, std::span<double> sums);
void add_f_scores(const MetricSpec& metric, const MetricRows& batch, std::span<double> sums);
void add_confusion(const MetricSpec& metric, const MetricRows& batch, std::span<double> sums);
void add_r2(const MetricRows& batch, std::span<double> sums);

}  // namespace modelhop::engine
