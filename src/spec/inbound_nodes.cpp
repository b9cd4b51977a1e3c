// SPDX-License-Identifier: Apache-2.0
// How a layer's inputs are written: lists of [layer, call, tensor(, keywords)] in Keras 2, {args, kwargs} in Keras 3.
#include "spec/inbound_nodes.hpp"

#include <utility>

#include "spec/grammar_text.hpp"
#include "spec/layer_config.hpp"

namespace modelhop::spec {
namespace {

/// ["name", 0, 0] or ["name", 0, 0, {...}]
bool is_ref(const Json& value) {
  return value.is_array() && (value.size() == 3 || value.size() == 4) && value[0].is_string() && !value[1].is_string();
}

bool is_constant(const Json& ref) {
  return ref[0] == "_CONSTANT_VALUE";
}

WrittenRef read_ref(const std::string& where, const Json& value) {
  if (!value[1].is_number_integer() || !value[2].is_number_integer()) {
    refuse(where + ": reference " + shown(value) + " needs integers after the name");
  }
  return {value[0].get<std::string>(), value[1].get<std::int64_t>(), value[2].get<std::int64_t>()};
}

/// Where both generations agree: arguments are trees of lists and objects whose leaves are tensors or values.
class NodeReader {
 public:
  explicit NodeReader(std::string where) : where_(std::move(where)) {}
  virtual ~NodeReader() = default;

  virtual WrittenCall read(const Json& node) const = 0;

 protected:
  virtual bool is_tensor(const Json& value) const = 0;
  virtual WrittenRef read_tensor(const Json& value) const = 0;
  /// A value that holds no tensor, without the tags of its generation.
  virtual Json plain(const Json& value) const = 0;

  WrittenArgument read_argument(std::string keyword, const Json& value) const {
    WrittenArgument argument;
    argument.keyword = std::move(keyword);
    if (!holds_tensor(value)) {
      argument.value = plain(value);
      return argument;
    }
    argument.is_list = value.is_array() && !is_tensor(value);
    if (value.is_object() && !is_tensor(value)) {
      for (const auto& [key, element] : value.items()) {
        add_tensors(element, argument);
        argument.keys.resize(argument.refs.size(), key);
      }
    } else {
      add_tensors(value, argument);
    }
    return argument;
  }

  void add_keywords(const Json& keywords, WrittenCall& call) const {
    if (keywords.is_null()) return;
    if (!keywords.is_object()) refuse(where_ + ": call arguments must be an object, not " + shown(keywords));
    for (const auto& [key, value] : keywords.items()) {
      const bool is_unset = key.ends_with("mask") ? says_nothing(value) : value.is_null();
      if (!is_unset) call.arguments.push_back(read_argument(key, value));
    }
  }

  const std::string& where() const { return where_; }

 private:
  bool holds_tensor(const Json& value) const {
    if (is_tensor(value)) return true;
    if (!value.is_structured()) return false;
    for (const Json& element : value) {
      if (holds_tensor(element)) return true;
    }
    return false;
  }

  /// Null, and lists and objects of nothing else: masks of inputs that have none.
  static bool says_nothing(const Json& value) {
    if (value.is_null()) return true;
    if (!value.is_structured() || value.empty()) return false;
    for (const Json& element : value) {
      if (!says_nothing(element)) return false;
    }
    return true;
  }

  void add_tensors(const Json& value, WrittenArgument& argument) const {
    if (value.is_null()) return;
    if (is_tensor(value)) {
      argument.refs.push_back(read_tensor(value));
      return;
    }
    if (!value.is_array()) {
      unsupported(where_ + ": call argument " + shown(value) + " beside tensors",
                  "Arguments that are computed, such as a shape, cannot be read.");
    }
    for (const Json& element : value) add_tensors(element, argument);
  }

  std::string where_;
};

class Keras2Reader final : public NodeReader {
 public:
  using NodeReader::NodeReader;

  WrittenCall read(const Json& node) const override {
    WrittenCall call;
    const Json* first = nullptr;  // repeats the keywords of all
    if (is_ref(node)) {
      first = &node;
      call.arguments.push_back(is_constant(node) ? constant(node) : read_argument("", node));
    } else {
      if (!node.is_structured()) refuse(where() + ": \"inbound_nodes\" holds " + shown(node));
      first = first_ref(node);
      call.arguments.push_back(read_argument("", node));
    }
    if (first != nullptr && first->size() == 4) add_keywords((*first)[3], call);
    return call;
  }

 protected:
  bool is_tensor(const Json& value) const override { return is_ref(value) && !is_constant(value); }
  WrittenRef read_tensor(const Json& value) const override { return read_ref(where(), value); }
  Json plain(const Json& value) const override { return value; }

 private:
  WrittenArgument constant(const Json& ref) const {
    WrittenArgument argument;
    argument.value = ref[2];
    return argument;
  }

  const Json* first_ref(const Json& node) const {
    if (node.empty()) return nullptr;
    const Json& first = *node.begin();
    if (is_ref(first)) return &first;
    if (!first.is_structured()) {
      refuse(where() + ": \"inbound_nodes\" holds " + shown(first) + " where a reference should be");
    }
    return first_ref(first);
  }
};

class Keras3Reader final : public NodeReader {
 public:
  using NodeReader::NodeReader;

  WrittenCall read(const Json& node) const override {
    WrittenCall call;
    const auto arguments = node.find("args");
    if (arguments == node.end() || !arguments->is_array()) {
      refuse(where() + ": \"inbound_nodes\" needs a list \"args\"");
    }
    for (const Json& argument : *arguments) call.arguments.push_back(read_argument("", argument));
    if (const auto keywords = node.find("kwargs"); keywords != node.end()) add_keywords(*keywords, call);
    return call;
  }

 protected:
  bool is_tensor(const Json& value) const override { return tag_of(value) == "__keras_tensor__"; }

  WrittenRef read_tensor(const Json& value) const override {
    const auto config = value.find("config");
    if (config != value.end() && config->is_object()) {
      const auto history = config->find("keras_history");
      if (history != config->end() && is_ref(*history)) return read_ref(where(), *history);
    }
    refuse(where() + ": \"__keras_tensor__\" without \"keras_history\"");
  }

  Json plain(const Json& value) const override {
    const std::string tag = tag_of(value);
    if (tag == "__numpy__" || tag == "__tensor__" || tag == "__slice__") return contents(value, tag);
    if (tag == "__ellipsis__") return {{"class_name", tag}};
    if (tag.starts_with("__")) {
      unsupported(where() + ": call argument of kind " + in_quotes(tag), "Only numbers, lists and tensors are read.");
    }
    if (!value.is_array()) return value;
    Json list = Json::array();
    for (const Json& element : value) list.push_back(plain(element));
    return list;
  }

 private:
  static std::string tag_of(const Json& value) {
    if (!value.is_object()) return {};
    const auto tag = value.find("class_name");
    return tag == value.end() || !tag->is_string() ? std::string() : tag->get<std::string>();
  }

  Json contents(const Json& value, const std::string& tag) const {
    const auto config = value.find("config");
    if (config == value.end() || !config->is_object()) refuse(where() + ": " + in_quotes(tag) + " without \"config\"");
    if (tag == "__slice__") return *config;
    const auto array = config->find("value");
    if (array == config->end()) refuse(where() + ": " + in_quotes(tag) + " without \"value\"");
    return *array;
  }
};

}  // namespace

std::vector<WrittenCall> read_inbound_nodes(const std::string& layer, const std::string& class_name,
                                            const Json& entry) {
  const std::string where = "layer " + in_quotes(layer);
  const auto nodes = entry.find("inbound_nodes");
  if (nodes == entry.end()) {
    if (class_name == "InputLayer") return {};
    refuse(where + " has no \"inbound_nodes\"");
  }
  if (!nodes->is_array()) refuse(where + ": \"inbound_nodes\" must be a list, not " + shown(*nodes));
  if (class_name == "InputLayer" && !nodes->empty()) refuse(where + ": an InputLayer has no inputs");
  const Keras2Reader keras2(where);
  const Keras3Reader keras3(where);
  std::vector<WrittenCall> calls;
  for (const Json& node : *nodes) {
    // Keras 2 writes objects too, for inputs that are a dict.
    const bool is_keras3 = node.is_object() && (node.contains("args") || node.empty());
    calls.push_back(is_keras3 ? keras3.read(node) : keras2.read(node));
  }
  return calls;
}

WrittenEnds read_model_ends(const Json& value, const char* key) {
  const std::string where = "\"" + std::string(key) + "\"";
  if (is_ref(value)) return {{read_ref(where, value)}, {}};
  WrittenEnds ends;
  if (!value.is_structured() || value.empty()) refuse(where + " must be a list of references, not " + shown(value));
  for (const auto& [name, ref] : value.items()) {
    if (!is_ref(ref)) refuse(where + " holds " + shown(ref) + " where a reference should be");
    ends.refs.push_back(read_ref(where, ref));
    if (value.is_object()) ends.keys.push_back(name);
  }
  return ends;
}

}  // namespace modelhop::spec
