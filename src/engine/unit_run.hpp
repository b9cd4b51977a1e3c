// SPDX-License-Identifier: Apache-2.0
// The one training loop: blocks of examples in, optimizer steps out. Executor::train feeds it a whole segment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "engine/batch_builder.hpp"
#include "engine/plan_store.hpp"
#include "modelhop/engine.hpp"

namespace modelhop::engine {

class UnitRun final : public StreamedUnit {
 public:
  /// `network` must outlive the unit; `keep` (may be empty) sees to it.
  UnitRun(std::shared_ptr<PlanStore> plans, const Network& network, std::shared_ptr<const Model> keep, FlatState& state,
          const TrainUnit& unit);

  void consume(const Examples& block, const std::stop_token& stop) override;
  void end_pass(const std::stop_token& stop) override;
  TrainResult finish() override;

  /// Trains one pass over a whole segment, without the short last batch.
  void consume_segment(const Segment& segment, const std::stop_token& stop);
  bool has_diverged() const { return result_.has_diverged; }

 private:
  /// Examples kept from the last block because they did not fill a mini-batch.
  struct Remainder {
    Examples block;
    std::vector<std::vector<std::byte>> bytes;  ///< that the block's arrays lie in
  };

  Shuffle shuffle() const { return network_.train_spec().shuffle.value_or(unit_.shuffle); }
  void consume_buffer(const Examples& block, const std::stop_token& stop);
  /// `order` names the rows of the block; empty: as they lie.
  void feed(const Examples& block, std::span<const std::int64_t> order, const std::stop_token& stop);
  void check_format(const Examples& block) const;
  void begin_batch(const Examples& format);
  void train_batch(Plan& plan, const std::stop_token& stop);

  std::shared_ptr<PlanStore> plans_;
  const Network& network_;
  std::shared_ptr<const Model> keep_;
  FlatState& state_;
  TrainUnit unit_;
  std::shared_ptr<Plan> plan_;
  std::int32_t pass_ = 0;
  std::int64_t buffer_ = 0;
  std::int64_t steps_left_;  ///< of this pass
  Remainder remainder_;
  BatchBuilder batch_;  ///< the mini-batch that is being filled
  double loss_sum_ = 0.0;
  TrainResult result_;
};

}  // namespace modelhop::engine
