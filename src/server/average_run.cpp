// SPDX-License-Identifier: Apache-2.0
#include "server/average_run.hpp"

#include <vector>

#include "server/bridge.hpp"
#include "server/coordinator.hpp"

namespace modelhop::server {
namespace {

/// Weights lie in shared memory as the trainer wrote them, float32 in the order of get_weights().
std::vector<float> mean_weights(TrainerClient& trainer, const std::vector<std::int32_t>& keys,
                                const std::vector<PackedSegment>& segments) {
  std::vector<double> sums;
  double rows = 0.0;
  for (std::size_t place = 0; place < keys.size(); ++place) {
    const FetchedState state = get_state(trainer, keys[place], false);
    const auto* weights = reinterpret_cast<const float*>(state.weights().data());
    sums.resize(state.weights().size() / sizeof(float));
    const auto share = static_cast<double>(segments[place].rows);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += share * weights[i];
    rows += share;
  }
  std::vector<float> mean(sums.size());
  for (std::size_t i = 0; i < sums.size(); ++i) mean[i] = static_cast<float>(sums[i] / rows);
  return mean;
}

class AveragedRun {
 public:
  AveragedRun(TrainerClient& trainer, const RunPlan& plan, RunDirector& director)
      : trainer_(trainer), plan_(plan), director_(director), configuration_(plan.configurations.front()) {}

  void run() {
    for (std::int32_t iteration = 1; iteration <= plan_.iterations && !is_retired(); ++iteration) {
      const std::vector<UnitRecord> trained = perform(units(UnitKind::kTrain, plan_.training, iteration));
      // Before the units are settled: callbacks look at the iteration's end as soon as its last unit is.
      average_copies(trainer_, plan_);
      settle(trained);
      if (is_retired() || !plan_.is_evaluated(configuration_, iteration)) continue;
      std::vector<Unit> evaluations = units(UnitKind::kEvaluateTraining, plan_.training, iteration);
      if (plan_.validation) {
        const auto more = units(UnitKind::kEvaluateValidation, *plan_.validation, iteration);
        evaluations.insert(evaluations.end(), more.begin(), more.end());
      }
      settle(perform(evaluations));
    }
  }

 private:
  bool is_retired() const { return director_.is_retired(configuration_.key); }

  std::vector<Unit> units(UnitKind kind, const PackedTable& table, std::int32_t iteration) const {
    std::vector<Unit> list;
    for (std::int32_t place = 0; place < static_cast<std::int32_t>(table.segments.size()); ++place) {
      list.push_back({configuration_.key, kind, place, iteration});
    }
    return list;
  }

  /// The trainer queues what its slots have no room for. A unit's number is its place in the list.
  std::vector<UnitRecord> perform(const std::vector<Unit>& units) {
    for (std::size_t number = 0; number < units.size(); ++number) {
      UnitRequest request = unit_request(number, units[number], plan_);
      if (units[number].kind == UnitKind::kTrain) {
        request.configuration = plan_.state_key(configuration_, static_cast<std::size_t>(units[number].segment));
      }
      run_unit(trainer_, request);
    }
    std::vector<UnitRecord> records;
    for (std::size_t heard = 0; heard < units.size(); ++heard) {
      const wire::Frame frame = trainer_.wait_event();
      const auto& finished = finished_unit(frame, [](std::uint64_t) { return std::string(); });
      check(finished.unit() < units.size(), "the trainer finished a unit that nobody asked for");
      records.push_back(unit_record(units[finished.unit()], finished));
    }
    return records;
  }

  void settle(const std::vector<UnitRecord>& records) {
    for (const UnitRecord& record : records) director_.finished(record);
  }

  TrainerClient& trainer_;
  const RunPlan& plan_;
  RunDirector& director_;
  const ConfigurationPlan& configuration_;
};

}  // namespace

void begin_copies(TrainerClient& trainer, const RunPlan& plan) {
  const ConfigurationPlan& configuration = plan.configurations.front();
  const std::vector<std::int32_t> keys = plan.state_keys(configuration);
  if (keys.size() == 1) return;
  const bool continues = configuration.origin == Origin::kFormerRun && !plan.reset_optimizer;
  const FetchedState first = get_state(trainer, keys.front(), continues);
  for (std::size_t place = 1; place < keys.size(); ++place) {
    set_state(trainer, keys[place], first.weights(), first.training_state());
  }
}

void average_copies(TrainerClient& trainer, const RunPlan& plan) {
  const std::vector<std::int32_t> keys = plan.state_keys(plan.configurations.front());
  if (keys.size() == 1) return;
  const std::vector<float> mean = mean_weights(trainer, keys, plan.training.segments);
  for (const std::int32_t key : keys) {
    const FetchedState state = get_state(trainer, key, true);
    set_state(trainer, key, std::as_bytes(std::span(mean)), state.training_state());
  }
}

void run_averaged(TrainerClient& trainer, const RunPlan& plan, RunDirector& director) {
  AveragedRun(trainer, plan, director).run();
}

}  // namespace modelhop::server
