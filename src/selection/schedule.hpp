// SPDX-License-Identifier: Apache-2.0
// Which unit runs next: event-driven longest-remaining-processing-time-first, without any barrier.
// Pure decisions: no clock, no threads, no I/O. See docs/architecture.md, "Scheduling".
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace modelhop {

using ConfigurationKey = std::int32_t;  ///< mst_key

enum class UnitKind : std::uint8_t { kTrain, kEvaluateTraining, kEvaluateValidation };

/// `segment` counts from 0 within the training or the validation segments, `iteration` from 1.
struct Unit {
  ConfigurationKey configuration = 0;
  UnitKind kind = UnitKind::kTrain;
  std::int32_t segment = 0;
  std::int32_t iteration = 0;
  bool operator==(const Unit&) const = default;
};

/// A segment of the training or of the validation table, counted as in a unit.
struct SegmentPlace {
  bool is_validation = false;
  std::int32_t segment = 0;
  auto operator<=>(const SegmentPlace&) const = default;
};
inline SegmentPlace segment_of(const Unit& unit) {
  return {unit.kind == UnitKind::kEvaluateValidation, unit.segment};
}

/// What a configuration owes. Costs are estimates in any one unit (FLOPs, say): measured times correct them.
struct Work {
  std::int32_t iterations = 1;
  std::vector<double> train_cost;                  ///< per training segment
  std::vector<double> evaluate_training_cost;      ///< per training segment; empty: never evaluated there
  std::vector<double> evaluate_validation_cost;    ///< per validation segment; empty: none
  std::vector<std::int32_t> evaluated_iterations;  ///< ascending; evaluation follows these iterations
  std::int32_t horizon =
      0;  ///< extend() may ask for as many in the end: in the choice of the longest they count as owed
};

struct ScheduleOptions {
  std::uint64_t seed = 0;            ///< orders a configuration's segments where a worker holds several
  std::int32_t first_iteration = 1;  ///< what iteration 1 counts as there, so that a continued run goes on in its order
  double measured_weight = 0.5;      ///< weight of the newest measurement in a configuration's moving average
};

/// A configuration trains one unit at a time; its evaluations of an iteration may run side by side, and its next
/// iteration begins when they are done. Ties go to the lowest key: with one segment a worker and equal costs that
/// makes the Latin square i xor j, which wastes nothing where the number of workers is a power of two.
/// A worker may be left idle, until the configuration with the most work left comes to it, where that costs nothing.
class Scheduler {
 public:
  /// Whether a worker has a segment. Empty: every worker has all.
  using Holds = std::function<bool(int worker, UnitKind kind, std::int32_t segment)>;

  explicit Scheduler(const ScheduleOptions& options = {}, Holds holds = {});

  /// All three may be called while units run. Removing drops what is still owed; a running unit must still be reported.
  void add(ConfigurationKey key, Work work);
  void remove(ConfigurationKey key);
  /// A configuration that was not removed goes on, until it has had `iterations` in all; also where it had finished
  /// what it owed. `evaluated` are the further iterations that evaluation follows.
  void extend(ConfigurationKey key, std::int32_t iterations, const std::vector<std::int32_t>& evaluated);

  /// A segment that comes later: until it has arrived no unit on it is given out. A configuration whose order has it
  /// next waits, so that no order depends on when data comes.
  void await(SegmentPlace segment) { awaited_.insert(segment); }
  void arrived(SegmentPlace segment) { awaited_.erase(segment); }

  /// The unit that the worker should run now, or none: then ask again after the next finished(), add(), remove() or
  /// arrived().
  std::optional<Unit> next(int worker);

  /// Reports a unit that next() gave out, with its measured time.
  void finished(const Unit& unit, double seconds);

  bool is_done() const;                          ///< nothing owed, nothing running
  double remaining(ConfigurationKey key) const;  ///< estimated time still owed, running units included in full
  double remaining_load(int worker) const;       ///< estimated time owed on the segments that worker has

 private:
  struct Configuration {
    Work work;
    std::int32_t iteration = 1;
    std::vector<bool> unvisited;            ///< training segments of this iteration
    std::vector<std::int32_t> visit_order;  ///< of this iteration, where a worker has the choice
    std::vector<Unit> pending_evaluations;
    int running = 0;
    std::optional<Unit> training;  ///< the training unit that runs
    int worker = 0;                ///< where
    double began = 0.0;            ///< since when, in now_
    bool is_removed = false;
    double owed_cost = 0.0;                  ///< of everything not yet finished
    std::optional<double> seconds_per_cost;  ///< measured; empty: the mean of all configurations
  };

  void begin_iteration(ConfigurationKey key, Configuration& configuration);
  void begin_evaluations(ConfigurationKey key, Configuration& configuration);
  void advance(ConfigurationKey key, Configuration& configuration);
  std::optional<Unit> unit_for(int worker, ConfigurationKey key, const Configuration& configuration) const;
  std::optional<std::int32_t> unvisited_segment(int worker, const Configuration& configuration) const;
  bool holds(int worker, UnitKind kind, std::int32_t segment) const;
  bool is_there(const Unit& unit) const { return !awaited_.contains(segment_of(unit)); }
  double seconds_per_cost(const Configuration& configuration) const;
  double time_left(const Configuration& configuration) const;
  double time_to_end(const Configuration& configuration) const;
  bool is_worth_waiting(int worker, double unit_seconds) const;

  ScheduleOptions options_;
  Holds holds_;
  std::map<ConfigurationKey, Configuration> configurations_;  ///< that owe something, or run
  std::map<ConfigurationKey, Configuration> resting_;         ///< finished, until extend()
  std::set<SegmentPlace> awaited_;
  std::set<int> idle_;             ///< workers that got no unit when they last asked
  double now_ = 0.0;               ///< the latest end that measured times tell of; there is no other clock
  double measured_seconds_ = 0.0;  ///< over all finished units
  double measured_cost_ = 0.0;
};

/// No schedule is shorter: max over machines of their load and over configurations of their row (open shop, Gonzalez
/// and Sahni 1976). `seconds[i][j]`: total time of configuration i on machine j.
double makespan_lower_bound(const std::vector<std::vector<double>>& seconds);

/// The same where every worker may run every unit: max(total / workers, longest configuration).
double makespan_lower_bound(const std::vector<double>& configuration_seconds, int workers);

}  // namespace modelhop
