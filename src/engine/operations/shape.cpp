// SPDX-License-Identifier: Apache-2.0
// Operations that only arrange: reshape and flatten (no copy), concatenate, add, and the fork that serves
// several consumers.
#include <ATen/ops/add.h>
#include <ATen/ops/cat.h>

#include "engine/lowering.hpp"

namespace modelhop::engine {
namespace {

/// The same numbers under another shape.
class ReshapeOperation final : public Operation {
 public:
  void prepare(std::int64_t rows, const at::TensorOptions&) override {
    output_sizes_ = sizes_of(rows, output().shape);
    input_sizes_ = sizes_of(rows, input().shape);
    output().is_preallocated = input().is_preallocated;
    if (output().is_preallocated) output().data = input().data.view(output_sizes_);
  }
  void forward(const Step&) override {
    if (!output().is_preallocated) output().data = input().data.view(output_sizes_);
  }
  void backward(const Step&) override { inputs[0]->gradient = output().gradient.view(input_sizes_); }
  bool keeps_output() const override { return !input().may_overwrite; }

 private:
  std::vector<std::int64_t> output_sizes_, input_sizes_;
};

class ForkOperation final : public Operation {
 public:
  void prepare(std::int64_t, const at::TensorOptions&) override {
    for (Value* branch : outputs) {
      branch->is_preallocated = input().is_preallocated;
      branch->data = input().data;
    }
  }
  void forward(const Step&) override {
    for (Value* branch : outputs) branch->data = input().data;
  }
  void backward(const Step&) override {
    at::Tensor sum;
    for (Value* branch : outputs) {
      if (!branch->gradient.defined()) continue;
      if (sum.defined()) {
        at::add_out(sum, sum, branch->gradient);
      } else {
        sum = branch->gradient;
      }
      branch->gradient.reset();
    }
    inputs[0]->gradient = std::move(sum);
  }
};

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

}  // namespace

static Values lower_reshape(Lowering& lowering) {
  Value* input = lowering.inputs[0];
  const Attributes& attributes = lowering.layer().attributes;
  const auto format = attributes.find("data_format");
  if (format != attributes.end() && input->shape.size() > 1 &&
      format->second == Attribute(std::string("channels_first"))) {
    const auto move_channels_last = [](const ForwardInputs& given) {
      const at::Tensor& x = given.inputs[0];
      return x.movedim(1, -1).contiguous().view({x.size(0), -1});
    };
    return lowering.emit<AutogradOperation>({input}, lowering.output_shape(), {}, move_channels_last);
  }
  return lowering.emit<ReshapeOperation>({input}, lowering.output_shape(), {});
}

static Values lower_add(Lowering& lowering) {
  for (const Value* input : lowering.inputs) {
    if (input->shape == lowering.output_shape()) continue;
    const std::size_t rank = lowering.output_shape().size();
    // Keras gives an input of lower rank axes of extent 1 right after the batch axis, then broadcasts.
    const auto broadcast_sum = [rank](const ForwardInputs& given) {
      at::Tensor sum;
      for (at::Tensor term : given.inputs) {
        while (term.dim() < static_cast<std::int64_t>(rank) + 1) term = term.unsqueeze(1);
        sum = sum.defined() ? sum.add(term) : term;
      }
      return sum;
    };
    return lowering.emit<AutogradOperation>(lowering.inputs, lowering.output_shape(), {}, broadcast_sum);
  }
  return lowering.emit<AddOperation>(lowering.inputs, lowering.output_shape(), {});
}

static Values lower_concatenate(Lowering& lowering) {
  return lowering.emit<ConcatenateOperation>(lowering.inputs, lowering.output_shape(), {},
                                             integer_attribute(lowering.layer(), "axis") + 1);
}

std::unique_ptr<Operation> make_fork() {
  return std::make_unique<ForkOperation>();
}

std::span<const LayerLowering> shape_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"Add", lower_add},
      {"Concatenate", lower_concatenate},
      {"Flatten", lower_reshape},
      {"Reshape", lower_reshape},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
