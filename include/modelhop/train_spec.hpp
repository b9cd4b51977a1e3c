// SPDX-License-Identifier: Apache-2.0
// How a configuration trains, as plain values: what compile parameters and fit parameters say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace modelhop {

enum class OptimizerKind : std::uint8_t { kSgd, kRmsprop, kAdam, kAdagrad };

/// Formulas and defaults: Keras optimizers (tf.keras 2.10, `legacy`). A field that a kind does not use is ignored.
struct OptimizerSpec {
  OptimizerKind kind = OptimizerKind::kRmsprop;
  double learning_rate = 0.001;
  double decay = 0.0;  ///< rate at step t (counted from 0): learning_rate / (1 + decay * t)
  double momentum = 0.0;
  bool nesterov = false;
  double rho = 0.9;
  bool centered = false;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
  double initial_accumulator_value = 0.1;

  bool operator==(const OptimizerSpec&) const = default;
};

enum class LossKind : std::uint8_t {
  kCategoricalCrossentropy,
  kSparseCategoricalCrossentropy,
  kBinaryCrossentropy,
  kMeanSquaredError,
  kMeanAbsoluteError,
};

struct LossSpec {
  LossKind kind = LossKind::kCategoricalCrossentropy;
  std::string name;  ///< Keras's snake_case name
  bool from_logits = false;
  double label_smoothing = 0.0;

  bool operator==(const LossSpec&) const = default;
};

enum class MetricKind : std::uint8_t {
  kAccuracy,  ///< "accuracy"/"acc": which accuracy depends on the shapes, as in tf.keras 2
  kBinaryAccuracy,
  kCategoricalAccuracy,
  kSparseCategoricalAccuracy,
  kTopKCategoricalAccuracy,
  kSparseTopKCategoricalAccuracy,
  kMeanSquaredError,
  kMeanAbsoluteError,
  kCategoricalCrossentropy,
  kSparseCategoricalCrossentropy,
  kBinaryCrossentropy,
};

struct MetricSpec {
  MetricKind kind = MetricKind::kAccuracy;
  std::string name;  ///< as the user wrote it, without quotes: shown in metrics_type
  int k = 5;         ///< top-k metrics
  bool operator==(const MetricSpec&) const = default;
};

/// The order of examples in a unit. See TrainUnit in engine.hpp.
enum class Shuffle : std::uint8_t { kSegment, kBuffer, kNone };

struct TrainSpec {
  OptimizerSpec optimizer;
  LossSpec loss;
  std::vector<MetricSpec> metrics;
  int batch_size = 32;
  int epochs = 1;                  ///< passes over the segment in one unit
  std::optional<Shuffle> shuffle;  ///< from fit parameters; wins over the call's setting
};

}  // namespace modelhop
