// SPDX-License-Identifier: Apache-2.0
// Reading one layer's configuration values.
#include "spec/layer_config.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "spec/activation_names.hpp"
#include "spec/activation_object.hpp"
#include "spec/grammar_text.hpp"

namespace modelhop::spec {
namespace {

/// Keys that every layer may carry and that say nothing the reader of the layer needs.
constexpr std::array kCommonKeys =
    std::to_array<std::string_view>({"name", "trainable", "dtype", "batch_input_shape", "batch_shape", "batch_size",
                                     "input_dtype", "build_input_shape"});

/// Keys of Keras 1, whose files look like Keras 2's otherwise.
constexpr std::array kKeras1Keys = std::to_array<std::string_view>(
    {"nb_filter", "nb_row", "nb_col", "border_mode", "subsample", "dim_ordering", "init", "W_regularizer"});

/// What Dense called its units in Keras 1; Embedding calls it so to this day.
constexpr const char* kKeras1Units = "output_dim";

template <typename Range>
bool contains(const Range& range, std::string_view value) {
  return std::find(range.begin(), range.end(), value) != range.end();
}

/// null, false, {} and [] say: not used.
bool is_unused(const Json& value) {
  return value.is_null() || value == Json(false) || (value.is_structured() && value.empty());
}

std::string range_text(double low, double high) {
  const auto text = [](double bound) {
    return bound == std::floor(bound) && std::abs(bound) < 1e15 ? std::to_string(static_cast<std::int64_t>(bound))
                                                                : std::to_string(bound);
  };
  if (std::isinf(high) && std::isinf(low)) return "a finite number";
  if (std::isinf(high)) return "a number of at least " + text(low);
  return "a number from " + text(low) + " to " + text(high);
}

}  // namespace

std::string shown(const Json& value) {
  if (value.is_string()) return in_quotes(value.get_ref<const std::string&>());
  if (value.is_object()) return "an object";
  if (value.is_array() && value.size() > 8) return "a list of " + std::to_string(value.size());
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() <= 80 ? text : text.substr(0, 40) + "...";
}

LayerConfig::LayerConfig(std::string layer_name, const Json& config, SemanticsProfile profile, std::string class_name)
    : layer_name_(std::move(layer_name)),
      where_("layer " + in_quotes(layer_name_)),
      class_name_(std::move(class_name)),
      config_(config),
      profile_(profile) {
  if (!config.is_object()) refuse(where_ + ": \"config\" must be an object, not " + shown(config));
  for (const std::string_view key : kKeras1Keys) {
    if (config.contains(key)) refuse_keras1(key);
  }
}

void LayerConfig::refuse_keras1(std::string_view key) const {
  unsupported(where_ + ": key " + in_quotes(key) + " belongs to Keras 1",
              "Load and save the model with Keras 2 or later.");
}

void LayerConfig::refuse_value(const std::string& key, const std::string& expected) const {
  const auto found = config_.find(key);
  if (found == config_.end() && config_.contains(kKeras1Units) && known_.count(kKeras1Units) == 0) {
    refuse_keras1(kKeras1Units);
  }
  refuse(where_ + ": " + in_quotes(key) + " must be " + expected +
         (found == config_.end() ? ", but is missing" : ", not " + shown(*found)));
}

void LayerConfig::not_supported(const std::string& message, std::string hint) const {
  unsupported(where_ + ": " + message, std::move(hint));
}

const Json* LayerConfig::find(const std::string& key) {
  known_.insert(key);
  const auto found = config_.find(key);
  return found == config_.end() || found->is_null() ? nullptr : &*found;
}

bool LayerConfig::boolean(const std::string& key, std::optional<bool> fallback) {
  const Json* value = find(key);
  if (value == nullptr && fallback) return *fallback;
  if (value == nullptr || !value->is_boolean()) refuse_value(key, "true or false");
  return value->get<bool>();
}

std::int64_t LayerConfig::integer_value(const std::string& key, const Json& value, IntegerRange range) const {
  const std::string expected = "an integer from " + std::to_string(range.low) + " to " + std::to_string(range.high);
  // Sizes that went through numpy may be written as 3.0.
  if (!value.is_number()) refuse_value(key, expected);
  const double number = value.get<double>();
  if (number != std::floor(number) || number < static_cast<double>(range.low) ||
      number > static_cast<double>(range.high)) {
    refuse_value(key, expected);
  }
  if (value.is_number_float()) return static_cast<std::int64_t>(number);
  return value.get<std::int64_t>();
}

double LayerConfig::number_value(const std::string& key, const Json& value, NumberRange range) const {
  const std::string expected = range_text(range.low, range.high) + (range.is_open_above ? ", exclusive" : "");
  if (!value.is_number()) refuse_value(key, expected);
  const double number = value.get<double>();
  const bool is_inside = number >= range.low && (range.is_open_above ? number < range.high : number <= range.high);
  if (!std::isfinite(number) || !is_inside) refuse_value(key, expected);
  return number;
}

std::int64_t LayerConfig::integer(const std::string& key, std::optional<std::int64_t> fallback, IntegerRange range) {
  const Json* value = find(key);
  if (value == nullptr && fallback) return *fallback;
  if (value == nullptr)
    refuse_value(key, "an integer from " + std::to_string(range.low) + " to " + std::to_string(range.high));
  return integer_value(key, *value, range);
}

double LayerConfig::number(const std::string& key, std::optional<double> fallback, NumberRange range) {
  const Json* value = find(key);
  if (value == nullptr && fallback) return *fallback;
  if (value == nullptr) refuse_value(key, range_text(range.low, range.high));
  return number_value(key, *value, range);
}

std::string LayerConfig::choice(const std::string& key, std::optional<std::string> fallback,
                                const std::vector<std::string>& choices) {
  const Json* value = find(key);
  if (value == nullptr && fallback) return *fallback;
  if (value != nullptr && value->is_string() && contains(choices, value->get_ref<const std::string&>())) {
    return value->get<std::string>();
  }
  std::string expected;
  for (const std::string& name : choices) expected += (expected.empty() ? "" : " or ") + in_quotes(name);
  refuse_value(key, expected);
}

std::vector<std::int64_t> LayerConfig::extents(const std::string& key,
                                               std::optional<std::vector<std::int64_t>> fallback, std::size_t count,
                                               IntegerRange range) {
  const Json* value = find(key);
  if (value == nullptr && fallback) return *fallback;
  const std::string expected = "an integer or a list of " + std::to_string(count) + " integers";
  if (value == nullptr) refuse_value(key, expected);
  if (!value->is_array()) return std::vector<std::int64_t>(count, integer_value(key, *value, range));
  if (value->size() != count) refuse_value(key, expected);
  std::vector<std::int64_t> list;
  for (const Json& element : *value) list.push_back(integer_value(key, element, range));
  return list;
}

std::string LayerConfig::activation(const std::string& key, const std::string& fallback) {
  const Json* value = find(key);
  if (value == nullptr) return has(key) ? "linear" : fallback;
  if (value->is_object()) return activation_of_object(*this, key, *value);
  if (!value->is_string()) refuse_value(key, "the name of an activation function");
  const std::string name = canonical_activation(value->get_ref<const std::string&>());
  if (name.empty()) refuse(where_ + ": unknown " + in_quotes(key) + " " + shown(*value));
  return name;
}

void LayerConfig::refuse_unknown_keys() const {
  for (const auto& [key, value] : config_.items()) {
    if (known_.count(key) != 0 || contains(kCommonKeys, key) || is_unused(value)) continue;
    unsupported(where_ + ": " + in_quotes(key) + " = " + shown(value) + " is not supported" +
                (class_name_.empty() ? "" : " in class " + in_quotes(class_name_)));
  }
}

}  // namespace modelhop::spec
