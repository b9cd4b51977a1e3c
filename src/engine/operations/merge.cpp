// SPDX-License-Identifier: Apache-2.0
// Layers of several inputs: sums and concatenations by hand, the rest by autograd.
#include <ATen/ops/add.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/where.h>

#include <algorithm>

#include "engine/lowering.hpp"
#include "engine/operations/unit_length.hpp"

namespace modelhop::engine {
namespace {

class AddOperation final : public Operation {
 public:
  void prepare(std::int64_t rows, const at::TensorOptions& options) override { allocate_output(rows, options); }
  void forward(const Step&) override {
    at::add_out(output().data, inputs[0]->data, inputs[1]->data);
    for (std::size_t index = 2; index < inputs.size(); ++index) {
      at::add_out(output().data, output().data, inputs[index]->data);
    }
  }
  void backward(const Step&) override {
    // Whoever gets a gradient may change it, so one input alone can have the original.
    bool is_given = false;
    for (Value* value : inputs) {
      if (!value->needs_gradient) continue;
      value->gradient = is_given ? output().gradient.clone() : output().gradient;
      is_given = true;
    }
  }
  bool keeps_output() const override { return false; }
};

class ConcatenateOperation final : public Operation {
 public:
  explicit ConcatenateOperation(std::int64_t axis) : axis_(axis) {}

  void prepare(std::int64_t rows, const at::TensorOptions& options) override { allocate_output(rows, options); }
  void forward(const Step&) override {
    std::vector<at::Tensor> parts;
    for (const Value* value : inputs) parts.push_back(value->data);
    at::cat_out(output().data, parts, axis_);
  }
  void backward(const Step&) override {
    std::int64_t start = 0;
    for (Value* value : inputs) {
      const std::int64_t length = value->shape[axis_ - 1];
      if (value->needs_gradient) {
        value->gradient = output().gradient.narrow(axis_, start, length).clone(at::MemoryFormat::Contiguous);
      }
      start += length;
    }
  }
  bool keeps_output() const override { return false; }

 private:
  std::int64_t axis_;  ///< counts the batch axis
};

using Merge = at::Tensor (*)(const at::Tensor& left, const at::Tensor& right);

at::Tensor add(const at::Tensor& left, const at::Tensor& right) {
  return left.add(right);
}
at::Tensor subtract(const at::Tensor& left, const at::Tensor& right) {
  return left.sub(right);
}
at::Tensor multiply(const at::Tensor& left, const at::Tensor& right) {
  return left.mul(right);
}
/// Where both are equal the left one gets the gradient, as in TensorFlow.
at::Tensor maximum(const at::Tensor& left, const at::Tensor& right) {
  return at::where(left.ge(right), left, right);
}
at::Tensor minimum(const at::Tensor& left, const at::Tensor& right) {
  return at::where(left.le(right), left, right);
}

/// Keras gives an input of lower rank axes of extent 1 right after the batch axis, then broadcasts.
Value* merge(Lowering& lowering, Merge function, double factor = 1.0) {
  const auto rank = static_cast<std::int64_t>(lowering.output_shape().size()) + 1;
  const auto merged = [=](const ForwardInputs& given) {
    at::Tensor result;
    for (at::Tensor term : given.inputs) {
      while (term.dim() < rank) term = term.unsqueeze(1);
      result = result.defined() ? function(result, term) : term;
    }
    return factor == 1.0 ? result : result.mul(factor);
  };
  return lowering.emit<AutogradOperation>(lowering.inputs, lowering.output_shape(), {}, merged);
}

Values lower_add(Lowering& lowering) {
  const auto is_alike = [&](const Value* input) { return input->shape == lowering.output_shape(); };
  if (!std::all_of(lowering.inputs.begin(), lowering.inputs.end(), is_alike)) return merge(lowering, add);
  return lowering.emit<AddOperation>(lowering.inputs, lowering.output_shape(), {});
}

Values lower_average(Lowering& lowering) {
  return merge(lowering, add, 1.0 / static_cast<double>(lowering.inputs.size()));
}

/// Along the steps the masks follow one another; elsewhere a step counts as merge_masks() says.
Value* concatenated_mask(Lowering& lowering, std::int64_t axis) {
  const std::vector<Value*>& masks = lowering.masks;
  const auto is_present = [](const Value* mask) { return mask != nullptr; };
  if (std::none_of(masks.begin(), masks.end(), is_present)) return nullptr;
  if (axis != 1 || lowering.output_shape().size() < 2) return merge_masks(lowering);
  std::vector<Value*> from;
  std::vector<bool> counts_throughout;
  for (std::size_t index = 0; index < masks.size(); ++index) {
    counts_throughout.push_back(masks[index] == nullptr);
    from.push_back(masks[index] != nullptr ? masks[index] : lowering.inputs[index]);
  }
  const auto join = [counts_throughout](const ForwardInputs& given) {
    std::vector<at::Tensor> parts;
    for (std::size_t index = 0; index < given.inputs.size(); ++index) {
      const at::Tensor& part = given.inputs[index];
      parts.push_back(counts_throughout[index] ? at::ones({part.size(0), part.size(1)}, part.options()) : part);
    }
    return at::cat(parts, 1);
  };
  return lowering.emit<AutogradOperation>(from, {lowering.output_shape().front()}, {}, join);
}

Values lower_concatenate(Lowering& lowering) {
  const std::int64_t axis = integer_attribute(lowering.layer(), "axis") + 1;
  lowering.output_masks = {concatenated_mask(lowering, axis)};
  return lowering.emit<ConcatenateOperation>(lowering.inputs, lowering.output_shape(), {}, axis);
}

/// Sums over one axis of each: [rows, others of left, others of right].
at::Tensor dot(at::Tensor left, at::Tensor right, std::int64_t left_axis, std::int64_t right_axis) {
  left = left.movedim(left_axis, -1);
  right = right.movedim(right_axis, 1);
  const at::Tensor product =
      at::bmm(left.reshape({left.size(0), -1, left.size(-1)}), right.reshape({right.size(0), right.size(1), -1}));
  return product;
}

Values lower_dot(Lowering& lowering) {
  const auto& axes = list_attribute(lowering.layer(), "axes");
  const std::int64_t left = axes[0] + 1, right = axes[1] + 1;
  const bool normalizes = boolean_attribute(lowering.layer(), "normalize");
  const double smallest_square = lowering.model.profile == SemanticsProfile::kKeras3 ? 1e-14 : 1e-12;
  const Shape& shape = lowering.output_shape();
  const auto dotted = [=](const ForwardInputs& given) {
    at::Tensor x = given.inputs[0], y = given.inputs[1];
    if (normalizes) {
      x = unit_length(x, {left}, smallest_square);
      y = unit_length(y, {right}, smallest_square);
    }
    return dot(x, y, left, right).reshape(sizes_of(x.size(0), shape));
  };
  return lowering.emit<AutogradOperation>(lowering.inputs, shape, {}, dotted);
}

}  // namespace

std::span<const LayerLowering> merge_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"Add", lower_add},
      {"Average", lower_average},
      {"Concatenate", lower_concatenate},
      {"Dot", lower_dot},
      {"Maximum", [](Lowering& lowering) -> Values { return merge(lowering, maximum); }},
      {"Minimum", [](Lowering& lowering) -> Values { return merge(lowering, minimum); }},
      {"Multiply", [](Lowering& lowering) -> Values { return merge(lowering, multiply); }},
      {"Subtract", [](Lowering& lowering) -> Values { return merge(lowering, subtract); }},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
