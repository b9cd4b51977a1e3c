// SPDX-License-Identifier: Apache-2.0
// The state of one configuration: flat buffers that a plan binds views of, so that a hop copies nothing.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/state_layout.hpp"
#include "modelhop/engine.hpp"

namespace modelhop::engine {

class FlatState final : public State {
 public:
  FlatState(std::shared_ptr<const StateLayout> layout, Device device, std::uint64_t configuration_seed);

  void get_weights(std::span<float> weights) const override;
  void set_weights(std::span<const float> weights) override;
  /// Format version 2, little-endian: "MHTS", version u32, layout hash u64, step i64, configuration seed u64, slot
  /// count u64, momentum product f64, base learning rate f64 (NaN: the optimizer's own), each slot as stored (padding
  /// included), then a 64-bit checksum of everything before it.
  std::vector<std::byte> get_training_state() const override;
  void set_training_state(std::span<const std::byte> bytes) override;
  void set_learning_rate(double rate) override { base_rate = rate; }
  double learning_rate() const override { return base_rate.value_or(layout_->learning_rate); }
  std::int64_t size_bytes() const override;

  /// Fills weights by their initializers (initializer.cpp).
  void initialize();
  /// Drops slots (to their initial values) and the step counter.
  void reset_optimizer(const OptimizerSpec& optimizer);

  /// View of one weight on the state's device: of Keras's shape, or (out, in, h, w) with channels-last strides for a
  /// convolution kernel.
  at::Tensor weight(int index) const;

  at::Tensor parameters;          ///< float32 [parameter_floats], 64-byte aligned
  at::Tensor statistics;          ///< float32 [statistics_floats]
  std::vector<at::Tensor> slots;  ///< each like parameters
  std::int64_t step = 0;          ///< completed optimizer steps, those that only accumulated gradients included
  double momentum_product = 1.0;  ///< Nadam: of its momentum schedule over all steps
  std::uint64_t configuration_seed = 0;
  std::optional<double> base_rate;  ///< set by a callback; empty: the optimizer's own
  const StateLayout& layout() const { return *layout_; }

 private:
  void fill_slots(const std::vector<float>& values);

  std::shared_ptr<const StateLayout> layout_;
};

/// View of one weight, gradient or slot in a buffer laid out as `parameters` (or `statistics`), of Keras's shape.
at::Tensor keras_view(const WeightPlace& place, const at::Tensor& buffer);

/// The same shaped as FlatState::weight() says.
at::Tensor weight_view(const WeightPlace& place, const at::Tensor& buffer);

}  // namespace modelhop::engine
