// SPDX-License-Identifier: Apache-2.0
// A run whose data does not stay in the trainer: one scan of a segment serves all configurations that owe it a visit.
#include <map>
#include <memory>
#include <vector>

#include "server/average_run.hpp"
#include "server/bridge.hpp"
#include "server/coordinator.hpp"
#include "server/segment_feed.hpp"

namespace modelhop::server {
namespace {

/// Rounds: in each, every configuration that owes an iteration trains on all segments and is evaluated. All visit the
/// segments in one order, each in its own iteration; what a search adds or lets go on joins the next round.
class StreamedRun {
 public:
  StreamedRun(TrainerClient& trainer, const RunPlan& plan, RunDirector& director)
      : trainer_(trainer), plan_(plan), director_(director) {
    open(plan.training, wire::TableKind_Training, training_);
    if (plan.validation) open(*plan.validation, wire::TableKind_Validation, validation_);
  }

  void run() {
    for (begin_round(); !iterations_.empty(); begin_round()) {
      for (std::size_t segment = 0; segment < training_.size(); ++segment) train(segment);
      for (std::size_t segment = 0; segment < training_.size(); ++segment) {
        evaluate(*training_[segment], UnitKind::kEvaluateTraining, segment);
      }
      for (std::size_t segment = 0; segment < validation_.size(); ++segment) {
        evaluate(*validation_[segment], UnitKind::kEvaluateValidation, segment);
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

  void begin_round() {
    for (const auto& [key, iteration] : iterations_) had_[key] = iteration;
    iterations_.clear();
    for (const ConfigurationPlan& configuration : plan_.configurations) {
      const std::int32_t next = had_[configuration.key] + 1;
      if (next <= configuration.iterations() && !director_.is_retired(configuration.key)) {
        iterations_.emplace(configuration.key, next);
      }
    }
  }

  bool is_evaluated(ConfigurationKey key, std::int32_t iteration) const {
    return !director_.is_retired(key) && plan_.is_evaluated(plan_.configuration(key), iteration);
  }

  SegmentStream::Item item(std::uint64_t number, const Unit& unit) const {
    return {number, unit.configuration, unit.kind != UnitKind::kTrain, unit.iteration + plan_.first_iteration - 1};
  }

  /// A unit keeps its number over its passes; their results add up to one record.
  void train(std::size_t segment) {
    std::map<std::uint64_t, UnitRecord> units;
    std::map<ConfigurationKey, std::uint64_t> numbers;
    for (int pass = 0;; ++pass) {
      std::vector<SegmentStream::Item> items;
      for (const auto& [key, iteration] : iterations_) {
        if (pass >= plan_.configuration(key).train.passes() || director_.is_retired(key)) continue;
        const auto number = numbers.try_emplace(key, last_unit_ + 1);
        if (number.second) ++last_unit_;
        UnitRecord& record = units[number.first->second];
        record.unit = {key, UnitKind::kTrain, static_cast<std::int32_t>(segment), iteration};
        items.push_back(item(number.first->second, record.unit));
        items.back().configuration = plan_.state_key(plan_.configuration(key), segment);
      }
      if (items.empty()) break;
      scan(*training_[segment], pass, items, units);
    }
    // Before the units are settled: callbacks look at the iteration's end as soon as its last unit is.
    if (plan_.is_averaged && segment + 1 == training_.size()) average_copies(trainer_, plan_);
    settle(units);
  }

  void evaluate(SegmentStream& stream, UnitKind kind, std::size_t segment) {
    std::map<std::uint64_t, UnitRecord> units;
    std::vector<SegmentStream::Item> items;
    for (const auto& [key, iteration] : iterations_) {
      if (!is_evaluated(key, iteration)) continue;
      UnitRecord& record = units[++last_unit_];
      record.unit = {key, kind, static_cast<std::int32_t>(segment), iteration};
      items.push_back(item(last_unit_, record.unit));
    }
    if (items.empty()) return;
    scan(stream, 0, items, units);
    settle(units);
  }

  void scan(SegmentStream& stream, int pass, const std::vector<SegmentStream::Item>& items,
            std::map<std::uint64_t, UnitRecord>& units) {
    stream.scan(pass, items);
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
    for (const auto& [number, unit] : units) director_.finished(unit);
  }

  TrainerClient& trainer_;
  const RunPlan& plan_;
  RunDirector& director_;
  Streams training_;
  Streams validation_;
  std::map<ConfigurationKey, std::int32_t> iterations_;  ///< of this round, by configuration
  std::map<ConfigurationKey, std::int32_t> had_;         ///< iterations in former rounds
  std::uint64_t last_unit_ = 0;
};

}  // namespace

void run_streamed(TrainerClient& trainer, const RunPlan& plan, RunDirector& director) {
  StreamedRun(trainer, plan, director).run();
}

}  // namespace modelhop::server
