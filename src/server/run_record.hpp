// SPDX-License-Identifier: Apache-2.0
// What happened in a run: the units of each configuration and its losses and metrics.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "selection/schedule.hpp"

namespace modelhop::server {

/// One finished unit; times in microseconds since 1970.
struct UnitRecord {
  Unit unit;  ///< its iteration counts from 1 within the run
  int slot = 0;
  std::int64_t started_us = 0;
  std::int64_t ended_us = 0;
  std::int64_t steps = 0;
  std::int64_t examples = 0;
  double loss = 0.0;  ///< mean training loss, or the mean loss of an evaluation
  double penalty = 0.0;
  std::vector<double> metric_sums;
  bool has_diverged = false;

  double seconds() const { return static_cast<double>(ended_us - started_us) * 1e-6; }
};

/// Loss and metrics over a whole table; not a number where they were never computed.
struct Score {
  double loss = 0.0;
  std::vector<double> metrics;
};

struct ConfigurationRecord {
  std::vector<UnitRecord> units;
  bool has_diverged = false;
  std::vector<double> elapsed;    ///< seconds from the run's start, per evaluated iteration
  std::vector<Score> training;    ///< per evaluated iteration
  std::vector<Score> validation;  ///< the same; empty without a validation table
};

struct RunShape {
  int training_segments = 1;
  int validation_segments = 0;
  std::vector<std::int32_t> evaluated_iterations;
  std::size_t metric_count_of(ConfigurationKey key) const { return metric_counts.at(key); }
  std::map<ConfigurationKey, std::size_t> metric_counts;
};

class RunRecord {
 public:
  RunRecord(RunShape shape, std::int64_t started_us);

  /// Bytes moved into the trainer before the first unit, and how long that took.
  void fed(std::int64_t bytes, double seconds);
  /// Adds a unit; scores its iteration when it was the last evaluation owed. Returns true where the configuration has
  /// diverged by this unit and must be retired.
  bool add(const UnitRecord& unit);
  /// Scores that never came are not a number.
  void finish(std::int64_t ended_us, int slots);

  const std::map<ConfigurationKey, ConfigurationRecord>& configurations() const { return configurations_; }
  const ConfigurationRecord& of(ConfigurationKey key) const { return configurations_.at(key); }

  /// Iterations that every configuration still in the run has finished.
  std::int32_t completed_iterations() const;

  std::int64_t started_us() const { return started_us_; }
  std::int64_t ended_us() const { return ended_us_; }
  double elapsed_seconds() const { return static_cast<double>(ended_us_ - started_us_) * 1e-6; }
  int slots() const { return slots_; }
  std::int64_t feed_bytes() const { return feed_bytes_; }
  double feed_seconds() const { return feed_seconds_; }
  double makespan_seconds() const;     ///< from the first unit's start to the last one's end
  double lower_bound_seconds() const;  ///< no schedule of the same units on the same slots is shorter

 private:
  bool is_iteration_done(const ConfigurationRecord& configuration, std::int32_t iteration) const;
  bool score(ConfigurationKey key, std::int32_t iteration, std::int64_t at_us);

  RunShape shape_;
  std::map<ConfigurationKey, ConfigurationRecord> configurations_;
  std::int64_t started_us_;
  std::int64_t ended_us_ = 0;
  int slots_ = 1;
  std::int64_t feed_bytes_ = 0;
  double feed_seconds_ = 0.0;
};

}  // namespace modelhop::server
