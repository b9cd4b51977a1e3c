// SPDX-License-Identifier: Apache-2.0
// What is known of each metric beside its computation: names, arguments, targets, direction.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "modelhop/metric.hpp"
#include "spec/target_fit.hpp"

namespace modelhop::spec {

/// Whether a better model has more of it; Keras 3 does not say so of every metric.
enum class MetricDirection : std::uint8_t { kUp, kDown, kUnknown };

struct MetricRow {
  MetricKind kind;
  std::string_view name;     ///< Keras's own, shown for a call without `name=`
  std::string_view aliases;  ///< of any Keras generation, in lower case, and snake_case of the class
  std::string_view signature;
  TargetFit fit;
  MetricDirection direction;
};

std::span<const MetricRow> metric_rows();

/// By one of its names in lower case; null where there is none.
const MetricRow* find_metric_row(const std::string& name);

const MetricRow& metric_row(MetricKind kind);

/// Whether more of the metric is better, where one of the two has to be chosen. Of a custom one the name decides.
bool grows_with_quality(const MetricSpec& metric);

}  // namespace modelhop::spec
