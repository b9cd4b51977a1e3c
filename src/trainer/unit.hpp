// SPDX-License-Identifier: Apache-2.0
// What a slot does with one unit. Everything that goes wrong becomes part of the result.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "modelhop/error.hpp"
#include "trainer/run.hpp"
#include "trainer/segment_store.hpp"
#include "trainer/stream_scan.hpp"
#include "wire/file_descriptor.hpp"

namespace modelhop::trainer {

struct UnitTask {
  std::shared_ptr<Run> run;
  Configuration* configuration = nullptr;  ///< the run's
  std::shared_ptr<SegmentBlock> block;
  std::uint64_t unit = 0;
  int key = 0;  ///< of the configuration
  wire::UnitKind kind = wire::UnitKind_Train;
  std::int32_t segment = 0;
  std::int32_t iteration = 0;

  bool trains() const { return kind == wire::UnitKind_Train; }
};

struct UnitResult {
  std::uint64_t unit = 0;
  wire::UnitKind kind = wire::UnitKind_Train;
  int slot = 0;
  std::int64_t started_us = 0;
  std::int64_t ended_us = 0;
  TrainResult trained;            ///< Train
  double learning_rate = 0.0;     ///< Train
  EvaluationSums sums;            ///< Evaluate
  std::int64_t outputs_rows = 0;  ///< Predict
  std::int64_t output_elements = 0;
  wire::FileDescriptor outputs;
  std::optional<Error> error;
};

UnitResult perform(const UnitTask& task, Executor& executor, int slot);

/// One step of a unit in a scan, see StreamScan::Dispatch.
struct StreamTask {
  std::shared_ptr<Run> run;
  std::shared_ptr<Stream> stream;
  std::shared_ptr<StreamedWork> work;
  Configuration* configuration = nullptr;  ///< the run's
  std::int32_t segment = 0;
  std::vector<Examples> blocks;
  bool is_end = false;
};

/// Calls `consumed` after each block. The result is there where the unit's scan is over: at its end, or by an error.
std::optional<UnitResult> perform(const StreamTask& task, Executor& executor, int slot,
                                  const std::function<void()>& consumed);

}  // namespace modelhop::trainer
