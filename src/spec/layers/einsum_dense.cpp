// SPDX-License-Identifier: Apache-2.0
// EinsumDense: a kernel whose axes an equation names.
#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "spec/activation_names.hpp"
#include "spec/grammar_text.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::spec {
namespace {

constexpr std::size_t kMaxAxes = 26;

/// The axes of the parts of "ab,bc->ac".
struct Equation {
  std::string input, kernel, output;
};

constexpr std::string_view kEllipsis = "...";

Equation split_equation(const std::string& text) {
  const std::size_t comma = text.find(','), arrow = text.find("->");
  if (comma == std::string::npos || arrow == std::string::npos || arrow < comma) return {};
  return {text.substr(0, comma), text.substr(comma + 1, arrow - comma - 1), text.substr(arrow + 2)};
}

bool has_ellipsis(const std::string& axes) {
  return axes.starts_with(kEllipsis) || axes.ends_with(kEllipsis);
}

bool are_letters(std::string axes) {
  if (axes.starts_with(kEllipsis)) axes.erase(0, kEllipsis.size());
  if (axes.ends_with(kEllipsis)) axes.resize(axes.size() - kEllipsis.size());
  return !axes.empty() && axes.size() <= kMaxAxes &&
         std::all_of(axes.begin(), axes.end(), [](char axis) { return axis >= 'a' && axis <= 'z'; });
}

void read_einsum_dense(LayerConfig& config, Attributes& attributes) {
  const std::string expected = "an equation such as \"ab,bc->ac\"";
  const Json* written = config.find("equation");
  if (written == nullptr || !written->is_string()) config.refuse_value("equation", expected);
  std::string equation = written->get<std::string>();
  std::erase(equation, ' ');
  const Equation parts = split_equation(equation);
  if (!are_letters(parts.input) || !are_letters(parts.kernel) || !are_letters(parts.output) ||
      has_ellipsis(parts.kernel) || has_ellipsis(parts.input) != has_ellipsis(parts.output)) {
    config.refuse_value("equation", expected);
  }
  attributes["equation"] = equation;

  const Json* shape = config.find("output_shape");
  std::vector<std::int64_t> extents;
  if (shape == nullptr) config.refuse_value("output_shape", "an integer or a list of integers");
  const auto add = [&](const Json& extent) {
    extents.push_back(extent.is_null() ? -1 : config.integer_value("output_shape", extent, {1, kMaxExtent}));
  };
  if (shape->is_array() && shape->size() <= kMaxAxes) {
    for (const Json& extent : *shape) add(extent);
  } else {
    add(*shape);
  }
  attributes["output_shape"] = extents;

  const Json* bias = config.find("bias_axes");
  if (bias != nullptr && !bias->is_string()) config.refuse_value("bias_axes", "letters of the equation's output");
  attributes["bias_axes"] = bias == nullptr ? std::string() : bias->get<std::string>();
  attributes["use_bias"] = bias != nullptr;
  attributes["activation"] = config.activation("activation");
}

[[noreturn]] void refuse_equation(const LayerCall& call) {
  refuse(call.where() + ": \"equation\" " + in_quotes(string_attribute(call.layer, "equation")) +
         " with \"output_shape\" " + to_text(list_attribute(call.layer, "output_shape")) +
         " does not fit an input of shape " + to_text(call.input()) + " behind the batch axis");
}

struct NamedAxes {
  Equation parts;  ///< capital letters in the place of an ellipsis
  std::map<char, std::int64_t> extents;
};

/// What the input and the written output shape say of each axis, the batch axis counting 1.
NamedAxes axes_of(const LayerCall& call) {
  NamedAxes named;
  Equation& parts = named.parts = split_equation(string_attribute(call.layer, "equation"));
  const std::size_t rank = call.input().size() + 1;
  if (has_ellipsis(parts.input)) {
    const std::size_t letters = parts.input.size() - kEllipsis.size();
    std::string others;
    for (std::size_t i = letters; i < rank; ++i) others += static_cast<char>('A' + (i - letters));
    for (std::string* axes : {&parts.input, &parts.output}) {
      axes->replace(axes->find(kEllipsis), kEllipsis.size(), others);
    }
  }
  if (parts.input.size() != rank) refuse_equation(call);
  named.extents[parts.input.front()] = 1;
  for (std::size_t i = 1; i < rank; ++i) named.extents[parts.input[i]] = call.input()[i - 1];
  // The written shape names the last axes of the output; -1 is what the input says.
  const std::vector<std::int64_t>& written = list_attribute(call.layer, "output_shape");
  if (parts.output.size() < written.size() + 1) refuse_equation(call);
  for (std::size_t i = 0; i < written.size(); ++i) {
    const char axis = parts.output[parts.output.size() - written.size() + i];
    if (written[i] == -1) continue;
    if (named.extents.emplace(axis, written[i]).first->second != written[i]) refuse_equation(call);
  }
  return named;
}

Shape shape_of(const LayerCall& call, const std::map<char, std::int64_t>& extents, const std::string& axes) {
  Shape shape;
  for (const char axis : axes) {
    const auto found = extents.find(axis);
    if (found == extents.end()) refuse_equation(call);
    shape.push_back(found->second);
  }
  return shape;
}

Shape einsum_dense_shape(const LayerCall& call) {
  const auto [parts, extents] = axes_of(call);
  if (parts.output.front() != parts.input.front()) {
    unsupported(call.where() + ": \"equation\" moves the batch axis");
  }
  const Shape shape = shape_of(call, extents, parts.output.substr(1));
  return activated_shape(call.where(), shape, string_attribute(call.layer, "activation"));
}

/// The bias has the extents of its axes, and 1 for axes of the output between and behind them.
Shape einsum_dense_weight(const LayerCall& call, std::string_view weight) {
  const auto [parts, extents] = axes_of(call);
  if (weight == "kernel") return shape_of(call, extents, parts.kernel);
  const std::string& axes = string_attribute(call.layer, "bias_axes");
  const std::size_t first = parts.output.find_first_of(axes);
  if (axes.empty() || first == std::string::npos) refuse_equation(call);
  Shape shape = shape_of(call, extents, parts.output.substr(first));
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (axes.find(parts.output[first + i]) == std::string::npos) shape[i] = 1;
  }
  return shape;
}

std::int64_t einsum_dense_flops(const LayerCall& call, const Shape& output) {
  const auto [parts, extents] = axes_of(call);
  std::int64_t summed = 1;
  for (const char axis : parts.kernel) {
    if (parts.output.find(axis) == std::string::npos) {
      summed = product_within(summed, extents.at(axis), kMaxElements, call.where() + ": kernel");
    }
  }
  return flops_of(element_count(output), 2 * summed, call);
}

}  // namespace

LayerKind einsum_dense_layer() {
  return {.class_name = "EinsumDense",
          .read = read_einsum_dense,
          .output_shape = einsum_dense_shape,
          .flops = einsum_dense_flops,
          .weights = {{"kernel", "glorot_uniform"}, {"bias", "zeros", "use_bias"}},
          .weight_shape = einsum_dense_weight};
}

}  // namespace modelhop::spec
