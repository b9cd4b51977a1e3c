// SPDX-License-Identifier: Apache-2.0
// Keras losses and metrics as users write them.
#pragma once

#include <vector>

#include "modelhop/train_spec.hpp"
#include "spec/python_literal.hpp"

namespace modelhop::spec {

LossSpec read_loss(const PythonValue& value);

/// A list, a single metric, or None. `loss` decides what "crossentropy" means.
std::vector<MetricSpec> read_metrics(const PythonValue& value, const LossSpec& loss);

}  // namespace modelhop::spec
