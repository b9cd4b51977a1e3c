// SPDX-License-Identifier: Apache-2.0
// Keras losses as users write them.
#pragma once

#include "modelhop/train_spec.hpp"
#include "spec/custom_functions.hpp"
#include "spec/python_literal.hpp"
#include "spec/target_fit.hpp"

namespace modelhop::spec {

/// A name or a call. A custom function goes before a loss of Keras.
LossSpec read_loss(const PythonValue& value, const CustomFunctions& functions);

/// One loss, a list with one per output, or a dict by output name, into losses, loss_outputs and loss_form.
void read_losses(const PythonValue& value, const CustomFunctions& functions, TrainSpec& train);

/// One number, a list with one per output, or a dict by output name, into the loss_weight fields.
void read_loss_weights(const PythonValue& value, TrainSpec& train);

TargetFit target_fit(LossKind kind);

/// Whether Keras has a loss of this name.
bool is_loss_name(const std::string& name);

}  // namespace modelhop::spec
