// SPDX-License-Identifier: Apache-2.0
// Penalties on weights and on the outputs of layers (keras.regularizers), and their gradients.
#pragma once

#include <ATen/core/Tensor.h>

#include "engine/flat_state.hpp"

namespace modelhop::engine {

/// The penalty of some values, as a double without axes on their device. An orthogonal one takes a matrix.
at::Tensor penalty_of(const RegularizerSpec& regularizer, const at::Tensor& values);

/// gradient += factor * (derivative of the penalty by the values), in place.
void add_penalty_gradient(const RegularizerSpec& regularizer, const at::Tensor& values, double factor,
                          at::Tensor& gradient);

/// Adds the gradients of all penalties on weights that learn, to gradients laid out as the parameters.
void add_penalty_gradients(const StateLayout& layout, const FlatState& state, at::Tensor& gradients);

/// Sum of the penalties of all weights. Frozen ones are among them where their generation of Keras reports those
/// (tf.keras 2): the reader of the file leaves the others without a regularizer.
double regularization_penalty(const FlatState& state);

}  // namespace modelhop::engine
