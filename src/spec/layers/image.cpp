// SPDX-License-Identifier: Apache-2.0
// Rescaling, and the layers that vary images while training: RandomFlip, RandomRotation, RandomTranslation, RandomZoom,
// RandomCrop, RandomContrast, RandomBrightness.
#include <algorithm>
#include <cmath>

#include "spec/grammar_text.hpp"
#include "spec/spatial.hpp"

namespace modelhop::spec {
namespace {

/// A number, or a list of them with one for each element of the last axis -> always a list.
void read_numbers(LayerConfig& config, Attributes& attributes, const std::string& key, std::optional<double> fallback) {
  const Json* value = config.find(key);
  std::vector<double> numbers;
  if (value != nullptr && value->is_array() && !value->empty()) {
    for (const Json& number : *value) numbers.push_back(config.number_value(key, number, {}));
  } else {
    numbers.push_back(config.number(key, fallback, {}));
  }
  attributes[key] = numbers;
}

void read_rescaling(LayerConfig& config, Attributes& attributes) {
  read_numbers(config, attributes, "scale", {});
  read_numbers(config, attributes, "offset", 0.0);
}

Shape rescaled_shape(const LayerCall& call) {
  for (const char* key : {"scale", "offset"}) {
    const auto count = static_cast<std::int64_t>(numbers_attribute(call.layer, key).size());
    if (count == 1 || (!call.input().empty() && call.input().back() == count)) continue;
    refuse(call.where() + ": " + in_quotes(key) + " has " + std::to_string(count) +
           " numbers, which do not go with an input of shape " + to_text(call.input()));
  }
  return call.input();
}

/// What one number stands for where Keras takes it or a list of two.
enum class Single { kBothWays, kUpwards };

/// {low, high}, within `range`.
std::vector<double> read_factor(LayerConfig& config, const std::string& key, NumberRange range, Single single) {
  const Json* value = config.find(key);
  const bool is_list = value != nullptr && value->is_array();
  if (value == nullptr || (is_list && value->size() != 2)) {
    config.refuse_value(key, "a number or a list of 2 numbers");
  }
  if (is_list) {
    return {config.number_value(key, (*value)[0], range), config.number_value(key, (*value)[1], range)};
  }
  const double factor = std::abs(config.number_value(key, *value, range));
  return {single == Single::kBothWays ? -factor : 0.0, factor};
}

/// The same, the smaller first.
std::vector<double> read_range(LayerConfig& config, const std::string& key, NumberRange range) {
  std::vector<double> factor = read_factor(config, key, range, Single::kBothWays);
  std::sort(factor.begin(), factor.end());
  return factor;
}

void read_any(LayerConfig& config, Attributes& attributes) {
  read_data_format(config, attributes);
  config.find("seed");  // random streams are the engine's
}

void read_fill(LayerConfig& config, Attributes& attributes) {
  read_any(config, attributes);
  attributes["fill_mode"] = config.choice("fill_mode", "reflect", {"reflect", "constant", "wrap", "nearest"});
  attributes["interpolation"] = config.choice("interpolation", "bilinear", {"bilinear", "nearest"});
  attributes["fill_value"] = config.number("fill_value", 0.0, {});
}

void read_random_flip(LayerConfig& config, Attributes& attributes) {
  read_any(config, attributes);
  attributes["mode"] =
      config.choice("mode", "horizontal_and_vertical", {"horizontal", "vertical", "horizontal_and_vertical"});
}

void read_random_rotation(LayerConfig& config, Attributes& attributes) {
  read_fill(config, attributes);
  attributes["factor"] = read_range(config, "factor", {});
}

void read_random_translation(LayerConfig& config, Attributes& attributes) {
  read_fill(config, attributes);
  for (const char* key : {"height_factor", "width_factor"}) attributes[key] = read_range(config, key, {-1.0, 1.0});
}

void read_random_zoom(LayerConfig& config, Attributes& attributes) {
  read_fill(config, attributes);
  attributes["height_factor"] = read_range(config, "height_factor", {-1.0, 1.0});
  const bool has_width = config.find("width_factor") != nullptr;
  attributes["width_factor"] = has_width ? read_range(config, "width_factor", {-1.0}) : std::vector<double>();
}

void read_random_crop(LayerConfig& config, Attributes& attributes) {
  read_any(config, attributes);
  attributes["height"] = config.integer("height", {}, {});
  attributes["width"] = config.integer("width", {}, {});
}

void read_value_range(LayerConfig& config, Attributes& attributes) {
  const bool is_given = config.find("value_range") != nullptr;
  attributes["value_range"] = is_given ? read_range(config, "value_range", {}) : std::vector<double>{0.0, 255.0};
}

void read_random_contrast(LayerConfig& config, Attributes& attributes) {
  read_any(config, attributes);
  std::vector<double> factor = read_factor(config, "factor", {0.0}, Single::kUpwards);
  // Keras 2 takes one number for both sides; Keras 3 for the upper one, and sorts two.
  if (config.profile() == SemanticsProfile::kKeras3) {
    std::sort(factor.begin(), factor.end());
  } else if (!config.find("factor")->is_array()) {
    factor[0] = factor[1];
  }
  if (factor[0] > 1.0) config.refuse_value("factor", "at most 1");
  attributes["factor"] = factor;
  read_value_range(config, attributes);
}

void read_random_brightness(LayerConfig& config, Attributes& attributes) {
  read_any(config, attributes);
  attributes["factor"] = read_range(config, "factor", {-1.0, 1.0});
  read_value_range(config, attributes);
}

Shape image_shape(const LayerCall& call) {
  call.require_rank(3);
  return call.input();
}

Shape cropped_image_shape(const LayerCall& call) {
  return spatial_shape(call.layer, {integer_attribute(call.layer, "height"), integer_attribute(call.layer, "width")},
                       channels_of(call, 2));
}

std::int64_t two_flops_each(const LayerCall& call, const Shape& output) {
  return flops_of(element_count(output), 2, call);
}

/// Training alone does this work, which is none of the forward pass that is counted.
LayerKind random_kind(std::string_view class_name, void (*read)(LayerConfig&, Attributes&),
                      Shape (*shape)(const LayerCall&) = image_shape) {
  return {.class_name = class_name, .read = read, .output_shape = shape, .flops = no_flops};
}

}  // namespace

const std::vector<LayerKind>& image_layers() {
  static const std::vector<LayerKind> kinds = {
      {.class_name = "Rescaling", .read = read_rescaling, .output_shape = rescaled_shape, .flops = two_flops_each},
      random_kind("RandomFlip", read_random_flip),
      random_kind("RandomRotation", read_random_rotation),
      random_kind("RandomTranslation", read_random_translation),
      random_kind("RandomZoom", read_random_zoom),
      random_kind("RandomCrop", read_random_crop, cropped_image_shape),
      random_kind("RandomContrast", read_random_contrast),
      random_kind("RandomBrightness", read_random_brightness),
  };
  return kinds;
}

}  // namespace modelhop::spec
