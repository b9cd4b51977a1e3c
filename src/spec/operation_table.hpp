// SPDX-License-Identifier: Apache-2.0
// The operations on tensors that are supported, and the names that Keras 3, tf.keras and TensorFlow have for them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace modelhop::spec {

struct OperationSignature {
  std::string_view name;                     ///< "add"
  std::string_view class_name;               ///< "ops.add"
  std::vector<std::string_view> operands;    ///< tensors or constants, in order; "values": one list of tensors
  std::vector<std::string_view> parameters;  ///< in order of their position behind the operands
};

std::span<const OperationSignature> operation_signatures();

/// By a name that any generation has for it ("true_divide", "reduce_mean", "AddV2"); null where it is not known.
const OperationSignature* find_operation(std::string_view name);

/// The canonical name of an argument; `argument` itself where it has no other.
std::string canonical_argument(const OperationSignature& operation, std::string_view argument);

/// "LogSoftmax" -> "log_softmax"
std::string snake_case(std::string_view camel);

}  // namespace modelhop::spec
