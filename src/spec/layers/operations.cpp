// SPDX-License-Identifier: Apache-2.0
// Operation nodes that compute: functions of one tensor, arithmetic and comparisons, reductions, matmul, where. Their
// shapes; the batch axis stays first and whole.
#include <algorithm>
#include <cmath>

#include "spec/grammar_text.hpp"
#include "spec/layer_kind.hpp"
#include "spec/layers/operation_parts.hpp"
#include "spec/operation_table.hpp"

namespace modelhop::spec {
namespace {

/// A number, a truth value, or nested lists of them: attribute `key`, and `key`_shape where it is a list.
void read_constant(LayerConfig& config, Attributes& attributes, const std::string& key) {
  const Json* value = config.find(key);
  if (value == nullptr) return;
  if (value->is_boolean()) {
    attributes[key] = value->get<bool>() ? 1.0 : 0.0;
  } else if (!value->is_array()) {
    attributes[key] = config.number_value(key, *value, {});
  } else {
    ConstantArray array = read_constant_array(config, key, *value);
    attributes[key] = std::move(array.values);
    attributes[key + "_shape"] = std::move(array.shape);
  }
}

/// Operands of one call with the batch axis: a tensor's is -1, a constant has its own extents.
Shape operand_extents(const LayerCall& call, const std::string& name) {
  if (const Shape* tensor = call.input_of(name); tensor != nullptr) {
    Shape extents = {-1};
    extents.insert(extents.end(), tensor->begin(), tensor->end());
    return extents;
  }
  const auto shape = call.layer.attributes.find(name + "_shape");
  return shape == call.layer.attributes.end() ? Shape{} : std::get<std::vector<std::int64_t>>(shape->second);
}

[[noreturn]] void refuse_operands(const LayerCall& call, const Shape& left, const Shape& right) {
  // The batch axis is shown as -1.
  refuse(call.where() + ": operation \"" + call.layer.class_name.substr(4) + "\" cannot combine shapes " +
             to_text(left) + " and " + to_text(right),
         "Tensors need the same number of axes, so that the batch axis stays first.");
}

/// As numpy aligns axes from the last one; two tensors must have as many.
Shape broadcast_operands(const LayerCall& call, const Shape& left, const Shape& right) {
  const bool are_tensors = !left.empty() && !right.empty() && left[0] == -1 && right[0] == -1;
  const Shape& longer = left.size() >= right.size() ? left : right;
  const Shape& shorter = left.size() >= right.size() ? right : left;
  if (are_tensors && left.size() != right.size()) refuse_operands(call, left, right);
  Shape merged = longer;
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    std::int64_t& extent = merged[longer.size() - shorter.size() + i];
    const std::int64_t other = shorter[i];
    if (extent == other || other == 1) continue;
    if (extent != 1) refuse_operands(call, left, right);
    extent = other;
  }
  return merged;
}

Shape without_batch(const LayerCall& call, const Shape& extents) {
  if (extents.empty() || extents.front() != -1) {
    unsupported(call.where() + ": operation \"" + call.layer.class_name.substr(4) +
                "\" does not keep the batch axis first");
  }
  return {extents.begin() + 1, extents.end()};
}

void read_two(LayerConfig& config, Attributes& attributes) {
  read_constant(config, attributes, "x1");
  read_constant(config, attributes, "x2");
}

Shape binary_shape(const LayerCall& call) {
  return without_batch(call, broadcast_operands(call, operand_extents(call, "x1"), operand_extents(call, "x2")));
}

void read_where(LayerConfig& config, Attributes& attributes) {
  read_constant(config, attributes, "condition");
  read_two(config, attributes);
}

Shape where_shape(const LayerCall& call) {
  const Shape values = broadcast_operands(call, operand_extents(call, "x1"), operand_extents(call, "x2"));
  return without_batch(call, broadcast_operands(call, operand_extents(call, "condition"), values));
}

void read_matmul(LayerConfig& config, Attributes& attributes) {
  read_two(config, attributes);
  attributes["transpose_a"] = config.boolean("transpose_a", false);
  attributes["transpose_b"] = config.boolean("transpose_b", false);
}

/// The two axes that are multiplied are the last ones; none of them may be the batch.
Shape matmul_shape(const LayerCall& call) {
  Shape left = operand_extents(call, "x1");
  Shape right = operand_extents(call, "x2");
  if (left.size() < 2 || right.size() < 2) refuse_operands(call, left, right);
  // (rows, features) @ constant (features, units) is the one product whose rows are the batch.
  const bool is_dense = left.size() == 2 && left[0] == -1;
  const bool mixes =
      (is_dense && (right[0] == -1 || right.size() != 2 || boolean_attribute(call.layer, "transpose_a"))) ||
      (right.size() == 2 && right[0] == -1);
  if (mixes) refuse_operands(call, left, right);
  const auto flip = [](Shape& shape) { std::swap(shape[shape.size() - 1], shape[shape.size() - 2]); };
  if (boolean_attribute(call.layer, "transpose_a")) flip(left);
  if (boolean_attribute(call.layer, "transpose_b")) flip(right);
  const std::int64_t rows = left[left.size() - 2];
  const std::int64_t columns = right.back();
  if (left.back() != right[right.size() - 2]) refuse_operands(call, left, right);
  Shape product = broadcast_operands(call, Shape(left.begin(), left.end() - 2), Shape(right.begin(), right.end() - 2));
  product.push_back(rows);
  product.push_back(columns);
  return without_batch(call, product);
}

std::int64_t matmul_flops(const LayerCall& call, const Shape& output) {
  const Shape left = operand_extents(call, "x1");
  const std::int64_t inner = left[left.size() - (boolean_attribute(call.layer, "transpose_a") ? 2 : 1)];
  return flops_of(element_count(output), 2 * inner, call);
}

void read_reduction(LayerConfig& config, Attributes& attributes) {
  read_operation_axes(config, attributes, "axis");
  attributes["keepdims"] = config.boolean("keepdims", false);
}

Shape reduced_shape(const LayerCall& call) {
  const std::vector<std::int64_t> axes = settle_operation_axes(call, call.input().size());
  Shape shape;
  for (std::size_t i = 0; i < call.input().size(); ++i) {
    const bool is_reduced = std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(i)) != axes.end();
    if (!is_reduced) shape.push_back(call.input()[i]);
    if (is_reduced && boolean_attribute(call.layer, "keepdims")) shape.push_back(1);
  }
  return shape;
}

void read_gelu(LayerConfig& config, Attributes& attributes) {
  const bool is_keras3 = config.profile() == SemanticsProfile::kKeras3;
  attributes["approximate"] = config.boolean("approximate", is_keras3);
}

void read_leaky_relu(LayerConfig& config, Attributes& attributes) {
  attributes["negative_slope"] = config.number("negative_slope", 0.2, {});
}

void read_elu(LayerConfig& config, Attributes& attributes) {
  attributes["alpha"] = config.number("alpha", 1.0, {});
}

void read_clip(LayerConfig& config, Attributes& attributes) {
  const double infinity = std::numeric_limits<double>::infinity();
  attributes["x_min"] = config.number("x_min", -infinity, {});
  attributes["x_max"] = config.number("x_max", infinity, {});
}

void read_cast(LayerConfig& config, Attributes& attributes) {
  const std::string to = config.choice("to", {}, {"float32", "int32", "int64", "bool"});
  attributes["to"] = to == "int64" ? std::string("int32") : to;
}

Shape softmax_shape(const LayerCall& call) {
  settle_axis(call, call.input().size());
  return call.input();
}

std::int64_t each_output(const LayerCall& call, const Shape& output) {
  return flops_of(element_count(output), 1, call);
}

std::int64_t each_input(const LayerCall& call, const Shape&) {
  return flops_of(element_count(call.input()), 1, call);
}

std::int64_t function_flops(const LayerCall& call, const Shape& output) {
  return flops_of(element_count(output), 5, call);
}

LayerKind kind_of(const OperationSignature& signature) {
  LayerKind kind{.class_name = signature.class_name, .read = read_nothing, .output_shape = same_shape};
  kind.flops = each_output;
  if (signature.operands.front() == "x1") {
    kind.read = read_two;
    kind.output_shape = binary_shape;
    kind.max_inputs = 2;
  }
  return kind;
}

struct Special {
  std::string_view name;
  void (*read)(LayerConfig&, Attributes&);
  Shape (*shape)(const LayerCall&);
  std::int64_t (*flops)(const LayerCall&, const Shape&);
};

constexpr Special kSpecials[] = {
    {"mean", read_reduction, reduced_shape, each_input},
    {"sum", read_reduction, reduced_shape, each_input},
    {"max", read_reduction, reduced_shape, each_input},
    {"min", read_reduction, reduced_shape, each_input},
    {"any", read_reduction, reduced_shape, each_input},
    {"all", read_reduction, reduced_shape, each_input},
    {"gelu", read_gelu, same_shape, function_flops},
    {"leaky_relu", read_leaky_relu, same_shape, each_output},
    {"elu", read_elu, same_shape, function_flops},
    {"softmax", read_axis, softmax_shape, function_flops},
    {"log_softmax", read_axis, softmax_shape, function_flops},
    {"clip", read_clip, same_shape, each_output},
    {"cast", read_cast, same_shape, each_output},
    {"matmul", read_matmul, matmul_shape, matmul_flops},
    {"where", read_where, where_shape, each_output},
};

}  // namespace

const std::vector<LayerKind>& operation_layers() {
  static const std::vector<LayerKind> kinds = [] {
    std::vector<LayerKind> list = arranging_operations();
    for (const OperationSignature& signature : operation_signatures()) {
      const auto is_same = [&](const LayerKind& kind) { return kind.class_name == signature.class_name; };
      if (std::any_of(list.begin(), list.end(), is_same)) continue;
      LayerKind kind = kind_of(signature);
      for (const Special& special : kSpecials) {
        if (special.name != signature.name) continue;
        kind.read = special.read;
        kind.output_shape = special.shape;
        kind.flops = special.flops;
        kind.max_inputs = static_cast<int>(signature.operands.size());
      }
      list.push_back(std::move(kind));
    }
    return list;
  }();
  return kinds;
}

}  // namespace modelhop::spec
