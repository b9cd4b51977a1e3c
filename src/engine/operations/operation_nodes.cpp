// SPDX-License-Identifier: Apache-2.0
// Operation nodes of Keras files (arithmetic and functions on tensors) as expressions whose backward autograd derives.
// Attributes: spec/layer_attributes.hpp.
#include <ATen/core/Tensor.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/add.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ceil.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/div.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/eq.h>
#include <ATen/ops/erf.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/expm1.h>
#include <ATen/ops/floor.h>
#include <ATen/ops/ge.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/gt.h>
#include <ATen/ops/le.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/log.h>
#include <ATen/ops/log1p.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logical_and.h>
#include <ATen/ops/logical_or.h>
#include <ATen/ops/lt.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/ne.h>
#include <ATen/ops/neg.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/square.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/trunc.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <map>
#include <string>

#include "engine/lowering.hpp"

namespace modelhop::engine {
namespace {

using at::Tensor;

Tensor truth(const Tensor& condition) {
  return condition.to(at::kFloat);
}

Tensor is_true(const Tensor& value) {
  return at::ne(value, 0);
}

/// Axes of an attribute, with the batch axis in front.
std::vector<std::int64_t> axes_of(const LayerSpec& layer) {
  std::vector<std::int64_t> axes = list_attribute(layer, "axes");
  for (std::int64_t& axis : axes) ++axis;
  return axes;
}

/// The value under another shape of its rows.
Tensor with_shape(const Tensor& value, const Shape& shape) {
  return value.reshape(sizes_of(value.size(0), shape));
}

// --- functions of one tensor ----------------------------------------------------------------------------------------

using Unary = Tensor (*)(const Tensor&);

const std::map<std::string_view, Unary>& unary_functions() {
  static const std::map<std::string_view, Unary> functions = {
      {"negative", [](const Tensor& x) { return at::neg(x); }},
      {"abs", [](const Tensor& x) { return at::abs(x); }},
      {"square", [](const Tensor& x) { return at::square(x); }},
      {"sqrt", [](const Tensor& x) { return at::sqrt(x); }},
      {"rsqrt", [](const Tensor& x) { return at::rsqrt(x); }},
      {"exp", [](const Tensor& x) { return at::exp(x); }},
      {"log", [](const Tensor& x) { return at::log(x); }},
      {"log1p", [](const Tensor& x) { return at::log1p(x); }},
      {"expm1", [](const Tensor& x) { return at::expm1(x); }},
      {"sin", [](const Tensor& x) { return at::sin(x); }},
      {"cos", [](const Tensor& x) { return at::cos(x); }},
      {"sign", [](const Tensor& x) { return at::sign(x); }},
      {"floor", [](const Tensor& x) { return at::floor(x); }},
      {"ceil", [](const Tensor& x) { return at::ceil(x); }},
      {"reciprocal", [](const Tensor& x) { return at::reciprocal(x); }},
      {"erf", [](const Tensor& x) { return at::erf(x); }},
      {"logical_not", [](const Tensor& x) { return truth(at::eq(x, 0)); }},
      {"stop_gradient", [](const Tensor& x) { return x.detach().clone(); }},
      {"zeros_like", [](const Tensor& x) { return at::zeros_like(x); }},
      {"ones_like", [](const Tensor& x) { return at::ones_like(x); }},
  };
  return functions;
}

std::string operation_of(const Lowering& lowering) {
  return lowering.layer().class_name.substr(4);
}

Values lower_unary(Lowering& lowering) {
  const Unary function = unary_functions().at(operation_of(lowering));
  return lowering.emit<AutogradOperation>(lowering.inputs, lowering.output_shape(), {},
                                          [function](const ForwardInputs& given) { return function(given.inputs[0]); });
}

Values lower_identity(Lowering& lowering) {
  return lowering.inputs.front();
}

/// As the layer of that activation, so that a loss finds a final softmax or sigmoid.
Values lower_activation(Lowering& lowering) {
  return lowering.activate(lowering.inputs.front(), operation_of(lowering));
}

Values lower_softmax(Lowering& lowering) {
  const std::int64_t axis = integer_attribute(lowering.layer(), "axis");
  const bool is_log = operation_of(lowering) == "log_softmax";
  if (axis + 1 == static_cast<std::int64_t>(lowering.input_shape().size())) return lower_activation(lowering);
  return lowering.emit<AutogradOperation>(
      lowering.inputs, lowering.output_shape(), {}, [axis, is_log](const ForwardInputs& given) {
        return is_log ? at::log_softmax(given.inputs[0], axis + 1) : at::softmax(given.inputs[0], axis + 1);
      });
}

Values lower_parametric(Lowering& lowering) {
  const LayerSpec& layer = lowering.layer();
  const std::string name = operation_of(lowering);
  std::function<Tensor(const Tensor&)> function;
  if (name == "gelu") {
    const char* approximate = boolean_attribute(layer, "approximate") ? "tanh" : "none";
    function = [approximate](const Tensor& x) { return at::gelu(x, approximate); };
  } else if (name == "leaky_relu") {
    const double slope = number_attribute(layer, "negative_slope");
    function = [slope](const Tensor& x) { return at::leaky_relu(x, slope); };
  } else if (name == "elu") {
    const double alpha = number_attribute(layer, "alpha");
    function = [alpha](const Tensor& x) { return at::elu(x, alpha); };
  } else if (name == "clip") {
    const double low = number_attribute(layer, "x_min");
    const double high = number_attribute(layer, "x_max");
    function = [low, high](const Tensor& x) { return at::clamp(x, low, high); };
  } else {
    const std::string to = string_attribute(layer, "to");
    if (to == "float32") return lower_identity(lowering);
    const bool is_truth = to == "bool";
    function = [is_truth](const Tensor& x) { return is_truth ? truth(is_true(x)) : at::trunc(x); };
  }
  return lowering.emit<AutogradOperation>(lowering.inputs, lowering.output_shape(), {},
                                          [function](const ForwardInputs& given) { return function(given.inputs[0]); });
}

// --- operands -------------------------------------------------------------------------------------------------------

/// Where an operand comes from: an input of the operation, or a constant.
struct Operand {
  int input = -1;
  std::vector<double> values;
  std::vector<std::int64_t> shape;

  Tensor get(const ForwardInputs& given) const {
    if (input >= 0) return given.inputs[static_cast<std::size_t>(input)];
    const at::TensorOptions options = at::TensorOptions(at::kDouble);
    return at::tensor(values, options).reshape(shape).to(given.inputs[0].options());
  }
};

Operand operand_of(const Lowering& lowering, const std::string& name) {
  Operand operand;
  const std::vector<std::string>& roles = lowering.call().roles;
  for (std::size_t index = 0; index < roles.size(); ++index) {
    if (roles[index] == name) operand.input = static_cast<int>(index);
  }
  if (operand.input >= 0) return operand;
  const Attributes& attributes = lowering.layer().attributes;
  if (attributes.count(name + "_shape") != 0) {
    operand.values = numbers_attribute(lowering.layer(), name);
    operand.shape = list_attribute(lowering.layer(), name + "_shape");
  } else {
    operand.values = {number_attribute(lowering.layer(), name)};
  }
  return operand;
}

using Binary = Tensor (*)(const Tensor&, const Tensor&);

const std::map<std::string_view, Binary>& binary_functions() {
  static const std::map<std::string_view, Binary> functions = {
      {"add", [](const Tensor& a, const Tensor& b) { return at::add(a, b); }},
      {"subtract", [](const Tensor& a, const Tensor& b) { return at::sub(a, b); }},
      {"multiply", [](const Tensor& a, const Tensor& b) { return at::mul(a, b); }},
      {"divide", [](const Tensor& a, const Tensor& b) { return at::div(a, b); }},
      {"power", [](const Tensor& a, const Tensor& b) { return at::pow(a, b); }},
      // Where both are equal the gradient is the first one's, as in TensorFlow; at::maximum halves it.
      {"maximum", [](const Tensor& a, const Tensor& b) { return at::where(at::ge(a, b), a, b); }},
      {"minimum", [](const Tensor& a, const Tensor& b) { return at::where(at::le(a, b), a, b); }},
      {"squared_difference", [](const Tensor& a, const Tensor& b) { return at::square(at::sub(a, b)); }},
      {"not_equal", [](const Tensor& a, const Tensor& b) { return truth(at::ne(a, b)); }},
      {"equal", [](const Tensor& a, const Tensor& b) { return truth(at::eq(a, b)); }},
      {"greater", [](const Tensor& a, const Tensor& b) { return truth(at::gt(a, b)); }},
      {"greater_equal", [](const Tensor& a, const Tensor& b) { return truth(at::ge(a, b)); }},
      {"less", [](const Tensor& a, const Tensor& b) { return truth(at::lt(a, b)); }},
      {"less_equal", [](const Tensor& a, const Tensor& b) { return truth(at::le(a, b)); }},
      {"logical_and", [](const Tensor& a, const Tensor& b) { return truth(at::logical_and(is_true(a), is_true(b))); }},
      {"logical_or", [](const Tensor& a, const Tensor& b) { return truth(at::logical_or(is_true(a), is_true(b))); }},
      {"logical_xor", [](const Tensor& a, const Tensor& b) { return truth(at::ne(is_true(a), is_true(b))); }},
  };
  return functions;
}

Values lower_binary(Lowering& lowering) {
  const Binary function = binary_functions().at(operation_of(lowering));
  const Operand left = operand_of(lowering, "x1");
  const Operand right = operand_of(lowering, "x2");
  return lowering.emit<AutogradOperation>(
      lowering.inputs, lowering.output_shape(), {},
      [=](const ForwardInputs& given) { return function(left.get(given), right.get(given)); });
}

Values lower_matmul(Lowering& lowering) {
  const Operand left = operand_of(lowering, "x1");
  const Operand right = operand_of(lowering, "x2");
  const bool flips_left = boolean_attribute(lowering.layer(), "transpose_a");
  const bool flips_right = boolean_attribute(lowering.layer(), "transpose_b");
  return lowering.emit<AutogradOperation>(
      lowering.inputs, lowering.output_shape(), {}, [=](const ForwardInputs& given) {
        const Tensor a = left.get(given);
        const Tensor b = right.get(given);
        return at::matmul(flips_left ? a.transpose(-1, -2) : a, flips_right ? b.transpose(-1, -2) : b);
      });
}

Values lower_where(Lowering& lowering) {
  const Operand condition = operand_of(lowering, "condition");
  const Operand yes = operand_of(lowering, "x1");
  const Operand no = operand_of(lowering, "x2");
  return lowering.emit<AutogradOperation>(
      lowering.inputs, lowering.output_shape(), {}, [=](const ForwardInputs& given) {
        return at::where(is_true(condition.get(given)), yes.get(given), no.get(given));
      });
}

// --- reductions and arrangement -------------------------------------------------------------------------------------

Values lower_reduction(Lowering& lowering) {
  const std::string name = operation_of(lowering);
  const std::vector<std::int64_t> axes = axes_of(lowering.layer());
  const bool keeps = boolean_attribute(lowering.layer(), "keepdims");
  return lowering.emit<AutogradOperation>(
      lowering.inputs, lowering.output_shape(), {}, [name, axes, keeps](const ForwardInputs& given) {
        const Tensor& x = given.inputs[0];
        if (name == "mean") return at::mean(x, axes, keeps);
        if (name == "sum") return at::sum(x, axes, keeps);
        if (name == "max") return at::amax(x, axes, keeps);
        if (name == "min") return at::amin(x, axes, keeps);
        return name == "any" ? at::amax(truth(is_true(x)), axes, keeps) : at::amin(truth(is_true(x)), axes, keeps);
      });
}

Values lower_rearrangement(Lowering& lowering) {
  std::vector<std::int64_t> order;
  if (operation_of(lowering) == "transpose") {
    order = axes_of(lowering.layer());
    order.insert(order.begin(), 0);
  }
  const Shape shape = lowering.output_shape();
  return lowering.emit<AutogradOperation>(lowering.inputs, shape, {}, [order, shape](const ForwardInputs& given) {
    return order.empty() ? with_shape(given.inputs[0], shape) : given.inputs[0].permute(order).contiguous();
  });
}

Values lower_join(Lowering& lowering) {
  const std::string name = operation_of(lowering);
  const std::int64_t axis = name == "add_n" ? 0 : integer_attribute(lowering.layer(), "axis") + 1;
  return lowering.emit<AutogradOperation>(lowering.inputs, lowering.output_shape(), {},
                                          [name, axis](const ForwardInputs& given) {
                                            const std::vector<Tensor> values(given.inputs.begin(), given.inputs.end());
                                            if (name == "concatenate") return at::cat(values, axis);
                                            const Tensor stacked = at::stack(values, axis);
                                            return name == "stack" ? stacked : at::sum(stacked, {0});
                                          });
}

Values lower_pad(Lowering& lowering) {
  // ATen names the last axis first.
  const auto& pads = list_attribute(lowering.layer(), "pads");
  std::vector<std::int64_t> reversed;
  for (std::size_t axis = pads.size() / 2; axis-- > 0;) {
    reversed.push_back(pads[2 * axis]);
    reversed.push_back(pads[2 * axis + 1]);
  }
  const double fill = number_attribute(lowering.layer(), "constant_values");
  return lowering.emit<AutogradOperation>(
      lowering.inputs, lowering.output_shape(), {},
      [reversed, fill](const ForwardInputs& given) { return at::constant_pad_nd(given.inputs[0], reversed, fill); });
}

Values lower_getitem(Lowering& lowering) {
  const std::vector<std::int64_t> starts = list_attribute(lowering.layer(), "starts");
  const std::vector<std::int64_t> counts = list_attribute(lowering.layer(), "counts");
  const std::vector<std::int64_t> steps = list_attribute(lowering.layer(), "steps");
  const Shape shape = lowering.output_shape();
  return lowering.emit<AutogradOperation>(lowering.inputs, shape, {}, [=](const ForwardInputs& given) {
    Tensor taken = given.inputs[0];
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const auto axis = static_cast<std::int64_t>(i) + 1;
      if (steps[i] == 1) {
        taken = taken.narrow(axis, starts[i], counts[i]);
      } else {
        const at::TensorOptions options = at::TensorOptions(at::kLong).device(taken.device());
        taken = taken.index_select(axis, at::add(at::mul(at::arange(counts[i], options), steps[i]), starts[i]));
      }
    }
    return with_shape(taken, shape);
  });
}

struct Family {
  Values (*lower)(Lowering&);
  std::vector<std::string_view> classes;
};

std::vector<LayerLowering> list_lowerings() {
  const std::vector<Family> families = {
      {lower_unary, {"ops.negative", "ops.abs",         "ops.square",        "ops.sqrt",       "ops.rsqrt",
                     "ops.exp",      "ops.log",         "ops.log1p",         "ops.expm1",      "ops.sin",
                     "ops.cos",      "ops.sign",        "ops.floor",         "ops.ceil",       "ops.reciprocal",
                     "ops.erf",      "ops.logical_not", "ops.stop_gradient", "ops.zeros_like", "ops.ones_like"}},
      {lower_activation,
       {"ops.tanh", "ops.sigmoid", "ops.relu", "ops.relu6", "ops.silu", "ops.selu", "ops.softplus", "ops.softsign"}},
      {lower_identity, {"ops.identity"}},
      {lower_softmax, {"ops.softmax", "ops.log_softmax"}},
      {lower_parametric, {"ops.gelu", "ops.leaky_relu", "ops.elu", "ops.clip", "ops.cast"}},
      {lower_binary,
       {"ops.add", "ops.subtract", "ops.multiply", "ops.divide", "ops.power", "ops.maximum", "ops.minimum",
        "ops.squared_difference", "ops.not_equal", "ops.equal", "ops.greater", "ops.greater_equal", "ops.less",
        "ops.less_equal", "ops.logical_and", "ops.logical_or", "ops.logical_xor"}},
      {lower_matmul, {"ops.matmul"}},
      {lower_where, {"ops.where"}},
      {lower_reduction, {"ops.mean", "ops.sum", "ops.max", "ops.min", "ops.any", "ops.all"}},
      {lower_rearrangement, {"ops.reshape", "ops.transpose", "ops.expand_dims", "ops.squeeze"}},
      {lower_join, {"ops.concatenate", "ops.stack", "ops.add_n"}},
      {lower_pad, {"ops.pad"}},
      {lower_getitem, {"ops.getitem"}},
  };
  std::vector<LayerLowering> list;
  for (const Family& family : families) {
    for (const std::string_view name : family.classes) list.push_back({name, family.lower});
  }
  return list;
}

}  // namespace

std::span<const LayerLowering> operation_node_lowerings() {
  static const std::vector<LayerLowering> list = list_lowerings();
  return list;
}

}  // namespace modelhop::engine
