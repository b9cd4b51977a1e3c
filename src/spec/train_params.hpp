// SPDX-License-Identifier: Apache-2.0
// Compile parameters and fit parameters (Python call syntax, MADlib's and Keras's spellings) -> TrainSpec.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "modelhop/train_spec.hpp"
#include "spec/custom_functions.hpp"
#include "spec/keras_json.hpp"

namespace modelhop {

/// `compile_params` as MADlib takes them, e.g. "optimizer='Adam(lr=0.001)', loss='categorical_crossentropy',
/// metrics=['accuracy']"; `fit_params` e.g. "batch_size=32, epochs=1" (empty: Keras's defaults).
/// Keras's own spellings too: classes with their modules, calls, dicts of class_name and config, lists and dicts by
/// output. `profile` chooses defaults and rules where Keras generations differ. Throws kInvalidArgument naming the key
/// and the value, kNotSupported with the reason for what Keras has and this project has not. `functions` are the custom
/// losses and metrics that the text may name.
TrainSpec parse_train_params(std::string_view compile_params, std::string_view fit_params,
                             SemanticsProfile profile = SemanticsProfile::kTf2Legacy,
                             const CustomFunctions& functions = {});

/// Puts losses, loss weights and metrics in the order of the model's outputs: one loss per output. Names metrics, and
/// settles what callbacks monitor and whether more of it is better. Throws kInvalidArgument where a name is no output,
/// counts do not fit, or nothing of a monitored name is computed. Resolving twice changes nothing.
TrainSpec resolve_train_spec(TrainSpec train, const ModelSpec& model);

/// Two texts that mean the same (white space, key order, quoting) give the same canonical text.
std::string canonical_params(std::string_view params);

/// Rows of a mini-batch in evaluation and prediction: enough to fill a processor, few enough to need no more memory
/// than training does.
inline constexpr std::int64_t kEvaluationRows = 128;
/// What a CPU takes, so that it does not leave its caches: as many as have the largest output of a layer in 2 MB,
/// rounded down to a power of two, at least 16, at most kEvaluationRows.
std::int64_t cached_evaluation_rows(const ModelSpec& model);

/// A dependent variable of the data.
struct DependentVariable {
  Shape shape;                   ///< of a row
  std::int64_t class_count = 0;  ///< 0: not classes
};

MemoryEstimate estimate_memory(const ModelSpec& model, const TrainSpec& train);

/// Throws kInvalidArgument where the network cannot learn this data: shapes of inputs, losses and metrics against
/// outputs and dependent variables, class_weight against the classes. A batch larger than the data is legal. `train` is
/// resolved.
void check_fits_data(const ModelSpec& model, const TrainSpec& train, const std::vector<Shape>& independent_shapes,
                     const std::vector<DependentVariable>& dependents);

}  // namespace modelhop
