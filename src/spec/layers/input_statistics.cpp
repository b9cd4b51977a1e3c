// SPDX-License-Identifier: Apache-2.0
// Normalization: inputs scaled by statistics that were adapted before, as weights, or that the file gives as constants.
#include <algorithm>

#include "spec/grammar_text.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::spec {
namespace {

constexpr std::size_t kMaxConstants = 1'000'000;

void add_numbers(const LayerConfig& config, const char* key, const Json& value, std::vector<double>& numbers) {
  if (numbers.size() > kMaxConstants) config.refuse_value(key, "at most a million numbers");
  if (!value.is_array()) {
    numbers.push_back(config.number_value(key, value, {}));
    return;
  }
  for (const Json& element : value) add_numbers(config, key, element, numbers);
}

/// A number or nested lists of numbers, in C order.
std::vector<double> read_numbers(LayerConfig& config, const char* key) {
  std::vector<double> numbers;
  if (const Json* value = config.find(key); value != nullptr) add_numbers(config, key, *value, numbers);
  return numbers;
}

void read_normalization(LayerConfig& config, Attributes& attributes) {
  read_axes(config, attributes);
  const std::vector<double> mean = read_numbers(config, "mean"), variance = read_numbers(config, "variance");
  if (mean.size() != variance.size()) {
    refuse(config.where() + ": \"mean\" and \"variance\" must be given together, in the same shape");
  }
  if (std::any_of(variance.begin(), variance.end(), [](double value) { return value < 0.0; })) {
    config.refuse_value("variance", "numbers of at least 0");
  }
  attributes["mean"] = mean;
  attributes["variance"] = variance;
  attributes["has_statistics"] = mean.empty();
  attributes["invert"] = config.boolean("invert", false);
}

/// Statistics of the kept axes, in the order of the input's axes.
Shape statistics_shape(const LayerCall& call) {
  Shape shape;
  for (const std::int64_t axis : list_attribute(call.layer, "axis")) {
    shape.push_back(call.input()[static_cast<std::size_t>(axis)]);
  }
  return shape;
}

Shape normalization_shape(const LayerCall& call) {
  std::vector<std::int64_t> axes = settle_axes(call, call.input().size());
  std::sort(axes.begin(), axes.end());
  call.layer.attributes["axis"] = axes;
  const auto given = static_cast<std::int64_t>(numbers_attribute(call.layer, "mean").size());
  const std::int64_t wanted = element_count(statistics_shape(call));
  if (given > 1 && given != wanted) {
    refuse(call.where() + ": \"mean\" holds " + std::to_string(given) + " numbers, the axes have " +
           std::to_string(wanted));
  }
  return call.input();
}

Shape normalization_weight(const LayerCall& call, std::string_view weight) {
  return weight == "count" ? Shape{} : statistics_shape(call);
}

}  // namespace

const std::vector<LayerKind>& input_statistics_layers() {
  static const std::vector<LayerKind> kinds = {
      {.class_name = "Normalization",
       .read = read_normalization,
       .output_shape = normalization_shape,
       .flops = five_flops_each,
       .weights = {{"mean", "zeros", "has_statistics", true},
                   {"variance", "ones", "has_statistics", true},
                   {"count", "zeros", "has_statistics", true}},
       .weight_shape = normalization_weight,
       .mask_rule = MaskRule::kOwn},
  };
  return kinds;
}

}  // namespace modelhop::spec
