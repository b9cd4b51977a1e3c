// SPDX-License-Identifier: Apache-2.0
// A run whose data does not stay in the trainer: one scan of a segment serves all configurations that owe it a visit.
#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "server/average_run.hpp"
#include "server/bridge.hpp"
#include "server/coordinator.hpp"
#include "server/run_notice.hpp"
#include "server/segment_feed.hpp"
#include "server/trainer_requests.hpp"

namespace modelhop::server {
namespace {

class StreamedRun {
 public:
  StreamedRun(TrainerClient& trainer, const RunPlan& plan, RunRecord& record, CallbackRun& callbacks)
      : trainer_(trainer), plan_(plan), record_(record), callbacks_(callbacks), notice_(plan) {
    open(plan.training, wire::TableKind_Training, training_);
    if (plan.validation) open(*plan.validation, wire::TableKind_Validation, validation_);
  }

  void run() {
    for (std::int32_t iteration = 1; iteration <= plan_.iterations && has_work(); ++iteration) {
      for (std::size_t segment = 0; segment < training_.size(); ++segment) train(iteration, segment);
      for (std::size_t segment = 0; segment < training_.size(); ++segment) {
        evaluate(*training_[segment], {0, UnitKind::kEvaluateTraining, static_cast<std::int32_t>(segment), iteration});
      }
      for (std::size_t segment = 0; segment < validation_.size(); ++segment) {
        evaluate(*validation_[segment],
                 {0, UnitKind::kEvaluateValidation, static_cast<std::int32_t>(segment), iteration});
      }
    }
  }

 private:
  using Streams = std::vector<std::unique_ptr<SegmentStream>>;

  void open(const PackedTable& table, wire::TableKind kind, Streams& streams) {
    for (const PackedSegment& segment : table.segments) {
      streams.push_back(
          std::make_unique<SegmentStream>(trainer_, table, SegmentShare{kind, segment.number, table.num_segments}));
    }
  }

  bool is_active(const ConfigurationPlan& configuration) const { return !record_.of(configuration.key).is_retired(); }

  bool is_evaluated(const ConfigurationPlan& configuration, std::int32_t iteration) const {
    const auto evaluated = plan_.evaluated_iterations(configuration);
    return is_active(configuration) && std::binary_search(evaluated.begin(), evaluated.end(), iteration);
  }

  bool has_work() const {
    return std::any_of(plan_.configurations.begin(), plan_.configurations.end(),
                       [this](const ConfigurationPlan& configuration) { return is_active(configuration); });
  }

  /// A unit keeps its number over its passes; their results add up to one record.
  void train(std::int32_t iteration, std::size_t segment) {
    std::map<std::uint64_t, UnitRecord> units;
    std::map<ConfigurationKey, std::uint64_t> numbers;
    for (int pass = 0;; ++pass) {
      std::vector<SegmentStream::Item> items;
      for (const ConfigurationPlan& configuration : plan_.configurations) {
        if (pass >= configuration.train.epochs || !is_active(configuration)) continue;
        const auto number = numbers.try_emplace(configuration.key, last_unit_ + 1);
        if (number.second) ++last_unit_;
        UnitRecord& record = units[number.first->second];
        record.unit = {configuration.key, UnitKind::kTrain, static_cast<std::int32_t>(segment), iteration};
        items.push_back({number.first->second, plan_.state_key(configuration, segment), false});
      }
      if (items.empty()) break;
      scan(*training_[segment], iteration, pass, items, units);
    }
    // Before the units are settled: callbacks look at the iteration's end as soon as its last unit is.
    if (plan_.is_averaged && segment + 1 == training_.size()) average_copies(trainer_, plan_);
    settle(units);
  }

  void evaluate(SegmentStream& stream, const Unit& prototype) {
    std::map<std::uint64_t, UnitRecord> units;
    std::vector<SegmentStream::Item> items;
    for (const ConfigurationPlan& configuration : plan_.configurations) {
      if (!is_evaluated(configuration, prototype.iteration)) continue;
      UnitRecord& record = units[++last_unit_];
      record.unit = prototype;
      record.unit.configuration = configuration.key;
      items.push_back({last_unit_, configuration.key, true});
    }
    if (items.empty()) return;
    scan(stream, prototype.iteration, 0, items, units);
    settle(units);
  }

  void scan(SegmentStream& stream, std::int32_t iteration, int pass, const std::vector<SegmentStream::Item>& items,
            std::map<std::uint64_t, UnitRecord>& units) {
    stream.scan(iteration + plan_.first_iteration - 1, pass, items);
    for (std::size_t answers = 0; answers < items.size(); ++answers) {
      const wire::Frame frame = trainer_.wait_event();
      const auto& finished = finished_unit(frame, [&](std::uint64_t number) { return subject(units, number); });
      const auto place = units.find(finished.unit());
      check(place != units.end(), "the trainer finished a unit that nobody asked for");
      merge(place->second, unit_record(place->second.unit, finished));
    }
  }

  std::string subject(const std::map<std::uint64_t, UnitRecord>& units, std::uint64_t number) const {
    const auto place = units.find(number);
    return plan_.is_single || place == units.end() ? std::string()
                                                   : "mst_key " + std::to_string(place->second.unit.configuration);
  }

  static void merge(UnitRecord& whole, const UnitRecord& part) {
    if (whole.ended_us == 0) {
      whole = part;
      return;
    }
    const std::int64_t examples = whole.examples + part.examples;
    if (examples > 0) {
      whole.loss = (whole.loss * static_cast<double>(whole.examples) + part.loss * static_cast<double>(part.examples)) /
                   static_cast<double>(examples);
    }
    whole.examples = examples;
    whole.steps += part.steps;
    whole.learning_rate = part.learning_rate;
    whole.ended_us = part.ended_us;
    whole.has_diverged = whole.has_diverged || part.has_diverged;
  }

  void settle(const std::map<std::uint64_t, UnitRecord>& units) {
    for (const auto& [number, unit] : units) {
      const UnitOutcome outcome = record_.add(unit);
      const bool retires = outcome == UnitOutcome::kDiverged ||
                           (outcome == UnitOutcome::kIterationEnded &&
                            callbacks_.iteration_ended(unit.unit.configuration, unit.unit.iteration));
      if (retires) notice_.retired(record_, unit.unit.configuration);
    }
    notice_.progressed(record_);
  }

  TrainerClient& trainer_;
  const RunPlan& plan_;
  RunRecord& record_;
  CallbackRun& callbacks_;
  RunNotice notice_;
  Streams training_;
  Streams validation_;
  std::uint64_t last_unit_ = 0;
};

}  // namespace

void run_streamed(TrainerClient& trainer, const RunPlan& plan, RunRecord& record, CallbackRun& callbacks) {
  StreamedRun(trainer, plan, record, callbacks).run();
}

}  // namespace modelhop::server
