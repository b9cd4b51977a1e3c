// SPDX-License-Identifier: Apache-2.0
// A model as a table for people: one row per layer, as Keras's summary() shows it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "modelhop/model_spec.hpp"

namespace modelhop::spec {

struct LayerSummary {
  std::string name;
  std::string class_name;
  std::vector<Shape> output_shapes;  ///< of the first call, without the batch axis
  std::int64_t parameter_count = 0;
  std::int64_t trainable_parameter_count = 0;
  bool is_trainable = true;
  std::vector<std::string> connected_to;  ///< names of the layers that feed it, in the order of its calls, each once
  std::int64_t forward_flops = 0;         ///< per example, of all calls
};

/// Rows in the order of ModelSpec::layers.
std::vector<LayerSummary> summarize(const ModelSpec& model);

}  // namespace modelhop::spec
