// SPDX-License-Identifier: Apache-2.0
// Keras metrics as users write them.
#pragma once

#include <string>
#include <vector>

#include "modelhop/train_spec.hpp"
#include "spec/python_literal.hpp"
#include "spec/target_fit.hpp"

namespace modelhop::spec {

/// `metrics` or `weighted_metrics`: None, one metric, a list, a list with a list per output, or a dict by output name.
/// Adds to train.metrics; the form goes to metric_form or weighted_metric_form.
void read_metrics(const PythonValue& value, bool is_weighted, TrainSpec& train);

TargetFit target_fit(MetricKind kind);

/// Whether a better model has more of it; Keras 3 does not say so of every metric.
enum class MetricDirection : std::uint8_t { kUp, kDown, kUnknown };
MetricDirection direction_of(MetricKind kind);

/// Every name that Keras generations have for the metric, in lower case: "accuracy", "acc".
std::vector<std::string> names_of(MetricKind kind);

}  // namespace modelhop::spec
