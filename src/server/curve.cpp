// SPDX-License-Identifier: Apache-2.0
#include "server/curve.hpp"

#include <vector>

#include "server/value_text.hpp"

namespace modelhop::server {
namespace {

/// One table's scores at the iterations that MADlib's columns have.
struct Series {
  std::vector<double> losses;
  std::vector<double> metrics;

  void add(const Score& score) {
    losses.push_back(score.loss);
    if (!score.metrics.empty()) metrics.push_back(score.metrics.front());
  }
};

std::string scores_json(const RunPlan& plan, const Scoring& scoring, const ConfigurationRecord& own,
                        bool is_validation) {
  std::string json;
  for (const ScoredIteration& scored : own.scores) {
    std::string row = score_json(scoring, is_validation ? *scored.validation : scored.training);
    row.replace(0, 1, "{\"iteration\": " + std::to_string(scored.iteration + plan.first_iteration - 1) + ", ");
    json += (json.empty() ? "[" : ", ") + row;
  }
  return json.empty() ? "[]" : json + "]";
}

Curve curve_of(const Series& series, const Score& final, std::string scores) {
  Curve curve;
  curve.loss_final = number_text(final.loss);
  curve.loss = array_text(series.losses);
  curve.scores = std::move(scores);
  if (final.metrics.empty()) return curve;
  curve.metrics_final = number_text(final.metrics.front());
  curve.metrics = array_text(series.metrics);
  curve.all_final = array_text(final.metrics);
  return curve;
}

}  // namespace

Curves curves_of(const RunPlan& plan, const ConfigurationPlan& configuration, const RunRecord& record) {
  const ConfigurationRecord& own = record.of(configuration.key);
  const Scoring& scoring = record.scoring_of(configuration.key);
  const Score missing = scoring.missing();
  Series training, validation;
  std::vector<double> elapsed;
  for (const std::int32_t iteration : plan.reported_iterations(configuration)) {
    const ScoredIteration* scored = own.scored(iteration);
    if (scored == nullptr && !own.has_diverged) break;
    elapsed.push_back(scored != nullptr ? scored->elapsed : record.elapsed_seconds());
    training.add(scored != nullptr ? scored->training : missing);
    validation.add(scored != nullptr && scored->validation ? *scored->validation : missing);
  }
  // A diverged configuration ends without scores, unless a callback has kept better weights.
  const ScoredIteration* final = own.has_diverged && !own.weights_iteration ? nullptr : own.final_scores();
  Curves curves;
  curves.elapsed = array_text(elapsed);
  curves.training =
      curve_of(training, final != nullptr ? final->training : missing, scores_json(plan, scoring, own, false));
  if (plan.validation) {
    curves.validation = curve_of(validation, final != nullptr && final->validation ? *final->validation : missing,
                                 scores_json(plan, scoring, own, true));
  }
  return curves;
}

}  // namespace modelhop::server
