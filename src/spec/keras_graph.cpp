// SPDX-License-Identifier: Apache-2.0
// Reads the Sequential and Functional containers of all Keras generations.
#include "spec/keras_graph.hpp"

#include <algorithm>
#include <unordered_map>

#include "spec/grammar_text.hpp"
#include "spec/inbound_nodes.hpp"
#include "spec/layer_config.hpp"

namespace modelhop::spec {
namespace {

constexpr std::size_t kMaxLayers = 10'000;
constexpr std::size_t kMaxRefs = 1'000'000;

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

bool is_model_class(const std::string& name) {
  return name == "Sequential" || name == "Model" || name == "Functional";
}

void refuse_special_class(const GraphLayer& layer, const Json& entry) {
  const std::string where = "layer " + in_quotes(layer.name) + ": ";
  if (is_model_class(layer.class_name)) {
    unsupported(where + "a model inside a model", "Build the network from layers only.");
  }
  if (layer.class_name == "Lambda") {
    unsupported(where + "class \"Lambda\" holds program code, which is never run",
                "Use layers such as Activation, Reshape or Add instead.");
  }
  const auto text = [&entry](const char* key) {
    const auto found = entry.find(key);
    return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (text("module").find(".ops.") != std::string::npos || layer.class_name.ends_with("OpLambda")) {
    unsupported(where + "operation " + in_quotes(layer.class_name), "Use a layer instead of a bare operation.");
  }
  const std::string registered = text("registered_name");
  if (registered.find('>') != std::string::npos) {
    unsupported(where + "custom class " + in_quotes(registered), "Only Keras's own layers are known.");
  }
}

GraphLayer read_entry(const Json& entry, std::size_t position) {
  const std::string where = "layer " + std::to_string(position + 1);
  GraphLayer layer;
  layer.class_name = text_member(entry, "class_name", where);
  const Json& config = member(entry, "config", where);
  // A nested list-form Sequential has no object here; it is refused below like every nested model.
  const bool has_config_name = config.is_object() && config.contains("name");
  if (entry.contains("name")) {
    layer.name = text_member(entry, "name", where);
  } else if (has_config_name) {
    layer.name = text_member(config, "name", where);
  } else {
    layer.name = lower_case(layer.class_name) + "_" + std::to_string(position + 1);
  }
  refuse_special_class(layer, entry);
  if (!config.is_object())
    refuse("layer " + in_quotes(layer.name) + ": \"config\" must be an object, not " + shown(config));
  layer.config = config;
  return layer;
}

const Json& layer_list(const Json& list) {
  if (!list.is_array() || list.empty()) refuse("architecture has no layers");
  if (list.size() > kMaxLayers) {
    refuse("architecture has " + std::to_string(list.size()) + " layers, the limit is " + std::to_string(kMaxLayers));
  }
  return list;
}

Json first_shape(const Json& model, const GraphLayer& first, const std::vector<Shape>& input_shapes) {
  for (const char* key : {"batch_input_shape", "batch_shape"}) {
    if (const auto found = first.config.find(key); found != first.config.end() && found->is_array()) return *found;
  }
  if (model.is_object()) {
    const auto found = model.find("build_input_shape");
    if (found != model.end() && found->is_array()) return *found;
  }
  if (input_shapes.empty()) {
    refuse("architecture says no input shape", "Give the first layer an input_shape, or start with an InputLayer.");
  }
  Json shape = Json::array({nullptr});
  for (const std::int64_t extent : input_shapes.front()) shape.push_back(extent);
  return shape;
}

void read_sequential(const Json& config, const std::vector<Shape>& input_shapes, Graph& graph) {
  const Json& list = layer_list(config.is_array() ? config : member(config, "layers", "\"config\""));
  for (std::size_t i = 0; i < list.size(); ++i) graph.layers.push_back(read_entry(list[i], i));
  if (graph.layers.front().class_name != "InputLayer") {
    GraphLayer input;
    input.name = graph.layers.front().name + "_input";
    const auto is_taken = [&](const GraphLayer& layer) { return layer.name == input.name; };
    while (std::any_of(graph.layers.begin(), graph.layers.end(), is_taken)) input.name += "_";
    input.class_name = "InputLayer";
    input.config = {{"batch_input_shape", first_shape(config, graph.layers.front(), input_shapes)}};
    graph.layers.insert(graph.layers.begin(), std::move(input));
  }
  graph.layers.front().calls.resize(1);
  for (std::size_t i = 1; i < graph.layers.size(); ++i) {
    if (graph.layers[i].class_name == "InputLayer") {
      refuse("layer " + in_quotes(graph.layers[i].name) +
             ": an InputLayer can only be the first layer of a Sequential model");
    }
    graph.layers[i].calls = {{.inputs = {CallRef{static_cast<int>(i) - 1, 0, 0}}, .roles = {""}}};
  }
  graph.inputs = {CallRef{0, 0, 0}};
  graph.outputs = {CallRef{static_cast<int>(graph.layers.size()) - 1, 0, 0}};
  graph.output_names = {graph.layers.back().name};
}

using Names = std::unordered_map<std::string, int>;

Names index_names(const Graph& graph) {
  Names names;
  for (const GraphLayer& layer : graph.layers) {
    if (!names.emplace(layer.name, static_cast<int>(names.size())).second) {
      refuse("layer " + in_quotes(layer.name) + " appears twice");
    }
  }
  return names;
}

/// Written references by layer name -> resolved ones. Some exporters do not count a layer's calls from 0.
class Resolver {
 public:
  Resolver(const Graph& graph, const Names& names) : graph_(graph), names_(names), extents_(graph.layers.size()) {}

  void note(const WrittenRef& ref, const std::string& where) {
    const auto found = names_.find(ref.layer);
    if (found == names_.end())
      refuse(where + " refers to " + in_quotes(ref.layer) + ", which is not a layer of the model");
    if (ref.call < 0 || ref.tensor < 0) refuse(where + " refers to a negative output of " + in_quotes(ref.layer));
    Extent& extent = extents_[found->second];
    extent.low = std::min(extent.low, ref.call);
    extent.high = std::max(extent.high, ref.call);
  }

  CallRef resolve(const WrittenRef& ref, const std::string& where) const {
    const int layer = names_.at(ref.layer);
    const Extent& extent = extents_[layer];
    const auto calls = static_cast<std::int64_t>(graph_.layers[layer].calls.size());
    const std::int64_t call = extent.high >= calls ? ref.call - extent.low : ref.call;
    if (call >= calls) {
      refuse(where + " refers to call " + std::to_string(ref.call) + " of " + in_quotes(ref.layer) + ", which has " +
             std::to_string(calls));
    }
    return {layer, static_cast<int>(call), ref.tensor};
  }

 private:
  struct Extent {
    std::int64_t low = std::numeric_limits<std::int64_t>::max();
    std::int64_t high = -1;
  };
  const Graph& graph_;
  const Names& names_;
  std::vector<Extent> extents_;
};

std::vector<CallRef> resolve_ends(const Graph& graph, const Names& names, const std::vector<WrittenRef>& refs,
                                  const char* what) {
  const std::string where = "\"" + std::string(what) + "\"";
  Resolver resolver(graph, names);
  for (const WrittenRef& ref : refs) resolver.note(ref, where);
  std::vector<CallRef> resolved;
  for (const WrittenRef& ref : refs) resolved.push_back(resolver.resolve(ref, where));
  return resolved;
}

void read_functional(const Json& config, Graph& graph) {
  const Json& list = layer_list(member(config, "layers", "\"config\""));
  std::vector<std::vector<WrittenCall>> written;
  std::size_t refs = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    graph.layers.push_back(read_entry(list[i], i));
    GraphLayer& layer = graph.layers.back();
    written.push_back(read_inbound_nodes(layer.name, layer.class_name, list[i]));
    for (const WrittenCall& call : written.back()) refs += call.refs.size();
    if (refs > kMaxRefs) refuse("architecture has more than " + std::to_string(kMaxRefs) + " connections");
    if (layer.class_name != "InputLayer" && written.back().empty()) {
      refuse("layer " + in_quotes(layer.name) + " is never called");
    }
    layer.calls.resize(layer.class_name == "InputLayer" ? 1 : written.back().size());
  }
  const Names names = index_names(graph);
  Resolver resolver(graph, names);
  const auto where = [&graph](std::size_t i) { return "layer " + in_quotes(graph.layers[i].name); };
  for (std::size_t i = 0; i < written.size(); ++i) {
    for (const WrittenCall& call : written[i]) {
      for (const WrittenRef& ref : call.refs) resolver.note(ref, where(i));
    }
  }
  for (std::size_t i = 0; i < written.size(); ++i) {
    for (std::size_t call = 0; call < written[i].size(); ++call) {
      GraphCall& resolved = graph.layers[i].calls[call];
      for (const WrittenRef& ref : written[i][call].refs) resolved.inputs.push_back(resolver.resolve(ref, where(i)));
      resolved.roles = std::move(written[i][call].roles);
      resolved.arguments = std::move(written[i][call].arguments);
    }
  }
  const auto ends = [&](const char* key) {
    return resolve_ends(graph, names, read_model_ends(member(config, key, "\"config\""), key), key);
  };
  graph.inputs = ends("input_layers");
  graph.outputs = ends("output_layers");
  for (const CallRef& output : graph.outputs) graph.output_names.push_back(graph.layers[output.layer].name);
}

}  // namespace

Graph read_keras_graph(const Json& document, const std::vector<Shape>& input_shapes) {
  if (!document.is_object()) refuse("architecture must be a JSON object, not " + shown(document));
  const std::string class_name = text_member(document, "class_name", "architecture");
  const Json& config = member(document, "config", "architecture");
  Graph graph;
  // Keras 2 signs its files; Keras 3 names the class's module instead.
  const bool is_keras3 = !document.contains("keras_version") && document.contains("module");
  graph.profile = is_keras3 ? SemanticsProfile::kKeras3 : SemanticsProfile::kTf2Legacy;
  if (const auto version = document.find("keras_version"); version != document.end() && version->is_string()) {
    const auto& text = version->get_ref<const std::string&>();
    if (text.starts_with("1.") || text.starts_with("0.")) {
      unsupported("architecture was written by Keras " + in_quotes(text),
                  "Load and save the model with Keras 2 or later.");
    }
  }
  if (config.is_object()) {
    if (const auto name = config.find("name"); name != config.end() && name->is_string())
      graph.name = name->get<std::string>();
  }
  if (graph.name.empty()) graph.name = lower_case(class_name);
  if (class_name == "Sequential") {
    read_sequential(config, input_shapes, graph);
    index_names(graph);
  } else if (is_model_class(class_name)) {
    read_functional(config, graph);
  } else {
    unsupported("architecture has class " + in_quotes(class_name), "Sequential, Model and Functional are supported.");
  }
  return graph;
}

Shape read_input_shape(const std::string& where, const Json& config, const Shape& input_shape) {
  const Json* written = nullptr;
  for (const char* key : {"batch_shape", "batch_input_shape"}) {
    if (const auto found = config.find(key); found != config.end() && !found->is_null()) written = &*found;
  }
  if (written == nullptr) refuse(where + ": \"batch_input_shape\" is missing");
  if (!written->is_array() || written->empty() || written->size() > 33) {
    refuse(where + ": \"batch_input_shape\" must be a list with the batch axis first, not " + shown(*written));
  }
  Shape shape;
  for (std::size_t i = 1; i < written->size(); ++i) {
    const Json& extent = (*written)[i];
    if (extent.is_null()) {
      if (input_shape.size() + 1 != written->size()) {
        unsupported(where + ": \"batch_input_shape\" " + shown(*written) + " leaves extents open",
                    "Build the network with a fixed input shape.");
      }
      shape.push_back(input_shape[i - 1]);
    } else if (extent.is_number_integer() && extent.get<double>() >= 1 &&
               extent.get<double>() <= static_cast<double>(kMaxExtent)) {
      shape.push_back(extent.get<std::int64_t>());
    } else {
      refuse(where + ": \"batch_input_shape\" " + shown(*written) + " must hold positive integers");
    }
  }
  return shape;
}

}  // namespace modelhop::spec
