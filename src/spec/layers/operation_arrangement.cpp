// SPDX-License-Identifier: Apache-2.0
// Operation nodes that move values: reshape, transpose, expand_dims, squeeze, concatenate, stack, pad, getitem.
#include <algorithm>
#include <limits>

#include "spec/grammar_text.hpp"
#include "spec/layers/operation_parts.hpp"

namespace modelhop::spec {
namespace {

constexpr int kAnyNumber = 1 << 20;
/// Where a slice says nothing.
constexpr std::int64_t kOpen = std::numeric_limits<std::int64_t>::min();
enum ItemKind : std::int64_t { kSlice, kIndex, kNewAxis, kEllipsis };

std::string operation_of(const LayerCall& call) {
  return call.where() + ": operation \"" + call.layer.class_name.substr(4) + "\"";
}

[[noreturn]] void refuse_batch(const LayerCall& call) {
  unsupported(operation_of(call) + " would change the batch axis", "The batch axis must stay first and whole.");
}

void flatten_constant(const LayerConfig& config, const std::string& key, const Json& value, std::size_t depth,
                      ConstantArray& array) {
  if (!value.is_array()) {
    if (depth != array.shape.size()) config.refuse_value(key, "nested lists of equal lengths");
    array.values.push_back(value.is_boolean() ? static_cast<double>(value.get<bool>())
                                              : config.number_value(key, value, {}));
    return;
  }
  if (depth == array.shape.size() || static_cast<std::int64_t>(value.size()) != array.shape[depth]) {
    config.refuse_value(key, "nested lists of equal lengths");
  }
  for (const Json& element : value) flatten_constant(config, key, element, depth + 1, array);
}

// --- reshape, transpose, expand_dims, squeeze -----------------------------------------------------------------------

/// null stands for the batch, as in Keras 3's files.
void read_newshape(LayerConfig& config, Attributes& attributes) {
  const Json* value = config.find("newshape");
  if (value == nullptr || !value->is_array() || value->empty() || value->size() > 33) {
    config.refuse_value("newshape", "a list of 1 to 33 integers");
  }
  std::vector<std::int64_t> shape;
  for (const Json& extent : *value) {
    const bool is_batch = extent.is_null() && shape.empty();
    shape.push_back(is_batch ? kOpen : config.integer_value("newshape", extent, {-1, kMaxExtent}));
  }
  attributes["newshape"] = shape;
}

Shape newshape_shape(const LayerCall& call) {
  const std::vector<std::int64_t> written = list_attribute(call.layer, "newshape");
  if (written.front() != -1 && written.front() != kOpen) refuse_batch(call);
  Shape shape(written.begin() + 1, written.end());
  const std::int64_t elements = element_count(call.input());
  std::int64_t known = 1;
  std::int64_t* open = nullptr;
  for (std::int64_t& extent : shape) {
    if (extent == 0) refuse_batch(call);
    if (extent == -1) {
      if (open != nullptr || written.front() == -1) refuse_batch(call);
      open = &extent;
    } else {
      known = product_within(known, extent, kMaxElements, operation_of(call));
    }
  }
  if (open != nullptr) *open = elements / known;
  if (element_count(shape) != elements) {
    refuse(operation_of(call) + ": shape " + to_text(shape) + " does not hold rows of shape " + to_text(call.input()));
  }
  return shape;
}

void read_transpose(LayerConfig& config, Attributes& attributes) {
  if (config.find("axes") == nullptr) config.refuse_value("axes", "a permutation that leaves the batch axis first");
  read_operation_axes(config, attributes, "axes");
}

Shape transposed_shape(const LayerCall& call) {
  const auto rank = static_cast<std::int64_t>(call.input().size()) + 1;
  std::vector<std::int64_t> axes = list_attribute(call.layer, "axes");
  for (std::int64_t& axis : axes) axis += axis < 0 ? rank : 0;
  std::vector<std::int64_t> sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  bool is_permutation = static_cast<std::int64_t>(axes.size()) == rank;
  for (std::size_t i = 0; i < sorted.size(); ++i) is_permutation &= sorted[i] == static_cast<std::int64_t>(i);
  if (!is_permutation) refuse(operation_of(call) + ": \"axes\" is not a permutation of the input's axes");
  if (axes.front() != 0) refuse_batch(call);
  Shape shape;
  std::vector<std::int64_t> settled;
  for (std::size_t i = 1; i < axes.size(); ++i) {
    settled.push_back(axes[i] - 1);
    shape.push_back(call.input()[axes[i] - 1]);
  }
  call.layer.attributes["axes"] = settled;
  return shape;
}

Shape expanded_shape(const LayerCall& call) {
  Shape shape = call.input();
  const std::size_t axis = settle_axis(call, shape.size() + 1);
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), 1);
  return shape;
}

void read_squeeze(LayerConfig& config, Attributes& attributes) {
  read_operation_axes(config, attributes, "axis");
}

Shape squeezed_shape(const LayerCall& call) {
  const bool is_all = list_attribute(call.layer, "axes").empty();
  const std::vector<std::int64_t> axes =
      is_all ? std::vector<std::int64_t>() : settle_operation_axes(call, call.input().size());
  Shape shape;
  for (std::size_t i = 0; i < call.input().size(); ++i) {
    const bool is_named = std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(i)) != axes.end();
    if (is_named && call.input()[i] != 1) {
      refuse(operation_of(call) + ": axis " + std::to_string(i + 1) + " of " + to_text(call.input()) + " is not 1");
    }
    if (!is_named && !(is_all && call.input()[i] == 1)) shape.push_back(call.input()[i]);
  }
  return shape;
}

// --- concatenate, stack, add_n, pad ---------------------------------------------------------------------------------

void require_equal(const LayerCall& call, const Shape& shape, const Shape& other) {
  if (shape != other) {
    refuse(operation_of(call) + " cannot join shapes " + to_text(call.input()) + " and " + to_text(other));
  }
}

Shape concatenated_shape(const LayerCall& call) {
  Shape shape = call.input();
  const std::size_t axis = settle_axis(call, shape.size());
  for (std::size_t i = 1; i < call.inputs.size(); ++i) {
    Shape other = call.inputs[i];
    const std::int64_t extent = axis < other.size() ? other[axis] : 0;
    if (axis < other.size()) other[axis] = shape[axis];
    require_equal(call, shape, other);
    shape[axis] += extent;
  }
  return shape;
}

void read_stack(LayerConfig& config, Attributes& attributes) {
  attributes["axis"] = config.integer("axis", 0, {-32, 32});
}

Shape stacked_shape(const LayerCall& call) {
  Shape shape = call.input();
  for (const Shape& other : call.inputs) require_equal(call, shape, other);
  const std::size_t axis = settle_axis(call, shape.size() + 1);
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), static_cast<std::int64_t>(call.inputs.size()));
  return shape;
}

Shape summed_shape(const LayerCall& call) {
  for (const Shape& other : call.inputs) require_equal(call, call.input(), other);
  return call.input();
}

std::int64_t sum_flops(const LayerCall& call, const Shape& output) {
  return flops_of(element_count(output), static_cast<std::int64_t>(call.inputs.size()) - 1, call);
}

void read_pad(LayerConfig& config, Attributes& attributes) {
  const std::string mode = lower_case(config.find("mode") == nullptr ? "constant" : config.find("mode")->dump());
  if (mode != "constant" && mode != "\"constant\"") config.not_supported("\"mode\" of operation \"pad\" = " + mode);
  attributes["constant_values"] = config.number("constant_values", 0.0, {});
  const Json* value = config.find("pad_width");
  const std::string expected = "a list of pairs, one for each axis";
  if (value == nullptr || !value->is_array()) config.refuse_value("pad_width", expected);
  std::vector<std::int64_t> pads;
  for (const Json& pair : *value) {
    if (!pair.is_array() || pair.size() != 2) config.refuse_value("pad_width", expected);
    for (const Json& pad : pair) pads.push_back(config.integer_value("pad_width", pad, {0, kMaxExtent}));
  }
  attributes["pads"] = pads;
}

Shape padded_shape(const LayerCall& call) {
  std::vector<std::int64_t> pads = list_attribute(call.layer, "pads");
  if (pads.size() != 2 * call.input().size() + 2) {
    refuse(operation_of(call) + " has pads for " + std::to_string(pads.size() / 2) + " axes, but the input has " +
           std::to_string(call.input().size() + 1));
  }
  if (pads[0] != 0 || pads[1] != 0) refuse_batch(call);
  pads.erase(pads.begin(), pads.begin() + 2);
  Shape shape = call.input();
  for (std::size_t i = 0; i < shape.size(); ++i) shape[i] += pads[2 * i] + pads[2 * i + 1];
  call.layer.attributes["pads"] = pads;
  return shape;
}

// --- getitem --------------------------------------------------------------------------------------------------------

std::int64_t slice_part(const LayerConfig& config, const Json& slice, const char* part) {
  const auto found = slice.find(part);
  if (found == slice.end() || found->is_null()) return kOpen;
  return config.integer_value("key", *found, {-kMaxExtent, kMaxExtent});
}

void read_getitem(LayerConfig& config, Attributes& attributes) {
  const Json* key = config.find("key");
  // x[None] alone is written as null.
  const Json items = key != nullptr && key->is_array() ? *key : Json::array({key == nullptr ? Json() : *key});
  if (items.size() > 64) config.refuse_value("key", "a list of at most 64 indexes");
  std::vector<std::int64_t> kinds, starts, stops, steps;
  for (const Json& item : items) {
    const bool is_slice =
        item.is_object() && (item.contains("start") || item.contains("stop") || item.contains("step"));
    const bool is_ellipsis = item == "..." || (item.is_object() && !is_slice);
    if (item.is_boolean() || (item.is_string() && !is_ellipsis) || item.is_array()) {
      config.not_supported("index " + shown(item) + " of operation \"getitem\"");
    }
    kinds.push_back(is_slice ? kSlice : is_ellipsis ? kEllipsis : item.is_null() ? kNewAxis : kIndex);
    starts.push_back(is_slice           ? slice_part(config, item, "start")
                     : item.is_number() ? config.integer_value("key", item, {-kMaxExtent, kMaxExtent})
                                        : kOpen);
    stops.push_back(is_slice ? slice_part(config, item, "stop") : kOpen);
    steps.push_back(is_slice ? slice_part(config, item, "step") : kOpen);
    if (steps.back() == 0) config.refuse_value("key", "slices whose step is not 0");
  }
  attributes["kinds"] = kinds;
  attributes["starts"] = starts;
  attributes["stops"] = stops;
  attributes["steps"] = steps;
}

/// One axis after Python's rules for slices.
struct Taken {
  std::int64_t start = 0, step = 1, count = 0;
};

Taken take_slice(std::int64_t extent, std::int64_t start, std::int64_t stop, std::int64_t step) {
  if (step == kOpen) step = 1;
  const std::int64_t low = step > 0 ? 0 : -1;
  const std::int64_t high = step > 0 ? extent : extent - 1;
  const auto bound = [&](std::int64_t at, std::int64_t open) {
    if (at == kOpen) return open;
    return std::clamp(at < 0 ? at + extent : at, low, high);
  };
  const std::int64_t first = bound(start, step > 0 ? low : high);
  const std::int64_t last = bound(stop, step > 0 ? high : low);
  const std::int64_t distance = step > 0 ? last - first : first - last;
  const std::int64_t stride = step > 0 ? step : -step;
  return {first, step, distance <= 0 ? 0 : (distance + stride - 1) / stride};
}

/// Replaces an ellipsis, or the end that stands for one, by full slices.
struct Items {
  std::vector<std::int64_t> kinds, starts, stops, steps;
};

Items spelled_out(const LayerCall& call) {
  Items items{list_attribute(call.layer, "kinds"), list_attribute(call.layer, "starts"),
              list_attribute(call.layer, "stops"), list_attribute(call.layer, "steps")};
  const auto uses_axis = [](std::int64_t kind) { return kind == kSlice || kind == kIndex; };
  const auto used = std::count_if(items.kinds.begin(), items.kinds.end(), uses_axis);
  const auto missing = static_cast<std::int64_t>(call.input().size()) + 1 - used;
  const auto ellipses = std::count(items.kinds.begin(), items.kinds.end(), kEllipsis);
  if (missing < 0 || ellipses > 1) {
    refuse(operation_of(call) + ": the key has more indexes than an input of shape " + to_text(call.input()) +
           " has axes");
  }
  const auto at = std::find(items.kinds.begin(), items.kinds.end(), kEllipsis) - items.kinds.begin();
  for (std::vector<std::int64_t>* list : {&items.kinds, &items.starts, &items.stops, &items.steps}) {
    if (ellipses == 1) list->erase(list->begin() + at);
    list->insert(list->begin() + at, static_cast<std::size_t>(missing), list == &items.kinds ? kSlice : kOpen);
  }
  return items;
}

Shape taken_shape(const LayerCall& call) {
  const Items items = spelled_out(call);
  const bool is_whole = items.kinds.front() == kSlice && (items.starts.front() == kOpen || items.starts.front() == 0) &&
                        items.stops.front() == kOpen && (items.steps.front() == kOpen || items.steps.front() == 1);
  if (!is_whole) refuse_batch(call);
  Shape shape;
  std::vector<std::int64_t> starts, counts, steps;
  for (std::size_t i = 1; i < items.kinds.size(); ++i) {
    if (items.kinds[i] == kNewAxis) {
      shape.push_back(1);
      continue;
    }
    const std::int64_t extent = call.input()[starts.size()];
    Taken taken = take_slice(extent, items.starts[i], items.stops[i], items.steps[i]);
    if (items.kinds[i] == kIndex) {
      const std::int64_t index = items.starts[i] < 0 ? items.starts[i] + extent : items.starts[i];
      if (index < 0 || index >= extent) {
        refuse(operation_of(call) + ": index " + std::to_string(items.starts[i]) + " is outside of an axis of " +
               std::to_string(extent));
      }
      taken = {index, 1, 1};
    } else {
      shape.push_back(taken.count);
    }
    if (taken.count == 0) refuse(operation_of(call) + " takes nothing of an input of shape " + to_text(call.input()));
    starts.push_back(taken.start);
    counts.push_back(taken.count);
    steps.push_back(taken.step);
  }
  call.layer.attributes["starts"] = starts;
  call.layer.attributes["counts"] = counts;
  call.layer.attributes["steps"] = steps;
  call.layer.attributes.erase("kinds");
  call.layer.attributes.erase("stops");
  return shape;
}

}  // namespace

ConstantArray read_constant_array(const LayerConfig& config, const std::string& key, const Json& value) {
  ConstantArray array;
  for (const Json* level = &value; level->is_array(); level = &level->front()) {
    if (level->empty() || array.shape.size() == 32)
      config.refuse_value(key, "nested lists of numbers, none of them empty");
    array.shape.push_back(static_cast<std::int64_t>(level->size()));
  }
  flatten_constant(config, key, value, 0, array);
  return array;
}

void read_operation_axes(LayerConfig& config, Attributes& attributes, const std::string& key) {
  const Json* value = config.find(key);
  std::vector<std::int64_t> axes;
  if (value != nullptr && value->is_array()) {
    if (value->size() > 33) config.refuse_value(key, "a list of at most 33 axes");
    for (const Json& axis : *value) axes.push_back(config.integer_value(key, axis, {-33, 33}));
  } else if (value != nullptr) {
    axes.push_back(config.integer_value(key, *value, {-33, 33}));
  }
  attributes["axes"] = axes;
}

std::vector<std::int64_t> settle_operation_axes(const LayerCall& call, std::size_t rank) {
  std::vector<std::int64_t> axes = list_attribute(call.layer, "axes");
  const auto all = static_cast<std::int64_t>(rank) + 1;
  if (axes.empty()) refuse_batch(call);
  for (std::int64_t& axis : axes) {
    if (axis < -all || axis >= all) {
      refuse(operation_of(call) + ": axis " + std::to_string(axis) + " is not one of " + std::to_string(all));
    }
    axis = (axis < 0 ? axis + all : axis) - 1;
    if (axis < 0) refuse_batch(call);
  }
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  call.layer.attributes["axes"] = axes;
  return axes;
}

std::vector<LayerKind> arranging_operations() {
  return {
      {.class_name = "ops.reshape", .read = read_newshape, .output_shape = newshape_shape, .flops = no_flops},
      {.class_name = "ops.transpose", .read = read_transpose, .output_shape = transposed_shape, .flops = no_flops},
      {.class_name = "ops.expand_dims", .read = read_axis, .output_shape = expanded_shape, .flops = no_flops},
      {.class_name = "ops.squeeze", .read = read_squeeze, .output_shape = squeezed_shape, .flops = no_flops},
      {.class_name = "ops.pad", .read = read_pad, .output_shape = padded_shape, .flops = no_flops},
      {.class_name = "ops.getitem", .read = read_getitem, .output_shape = taken_shape, .flops = no_flops},
      {.class_name = "ops.concatenate",
       .read = read_axis,
       .output_shape = concatenated_shape,
       .flops = no_flops,
       .max_inputs = kAnyNumber},
      {.class_name = "ops.stack",
       .read = read_stack,
       .output_shape = stacked_shape,
       .flops = no_flops,
       .max_inputs = kAnyNumber},
      {.class_name = "ops.add_n",
       .read = read_nothing,
       .output_shape = summed_shape,
       .flops = sum_flops,
       .max_inputs = kAnyNumber},
  };
}

}  // namespace modelhop::spec
