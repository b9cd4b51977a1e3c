// SPDX-License-Identifier: Apache-2.0
// Activation layers as functions: the layer's own reader reads them, and their parameters go into the text.
#include "spec/activation_object.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "spec/activation_names.hpp"
#include "spec/grammar_text.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::spec {
namespace {

std::string softmax_text(const LayerConfig& config, const std::string& key, const std::vector<std::int64_t>& axes) {
  if (axes.size() != 1) {
    config.not_supported(in_quotes(key) + " given as a Softmax over several axes",
                         "Put the activation into a layer of its own.");
  }
  if (axes.front() == -1) return "softmax";
  return activation_text("softmax", {static_cast<double>(axes.front())});
}

/// Those whose parameters a text can hold; PReLU has a weight.
bool is_activation_layer(std::string_view kind) {
  constexpr std::array kKinds =
      std::to_array<std::string_view>({"Activation", "ELU", "LeakyReLU", "ReLU", "Softmax", "ThresholdedReLU"});
  return std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end();
}

std::string text_of(const LayerConfig& config, const std::string& key, std::string_view kind, const LayerSpec& layer) {
  if (kind == "Activation") return string_attribute(layer, "activation");
  if (kind == "LeakyReLU") return activation_text("leaky_relu", {number_attribute(layer, "alpha")});
  if (kind == "ThresholdedReLU") return activation_text("thresholded_relu", {number_attribute(layer, "theta")});
  if (kind == "Softmax") return softmax_text(config, key, list_attribute(layer, "axis"));
  if (kind == "ELU") {
    const double alpha = number_attribute(layer, "alpha");
    return alpha == 1.0 ? "elu" : activation_text("elu", {alpha});
  }
  if (kind == "ReLU") {
    const double maximum = number_attribute(layer, "max_value"), slope = number_attribute(layer, "negative_slope"),
                 threshold = number_attribute(layer, "threshold");
    const bool is_plain = maximum == std::numeric_limits<double>::infinity() && slope == 0.0 && threshold == 0.0;
    return is_plain ? "relu" : activation_text("relu", {maximum, slope, threshold});
  }
  config.not_supported(in_quotes(key) + " given as a layer of class " + in_quotes(kind),
                       "Put the activation into a layer of its own.");
}

}  // namespace

std::string activation_of_object(const LayerConfig& config, const std::string& key, const Json& value) {
  const auto class_name = value.find("class_name");
  const auto inner = value.find("config");
  if (class_name == value.end() || !class_name->is_string()) {
    config.refuse_value(key, "the name of an activation function");
  }
  const auto& kind = class_name->get_ref<const std::string&>();
  if (kind == "function" && inner != value.end() && inner->is_string()) {
    const std::string name = canonical_activation(inner->get_ref<const std::string&>());
    if (name.empty()) refuse(config.where() + ": unknown " + in_quotes(key) + " " + shown(*inner));
    return name;
  }
  LayerSpec layer;
  if (is_activation_layer(kind)) {
    const Json nothing = Json::object();
    LayerConfig reader(config.layer_name(), inner == value.end() || inner->is_null() ? nothing : *inner,
                       config.profile());
    find_layer_kind(kind)->read(reader, layer.attributes);
    reader.refuse_unknown_keys();
  }
  return text_of(config, key, kind, layer);
}

}  // namespace modelhop::spec
