// SPDX-License-Identifier: Apache-2.0
#include "server/run_record.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace modelhop::server {
namespace {

// Iterations end in their order, so the units of one that has just ended stand at the end.

/// The evaluations of an iteration in the order of the segments, so that rounding does not depend on which ended first.
std::vector<const EvaluatedSums*> evaluations(const std::vector<UnitRecord>& units, UnitKind kind,
                                              std::int32_t iteration) {
  std::vector<const UnitRecord*> parts;
  for (auto record = units.rbegin(); record != units.rend() && record->unit.iteration >= iteration; ++record) {
    if (record->unit.kind == kind && record->unit.iteration == iteration) parts.push_back(&*record);
  }
  std::sort(parts.begin(), parts.end(),
            [](const UnitRecord* a, const UnitRecord* b) { return a->unit.segment < b->unit.segment; });
  std::vector<const EvaluatedSums*> sums;
  for (const UnitRecord* part : parts) sums.push_back(&part->sums);
  return sums;
}

int count_units(const ConfigurationRecord& configuration, UnitKind kind, std::int32_t iteration) {
  int count = 0;
  for (auto record = configuration.units.rbegin(); record != configuration.units.rend(); ++record) {
    if (record->unit.iteration < iteration) break;
    if (record->unit.kind == kind && record->unit.iteration == iteration) ++count;
  }
  return count;
}

}  // namespace

const ScoredIteration* ConfigurationRecord::scored(std::int32_t iteration) const {
  const auto found = std::lower_bound(scores.begin(), scores.end(), iteration,
                                      [](const ScoredIteration& a, std::int32_t b) { return a.iteration < b; });
  return found == scores.end() || found->iteration != iteration ? nullptr : &*found;
}

const ScoredIteration* ConfigurationRecord::final_scores() const {
  if (weights_iteration) return scored(*weights_iteration);
  return scores.empty() ? nullptr : &scores.back();
}

RunRecord::RunRecord(RunShape shape, std::int64_t started_us) : shape_(std::move(shape)), started_us_(started_us) {
  for (const auto& [key, expected] : shape_.configurations) configurations_.emplace(key, ConfigurationRecord{});
}

void RunRecord::expect(ConfigurationKey key, ConfigurationShape shape) {
  shape_.configurations.insert_or_assign(key, std::move(shape));
  configurations_.try_emplace(key);
}

bool RunRecord::is_evaluated(ConfigurationKey key, std::int32_t iteration) const {
  const auto& evaluated = shape_.configurations.at(key).evaluated_iterations;
  return std::binary_search(evaluated.begin(), evaluated.end(), iteration);
}

bool RunRecord::is_iteration_done(ConfigurationKey key, std::int32_t iteration) const {
  const ConfigurationRecord& configuration = configurations_.at(key);
  if (count_units(configuration, UnitKind::kTrain, iteration) < shape_.training_segments) return false;
  if (!is_evaluated(key, iteration)) return true;
  return count_units(configuration, UnitKind::kEvaluateTraining, iteration) == shape_.training_segments &&
         count_units(configuration, UnitKind::kEvaluateValidation, iteration) == shape_.validation_segments;
}

bool RunRecord::score(ConfigurationKey key, std::int32_t iteration, std::int64_t at_us) {
  ConfigurationRecord& configuration = configurations_.at(key);
  const Scoring& scoring = scoring_of(key);
  ScoredIteration scored;
  scored.iteration = iteration;
  scored.elapsed = static_cast<double>(at_us - started_us_) * 1e-6;
  scored.training = scoring.score(evaluations(configuration.units, UnitKind::kEvaluateTraining, iteration));
  if (shape_.validation_segments > 0) {
    scored.validation = scoring.score(evaluations(configuration.units, UnitKind::kEvaluateValidation, iteration));
  }
  // The scores are all that is asked for later, and sums may be millions.
  for (auto record = configuration.units.rbegin(); record != configuration.units.rend(); ++record) {
    if (record->unit.iteration < iteration) break;
    record->sums = {};
  }
  const bool is_finite = std::isfinite(scored.training.loss) || shape_.training_segments == 0;
  configuration.scores.push_back(std::move(scored));
  return is_finite;
}

UnitOutcome RunRecord::add(const UnitRecord& record) {
  const ConfigurationKey key = record.unit.configuration;
  ConfigurationRecord& configuration = configurations_.at(key);
  configuration.units.push_back(record);
  if (configuration.has_diverged) return UnitOutcome::kGoesOn;
  bool is_finite = !record.has_diverged;
  const bool has_ended = is_finite && is_iteration_done(key, record.unit.iteration);
  if (has_ended && is_evaluated(key, record.unit.iteration)) {
    is_finite = score(key, record.unit.iteration, record.ended_us);
  }
  configuration.has_diverged = !is_finite;
  if (!is_finite) return UnitOutcome::kDiverged;
  return has_ended ? UnitOutcome::kIterationEnded : UnitOutcome::kGoesOn;
}

void RunRecord::fed(std::int64_t bytes, double seconds) {
  feed_bytes_ = bytes;
  feed_seconds_ = seconds;
}

void RunRecord::finish(std::int64_t ended_us, int slots) {
  ended_us_ = ended_us;
  slots_ = slots;
}

std::int32_t RunRecord::finished_iterations(ConfigurationKey key) const {
  const std::vector<UnitRecord>& units = configurations_.at(key).units;
  if (units.empty()) return 0;
  const std::int32_t last = units.back().unit.iteration;
  return is_iteration_done(key, last) ? last : last - 1;
}

std::int64_t RunRecord::total_iterations() const {
  std::int64_t total = 0;
  for (const auto& [key, configuration] : configurations_) total += finished_iterations(key);
  return total;
}

std::int32_t RunRecord::completed_iterations() const {
  std::int32_t least = std::numeric_limits<std::int32_t>::max();
  for (const auto& [key, configuration] : configurations_) {
    if (configuration.is_retired()) continue;
    least = std::min(least, finished_iterations(key));
  }
  return least == std::numeric_limits<std::int32_t>::max() ? 0 : least;
}

std::int64_t RunRecord::first_start_us() const {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  for (const auto& [key, configuration] : configurations_) {
    for (const UnitRecord& record : configuration.units) first = std::min(first, record.started_us);
  }
  return first;
}

double RunRecord::makespan_seconds() const {
  const std::int64_t first = first_start_us();
  std::int64_t last = std::numeric_limits<std::int64_t>::min();
  for (const auto& [key, configuration] : configurations_) {
    for (const UnitRecord& record : configuration.units) last = std::max(last, record.ended_us);
  }
  return last < first ? 0.0 : static_cast<double>(last - first) * 1e-6;
}

double RunRecord::lower_bound_seconds() const {
  const std::int64_t first = first_start_us();
  double bound = lower_bound_from(0);
  for (const auto& [segment, at_us] : arrivals_) {
    if (at_us <= first) continue;
    bound = std::max(bound, static_cast<double>(at_us - first) * 1e-6 + lower_bound_from(at_us));
  }
  return bound;
}

/// Of the units that could not start before: their segment came then or later, or one that their configuration had to
/// train on before.
double RunRecord::lower_bound_from(std::int64_t at_us) const {
  // A configuration trains one unit at a time, or a copy on each segment; the evaluations of one iteration may share
  // all slots.
  double busy = 0.0;
  std::vector<double> chains;
  for (const auto& [key, configuration] : configurations_) {
    double chain = 0.0;
    bool is_late = false;
    std::map<std::pair<std::int32_t, bool>, std::pair<double, double>> phases;  // total and longest of an iteration's
    for (const UnitRecord& record : configuration.units) {
      const bool is_training = record.unit.kind == UnitKind::kTrain;
      const auto arrival = arrivals_.find(segment_of(record.unit));
      const bool comes_late = arrival == arrivals_.end() ? at_us == 0 : arrival->second >= at_us;
      is_late = is_late || (is_training && comes_late);
      if (!is_late && !comes_late) continue;
      busy += record.seconds();
      if (is_training && !shape_.trains_side_by_side) {
        chain += record.seconds();
        continue;
      }
      auto& [sum, longest] = phases[{record.unit.iteration, is_training}];
      sum += record.seconds();
      longest = std::max(longest, record.seconds());
    }
    for (const auto& [phase, times] : phases) chain += std::max(times.first / slots_, times.second);
    chains.push_back(chain);
  }
  return std::max(busy / slots_, makespan_lower_bound(chains, slots_));
}

}  // namespace modelhop::server
