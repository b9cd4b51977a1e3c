// SPDX-License-Identifier: Apache-2.0
// Reads the Sequential and Functional containers of all Keras generations, models inside models included.
#include "spec/file_model.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "spec/call_numbers.hpp"
#include "spec/fingerprint.hpp"
#include "spec/grammar_text.hpp"
#include "spec/layer_config.hpp"
#include "spec/model_class.hpp"
#include "spec/operation_nodes.hpp"

namespace modelhop::spec {
namespace {

constexpr std::size_t kMaxLayers = 10'000;
constexpr std::size_t kMaxRefs = 1'000'000;
constexpr int kMaxNesting = 16;

const Json& member(const Json& object, const char* key, const std::string& where) {
  if (!object.is_object()) refuse(where + " must be an object, not " + shown(object));
  const auto found = object.find(key);
  if (found == object.end()) refuse(where + " has no " + in_quotes(key));
  return *found;
}

std::string text_member(const Json& object, const char* key, const std::string& where) {
  const Json& value = member(object, key, where);
  if (!value.is_string()) refuse(where + ": " + in_quotes(key) + " must be a string, not " + shown(value));
  return value.get<std::string>();
}

/// Empty where there is no such string.
std::string optional_text(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool flag(const Json& config, const char* key) {
  return !config.is_object() || !config.contains(key) || config[key] != Json(false);
}

void refuse_code(const std::string& where, const Json& entry, const std::string& class_name) {
  if (class_name == "Lambda") {
    unsupported(where + ": class \"Lambda\" holds program code, which is never run",
                "Use layers such as Activation, Reshape or Add, or operations on tensors, instead.");
  }
  const std::string registered = optional_text(entry, "registered_name");
  const std::string module = optional_text(entry, "module");
  const std::string package = module.substr(0, module.find('.'));
  if (registered.find('>') != std::string::npos) {
    unsupported(where + ": custom class " + in_quotes(registered), "Only Keras's own layers are known.");
  }
  if (!package.empty() && package != "keras" && package != "tf_keras" && package != "tensorflow" &&
      package != "keras_core") {
    unsupported(where + ": custom class " + in_quotes(module + "." + class_name), "Only Keras's own layers are known.");
  }
}

/// A list or object [[ref, ...], ...] of a model's own calls is numbered from here.
int first_call_number(const FileLayer& layer, bool is_keras3, bool is_end) {
  if (layer.model == nullptr) return 0;
  if (is_keras3) return is_end && !layer.model->is_sequential ? 1 : 0;
  return !layer.model->is_sequential || layer.model->has_input_shape ? 1 : 0;
}

class Reader {
 public:
  Reader(const Json& document, const std::vector<Shape>& input_shapes) : input_shapes_(input_shapes) {
    writer_.is_keras3 = is_keras3_file(document);
  }

  FileModel read(const std::string& class_name, const Json& config, int depth) {
    if (depth > kMaxNesting) {
      refuse("architecture nests models deeper than " + std::to_string(kMaxNesting) + " levels");
    }
    FileModel model;
    model.name = optional_text(config, "name");
    model.is_trainable = flag(config, "trainable");
    model.is_sequential = class_name == "Sequential";
    model.is_sequential ? read_sequential(config, model, depth) : read_functional(config, model, depth);
    return model;
  }

 private:
  FileLayer read_entry(const Json& entry, std::size_t position, int depth) {
    const std::string numbered = "layer " + std::to_string(position + 1);
    FileLayer layer;
    layer.class_name = text_member(entry, "class_name", numbered);
    const Json& config = member(entry, "config", numbered);
    layer.name = entry.contains("name") ? text_member(entry, "name", numbered) : optional_text(config, "name");
    if (layer.name.empty()) layer.name = lower_case(layer.class_name) + "_" + std::to_string(position + 1);
    const std::string where = "layer " + in_quotes(layer.name);
    if (is_operation_class(layer.class_name)) unsupported(where + ": unknown class " + in_quotes(layer.class_name));
    refuse_code(where, entry, layer.class_name);
    refuse_shared_object(where, entry);
    layer.is_trainable = flag(config, "trainable");
    if (is_model_class(layer.class_name)) {
      layer.model = std::make_unique<FileModel>(read(layer.class_name, config, depth + 1));
    } else {
      if (!config.is_object()) refuse(where + ": \"config\" must be an object, not " + shown(config));
      layer.config = config;
    }
    return layer;
  }

  /// tf.keras marks a layer that it finds again in another model, but cannot load such a file itself.
  void refuse_shared_object(const std::string& where, const Json& entry) {
    const auto id = entry.find("shared_object_id");
    if (id == entry.end() || !id->is_number_integer()) return;
    if (!shared_objects_.insert(id->get<std::int64_t>()).second) {
      unsupported(where + " is shared between models that are inside one another",
                  "Call it in one model alone; Keras cannot load this file either.");
    }
  }

  const Json& layer_list(const Json& list) {
    if (!list.is_array() || list.empty()) refuse("architecture has no layers");
    layers_ += list.size();
    if (layers_ > kMaxLayers) {
      refuse("architecture has " + std::to_string(layers_) + " layers, the limit is " + std::to_string(kMaxLayers));
    }
    return list;
  }

  void read_sequential(const Json& config, FileModel& model, int depth) {
    const Json& list = layer_list(config.is_array() ? config : member(config, "layers", "\"config\""));
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (is_operation_entry(list[i])) {
        unsupported("layer " + std::to_string(i + 1) + ": an operation as a layer of a Sequential model");
      }
      model.layers.push_back(read_entry(list[i], i, depth));
    }
    add_input_layer(config, model, depth);
    model.layers.front().calls.resize(1);
    for (std::size_t i = 1; i < model.layers.size(); ++i) {
      FileLayer& layer = model.layers[i];
      if (layer.class_name == "InputLayer") {
        refuse("layer " + in_quotes(layer.name) + ": an InputLayer can only be the first layer of a Sequential model");
      }
      if (layer.model != nullptr && layer.model->outputs.size() != 1) {
        refuse("layer " + in_quotes(layer.name) + ": a model with several outputs inside a Sequential model");
      }
      GraphCall call;
      call.inputs = {CallRef{static_cast<int>(i) - 1, 0, 0}};
      call.roles = {""};
      layer.calls.push_back(std::move(call));
      layer.keys.resize(1);
    }
    CallNumbers::index_names(model);
    model.inputs = {CallRef{0, 0, 0}};
    model.outputs = {CallRef{static_cast<int>(model.layers.size()) - 1, 0, 0}};
  }

  /// The shape that the model's first layer is written with.
  static std::optional<Json> written_shape(const FileModel& model, const Json& config) {
    const FileLayer& first = model.layers.front();
    if (first.model != nullptr && !first.model->inputs.empty()) {
      const FileLayer& inner = first.model->layers[static_cast<std::size_t>(first.model->inputs.front().layer)];
      if (first.model->has_input_shape && inner.config.contains("batch_input_shape")) {
        return inner.config["batch_input_shape"];
      }
      if (first.model->has_input_shape && inner.config.contains("batch_shape")) return inner.config["batch_shape"];
    }
    for (const char* key : {"batch_input_shape", "batch_shape"}) {
      const auto found = first.config.find(key);
      if (found != first.config.end() && found->is_array()) return *found;
    }
    if (config.is_object()) {
      const auto found = config.find("build_input_shape");
      if (found != config.end() && found->is_array()) return *found;
    }
    return {};
  }

  void add_input_layer(const Json& config, FileModel& model, int depth) {
    const std::optional<Json> shape = written_shape(model, config);
    model.has_input_shape = shape.has_value();
    if (model.layers.front().class_name == "InputLayer") return;
    FileLayer input;
    input.name = model.layers.front().name + "_input";
    const auto is_taken = [&](const FileLayer& layer) { return layer.name == input.name; };
    while (std::any_of(model.layers.begin(), model.layers.end(), is_taken)) input.name += "_";
    input.class_name = "InputLayer";
    input.config = Json::object();
    if (shape) {
      input.config["batch_input_shape"] = *shape;
    } else if (depth == 0) {
      input.config["batch_input_shape"] = callers_shape();
    }
    model.layers.insert(model.layers.begin(), std::move(input));
  }

  Json callers_shape() const {
    if (input_shapes_.empty()) {
      refuse("architecture says no input shape", "Give the first layer an input_shape, or start with an InputLayer.");
    }
    Json shape = Json::array({nullptr});
    for (const std::int64_t extent : input_shapes_.front()) shape.push_back(extent);
    return shape;
  }

  void read_functional(const Json& config, FileModel& model, int depth) {
    const Json& list = layer_list(member(config, "layers", "\"config\""));
    const WrittenEnds inputs = read_model_ends(member(config, "input_layers", "\"config\""), "input_layers");
    const WrittenEnds outputs = read_model_ends(member(config, "output_layers", "\"config\""), "output_layers");
    model.has_input_shape = true;
    std::vector<std::vector<PlacedCall>> written;
    for (std::size_t i = 0; i < list.size(); ++i) {
      model.layers.push_back(read_entry(list[i], i, depth));
      FileLayer& layer = model.layers.back();
      written.push_back(read_calls(list[i], layer));
      if (layer.class_name != "InputLayer" && written.back().empty()) {
        refuse("layer " + in_quotes(layer.name) + " is never called");
      }
      layer.calls.resize(layer.class_name == "InputLayer" ? 1 : written.back().size());
    }
    resolve(model, written);
    model.inputs = resolve_ends(model, inputs, "\"input_layers\"");
    model.outputs = resolve_ends(model, outputs, "\"output_layers\"");
    model.input_keys = inputs.keys;
    model.output_keys = outputs.keys;
  }

  std::vector<PlacedCall> read_calls(const Json& entry, FileLayer& layer) {
    const std::string where = "layer " + in_quotes(layer.name);
    std::vector<PlacedCall> placed;
    const bool is_operation = is_operation_entry(entry);
    for (const WrittenCall& call : read_inbound_nodes(layer.name, layer.class_name, entry)) {
      if (is_operation) {
        WrittenOperation operation = read_operation(where, entry["class_name"], entry["config"], call);
        if (!placed.empty() && operation.config != layer.config) {
          unsupported(where + ": an operation that is called with different arguments");
        }
        layer.class_name = operation.class_name;
        layer.config = std::move(operation.config);
        placed.push_back(std::move(operation.call));
      } else {
        placed.push_back(place_arguments(where, layer.class_name, call, writer_));
      }
      refs_ += placed.back().refs.size();
      if (refs_ > kMaxRefs) refuse("architecture has more than " + std::to_string(kMaxRefs) + " connections");
    }
    return placed;
  }

  void resolve(FileModel& model, std::vector<std::vector<PlacedCall>>& written) const {
    CallNumbers numbers(model);
    const auto where = [&model](std::size_t i) { return "layer " + in_quotes(model.layers[i].name); };
    for (std::size_t i = 0; i < written.size(); ++i) {
      for (const PlacedCall& call : written[i]) {
        for (const WrittenRef& ref : call.refs) numbers.note(ref, where(i));
      }
    }
    numbers.settle([&](const FileLayer& layer) { return first_call_number(layer, writer_.is_keras3, false); });
    for (std::size_t i = 0; i < written.size(); ++i) {
      FileLayer& layer = model.layers[i];
      for (std::size_t call = 0; call < written[i].size(); ++call) {
        PlacedCall& source = written[i][call];
        for (const WrittenRef& ref : source.refs) layer.calls[call].inputs.push_back(numbers.resolve(ref, where(i)));
        layer.calls[call].roles = std::move(source.roles);
        layer.calls[call].arguments = std::move(source.arguments);
        layer.keys.push_back(std::move(source.keys));
      }
    }
  }

  std::vector<CallRef> resolve_ends(const FileModel& model, const WrittenEnds& ends, const std::string& where) const {
    CallNumbers numbers(model);
    for (const WrittenRef& ref : ends.refs) numbers.note(ref, where);
    numbers.settle([&](const FileLayer& layer) { return first_call_number(layer, writer_.is_keras3, true); });
    std::vector<CallRef> resolved;
    for (const WrittenRef& ref : ends.refs) resolved.push_back(numbers.resolve(ref, where));
    return resolved;
  }

  const std::vector<Shape>& input_shapes_;
  CallWriter writer_;
  std::set<std::int64_t> shared_objects_;
  std::size_t layers_ = 0;
  std::size_t refs_ = 0;
};

}  // namespace

FileModel read_file_model(const Json& document, const std::vector<Shape>& input_shapes) {
  if (!document.is_object()) refuse("architecture must be a JSON object, not " + shown(document));
  const std::string class_name = text_member(document, "class_name", "architecture");
  const Json& config = member(document, "config", "architecture");
  if (!is_model_class(class_name)) {
    unsupported("architecture has class " + in_quotes(class_name), "Sequential, Model and Functional are supported.");
  }
  FileModel model = Reader(document, input_shapes).read(class_name, config, 0);
  if (model.name.empty()) model.name = lower_case(class_name);
  return model;
}

}  // namespace modelhop::spec
