// SPDX-License-Identifier: Apache-2.0
// describe_model() and validate_model(): what an architecture is, without training it.
#include "server/keras_semantics.hpp"
#include "server/row_writer.hpp"
#include "server/run_arguments.hpp"
#include "server/run_input.hpp"
#include "server/stored_architecture.hpp"
#include "server/value_text.hpp"
#include "spec/keras_json.hpp"
#include "spec/model_summary.hpp"

namespace modelhop::server {
namespace {

/// (None, 28, 28, 1), as Keras's summary() has it.
std::string shapes_text(const std::vector<Shape>& shapes) {
  std::string text;
  for (const Shape& shape : shapes) {
    text += text.empty() ? "(None" : ", (None";
    for (const std::int64_t extent : shape) text += ", " + std::to_string(extent);
    text += ")";
  }
  return text;
}

std::vector<std::optional<std::string>> layer_row(std::size_t number, const spec::LayerSummary& layer,
                                                  const std::string& profile) {
  std::vector<std::optional<std::string>> sources(layer.connected_to.begin(), layer.connected_to.end());
  return {std::to_string(number),
          layer.name,
          layer.class_name,
          shapes_text(layer.output_shapes),
          std::to_string(layer.parameter_count),
          boolean_text(layer.is_trainable),
          array_text(sources),
          std::to_string(layer.forward_flops),
          profile};
}

}  // namespace
}  // namespace modelhop::server

MODELHOP_FUNCTION(describe_model) {
  using namespace modelhop;
  using namespace modelhop::server;
  RowWriter writer(fcinfo);
  const StoredArchitecture stored =
      read_stored_architecture("keras_model_arch_table", text_argument(fcinfo, 0), integer_argument(fcinfo, 1));
  const ModelSpec model = parse_keras_json(stored.json, {}, stored.profile);
  std::size_t number = 0;
  for (const spec::LayerSummary& layer : spec::summarize(model)) {
    writer.add(layer_row(++number, layer, to_string(model.profile)));
  }
  return 0;
}

MODELHOP_FUNCTION(validate_model) {
  using namespace modelhop;
  using namespace modelhop::server;
  RowWriter writer(fcinfo);
  const auto json = text_argument(fcinfo, 0);
  const ModelSpec model = parse_keras_json(required(json, "model_arch"), {}, keras_semantics(text_argument(fcinfo, 1)));
  std::vector<Shape> inputs, outputs;
  for (std::size_t input = 0; input < model.inputs.size(); ++input) inputs.push_back(model.input_shape(input));
  for (std::size_t output = 0; output < model.outputs.size(); ++output) outputs.push_back(model.output_shape(output));
  writer.add({model.name, std::to_string(model.layers.size()), shapes_text(inputs), shapes_text(outputs),
              std::to_string(parameter_count(model)), std::to_string(trainable_parameter_count(model)),
              std::to_string(forward_flops(model)), to_string(model.profile)});
  return 0;
}
