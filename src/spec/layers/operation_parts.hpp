// SPDX-License-Identifier: Apache-2.0
// What the files of operation nodes share.
#pragma once

#include <string>
#include <vector>

#include "spec/layer_kind.hpp"

namespace modelhop::spec {

struct ConstantArray {
  std::vector<double> values;  ///< in C order
  std::vector<std::int64_t> shape;
};

/// Nested lists of numbers and truth values, all of equal length, not empty.
ConstantArray read_constant_array(const LayerConfig& config, const std::string& key, const Json& value);

/// An axis or a list of them, counting the batch -> `axes`. Absent: all axes, which only settle_operation_axes() can
/// refuse.
void read_operation_axes(LayerConfig& config, Attributes& attributes, const std::string& key);

/// Makes `axes` positive, sorted and without the batch axis, for a tensor of `rank` axes. Throws where the batch is
/// among them.
std::vector<std::int64_t> settle_operation_axes(const LayerCall& call, std::size_t rank);

/// Operations that move values and compute nothing.
std::vector<LayerKind> arranging_operations();

}  // namespace modelhop::spec
