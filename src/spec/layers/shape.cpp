// SPDX-License-Identifier: Apache-2.0
// Flatten, Reshape, Permute, RepeatVector, ZeroPadding2D: layers that move values and compute nothing.
#include <algorithm>

#include "spec/grammar_text.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::spec {
namespace {

/// channels_first moves axis 1 behind the others before it flattens; values of other layouts keep their order.
void read_flatten(LayerConfig& config, Attributes& attributes) {
  attributes["data_format"] = config.choice("data_format", "channels_last", {"channels_last", "channels_first"});
}

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

/// 1, [1, 2] (rows, columns) or [[top, bottom], [left, right]].
void read_zero_padding2d(LayerConfig& config, Attributes& attributes) {
  read_data_format(config, attributes);
  const IntegerRange range{0, kMaxExtent};
  const Json* value = config.find("padding");
  std::vector<std::int64_t> pads(4, 1);
  if (value != nullptr && value->is_array()) {
    pads.clear();
    const std::string expected = "an integer, a list of 2, or a list of 2 lists of 2";
    if (value->size() != 2) config.refuse_value("padding", expected);
    for (const Json& axis : *value) {
      if (axis.is_array() && axis.size() != 2) config.refuse_value("padding", expected);
      pads.push_back(config.integer_value("padding", axis.is_array() ? axis[0] : axis, range));
      pads.push_back(config.integer_value("padding", axis.is_array() ? axis[1] : axis, range));
    }
  } else if (value != nullptr) {
    pads.assign(4, config.integer_value("padding", *value, range));
  }
  attributes["padding"] = pads;
}

Shape zero_padding2d_shape(const LayerCall& call) {
  call.require_rank(3);
  const auto& pads = list_attribute(call.layer, "padding");
  return {call.input()[0] + pads[0] + pads[1], call.input()[1] + pads[2] + pads[3], call.input()[2]};
}

}  // namespace

const std::vector<LayerKind>& shape_layers() {
  static const std::vector<LayerKind> kinds = {
      {.class_name = "Flatten", .read = read_flatten, .output_shape = flattened_shape, .flops = no_flops},
      {.class_name = "Reshape", .read = read_reshape, .output_shape = reshaped_shape, .flops = no_flops},
      {.class_name = "Permute", .read = read_permute, .output_shape = permuted_shape, .flops = no_flops},
      {.class_name = "RepeatVector", .read = read_repeat_vector, .output_shape = repeated_shape, .flops = no_flops},
      {.class_name = "ZeroPadding2D",
       .read = read_zero_padding2d,
       .output_shape = zero_padding2d_shape,
       .flops = no_flops},
  };
  return kinds;
}

}  // namespace modelhop::spec
