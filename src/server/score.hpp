// SPDX-License-Identifier: Apache-2.0
// Losses and metrics over a whole table, made of the sums of its segments, under the names that Keras gives them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "modelhop/model_spec.hpp"
#include "modelhop/train_spec.hpp"

namespace modelhop::server {

/// What an evaluation of some examples counted.
struct EvaluatedSums {
  std::int64_t examples = 0;
  double loss = 0.0;     ///< sum
  double penalty = 0.0;  ///< of the weights, once
  std::vector<double> output_losses;
  std::vector<double> metrics;  ///< accumulators of all metrics
};

/// Values that are not a number were never computed, or are none.
struct Score {
  double loss = 0.0;
  std::vector<double> output_losses;  ///< empty where the model has one output
  std::vector<double> metrics;
};

/// How the sums of one configuration become values.
class Scoring {
 public:
  /// `train` is resolved against the model.
  Scoring(const ModelSpec& model, const TrainSpec& train);

  std::vector<std::string> metric_names() const;
  /// "loss", with several outputs "<output>_loss" of each, and the metrics.
  std::vector<std::string> names() const;
  /// Values in the order of names().
  static std::vector<double> values(const Score& score);

  /// Sums of several segments, in their order, so that rounding is always the same. No examples: a missing score.
  Score score(const std::vector<const EvaluatedSums*>& segments) const;
  Score missing() const;

 private:
  std::vector<MetricSpec> metrics_;
  std::vector<std::int64_t> columns_;      ///< of each metric's output, on its last axis
  std::vector<std::string> output_names_;  ///< empty where the model has one output
};

/// "mse", or of several outputs "mse, mae".
std::string loss_names_text(const TrainSpec& train);

/// {"loss": 0.5, "accuracy": 0.9}; what is not a number is null.
std::string score_json(const Scoring& scoring, const Score& score);

}  // namespace modelhop::server
