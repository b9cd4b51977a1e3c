// SPDX-License-Identifier: Apache-2.0
// A model that somebody else trained: an architecture with weights, and what the caller says about its outputs.
#include <cmath>

#include "server/bridge.hpp"
#include "server/run_input.hpp"
#include "server/stored_architecture.hpp"
#include "server/stored_model.hpp"
#include "server/value_text.hpp"
#include "spec/keras_json.hpp"
#include "spec/train_params.hpp"

namespace modelhop::server {
namespace {

using ClassList = std::vector<std::optional<std::string>>;

[[noreturn]] void refuse(const char* argument, const std::string& problem, const std::string& hint = {}) {
  throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, std::string("argument ") + argument + ": " + problem, hint);
}

void check_weights(const StoredArchitecture& stored, const ModelSpec& model) {
  const std::string subject =
      "argument model_id: model " + std::to_string(stored.model_id) + " of \"" + stored.text + "\" ";
  check_columns("model_arch_table", stored.text, existing_table("model_arch_table", stored.text), {"model_weights"});
  const auto rows = query("SELECT octet_length(model_weights) FROM " + stored.table.quoted() + stored.condition());
  if (rows.empty() || !rows[0][0]) {
    throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, subject + "has no model_weights",
                   "Store the float32 of get_weights() or a safetensors file by load_keras_model.");
  }
  const std::int64_t bytes = parameter_count(model) * 4;
  if (std::stoll(*rows[0][0]) == bytes) return;
  throw SqlError(
      ERRCODE_INVALID_PARAMETER_VALUE,
      subject + "has weights of " + *rows[0][0] + " bytes for an architecture of " + std::to_string(bytes) + " bytes");
}

double constant_of(const LoadedModelRequest& request) {
  const double constant = request.normalizing_const.value_or(1.0);
  if (constant > 0.0 && std::isfinite(constant)) return constant;
  refuse("normalizing_const", number_text(constant) + " is not a positive number",
         "Give what the values were divided by in training, 255 for bytes of images.");
}

/// Whether an output that nothing is known about holds probabilities of classes.
bool gives_probabilities(const ModelSpec& model, TensorRef output) {
  const LayerSpec& layer = model.layers[model.nodes[output.node].layer];
  if (layer.class_name == "Softmax") return true;
  const auto found = layer.attributes.find("activation");
  if (found == layer.attributes.end()) return false;
  const auto* activation = std::get_if<std::string>(&found->second);
  return activation != nullptr && (*activation == "softmax" || *activation == "sigmoid");
}

/// The classes of an output. Lists of several outputs are equally long in SQL: NULL behind the last class fills them
/// up.
ClassList fitting_classes(ClassList classes, std::size_t output, const Shape& shape) {
  const auto width = static_cast<std::size_t>(shape.empty() ? 1 : shape.back());
  const std::size_t wanted = width == 1 ? 2 : width;  // one number is the probability of the second of two
  while (classes.size() > wanted && !classes.back()) classes.pop_back();
  if (classes.size() == wanted || classes.size() == width) return classes;
  refuse("class_values",
         std::to_string(classes.size()) + " classes for output " + std::to_string(output + 1) +
             " of the model, which has " + std::to_string(width) + (width == 1 ? " number" : " numbers"),
         "Give a class for each number of the output (two where there is one number), or NULL for 0, 1, ...");
}

StoredOutput output_of(const LoadedModelRequest& request, const ModelSpec& model, std::size_t output) {
  StoredOutput stored;
  stored.name = model.outputs.size() == 1 ? "dependent_var" : "dependent_var_" + std::to_string(output);
  if (request.class_values) {
    stored.class_values = fitting_classes((*request.class_values)[output], output, model.output_shape(output));
  }
  const bool is_classes = request.class_values || gives_probabilities(model, model.outputs[output]);
  stored.encoding = is_classes ? "one_hot" : "float";
  return stored;
}

void check_outputs(const LoadedModelRequest& request, std::size_t outputs) {
  const std::string have = "the model has " + std::to_string(outputs) + (outputs == 1 ? " output" : " outputs");
  if (request.dependent_count && *request.dependent_count != static_cast<std::int64_t>(outputs)) {
    refuse("dependent_count", std::to_string(*request.dependent_count) + ", but " + have,
           "Give the number of outputs, or NULL.");
  }
  if (request.class_values && request.class_values->size() != outputs) {
    const std::size_t lists = request.class_values->size();
    refuse("class_values", std::to_string(lists) + (lists == 1 ? " list" : " lists") + " of classes, but " + have,
           "Give a list for each output, such as ARRAY[ARRAY['a', 'b'], ARRAY['c', 'd']].");
  }
}

}  // namespace

StoredModel read_loaded_model(const LoadedModelRequest& request) {
  const StoredArchitecture stored =
      read_stored_architecture("model_arch_table", request.model_arch_table, request.model_id);
  StoredModel model;
  model.text = stored.text;
  model.table = stored.table;
  model.condition = stored.condition();
  model.is_single = true;
  model.json = stored.json;
  model.profile = stored.profile;
  model.model = naming("model_id " + std::to_string(stored.model_id) + " of \"" + stored.text + "\"",
                       [&] { return parse_keras_json(model.json, {}, model.profile); });
  check_weights(stored, model.model);
  check_outputs(request, model.model.outputs.size());
  // Nobody trains, but a run is opened with parameters. This loss knows no classes: the lists alone say what they are.
  model.compile_params = "optimizer='sgd', loss='mse'";
  model.train =
      resolve_train_spec(parse_train_params(model.compile_params, model.fit_params, model.model.profile), model.model);
  model.normalizing_consts.assign(model.model.inputs.size(), constant_of(request));
  for (std::size_t output = 0; output < model.model.outputs.size(); ++output) {
    model.outputs.push_back(output_of(request, model.model, output));
  }
  return model;
}

}  // namespace modelhop::server
