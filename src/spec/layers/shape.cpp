// SPDX-License-Identifier: Apache-2.0
// Flatten, Reshape, Permute, RepeatVector: layers that move values and compute nothing.
#include <algorithm>

#include "spec/grammar_text.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::spec {
namespace {

Shape flattened_shape(const LayerCall& call) {
  return {element_count(call.input())};
}

void read_reshape(LayerConfig& config, Attributes& attributes) {
  const Json* target = config.find("target_shape");
  if (target == nullptr || !target->is_array() || target->size() > 32) {
    config.refuse_value("target_shape", "a list of at most 32 integers");
  }
  std::vector<std::int64_t> shape;
  for (const Json& extent : *target) shape.push_back(config.integer_value("target_shape", extent, {-1, kMaxExtent}));
  attributes["target_shape"] = shape;
}

Shape reshaped_shape(const LayerCall& call) {
  Shape target = list_attribute(call.layer, "target_shape");
  const std::int64_t elements = element_count(call.input());
  const std::string failure = call.where() + ": \"target_shape\" " + to_text(target) + " does not hold the " +
                              std::to_string(elements) + " elements of an input of shape " + to_text(call.input());
  std::int64_t known = 1;
  std::int64_t* open = nullptr;
  for (std::int64_t& extent : target) {
    if (extent == 0 || (extent == -1 && open != nullptr)) refuse(failure);
    if (extent == -1) {
      open = &extent;
    } else if (known = product_within(known, extent, kMaxElements, call.where() + ": \"target_shape\"");
               known > elements) {
      refuse(failure);
    }
  }
  if (open != nullptr) *open = elements / known;
  if (element_count(target) != elements) refuse(failure);
  call.layer.attributes["target_shape"] = target;
  return target;
}

void read_permute(LayerConfig& config, Attributes& attributes) {
  const Json* value = config.find("dims");
  if (value == nullptr || !value->is_array() || value->empty() || value->size() > 32) {
    config.refuse_value("dims", "a list that orders the axes 1, 2, ...");
  }
  std::vector<std::int64_t> dims, sorted;
  for (const Json& axis : *value) dims.push_back(config.integer_value("dims", axis, {1, 32}));
  sorted = dims;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] != static_cast<std::int64_t>(i) + 1) {
      config.refuse_value("dims", "a list that orders the axes 1, 2, ...");
    }
  }
  attributes["dims"] = dims;
}

Shape permuted_shape(const LayerCall& call) {
  const auto& dims = list_attribute(call.layer, "dims");
  call.require_rank(dims.size());
  Shape shape;
  for (const std::int64_t axis : dims) shape.push_back(call.input()[static_cast<std::size_t>(axis) - 1]);
  return shape;
}

void read_repeat_vector(LayerConfig& config, Attributes& attributes) {
  attributes["n"] = config.integer("n", {}, {});
}

Shape repeated_shape(const LayerCall& call) {
  call.require_rank(1);
  return {integer_attribute(call.layer, "n"), call.input()[0]};
}

}  // namespace

const std::vector<LayerKind>& shape_layers() {
  static const std::vector<LayerKind> kinds = {
      {.class_name = "Flatten", .read = read_data_format, .output_shape = flattened_shape, .flops = no_flops},
      {.class_name = "Reshape", .read = read_reshape, .output_shape = reshaped_shape, .flops = no_flops},
      {.class_name = "Permute", .read = read_permute, .output_shape = permuted_shape, .flops = no_flops},
      {.class_name = "RepeatVector", .read = read_repeat_vector, .output_shape = repeated_shape, .flops = no_flops},
  };
  return kinds;
}

}  // namespace modelhop::spec
