// SPDX-License-Identifier: Apache-2.0
// Dropout: a mask of 0 or 1 / (1 - rate) from the configuration's own stream. Nothing is left of it in inference.
#include <ATen/ops/empty.h>
#include <ATen/ops/mul.h>

#include "engine/lowering.hpp"
#include "engine/random.hpp"

namespace modelhop::engine {
namespace {

class DropoutOperation final : public Operation {
 public:
  DropoutOperation(double rate, std::uint32_t number) : rate_(rate), number_(number) {}

  void prepare(std::int64_t rows, const at::TensorOptions& options) override {
    host_mask_ = at::empty(sizes_of(rows, output().shape), options.device(at::kCPU));
    mask_ = options.device().is_cpu() ? host_mask_ : at::empty(sizes_of(rows, output().shape), options);
    if (!input().may_overwrite) allocate_output(rows, options);
  }

  void forward(const Step& step) override {
    dropout_mask({host_mask_.mutable_data_ptr<float>(), static_cast<std::size_t>(host_mask_.numel())}, rate_,
                 step.configuration_seed, step.number, number_);
    if (!mask_.is_alias_of(host_mask_)) mask_.copy_(host_mask_);
    if (input().may_overwrite) output().data = input().data;
    at::mul_out(output().data, input().data, mask_);
  }

  void backward(const Step&) override {
    at::mul_out(output().gradient, output().gradient, mask_);
    inputs[0]->gradient = output().gradient;
  }
  bool keeps_output() const override { return false; }

 private:
  double rate_;
  std::uint32_t number_;  ///< keeps the streams of several dropout calls apart
  at::Tensor host_mask_, mask_;
};

}  // namespace

static Values lower_dropout(Lowering& lowering) {
  const double rate = number_attribute(lowering.layer(), "rate");
  if (lowering.layer().attributes.count("noise_shape") != 0) lowering.refuse("noise_shape is not supported");
  if (!lowering.is_training() || rate <= 0.0) return lowering.inputs[0];
  if (rate >= 1.0) lowering.refuse("rate " + std::to_string(rate) + " is not below 1");
  return lowering.emit<DropoutOperation>({lowering.inputs[0]}, lowering.output_shape(), {}, rate,
                                         lowering.stream_number());
}

std::span<const LayerLowering> dropout_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"Dropout", lower_dropout},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
