// SPDX-License-Identifier: Apache-2.0
// Operations that only arrange: reshape and flatten (no copy), permute, repeat, and the fork that serves
// several consumers.
#include <ATen/ops/add.h>

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

static Values lower_permute(Lowering& lowering) {
  std::vector<std::int64_t> order = list_attribute(lowering.layer(), "dims");
  order.insert(order.begin(), 0);
  const auto permute = [order](const ForwardInputs& given) { return given.inputs[0].permute(order); };
  return lowering.emit<AutogradOperation>({lowering.inputs[0]}, lowering.output_shape(), {}, permute);
}

static Values lower_repeat_vector(Lowering& lowering) {
  const std::int64_t times = integer_attribute(lowering.layer(), "n");
  const auto repeat = [times](const ForwardInputs& given) {
    const at::Tensor& x = given.inputs[0];
    return x.unsqueeze(1).expand({x.size(0), times, x.size(1)});
  };
  return lowering.emit<AutogradOperation>({lowering.inputs[0]}, lowering.output_shape(), {}, repeat);
}

static Values lower_identity(Lowering& lowering) {
  return lowering.inputs[0];
}

std::unique_ptr<Operation> make_fork() {
  return std::make_unique<ForkOperation>();
}

std::span<const LayerLowering> shape_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"Flatten", lower_reshape}, {"Identity", lower_identity},          {"Permute", lower_permute},
      {"Reshape", lower_reshape}, {"RepeatVector", lower_repeat_vector},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
