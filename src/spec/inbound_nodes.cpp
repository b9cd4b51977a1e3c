// SPDX-License-Identifier: Apache-2.0
// How a layer's inputs are written: lists of [layer, call, tensor(, arguments)] in Keras 2, objects in Keras 3.
#include "spec/inbound_nodes.hpp"

#include "spec/grammar_text.hpp"
#include "spec/layer_config.hpp"

namespace modelhop::spec {
namespace {

/// ["name", 0, 0] or ["name", 0, 0, {...}]
bool is_ref(const Json& value) {
  return value.is_array() && (value.size() == 3 || value.size() == 4) && value[0].is_string();
}

WrittenRef read_ref(const std::string& where, const Json& value) {
  if (!value[1].is_number_integer() || !value[2].is_number_integer()) {
    refuse(where + ": reference " + shown(value) + " needs integers after the name");
  }
  return {value[0].get<std::string>(), value[1].get<std::int64_t>(), value[2].get<std::int64_t>()};
}

class NodeReader {
 public:
  explicit NodeReader(const std::string& layer) : where_("layer " + in_quotes(layer)) {}

  std::vector<WrittenCall> read(const Json& nodes) const {
    std::vector<WrittenCall> calls;
    if (!nodes.is_array()) refuse(where_ + ": \"inbound_nodes\" must be a list, not " + shown(nodes));
    for (const Json& node : nodes) calls.push_back(node.is_object() ? read_keras3(node) : read_keras2(node));
    return calls;
  }

 private:
  WrittenCall read_keras2(const Json& node) const {
    WrittenCall call;
    if (!node.is_array()) refuse(where_ + ": \"inbound_nodes\" holds " + shown(node));
    if (is_ref(node)) {
      add_keras2(node, call);
      return call;
    }
    for (const Json& ref : node) {
      if (!is_ref(ref)) refuse(where_ + ": \"inbound_nodes\" holds " + shown(ref) + " where a reference should be");
      add_keras2(ref, call);
    }
    return call;
  }

  void add_keras2(const Json& ref, WrittenCall& call) const {
    if (ref[0] == "_CONSTANT_VALUE") unsupported(where_ + ": a constant as an input");
    if (ref.size() == 4 && call.refs.empty()) take_arguments(ref[3], call);
    call.refs.push_back(read_ref(where_, ref));
    call.roles.emplace_back();
  }

  WrittenCall read_keras3(const Json& node) const {
    WrittenCall call;
    const auto arguments = node.find("args");
    if (arguments == node.end() || !arguments->is_array()) refuse(where_ + ": \"inbound_nodes\" needs a list \"args\"");
    for (const Json& argument : *arguments) {
      if (argument.is_array()) {
        for (const Json& element : argument) add_keras3(element, call);
      } else {
        add_keras3(argument, call);
      }
    }
    if (const auto named = node.find("kwargs"); named != node.end()) take_arguments(*named, call);
    return call;
  }

  void add_keras3(const Json& value, WrittenCall& call) const {
    if (value.is_null()) return;
    const bool is_tensor =
        value.is_object() && value.contains("class_name") && value["class_name"] == "__keras_tensor__";
    if (!is_tensor) unsupported(where_ + ": call argument " + shown(value) + " is not a layer's output");
    const auto config = value.find("config");
    const auto history = config == value.end() || !config->is_object() ? value.end() : config->find("keras_history");
    if (config == value.end() || !config->is_object() || history == config->end() || !is_ref(*history)) {
      refuse(where_ + ": \"__keras_tensor__\" without \"keras_history\"");
    }
    call.refs.push_back(read_ref(where_, *history));
    call.roles.emplace_back();
  }

  /// Null says nothing.
  void take_arguments(const Json& arguments, WrittenCall& call) const {
    if (arguments.is_null()) return;
    if (!arguments.is_object()) refuse(where_ + ": call arguments must be an object, not " + shown(arguments));
    for (const auto& [key, value] : arguments.items()) {
      if (!value.is_null()) call.arguments[key] = value;
    }
  }

  std::string where_;
};

}  // namespace

std::vector<WrittenCall> read_inbound_nodes(const std::string& layer, const std::string& class_name,
                                            const Json& entry) {
  const auto nodes = entry.find("inbound_nodes");
  if (nodes == entry.end()) {
    if (class_name == "InputLayer") return {};
    refuse("layer " + in_quotes(layer) + " has no \"inbound_nodes\"");
  }
  std::vector<WrittenCall> calls = NodeReader(layer).read(*nodes);
  if (class_name == "InputLayer" && !calls.empty())
    refuse("layer " + in_quotes(layer) + ": an InputLayer has no inputs");
  return calls;
}

std::vector<WrittenRef> read_model_ends(const Json& value, const char* key) {
  const std::string where = "\"" + std::string(key) + "\"";
  if (is_ref(value)) return {read_ref(where, value)};
  std::vector<WrittenRef> refs;
  if (!value.is_structured() || value.empty()) refuse(where + " must be a list of references, not " + shown(value));
  for (const Json& ref : value) {
    if (!is_ref(ref)) refuse(where + " holds " + shown(ref) + " where a reference should be");
    refs.push_back(read_ref(where, ref));
  }
  return refs;
}

}  // namespace modelhop::spec
