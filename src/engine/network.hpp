// SPDX-License-Identifier: Apache-2.0
// The engine's Model: an architecture with compile and fit parameters, checked and resolved.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/loss.hpp"
#include "engine/state_layout.hpp"
#include "modelhop/engine.hpp"

namespace modelhop::engine {

class Network final : public Model {
 public:
  Network(ModelSpec spec, TrainSpec train, Device device, std::vector<std::int64_t> dependent_row_elements);

  std::unique_ptr<State> initial_state(std::uint64_t configuration_seed) const override;
  std::unique_ptr<State> initial_state(std::uint64_t configuration_seed, std::span<const float> weights) const override;
  std::int64_t parameter_count() const override { return parameter_count_; }
  std::int64_t output_elements() const override { return output_elements_; }
  const TrainSpec& train_spec() const override { return train_; }

  const ModelSpec& spec() const { return spec_; }
  const StateLayout& layout() const { return *layout_; }
  Device device() const { return device_; }
  bool has_objective() const { return !objective_.outputs.empty(); }
  const Objective& objective() const { return objective_; }
  /// Throws kInvalidArgument where the block's arrays are not what the network takes; without `needs_target` the
  /// dependent variables may be missing.
  void check_examples(const Examples& examples, bool needs_target) const;
  bool has_penalties() const { return has_penalties_; }
  /// Two networks with equal keys can share plans.
  const std::string& plan_key() const { return plan_key_; }

 private:
  std::string loss_key() const;

  ModelSpec spec_;
  TrainSpec train_;
  Device device_;
  std::shared_ptr<const StateLayout> layout_;
  Objective objective_;
  std::int64_t parameter_count_ = 0, output_elements_ = 0;
  std::vector<std::int64_t> input_elements_;  ///< of each input, per example
  bool has_penalties_ = false;
  std::string plan_key_;
};

/// The implementation behind the engine's face; throws kInternal for a foreign one.
const Network& network_of(const Model& model);

}  // namespace modelhop::engine
