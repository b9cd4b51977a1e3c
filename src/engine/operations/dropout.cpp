// SPDX-License-Identifier: Apache-2.0
// Dropout and its kin: random factors and summands from counter-based streams. Nothing is left of them in inference.
#include <ATen/ops/add.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mul.h>

#include <cmath>

#include "engine/lowering.hpp"
#include "engine/random.hpp"

namespace modelhop::engine {
namespace {

/// One call's noise, drawn on the host.
class Noise {
 public:
  enum class Kind { kMask, kNormal };

  /// `shape` with the batch axis first, -1: as many as rows; empty: the shape of the value.
  Noise(Kind kind, double parameter, std::vector<std::int64_t> shape, Lowering& lowering)
      : kind_(kind), parameter_(parameter), shape_(std::move(shape)), number_(lowering.stream_number()) {
    const Attributes& attributes = lowering.layer().attributes;
    if (const auto seed = attributes.find("seed"); seed != attributes.end()) {
      own_seed_ = layer_seed(std::get<std::int64_t>(seed->second));
    }
  }

  void prepare(std::vector<std::int64_t> sizes, const at::TensorOptions& options) {
    if (!shape_.empty()) {
      const std::int64_t rows = sizes.front();
      sizes = shape_;
      if (sizes.front() == -1) sizes.front() = rows;
    }
    host_ = at::empty(sizes, options.device(at::kCPU));
    device_ = options.device().is_cpu() ? host_ : at::empty(sizes, options);
  }

  /// A mask of 0 or 1 / (1 - rate) at rate `parameter`, or normal numbers of deviation `parameter` around 0.
  const at::Tensor& draw(const Step& step) {
    const std::span<float> values(host_.mutable_data_ptr<float>(), static_cast<std::size_t>(host_.numel()));
    const std::uint64_t seed = own_seed_.value_or(step.configuration_seed);
    if (kind_ == Kind::kMask) {
      dropout_mask(values, parameter_, seed, step.number, number_);
    } else {
      normal_noise(values, parameter_, seed, step.number, number_);
    }
    if (!device_.is_alias_of(host_)) device_.copy_(host_);
    return device_;
  }
  const at::Tensor& last() const { return device_; }

 private:
  Kind kind_;
  double parameter_;
  std::vector<std::int64_t> shape_;
  std::uint32_t number_;  ///< keeps the streams of several calls apart
  std::optional<std::uint64_t> own_seed_;
  at::Tensor host_, device_;
};

/// output = input * noise
class DropoutOperation final : public Operation {
 public:
  explicit DropoutOperation(Noise noise) : noise_(std::move(noise)) {}

  void prepare(std::int64_t rows, const at::TensorOptions& options) override {
    noise_.prepare(sizes_of(rows, output().shape), options);
    if (!input().may_overwrite) allocate_output(rows, options);
  }

  void forward(const Step& step) override {
    const at::Tensor& mask = noise_.draw(step);
    if (input().may_overwrite) output().data = input().data;
    at::mul_out(output().data, input().data, mask);
  }

  void backward(const Step&) override {
    at::mul_out(output().gradient, output().gradient, noise_.last());
    inputs[0]->gradient = output().gradient;
  }
  bool keeps_output() const override { return false; }

 private:
  Noise noise_;
};

/// output = input * (1 + noise)
class GaussianDropoutOperation final : public Operation {
 public:
  explicit GaussianDropoutOperation(Noise noise) : noise_(std::move(noise)) {}

  void prepare(std::int64_t rows, const at::TensorOptions& options) override {
    noise_.prepare(sizes_of(rows, output().shape), options);
    allocate_output(rows, options);
  }
  void forward(const Step& step) override {
    factor_ = noise_.draw(step).add(1.0);
    at::mul_out(output().data, input().data, factor_);
  }
  void backward(const Step&) override {
    at::mul_out(output().gradient, output().gradient, factor_);
    inputs[0]->gradient = output().gradient;
  }
  bool keeps_output() const override { return false; }

 private:
  Noise noise_;
  at::Tensor factor_;
};

/// output = input + noise
class GaussianNoiseOperation final : public Operation {
 public:
  explicit GaussianNoiseOperation(Noise noise) : noise_(std::move(noise)) {}

  void prepare(std::int64_t rows, const at::TensorOptions& options) override {
    noise_.prepare(sizes_of(rows, output().shape), options);
    allocate_output(rows, options);
  }
  void forward(const Step& step) override { at::add_out(output().data, input().data, noise_.draw(step)); }
  void backward(const Step&) override { inputs[0]->gradient = output().gradient; }
  bool keeps_output() const override { return false; }

 private:
  Noise noise_;
};

/// What is dropped becomes the value that SELU saturates at; a line then restores mean and variance.
class AlphaDropoutOperation final : public Operation {
 public:
  AlphaDropoutOperation(double rate, Noise noise) : keep_(1.0 - rate), noise_(std::move(noise)) {
    scale_ = 1.0 / std::sqrt(keep_ * (1.0 + rate * kSaturation * kSaturation));
    shift_ = -scale_ * kSaturation * rate;
  }

  void prepare(std::int64_t rows, const at::TensorOptions& options) override {
    noise_.prepare(sizes_of(rows, output().shape), options);
    allocate_output(rows, options);
  }
  void forward(const Step& step) override {
    factor_ = noise_.draw(step).mul(keep_ * scale_);
    at::mul_out(output().data, input().data, factor_);
    output().data.sub_(factor_, kSaturation).add_(scale_ * kSaturation + shift_);
  }
  void backward(const Step&) override {
    at::mul_out(output().gradient, output().gradient, factor_);
    inputs[0]->gradient = output().gradient;
  }
  bool keeps_output() const override { return false; }

 private:
  static constexpr double kSaturation = -1.7580993408473766;
  double keep_, scale_ = 1.0, shift_ = 0.0;
  Noise noise_;
  at::Tensor factor_;
};

}  // namespace

static Values lower_dropout(Lowering& lowering) {
  const double rate = number_attribute(lowering.layer(), "rate");
  if (!lowering.is_training() || rate <= 0.0) return lowering.inputs[0];
  return lowering.emit<DropoutOperation>(
      {lowering.inputs[0]}, lowering.input_shape(), {},
      Noise(Noise::Kind::kMask, rate, list_attribute(lowering.layer(), "noise_shape"), lowering));
}

static Values lower_alpha_dropout(Lowering& lowering) {
  const double rate = number_attribute(lowering.layer(), "rate");
  if (!lowering.is_training() || rate <= 0.0) return lowering.inputs[0];
  return lowering.emit<AlphaDropoutOperation>(
      {lowering.inputs[0]}, lowering.input_shape(), {}, rate,
      Noise(Noise::Kind::kMask, rate, list_attribute(lowering.layer(), "noise_shape"), lowering));
}

static Values lower_gaussian_dropout(Lowering& lowering) {
  const double rate = number_attribute(lowering.layer(), "rate");
  if (!lowering.is_training() || rate <= 0.0) return lowering.inputs[0];
  return lowering.emit<GaussianDropoutOperation>(
      {lowering.inputs[0]}, lowering.input_shape(), {},
      Noise(Noise::Kind::kNormal, std::sqrt(rate / (1.0 - rate)), {}, lowering));
}

static Values lower_gaussian_noise(Lowering& lowering) {
  const double deviation = number_attribute(lowering.layer(), "stddev");
  if (!lowering.is_training() || deviation <= 0.0) return lowering.inputs[0];
  return lowering.emit<GaussianNoiseOperation>({lowering.inputs[0]}, lowering.input_shape(), {},
                                               Noise(Noise::Kind::kNormal, deviation, {}, lowering));
}

std::span<const LayerLowering> dropout_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"AlphaDropout", lower_alpha_dropout},       {"Dropout", lower_dropout},
      {"GaussianDropout", lower_gaussian_dropout}, {"GaussianNoise", lower_gaussian_noise},
      {"SpatialDropout1D", lower_dropout},         {"SpatialDropout2D", lower_dropout},
      {"SpatialDropout3D", lower_dropout},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
