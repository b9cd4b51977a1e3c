// SPDX-License-Identifier: Apache-2.0
// The lines that a run tells its caller while it goes on.
#pragma once

#include "server/postgres.hpp"

#include <chrono>
#include <cstdint>

#include "server/run_plan.hpp"
#include "server/run_record.hpp"

namespace modelhop::server {

/// A notice for each iteration that all configurations have finished, or with a search for each that any of them has
/// finished; at most one in a second, the last one always.
class RunNotice {
 public:
  explicit RunNotice(const RunPlan& plan) : plan_(plan), started_(Clock::now()), told_(started_) {}

  /// Says that a configuration was retired.
  void retired(const RunRecord& record, ConfigurationKey key) const;
  void progressed(const RunRecord& record);
  /// The last line of a search.
  void searched(const RunRecord& record) const;

 private:
  using Clock = std::chrono::steady_clock;
  const RunPlan& plan_;
  Clock::time_point started_;
  Clock::time_point told_;
  std::int32_t told_iteration_ = 0;
};

}  // namespace modelhop::server
