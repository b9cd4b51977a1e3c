// SPDX-License-Identifier: Apache-2.0
// Keras losses as users write them.
#pragma once

#include "modelhop/train_spec.hpp"
#include "spec/python_literal.hpp"
#include "spec/target_fit.hpp"

namespace modelhop::spec {

/// A name or a call.
LossSpec read_loss(const PythonValue& value);

/// One loss, a list with one per output, or a dict by output name, into losses, loss_outputs and loss_form.
void read_losses(const PythonValue& value, TrainSpec& train);

/// One number, a list with one per output, or a dict by output name, into the loss_weight fields.
void read_loss_weights(const PythonValue& value, TrainSpec& train);

TargetFit target_fit(LossKind kind);

}  // namespace modelhop::spec
