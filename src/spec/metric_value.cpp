// SPDX-License-Identifier: Apache-2.0
// From a metric's sums to its value: keras.metrics, result().
#include "modelhop/error.hpp"
#include "modelhop/metric.hpp"

namespace modelhop {

std::size_t accumulator_count(const MetricSpec&, std::int64_t) {
  return 2;  // sum and number of examples
}

double metric_value(const MetricSpec& metric, std::span<const double> accumulators, std::int64_t columns) {
  check(accumulators.size() == accumulator_count(metric, columns), "the accumulators are not those of the metric");
  return accumulators[0] / accumulators[1];
}

}  // namespace modelhop
