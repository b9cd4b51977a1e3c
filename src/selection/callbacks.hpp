// SPDX-License-Identifier: Apache-2.0
// What Keras's callbacks decide at the end of an iteration (what Keras calls an epoch). Pure decisions: who trains
// carries them out.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "modelhop/model_spec.hpp"
#include "modelhop/train_spec.hpp"

namespace modelhop {

/// Losses and metrics of an iteration under the names that monitors use: "loss", "val_accuracy".
using MonitoredScores = std::map<std::string, double>;

/// Whether it looks at losses or metrics, so that each iteration must be evaluated.
bool is_monitor(const CallbackSpec& callback);
/// Whether a copy of the weights is laid aside for it.
bool keeps_weights(const CallbackSpec& callback);

struct CallbackDecision {
  bool stops = false;
  std::string reason;                   ///< the callback that stops
  std::optional<double> learning_rate;  ///< to be set before the next iteration
  std::string rate_reason;              ///< the callback that sets it
  std::vector<int> keeps;               ///< places under which the weights are to be laid aside now
};

/// The callbacks of one configuration in one run. A callback's place is its index in the list.
class Callbacks {
 public:
  /// The rate of a schedule at an iteration that counts from 0.
  using Rate = std::function<double(const ScheduleSpec& schedule, std::int64_t iteration)>;

  /// `specs` are resolved: their monitors are names of scores, their modes not automatic.
  Callbacks(std::vector<CallbackSpec> specs, SemanticsProfile profile, Rate rate);

  /// Before the first iteration. `iteration` counts from 0, over all runs of a warm start.
  std::optional<double> first_rate(std::int64_t iteration) const;

  /// `epoch` counts from 0 within the run, `iteration` from 0 over all runs. `learning_rate` is the one in force.
  CallbackDecision end_iteration(std::int64_t epoch, std::int64_t iteration, const MonitoredScores& scores,
                                 double learning_rate);

  /// After the last iteration, also one that stopped early: the place whose weights the output shall hold.
  std::optional<int> final_weights() const;
  /// The iteration, counted as `epoch` above, whose weights lie at a place.
  std::int64_t kept_epoch(int place) const { return states_[static_cast<std::size_t>(place)].best_epoch; }

 private:
  struct State {
    std::optional<double> best;
    std::int64_t best_epoch = 0;
    std::int64_t wait = 0;
    std::int64_t cooldown = 0;
    bool keeps_weights = false;  ///< something was laid aside
    bool has_stopped = false;
  };

  void stop_early(int place, std::int64_t epoch, double current, CallbackDecision& decision);
  void reduce_rate(int place, double current, double rate, CallbackDecision& decision);
  void keep_best(int place, std::int64_t epoch, double current, CallbackDecision& decision);
  void keep(int place, std::int64_t epoch, CallbackDecision& decision);

  std::vector<CallbackSpec> specs_;
  SemanticsProfile profile_;
  Rate rate_;
  std::vector<State> states_;
};

}  // namespace modelhop
