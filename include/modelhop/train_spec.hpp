// SPDX-License-Identifier: Apache-2.0
// How a configuration trains, as plain values: what compile parameters and fit parameters say.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "modelhop/expression.hpp"
#include "modelhop/metric.hpp"

namespace modelhop {

/// keras.optimizers.schedules. The step counts completed updates.
struct ScheduleSpec {
  enum class Kind : std::uint8_t {
    kNone,  ///< the optimizer's own learning_rate and decay
    kExponentialDecay,
    kInverseTimeDecay,
    kPolynomialDecay,
    kPiecewiseConstantDecay,
    kCosineDecay,
    kCosineDecayRestarts,
  };
  Kind kind = Kind::kNone;
  double initial_learning_rate = 0.001;
  double decay_steps = 1.0;  ///< CosineDecayRestarts: first_decay_steps
  double decay_rate = 1.0;
  bool staircase = false;
  double end_learning_rate = 0.0001;  ///< PolynomialDecay
  double power = 1.0;
  bool cycle = false;
  std::vector<double> boundaries;  ///< PiecewiseConstantDecay: values[i] holds up to and including boundaries[i]
  std::vector<double> values;
  double alpha = 0.0;  ///< CosineDecay, CosineDecayRestarts: share of the rate that stays
  std::optional<double> warmup_target;
  double warmup_steps = 0.0;
  double t_mul = 2.0;
  double m_mul = 1.0;

  bool operator==(const ScheduleSpec&) const = default;
};

enum class OptimizerKind : std::uint8_t {
  kSgd,
  kRmsprop,
  kAdam,
  kAdamw,
  kAdadelta,
  kAdagrad,
  kAdamax,
  kNadam,
  kFtrl,
  kLion,
  kAdafactor,
};

/// Formulas: Keras's optimizers, of the generation that the profile names. Defaults are filled in for that generation.
/// A field that a kind does not use is ignored.
struct OptimizerSpec {
  OptimizerKind kind = OptimizerKind::kRmsprop;
  double learning_rate = 0.001;
  ScheduleSpec schedule;  ///< wins over learning_rate
  double decay = 0.0;     ///< divides the rate by 1 + decay * updates so far: learning_rate_at() in src/spec
  double momentum = 0.0;
  bool nesterov = false;
  double rho = 0.9;
  bool centered = false;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
  double schedule_decay = 0.004;  ///< Nadam: exponent of its momentum schedule per step; 1 in Keras 3
  double initial_accumulator_value = 0.1;
  double learning_rate_power = -0.5;  ///< Ftrl, with the four that follow
  double l1_regularization_strength = 0.0;
  double l2_regularization_strength = 0.0;
  double l2_shrinkage_regularization_strength = 0.0;
  double beta = 0.0;
  double beta_2_decay = -0.8;  ///< Adafactor, with the four that follow
  double epsilon_1 = 1e-30;
  double epsilon_2 = 1e-3;
  double clip_threshold = 1.0;
  bool relative_step = true;

  // Every kind has these. Their order within a step depends on the profile (Keras generations differ).
  std::optional<double> clip_norm;         ///< per weight (all weights together in Keras 2.2)
  std::optional<double> clip_value;        ///< each element to [-v, v]
  std::optional<double> global_clip_norm;  ///< all weights together
  double weight_decay = 0.0;               ///< decoupled: w -= rate * weight_decay * w before the update
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<std::int64_t> ema_overwrite_frequency;  ///< in steps; empty: at the end of training alone
  std::int64_t gradient_accumulation_steps = 1;

  bool operator==(const OptimizerSpec&) const = default;
};

enum class LossKind : std::uint8_t {
  kCategoricalCrossentropy,
  kSparseCategoricalCrossentropy,
  kBinaryCrossentropy,
  kMeanSquaredError,
  kMeanAbsoluteError,
  kMeanAbsolutePercentageError,
  kMeanSquaredLogarithmicError,
  kHuber,
  kLogCosh,
  kHinge,
  kSquaredHinge,
  kCategoricalHinge,
  kBinaryFocalCrossentropy,
  kCategoricalFocalCrossentropy,
  kKlDivergence,
  kPoisson,
  kCosineSimilarity,
  kDice,
  kTversky,
  kCustom,  ///< LossSpec::expression
};

/// How per-example losses of a batch become one number. kMean is Keras's sum_over_batch_size, whose divisor depends on
/// the profile where there are masks or weights.
enum class LossReduction : std::uint8_t { kMean, kSum, kMeanWithSampleWeight };

struct LossSpec {
  LossKind kind = LossKind::kCategoricalCrossentropy;
  std::string name;  ///< Keras's snake_case name; of a custom function its own
  bool from_logits = false;
  double label_smoothing = 0.0;
  double delta = 1.0;                        ///< Huber
  double gamma = 2.0;                        ///< focal losses; Tversky has 1
  double alpha = 0.25;                       ///< focal losses; Tversky has 0.5
  double beta = 0.5;                         ///< Tversky
  bool apply_class_balancing = false;        ///< BinaryFocalCrossentropy
  std::optional<std::int64_t> ignore_class;  ///< SparseCategoricalCrossentropy
  LossReduction reduction = LossReduction::kMean;
  ExpressionSpec expression;  ///< kCustom

  bool operator==(const LossSpec&) const = default;
};

/// The order of examples in a unit. See TrainUnit in engine.hpp.
enum class Shuffle : std::uint8_t { kSegment, kBuffer, kNone };

/// keras.callbacks, in force for one configuration at its iteration ends (an iteration is what Keras calls an epoch
/// here).
struct CallbackSpec {
  enum class Kind : std::uint8_t {
    kEarlyStopping,
    kReduceLrOnPlateau,
    kLearningRateSchedule,  ///< LearningRateScheduler of a schedule object, by iteration counted from 0
    kTerminateOnNan,
    kKeepBest,  ///< ModelCheckpoint(save_best_only=True): the output holds the best iteration's weights
    kRecorded,  ///< CSVLogger, TensorBoard, History, ProgbarLogger: answered by the output tables
  };
  enum class Mode : std::uint8_t { kAuto, kMin, kMax };
  Kind kind = Kind::kRecorded;
  std::string name;  ///< Keras's class name
  /// "loss", of one of several outputs "<output>_loss", or MetricSpec::name; for validation with "val_" before it.
  std::string monitor = "val_loss";
  Mode mode = Mode::kAuto;  ///< resolved: kMin or kMax
  double min_delta = 0.0;
  std::int64_t patience = 0;
  std::optional<double> baseline;  ///< EarlyStopping; kKeepBest: the value that the first one has to beat
  bool restore_best_weights = false;
  std::int64_t start_from_epoch = 0;
  double factor = 0.1;  ///< ReduceLROnPlateau, with the two that follow
  std::int64_t cooldown = 0;
  double min_lr = 0.0;
  ScheduleSpec schedule;

  bool operator==(const CallbackSpec&) const = default;
};

/// How compile parameters gave losses or metrics to outputs, while no model was known.
struct OutputForm {
  enum class Kind : std::uint8_t {
    kSettled,    ///< one per output in the model's order; metrics: by output_index
    kAll,        ///< one value without a list: for every output
    kFlatList,   ///< ['acc', 'mse']: metrics for every output in Keras 2, one per output in Keras 3
    kPerOutput,  ///< a list with one entry (of metrics: a list) per output
    kNamed,      ///< a dict by output name
  };
  Kind kind = Kind::kSettled;
  std::size_t entries = 0;  ///< of the list

  bool operator==(const OutputForm&) const = default;
};

/// As parsed, losses and metrics may name outputs; resolve_train_spec() (src/spec) puts them in the order of a model's
/// outputs, one loss per output, gives metrics their names and settles what callbacks monitor.
struct TrainSpec {
  OptimizerSpec optimizer;
  std::vector<LossSpec> losses;
  std::vector<std::string> loss_outputs;  ///< names that a dict gave, parallel to `losses`; empty: by position
  OutputForm loss_form;
  std::vector<double> loss_weights;  ///< per output; empty: 1 each
  std::vector<std::string> loss_weight_outputs;
  OutputForm loss_weight_form;
  /// In the order in which they are reported. The forms are those of metrics and of weighted_metrics.
  std::vector<MetricSpec> metrics;
  OutputForm metric_form;
  OutputForm weighted_metric_form;
  int batch_size = 32;
  int epochs = 1;                                ///< passes over the segment in one unit, of which
  int initial_epoch = 0;                         ///< the first ones are left out
  std::optional<std::int64_t> steps_per_epoch;   ///< mini-batches of a pass at most
  std::optional<Shuffle> shuffle;                ///< from fit parameters; wins over the call's setting
  std::map<std::int64_t, double> class_weights;  ///< of the classes of the only output; empty: 1 each
  std::vector<CallbackSpec> callbacks;

  /// Passes of a unit, at least one.
  int passes() const { return std::max(1, epochs - initial_epoch); }
  /// Optimizer steps of a pass at most: none where initial_epoch leaves no epoch.
  std::int64_t steps_of_pass() const {
    if (epochs <= initial_epoch) return 0;
    return steps_per_epoch.value_or(std::numeric_limits<std::int64_t>::max());
  }
};

}  // namespace modelhop
