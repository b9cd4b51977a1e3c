// SPDX-License-Identifier: Apache-2.0
// Cuts blocks into mini-batches that cross block borders, and takes one optimizer step per mini-batch.
#include <algorithm>
#include <cmath>
#include <string>

#include "engine/constraint.hpp"
#include "engine/guard.hpp"
#include "engine/optimizer.hpp"
#include "engine/random.hpp"
#include "engine/regularizer.hpp"
#include "engine/unit_run.hpp"

namespace modelhop::engine {
namespace {

/// The rows [first, first + rows) of a block.
Examples slice(const Examples& examples, std::int64_t first, std::int64_t rows) {
  Examples result = examples;
  result.rows = rows;
  for (ArrayView* array : arrays_of(result)) array->data = array->row(first);
  return result;
}

}  // namespace

UnitRun::UnitRun(std::shared_ptr<PlanStore> plans, const Network& network, std::shared_ptr<const Model> keep,
                 FlatState& state, const TrainUnit& unit)
    : plans_(std::move(plans)),
      network_(network),
      keep_(std::move(keep)),
      state_(state),
      unit_(unit),
      steps_left_(network.train_spec().steps_of_pass()) {
  check(network.has_objective(), "the model was compiled without a dependent variable, so it cannot train");
  plan_ = plans_->find(network, Purpose::kTraining, network.train_spec().batch_size);
  if (unit.reset_optimizer) state.reset_optimizer(network.train_spec().optimizer);
}

void UnitRun::consume(const Examples& block, const std::stop_token& stop) {
  guarded([&] {
    const ComputeScope scope;
    if (shuffle() == Shuffle::kSegment) {
      throw Error(ErrorCode::kInvalidArgument, "shuffle \"segment\" needs the whole segment, but it is streamed",
                  "Use shuffle \"buffer\" or \"none\".");
    }
    consume_buffer(block, stop);
  });
}

void UnitRun::consume_segment(const Segment& segment, const std::stop_token& stop) {
  if (shuffle() == Shuffle::kSegment) {
    const OrderKey key{unit_.run_seed, unit_.iteration, unit_.segment, pass_, -1};
    feed(segment.examples, permutation(key, segment.examples.rows), stop);
    return;
  }
  const auto starts = segment.buffer_starts;
  check(!starts.empty() && starts[0] == 0, "a segment's buffers do not begin with row 0");
  for (std::size_t buffer = 0; buffer < starts.size(); ++buffer) {
    const std::int64_t end = buffer + 1 < starts.size() ? starts[buffer + 1] : segment.examples.rows;
    consume_buffer(slice(segment.examples, starts[buffer], end - starts[buffer]), stop);
  }
}

void UnitRun::consume_buffer(const Examples& block, const std::stop_token& stop) {
  const OrderKey key{unit_.run_seed, unit_.iteration, unit_.segment, pass_, buffer_++};
  if (shuffle() == Shuffle::kNone) {
    feed(block, {}, stop);
  } else {
    feed(block, permutation(key, block.rows), stop);
  }
}

void UnitRun::check_format(const Examples& block) const {
  network_.check_examples(block, true);
  if (remainder_.block.rows == 0) return;
  Examples kept = remainder_.block, given = block;
  const std::vector<ArrayView*> of_kept = arrays_of(kept), of_given = arrays_of(given);
  const auto is_alike = [](const ArrayView* left, const ArrayView* right) {
    return left->type == right->type && left->scale == right->scale && left->row_elements == right->row_elements;
  };
  if (!std::equal(of_kept.begin(), of_kept.end(), of_given.begin(), of_given.end(), is_alike)) {
    throw Error(ErrorCode::kInvalidArgument, "blocks of one unit differ in element type or scale");
  }
}

/// The next mini-batch begins with what the last block left.
void UnitRun::begin_batch(const Examples& format) {
  batch_.begin(format);
  batch_.add(remainder_.block, 0, remainder_.block.rows);
}

void UnitRun::feed(const Examples& block, std::span<const std::int64_t> order, const std::stop_token& stop) {
  if (has_diverged() || block.rows == 0 || steps_left_ == 0) return;
  check_format(block);
  begin_batch(block);
  const BoundPlan bound(*plan_, state_);
  for (std::int64_t position = 0; position < block.rows;) {
    const std::int64_t count = std::min(plan_->rows() - batch_.size(), block.rows - position);
    if (order.empty()) {
      batch_.add(block, position, count);
    } else {
      batch_.add(block, order.subspan(position, count));
    }
    position += count;
    if (batch_.size() < plan_->rows()) break;
    train_batch(*plan_, stop);
    if (has_diverged()) return;
    if (steps_left_ == 0) {
      remainder_ = {};
      return;
    }
    batch_.begin(block);
  }
  batch_.move_to(remainder_.bytes, remainder_.block);
}

void UnitRun::train_batch(Plan& plan, const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "training was cancelled");
  plan.load(batch_.rows());
  const Step step{state_.configuration_seed, static_cast<std::uint64_t>(state_.step)};
  const double rows = static_cast<double>(plan.rows());
  double loss = plan.compute_gradients(step);
  if (network_.has_penalties()) loss += rows * regularization_penalty(state_);
  loss_sum_ += loss;
  result_.examples += plan.rows();
  result_.has_diverged = !std::isfinite(loss);
  if (result_.has_diverged) return;
  apply_optimizer(network_.train_spec().optimizer, network_.spec().profile, state_, plan.gradients());
  apply_constraints(state_);
  ++result_.steps;
  --steps_left_;
}

void UnitRun::end_pass(const std::stop_token& stop) {
  guarded([&] {
    const ComputeScope scope;
    if (remainder_.block.rows > 0 && !has_diverged()) {
      begin_batch(remainder_.block);
      const auto plan = plans_->find(network_, Purpose::kTraining, batch_.size());
      const BoundPlan bound(*plan, state_);
      train_batch(*plan, stop);
    }
    remainder_ = {};
    steps_left_ = network_.train_spec().steps_of_pass();
    ++pass_;
    buffer_ = 0;
  });
}

TrainResult UnitRun::finish() {
  check(remainder_.block.rows == 0, "a unit was finished in the middle of a pass");
  if (result_.examples > 0) result_.mean_loss = loss_sum_ / static_cast<double>(result_.examples);
  return result_;
}

}  // namespace modelhop::engine
