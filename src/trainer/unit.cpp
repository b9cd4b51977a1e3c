// SPDX-License-Identifier: Apache-2.0
#include "trainer/unit.hpp"

#include <string>
#include <utility>

#include "trainer/failure.hpp"

namespace modelhop::trainer {
namespace {

void predict(const UnitTask& task, Executor& executor, State& state, UnitResult& result) {
  const Model& model = *task.configuration->model();
  Examples examples = task.block->view().examples;
  for (ArrayView& array : examples.independent) array.index = nullptr;  // rows that are read once need none
  result.outputs_rows = examples.rows;
  result.output_elements = model.output_elements();
  std::int64_t values = 0, bytes = 0;
  if (__builtin_mul_overflow(examples.rows, model.output_elements(), &values) ||
      __builtin_mul_overflow(values, static_cast<std::int64_t>(sizeof(float)), &bytes)) {
    throw Error(ErrorCode::kOutOfMemory, "predictions for " + std::to_string(examples.rows) + " rows of " +
                                             std::to_string(model.output_elements()) + " values are out of range");
  }
  const MemoryClaim claim(task.run->memory(), bytes, "predictions");
  wire::SharedMemory memory = wire::SharedMemory::create(bytes);
  const std::span<float> outputs(reinterpret_cast<float*>(memory.bytes().data()), static_cast<std::size_t>(values));
  executor.predict(model, state, examples, outputs, task.run->stop_token());
  result.outputs = memory.duplicate();
}

void add(EvaluationSums& sums, const EvaluationSums& block) {
  sums.examples += block.examples;
  sums.loss += block.loss;
  sums.penalty = block.penalty;
  sums.metrics.resize(block.metrics.size());
  for (std::size_t i = 0; i < block.metrics.size(); ++i) sums.metrics[i] += block.metrics[i];
  sums.output_losses.resize(block.output_losses.size());
  for (std::size_t i = 0; i < block.output_losses.size(); ++i) sums.output_losses[i] += block.output_losses[i];
}

void begin(const StreamTask& task, Executor& executor, int slot) {
  StreamedWork& work = *task.work;
  if (work.started_us == 0) work.started_us = wall_clock_us();
  if (work.evaluates || work.training) return;
  const auto& model = task.configuration->model();
  work.training = executor.begin_streamed(model, task.configuration->state(),
                                          task.run->train_unit(*model, work.iteration, task.segment));
  work.slot = slot;
}

void consume(const StreamTask& task, Executor& executor, const Examples& block) {
  StreamedWork& work = *task.work;
  const std::stop_token stop = task.run->stop_token();
  if (work.evaluates) {
    add(work.sums, executor.evaluate(*task.configuration->model(), task.configuration->state(), block, stop));
  } else {
    work.training->consume(block, stop);
  }
}

UnitResult begin_result(const StreamTask& task, int slot) {
  UnitResult result;
  result.unit = task.work->unit;
  result.kind = task.work->evaluates ? wire::UnitKind_Evaluate : wire::UnitKind_Train;
  result.slot = slot;
  result.started_us = task.work->started_us;
  return result;
}

}  // namespace

UnitResult perform(const UnitTask& task, Executor& executor, int slot) {
  UnitResult result;
  result.unit = task.unit;
  result.kind = task.kind;
  result.slot = slot;
  result.started_us = wall_clock_us();
  try {
    const Model& model = *task.configuration->model();
    const Segment segment = task.block->view();
    const std::stop_token stop = task.run->stop_token();
    if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "the run was closed");
    State& state = task.configuration->state();
    switch (task.kind) {
      case wire::UnitKind_Train:
        result.trained =
            executor.train(model, state, segment, task.run->train_unit(model, task.iteration, task.segment), stop);
        result.learning_rate = state.learning_rate();
        break;
      case wire::UnitKind_Evaluate:
        result.sums = executor.evaluate(model, state, segment.examples, stop);
        break;
      case wire::UnitKind_Predict:
        predict(task, executor, state, result);
        break;
    }
  } catch (...) {
    result.error = current_error();
  }
  result.ended_us = wall_clock_us();
  return result;
}

std::optional<UnitResult> perform(const StreamTask& task, Executor& executor, int slot,
                                  const std::function<void()>& consumed) {
  StreamedWork& work = *task.work;
  try {
    begin(task, executor, slot);
    for (const Examples& block : task.blocks) {
      consume(task, executor, block);
      consumed();
    }
    if (!task.is_end) return std::nullopt;
    UnitResult result = begin_result(task, slot);
    if (work.evaluates) {
      result.sums = std::move(work.sums);
    } else {
      work.training->end_pass(task.run->stop_token());
      if (work.is_last_pass) result.trained = work.training->finish();
      result.learning_rate = task.configuration->state().learning_rate();
    }
    result.ended_us = wall_clock_us();
    work.started_us = 0;
    return result;
  } catch (...) {
    UnitResult result = begin_result(task, slot);
    result.error = current_error();
    result.ended_us = wall_clock_us();
    return result;
  }
}

}  // namespace modelhop::trainer
