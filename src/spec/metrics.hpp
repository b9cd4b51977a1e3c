// SPDX-License-Identifier: Apache-2.0
// Keras metrics as users write them.
#pragma once

#include "modelhop/train_spec.hpp"
#include "spec/custom_functions.hpp"
#include "spec/python_literal.hpp"

namespace modelhop::spec {

/// `metrics` or `weighted_metrics`: None, one metric, a list, a list with a list per output, or a dict by output name.
/// Adds to train.metrics; the form goes to metric_form or weighted_metric_form. A custom function goes before a metric
/// of Keras.
void read_metrics(const PythonValue& value, bool is_weighted, const CustomFunctions& functions, TrainSpec& train);

/// Whether Keras has a metric of this name.
bool is_metric_name(const std::string& name);

}  // namespace modelhop::spec
