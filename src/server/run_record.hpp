// SPDX-License-Identifier: Apache-2.0
// What happened in a run: the units of each configuration and its losses and metrics.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "selection/schedule.hpp"
#include "server/score.hpp"

namespace modelhop::server {

/// One finished unit; times in microseconds since 1970.
struct UnitRecord {
  Unit unit;  ///< its iteration counts from 1 within the run
  int slot = 0;
  std::int64_t started_us = 0;
  std::int64_t ended_us = 0;
  std::int64_t steps = 0;
  std::int64_t examples = 0;
  double loss = 0.0;           ///< mean training loss, or the mean loss of an evaluation
  EvaluatedSums sums;          ///< of an evaluation
  double learning_rate = 0.0;  ///< of a training: the optimizer's base rate
  bool has_diverged = false;

  double seconds() const { return static_cast<double>(ended_us - started_us) * 1e-6; }
};

/// Scores after an iteration.
struct ScoredIteration {
  std::int32_t iteration = 0;
  double elapsed = 0.0;  ///< seconds from the run's start
  Score training;
  std::optional<Score> validation;  ///< empty without a validation table
};

/// What a callback did at an iteration's end.
struct CallbackEvent {
  std::int32_t iteration = 0;  ///< 0: before the first one
  std::string callback;
  std::optional<double> learning_rate;  ///< set from then on; empty: it stopped the configuration
};

struct ConfigurationRecord {
  std::vector<UnitRecord> units;
  bool has_diverged = false;
  std::optional<std::int32_t> stopped_iteration;  ///< a callback stopped it after this one
  std::optional<std::int32_t> weights_iteration;  ///< the iteration whose weights a callback has kept; empty: the last
  std::vector<ScoredIteration> scores;            ///< in order
  std::vector<CallbackEvent> events;

  bool is_retired() const { return has_diverged || stopped_iteration.has_value(); }
  const ScoredIteration* scored(std::int32_t iteration) const;  ///< null where it was not evaluated
  /// The scores of the weights that are written; null where there are none.
  const ScoredIteration* final_scores() const;
};

/// What is expected of a configuration.
struct ConfigurationShape {
  Scoring scoring;
  std::vector<std::int32_t> evaluated_iterations;  ///< ascending
};

struct RunShape {
  int training_segments = 1;
  int validation_segments = 0;
  bool trains_side_by_side = false;  ///< the trainings of an iteration need not wait for each other
  std::map<ConfigurationKey, ConfigurationShape> configurations;
};

/// What a unit has brought about.
enum class UnitOutcome : std::uint8_t { kGoesOn, kIterationEnded, kDiverged };

class RunRecord {
 public:
  RunRecord(RunShape shape, std::int64_t started_us);

  /// A configuration that joins the run, or goes on with more iterations than it owed.
  void expect(ConfigurationKey key, ConfigurationShape shape);
  /// A segment is in the trainer from then on.
  void arrived(SegmentPlace segment, std::int64_t at_us) { arrivals_[segment] = at_us; }
  /// Bytes moved into the trainer, and how long that took, units running meanwhile.
  void fed(std::int64_t bytes, double seconds);
  /// Adds a unit; scores its iteration when it was the last evaluation owed. A configuration that has diverged by this
  /// unit must be retired.
  UnitOutcome add(const UnitRecord& unit);
  void stopped(ConfigurationKey key, std::int32_t iteration) { configurations_.at(key).stopped_iteration = iteration; }
  void diverged(ConfigurationKey key) { configurations_.at(key).has_diverged = true; }
  void kept_weights(ConfigurationKey key, std::optional<std::int32_t> iteration) {
    configurations_.at(key).weights_iteration = iteration;
  }
  void happened(ConfigurationKey key, CallbackEvent event) {
    configurations_.at(key).events.push_back(std::move(event));
  }
  void finish(std::int64_t ended_us, int slots);

  const std::map<ConfigurationKey, ConfigurationRecord>& configurations() const { return configurations_; }
  const ConfigurationRecord& of(ConfigurationKey key) const { return configurations_.at(key); }
  const Scoring& scoring_of(ConfigurationKey key) const { return shape_.configurations.at(key).scoring; }

  /// Iterations that every configuration still in the run has finished.
  std::int32_t completed_iterations() const;
  /// Iterations that the configurations have finished together.
  std::int64_t total_iterations() const;

  std::int64_t started_us() const { return started_us_; }
  std::int64_t ended_us() const { return ended_us_; }
  double elapsed_seconds() const { return static_cast<double>(ended_us_ - started_us_) * 1e-6; }
  int slots() const { return slots_; }
  std::int64_t feed_bytes() const { return feed_bytes_; }
  double feed_seconds() const { return feed_seconds_; }
  double makespan_seconds() const;  ///< from the first unit's start to the last one's end
  /// No schedule of the same units on the same slots is shorter, with the segments there when they came.
  double lower_bound_seconds() const;

 private:
  bool is_evaluated(ConfigurationKey key, std::int32_t iteration) const;
  std::int32_t finished_iterations(ConfigurationKey key) const;
  bool is_iteration_done(ConfigurationKey key, std::int32_t iteration) const;
  std::int64_t first_start_us() const;
  double lower_bound_from(std::int64_t at_us) const;
  bool score(ConfigurationKey key, std::int32_t iteration, std::int64_t at_us);

  RunShape shape_;
  std::map<ConfigurationKey, ConfigurationRecord> configurations_;
  std::int64_t started_us_;
  std::int64_t ended_us_ = 0;
  int slots_ = 1;
  std::map<SegmentPlace, std::int64_t> arrivals_;
  std::int64_t feed_bytes_ = 0;
  double feed_seconds_ = 0.0;
};

}  // namespace modelhop::server
