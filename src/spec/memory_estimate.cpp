// SPDX-License-Identifier: Apache-2.0
// What training takes in bytes, from the specs alone:
//   state     = 4 x (parameters + trainable parameters x optimizer slots)
//   workspace = the larger of
//     training:   4 x (trainable parameters                      gradients
//                      + 2 x batch x elements of all outputs     activations and their gradients
//                      + 2 x batch x (input + output) of the largest convolution   its padded and reordered copies)
//     evaluation: 4 x kEvaluationRows x (elements of all outputs + 2 x (input + output) of the largest convolution)
#include <algorithm>
#include <limits>

#include "spec/optimizers.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace {

// Hostile sizes pass through here before anything refuses them: stop at the largest number instead of wrapping.
std::int64_t bytes_of(long double elements) {
  const long double bytes = 4.0L * elements;
  const auto limit = std::numeric_limits<std::int64_t>::max();
  return bytes >= static_cast<long double>(limit) ? limit : static_cast<std::int64_t>(bytes);
}

}  // namespace

MemoryEstimate estimate_memory(const ModelSpec& model, const TrainSpec& train) {
  const auto trainable = static_cast<long double>(trainable_parameter_count(model));
  long double activations = 0;
  long double scratch = 0;
  for (const NodeSpec& node : model.nodes) {
    long double output = 0;
    for (const Shape& shape : node.output_shapes) output += static_cast<long double>(element_count(shape));
    activations += output;
    if (model.layers[node.layer].class_name != "Conv2D") continue;
    const auto input = static_cast<long double>(element_count(model.shape_of(node.inputs.front())));
    scratch = std::max(scratch, input + output);
  }
  MemoryEstimate estimate;
  estimate.state =
      bytes_of(static_cast<long double>(parameter_count(model)) + trainable * spec::slot_count(train.optimizer));
  const long double training = trainable + 2.0L * train.batch_size * (activations + scratch);
  const long double evaluation = kEvaluationRows * (activations + 2.0L * scratch);
  estimate.workspace = bytes_of(std::max(training, evaluation));
  return estimate;
}

}  // namespace modelhop
