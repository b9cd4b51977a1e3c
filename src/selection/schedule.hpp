// SPDX-License-Identifier: Apache-2.0
// Which unit runs next: event-driven longest-remaining-processing-time-first, without any barrier.
// Pure decisions: no clock, no threads, no I/O. See docs/architecture.md, "Scheduling".
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
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

/// What a configuration owes. Costs are in any one unit of time; they are only estimates.
struct Work {
  std::int32_t iterations = 1;
  std::vector<double> train_cost;                 ///< per training segment
  std::vector<double> evaluate_training_cost;     ///< per training segment; empty: never evaluated
  std::vector<double> evaluate_validation_cost;   ///< per validation segment; empty: none
  std::vector<std::int32_t> evaluated_iterations; ///< ascending; evaluation follows these iterations
};

struct ScheduleOptions {
  std::uint64_t seed = 0;           ///< ties are broken at random from this seed
  double measured_weight = 0.5;     ///< weight of the newest measurement in the moving average of the cost ratio
};

/// A configuration trains one unit at a time; its evaluations of an iteration may run side by side, and its next
/// iteration begins when they are done. Worker w may run a unit on segment j where holds(w, kind, j).
class Scheduler {
 public:
  using Holds = std::function<bool(int worker, UnitKind kind, std::int32_t segment)>;

  explicit Scheduler(const ScheduleOptions& options, Holds holds = {});

  /// Both may be called while units run. Removing drops what is still owed; a running unit must still be reported.
  void add(ConfigurationKey key, Work work);
  void remove(ConfigurationKey key);

  /// The unit that worker should run now, or none: then ask again after the next finished(), add() or remove().
  std::optional<Unit> next(int worker);

  /// Reports a unit that next() gave out, with its measured time.
  void finished(const Unit& unit, double seconds);

  bool is_done() const;                         ///< nothing owed, nothing running
  double remaining(ConfigurationKey key) const; ///< estimated time still owed

 private:
  struct Configuration;
  // The owner of this room completes the members.
};

/// max over machines of their load and over configurations of their row (Gonzalez and Sahni's open-shop bound): no
/// schedule is shorter. `seconds[i][j]`: total time of configuration i on machine j.
double makespan_lower_bound(const std::vector<std::vector<double>>& seconds);

/// The same where every worker may run every unit: max(total / workers, longest configuration).
double makespan_lower_bound(const std::vector<double>& configuration_seconds, int workers);

}  // namespace modelhop
