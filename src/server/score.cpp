// SPDX-License-Identifier: Apache-2.0
#include "server/score.hpp"

#include <limits>
#include <span>

#include "server/value_text.hpp"

namespace modelhop::server {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

void add(std::vector<double>& to, const std::vector<double>& from) {
  for (std::size_t i = 0; i < to.size() && i < from.size(); ++i) to[i] += from[i];
}

}  // namespace

Scoring::Scoring(const ModelSpec& model, const TrainSpec& train) : metrics_(train.metrics) {
  if (model.outputs.size() > 1) output_names_ = model.output_names;
  for (const MetricSpec& metric : metrics_) {
    const Shape& shape = model.output_shape(static_cast<std::size_t>(metric.output_index));
    columns_.push_back(shape.empty() ? 1 : shape.back());
  }
}

std::vector<std::string> Scoring::metric_names() const {
  std::vector<std::string> names;
  for (const MetricSpec& metric : metrics_) names.push_back(metric.name);
  return names;
}

std::vector<std::string> Scoring::names() const {
  std::vector<std::string> names{"loss"};
  for (const std::string& output : output_names_) names.push_back(output + "_loss");
  for (const MetricSpec& metric : metrics_) names.push_back(metric.name);
  return names;
}

std::vector<double> Scoring::values(const Score& score) {
  std::vector<double> values{score.loss};
  values.insert(values.end(), score.output_losses.begin(), score.output_losses.end());
  values.insert(values.end(), score.metrics.begin(), score.metrics.end());
  return values;
}

Score Scoring::missing() const {
  return {kNotANumber, std::vector<double>(output_names_.size(), kNotANumber),
          std::vector<double>(metrics_.size(), kNotANumber)};
}

Score Scoring::score(const std::vector<const EvaluatedSums*>& segments) const {
  std::vector<std::size_t> counts;
  std::size_t accumulators = 0;
  for (std::size_t i = 0; i < metrics_.size(); ++i) {
    counts.push_back(accumulator_count(metrics_[i], columns_[i]));
    accumulators += counts.back();
  }
  EvaluatedSums total;
  total.output_losses.resize(output_names_.size());
  total.metrics.resize(accumulators);
  for (const EvaluatedSums* segment : segments) {
    total.examples += segment->examples;
    total.loss += segment->loss;
    total.penalty = segment->penalty;
    add(total.output_losses, segment->output_losses);
    add(total.metrics, segment->metrics);
  }
  if (total.examples == 0) return missing();
  const auto examples = static_cast<double>(total.examples);
  Score score{total.loss / examples + total.penalty, total.output_losses, {}};
  for (double& loss : score.output_losses) loss /= examples;
  std::span<const double> sums = total.metrics;
  for (std::size_t i = 0; i < metrics_.size(); ++i) {
    score.metrics.push_back(metric_value(metrics_[i], sums.first(counts[i]), columns_[i]));
    sums = sums.subspan(counts[i]);
  }
  return score;
}

std::string loss_names_text(const TrainSpec& train) {
  std::string names;
  for (const LossSpec& loss : train.losses) names += (names.empty() ? "" : ", ") + loss.name;
  return names;
}

std::string score_json(const Scoring& scoring, const Score& score) {
  const std::vector<std::string> names = scoring.names();
  const std::vector<double> values = Scoring::values(score);
  std::string json;
  for (std::size_t i = 0; i < names.size(); ++i) {
    json += (json.empty() ? "{" : ", ") + json_text(names[i]) + ": " + json_number_text(values[i]);
  }
  return json + "}";
}

}  // namespace modelhop::server
