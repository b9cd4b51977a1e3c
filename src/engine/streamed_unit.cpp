// SPDX-License-Identifier: Apache-2.0
// Cuts blocks into mini-batches that cross block borders, and takes one optimizer step per mini-batch.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "engine/guard.hpp"
#include "engine/optimizer.hpp"
#include "engine/random.hpp"
#include "engine/unit_run.hpp"

namespace modelhop::engine {
namespace {

/// The rows [first, first + rows) of a block.
Examples slice(const Examples& examples, std::int64_t first, std::int64_t rows) {
  Examples result = examples;
  result.rows = rows;
  result.independent.data = examples.independent.row(first);
  if (examples.dependent.data != nullptr) result.dependent.data = examples.dependent.row(first);
  return result;
}

}  // namespace

UnitRun::UnitRun(std::shared_ptr<PlanStore> plans, const Network& network, std::shared_ptr<const Model> keep,
                 FlatState& state, const TrainUnit& unit)
    : plans_(std::move(plans)), network_(network), keep_(std::move(keep)), state_(state), unit_(unit) {
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

void UnitRun::check_format(const Examples& block) {
  if (block.independent.row_elements != network_.input_elements()) {
    throw Error(ErrorCode::kInvalidArgument, "examples have " + std::to_string(block.independent.row_elements) +
                                                 " elements, the network takes " +
                                                 std::to_string(network_.input_elements()));
  }
  if (block.dependent.data == nullptr || block.dependent.row_elements != network_.dependent_row_elements()) {
    throw Error(ErrorCode::kInvalidArgument,
                "the dependent variable has " +
                    std::to_string(block.dependent.data == nullptr ? 0 : block.dependent.row_elements) +
                    " columns, the model was compiled for " + std::to_string(network_.dependent_row_elements()));
  }
  const Examples& kept = remainder_.format;
  if (remainder_.rows > 0 &&
      (kept.independent.type != block.independent.type || kept.dependent.type != block.dependent.type ||
       kept.independent_scale != block.independent_scale)) {
    throw Error(ErrorCode::kInvalidArgument, "blocks of one unit differ in element type or scale");
  }
}

void UnitRun::point_at_remainder() {
  independent_rows_.clear();
  dependent_rows_.clear();
  for (std::int64_t row = 0; row < remainder_.rows; ++row) {
    independent_rows_.push_back(remainder_.independent.data() + row * remainder_.format.independent.row_bytes());
    dependent_rows_.push_back(remainder_.dependent.data() + row * remainder_.format.dependent.row_bytes());
  }
}

void UnitRun::feed(const Examples& block, std::span<const std::int64_t> order, const std::stop_token& stop) {
  if (has_diverged() || block.rows == 0) return;
  check_format(block);
  point_at_remainder();
  const BoundPlan bound(*plan_, state_);
  const std::size_t batch = static_cast<std::size_t>(plan_->rows());
  for (std::int64_t position = 0; position < block.rows; ++position) {
    const std::int64_t row = order.empty() ? position : order[position];
    independent_rows_.push_back(block.independent.row(row));
    dependent_rows_.push_back(block.dependent.row(row));
    if (independent_rows_.size() < batch) continue;
    train_batch(*plan_, block, stop);
    if (has_diverged()) return;
  }
  keep_rest(block);
}

void UnitRun::keep_rest(const Examples& block) {
  Remainder rest;
  rest.rows = static_cast<std::int64_t>(independent_rows_.size());
  rest.format = block;
  rest.format.rows = 0;
  rest.format.independent.data = rest.format.dependent.data = nullptr;
  const auto copy = [](const std::vector<const std::byte*>& rows, std::int64_t row_bytes,
                       std::vector<std::byte>& bytes) {
    for (const std::byte* row : rows) bytes.insert(bytes.end(), row, row + row_bytes);
  };
  copy(independent_rows_, block.independent.row_bytes(), rest.independent);
  copy(dependent_rows_, block.dependent.row_bytes(), rest.dependent);
  remainder_ = std::move(rest);
}

void UnitRun::train_batch(Plan& plan, const Examples& format, const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "training was cancelled");
  plan.load({format.independent, independent_rows_}, format.independent_scale, {format.dependent, dependent_rows_});
  independent_rows_.clear();
  dependent_rows_.clear();
  const Step step{state_.configuration_seed, static_cast<std::uint64_t>(state_.step)};
  const double rows = static_cast<double>(plan.rows());
  double loss = plan.compute_gradients(step);
  if (network_.has_penalties()) loss += rows * regularization_penalty(state_);
  loss_sum_ += loss;
  result_.examples += plan.rows();
  result_.has_diverged = !std::isfinite(loss);
  if (result_.has_diverged) return;
  apply_optimizer(network_.train_spec().optimizer, network_.spec().profile, state_, plan.gradients());
  ++result_.steps;
}

void UnitRun::end_pass(const std::stop_token& stop) {
  guarded([&] {
    const ComputeScope scope;
    if (remainder_.rows > 0 && !has_diverged()) {
      point_at_remainder();
      const auto plan = plans_->find(network_, Purpose::kTraining, remainder_.rows);
      const BoundPlan bound(*plan, state_);
      train_batch(*plan, remainder_.format, stop);
    }
    remainder_ = {};
    ++pass_;
    buffer_ = 0;
  });
}

TrainResult UnitRun::finish() {
  check(remainder_.rows == 0, "a unit was finished in the middle of a pass");
  if (result_.examples > 0) result_.mean_loss = loss_sum_ / static_cast<double>(result_.examples);
  return result_;
}

}  // namespace modelhop::engine
