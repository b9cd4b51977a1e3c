// SPDX-License-Identifier: Apache-2.0
// Arithmetic and functions on Keras tensors, which files hold as layers: Keras 3's operations (module
// keras.src.ops...), tf.keras's TFOpLambda, SlicingOpLambda and TensorFlowOpLayer. All become one canonical class,
// "ops.<name>", whose parameters and constant operands are its config (layer_attributes.hpp).
#pragma once

#include <string>
#include <string_view>

#include "spec/argument_placement.hpp"

namespace modelhop::spec {

bool is_operation_entry(const Json& entry);

struct WrittenOperation {
  std::string class_name;
  Json config;  ///< parameters and constants, under Keras 3's names
  PlacedCall call;
};

/// Throws kNotSupported for an operation that is not known, and names the nearest one that is.
WrittenOperation read_operation(const std::string& where, const std::string& class_name, const Json& config,
                                const WrittenCall& call);

}  // namespace modelhop::spec
