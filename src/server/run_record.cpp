// SPDX-License-Identifier: Apache-2.0
#include "server/run_record.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace modelhop::server {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

Score missing_score(std::size_t metrics) {
  return {kNotANumber, std::vector<double>(metrics, kNotANumber)};
}

/// Evaluations of several segments add up: means over all their examples.
Score total(const std::vector<UnitRecord>& units, UnitKind kind, std::int32_t iteration, std::size_t metrics) {
  Score score{0.0, std::vector<double>(metrics, 0.0)};
  // In the order of the segments, so that rounding does not depend on which evaluation ended first.
  std::vector<const UnitRecord*> parts;
  for (const UnitRecord& record : units) {
    if (record.unit.kind == kind && record.unit.iteration == iteration) parts.push_back(&record);
  }
  std::sort(parts.begin(), parts.end(),
            [](const UnitRecord* a, const UnitRecord* b) { return a->unit.segment < b->unit.segment; });
  std::int64_t examples = 0;
  double penalty = 0.0;
  for (const UnitRecord* part : parts) {
    examples += part->examples;
    score.loss += part->loss * static_cast<double>(part->examples);
    penalty = part->penalty;
    for (std::size_t i = 0; i < metrics && i < part->metric_sums.size(); ++i) score.metrics[i] += part->metric_sums[i];
  }
  if (examples == 0) return missing_score(metrics);
  score.loss = score.loss / static_cast<double>(examples) + penalty;
  for (double& metric : score.metrics) metric /= static_cast<double>(examples);
  return score;
}

/// Iterations end in their order, so the units of the one that is asked for stand near the end.
int count_units(const ConfigurationRecord& configuration, UnitKind kind, std::int32_t iteration) {
  int count = 0;
  for (auto record = configuration.units.rbegin(); record != configuration.units.rend(); ++record) {
    if (record->unit.iteration < iteration) break;
    if (record->unit.kind == kind && record->unit.iteration == iteration) ++count;
  }
  return count;
}

}  // namespace

RunRecord::RunRecord(RunShape shape, std::int64_t started_us) : shape_(std::move(shape)), started_us_(started_us) {
  for (const auto& [key, metrics] : shape_.metric_counts) configurations_.emplace(key, ConfigurationRecord{});
}

bool RunRecord::is_iteration_done(const ConfigurationRecord& configuration, std::int32_t iteration) const {
  if (count_units(configuration, UnitKind::kTrain, iteration) < shape_.training_segments) return false;
  const auto& evaluated = shape_.evaluated_iterations;
  if (!std::binary_search(evaluated.begin(), evaluated.end(), iteration)) return true;
  return count_units(configuration, UnitKind::kEvaluateTraining, iteration) == shape_.training_segments &&
         count_units(configuration, UnitKind::kEvaluateValidation, iteration) == shape_.validation_segments;
}

bool RunRecord::score(ConfigurationKey key, std::int32_t iteration, std::int64_t at_us) {
  ConfigurationRecord& configuration = configurations_.at(key);
  const std::size_t metrics = shape_.metric_count_of(key);
  configuration.elapsed.push_back(static_cast<double>(at_us - started_us_) * 1e-6);
  configuration.training.push_back(total(configuration.units, UnitKind::kEvaluateTraining, iteration, metrics));
  if (shape_.validation_segments > 0) {
    configuration.validation.push_back(total(configuration.units, UnitKind::kEvaluateValidation, iteration, metrics));
  }
  return std::isfinite(configuration.training.back().loss);
}

bool RunRecord::add(const UnitRecord& record) {
  ConfigurationRecord& configuration = configurations_.at(record.unit.configuration);
  configuration.units.push_back(record);
  if (configuration.has_diverged) return false;
  bool is_finite = !record.has_diverged;
  if (is_finite && record.unit.kind != UnitKind::kTrain && is_iteration_done(configuration, record.unit.iteration)) {
    is_finite = score(record.unit.configuration, record.unit.iteration, record.ended_us);
  }
  configuration.has_diverged = !is_finite;
  return !is_finite;
}

void RunRecord::fed(std::int64_t bytes, double seconds) {
  feed_bytes_ = bytes;
  feed_seconds_ = seconds;
}

void RunRecord::finish(std::int64_t ended_us, int slots) {
  ended_us_ = ended_us;
  slots_ = slots;
  for (auto& [key, configuration] : configurations_) {
    while (configuration.training.size() < shape_.evaluated_iterations.size()) {
      configuration.elapsed.push_back(elapsed_seconds());
      configuration.training.push_back(missing_score(shape_.metric_count_of(key)));
      if (shape_.validation_segments > 0) {
        configuration.validation.push_back(missing_score(shape_.metric_count_of(key)));
      }
    }
  }
}

std::int32_t RunRecord::completed_iterations() const {
  std::int32_t least = std::numeric_limits<std::int32_t>::max();
  for (const auto& [key, configuration] : configurations_) {
    if (configuration.has_diverged) continue;
    std::int32_t done = configuration.units.empty() ? 0 : configuration.units.back().unit.iteration;
    if (done > 0 && !is_iteration_done(configuration, done)) --done;
    least = std::min(least, done);
  }
  return least == std::numeric_limits<std::int32_t>::max() ? 0 : least;
}

double RunRecord::makespan_seconds() const {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  std::int64_t last = std::numeric_limits<std::int64_t>::min();
  for (const auto& [key, configuration] : configurations_) {
    for (const UnitRecord& record : configuration.units) {
      first = std::min(first, record.started_us);
      last = std::max(last, record.ended_us);
    }
  }
  return last < first ? 0.0 : static_cast<double>(last - first) * 1e-6;
}

double RunRecord::lower_bound_seconds() const {
  // A configuration trains one unit at a time; the evaluations of one iteration may share all slots.
  double busy = 0.0;
  std::vector<double> chains;
  for (const auto& [key, configuration] : configurations_) {
    double chain = 0.0;
    std::map<std::int32_t, std::pair<double, double>> evaluations;  // total and longest of an iteration
    for (const UnitRecord& record : configuration.units) {
      busy += record.seconds();
      if (record.unit.kind == UnitKind::kTrain) {
        chain += record.seconds();
        continue;
      }
      auto& [sum, longest] = evaluations[record.unit.iteration];
      sum += record.seconds();
      longest = std::max(longest, record.seconds());
    }
    for (const auto& [iteration, times] : evaluations) chain += std::max(times.first / slots_, times.second);
    chains.push_back(chain);
  }
  return std::max(busy / slots_, makespan_lower_bound(chains, slots_));
}

}  // namespace modelhop::server
