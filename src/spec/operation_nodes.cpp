// SPDX-License-Identifier: Apache-2.0
// Binding the arguments of an operation to its signature.
#include "spec/operation_nodes.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "spec/grammar_text.hpp"
#include "spec/layer_config.hpp"
#include "spec/near_name.hpp"
#include "spec/operation_table.hpp"

namespace modelhop::spec {
namespace {

std::string text_of(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool is_tensorflow_layer(const std::string& class_name) {
  return class_name == "TFOpLambda" || class_name == "SlicingOpLambda" || class_name == "TensorFlowOpLayer";
}

const OperationSignature& signature_of(const std::string& where, const std::string& name) {
  const OperationSignature* signature = find_operation(name);
  if (signature != nullptr) return *signature;
  std::vector<std::string> names;
  for (const OperationSignature& known : operation_signatures()) names.emplace_back(known.name);
  unsupported(where + ": unknown operation " + in_quotes(name) + "; nearest supported: " + nearest_name(name, names));
}

/// "math.reduce_mean" -> "reduce_mean"
std::string last_part(const std::string& function) {
  const std::size_t dot = function.rfind('.');
  return dot == std::string::npos ? function : function.substr(dot + 1);
}

class Binder {
 public:
  Binder(const std::string& where, const OperationSignature& signature) : where_(where), signature_(signature) {
    bound_.class_name = signature.class_name;
    bound_.config = Json::object();
  }

  void bind_config(const Json& config) {
    for (const auto& [key, value] : config.items()) {
      const bool is_own = key != "dtype" || signature_.name == "cast";
      if (key != "name" && key != "trainable" && key != "function" && is_own) bind_value(key, value);
    }
  }

  void bind_position(std::size_t position, const WrittenArgument& argument) {
    const std::size_t operands = signature_.operands.size();
    if (position < operands) {
      bind(std::string(signature_.operands[position]), argument);
    } else if (position - operands < signature_.parameters.size()) {
      bind(std::string(signature_.parameters[position - operands]), argument);
    } else {
      refuse(where_ + ": operation " + in_quotes(signature_.name) + " with " + std::to_string(position + 1) +
             " arguments");
    }
  }

  void bind(const std::string& keyword, const WrittenArgument& argument) {
    if (argument.refs.empty()) return bind_value(keyword, argument.value);
    const std::string name = canonical_argument(signature_, keyword);
    const bool is_operand =
        std::find(signature_.operands.begin(), signature_.operands.end(), name) != signature_.operands.end();
    if (!is_operand) {
      unsupported(where_ + ": " + in_quotes(keyword) + " of operation " + in_quotes(signature_.name) +
                      " is computed by the network",
                  "Write a constant, or -1 for the batch axis of a shape.");
    }
    const bool is_one = name != "values" && argument.refs.size() == 1;
    if ((argument.is_list != (name == "values") && !is_one) || !argument.keys.empty()) {
      refuse(where_ + ": " + in_quotes(keyword) + " of operation " + in_quotes(signature_.name) + " must be a " +
             (name == "values" ? "list of tensors" : "tensor or a constant"));
    }
    if (has_role(name)) refuse(where_ + ": " + in_quotes(keyword) + " is given twice");
    for (const WrittenRef& ref : argument.refs) {
      bound_.call.refs.push_back(ref);
      bound_.call.roles.push_back(name == "values" || name == "x" ? "" : name);
    }
  }

  WrittenOperation result() {
    for (const std::string_view operand : signature_.operands) {
      const bool is_constant = bound_.config.contains(operand);
      const std::string role(operand == "values" || operand == "x" ? "" : operand);
      if (is_constant == has_role(role)) {
        refuse(where_ + ": operation " + in_quotes(signature_.name) + " needs one " + in_quotes(operand));
      }
    }
    if (bound_.call.refs.empty()) {
      unsupported(where_ + ": operation " + in_quotes(signature_.name) + " on constants alone");
    }
    return std::move(bound_);
  }

 private:
  bool has_role(const std::string& role) const {
    const auto& roles = bound_.call.roles;
    return std::find(roles.begin(), roles.end(), role) != roles.end();
  }

  void bind_value(const std::string& keyword, const Json& value) {
    if (value.is_null() || keyword == "name") return;
    std::string name = canonical_argument(signature_, keyword);
    // Keys that every layer may carry are not read from a layer's config.
    if (name == "dtype") name = signature_.name == "cast" ? "to" : "";
    if (!name.empty()) bound_.config[name] = value;
  }

  const std::string& where_;
  const OperationSignature& signature_;
  WrittenOperation bound_;
};

bool attribute_flag(const Json& attributes, const char* name) {
  const auto found = attributes.find(name);
  return found != attributes.end() && found->is_object() && found->contains("b") && (*found)["b"] == Json(true);
}

/// TensorFlow's own node: operands by position, constants beside them, parameters among the operands.
WrittenOperation read_node_def(const std::string& where, const Json& config, const WrittenCall& call) {
  const auto node = config.find("node_def");
  if (node == config.end() || !node->is_object()) {
    unsupported(where + ": TensorFlowOpLayer without a \"node_def\" object", "Save the model with a later Keras.");
  }
  const std::string name = snake_case(text_of(*node, "op"));
  const OperationSignature& signature = signature_of(where, name);
  Binder binder(where, signature);
  const Json attributes = node->contains("attr") && (*node)["attr"].is_object() ? (*node)["attr"] : Json::object();
  for (const char* flag : {"adj_x", "adj_y", "transpose_a", "transpose_b"}) {
    if (attribute_flag(attributes, flag))
      unsupported(where + ": " + in_quotes(flag) + " of operation " + in_quotes(name));
  }
  for (const char* key : {"squeeze_dims", "begin_mask", "data_format"}) {
    if (attributes.contains(key)) unsupported(where + ": " + in_quotes(key) + " of operation " + in_quotes(name));
  }
  if (attribute_flag(attributes, "keep_dims")) binder.bind("keepdims", {{}, {}, {}, false, Json(true)});
  std::vector<WrittenRef> tensors;
  for (const WrittenArgument& argument : call.arguments) {
    tensors.insert(tensors.end(), argument.refs.begin(), argument.refs.end());
  }
  const Json constants =
      config.contains("constants") && config["constants"].is_object() ? config["constants"] : Json::object();
  const std::size_t count = std::min<std::size_t>(tensors.size() + constants.size(), 1'000'000);
  const bool is_list = signature.operands.front() == "values";
  WrittenArgument list;
  list.is_list = true;
  std::size_t next = 0;
  for (std::size_t position = 0; position < count; ++position) {
    WrittenArgument argument;
    const auto constant = constants.find(std::to_string(position));
    if (constant != constants.end()) {
      argument.value = *constant;
    } else if (next < tensors.size()) {
      argument.refs = {tensors[next++]};
    } else {
      refuse(where + ": \"constants\" do not fit \"node_def\"");
    }
    if (!is_list) {
      binder.bind_position(position, argument);
    } else if (argument.refs.empty()) {
      binder.bind_position(1, argument);
    } else {
      list.refs.push_back(argument.refs.front());
    }
  }
  if (is_list) binder.bind("values", list);
  return binder.result();
}

}  // namespace

bool is_operation_entry(const Json& entry) {
  return is_tensorflow_layer(text_of(entry, "class_name")) ||
         text_of(entry, "module").find(".ops.") != std::string::npos;
}

WrittenOperation read_operation(const std::string& where, const std::string& class_name, const Json& config,
                                const WrittenCall& call) {
  if (!config.is_object()) refuse(where + ": \"config\" must be an object, not " + shown(config));
  if (class_name == "TensorFlowOpLayer") return read_node_def(where, config, call);
  std::string name = snake_case(class_name);
  if (class_name == "TFOpLambda") name = last_part(text_of(config, "function"));
  if (class_name == "SlicingOpLambda") name = "getitem";
  const OperationSignature& signature = signature_of(where, name);
  Binder binder(where, signature);
  binder.bind_config(config);
  std::size_t position = 0;
  for (const WrittenArgument& argument : call.arguments) {
    argument.keyword.empty() ? binder.bind_position(position++, argument) : binder.bind(argument.keyword, argument);
  }
  return binder.result();
}

}  // namespace modelhop::spec
