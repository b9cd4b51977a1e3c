// SPDX-License-Identifier: Apache-2.0
// One table row per loss and per argument.
#include "spec/losses.hpp"

#include <algorithm>
#include <array>

#include "spec/call_arguments.hpp"
#include "spec/grammar_text.hpp"
#include "spec/parameter_value.hpp"

namespace modelhop::spec {
namespace {

constexpr std::size_t kMaxOutputs = 1000;

struct LossRow {
  LossKind kind;
  std::string_view name;     ///< snake_case of the class
  std::string_view aliases;  ///< of any Keras generation, in lower case
  std::string_view signature;
  TargetFit fit;
};

constexpr std::array kLosses = std::to_array<LossRow>({
    {LossKind::kCategoricalCrossentropy, "categorical_crossentropy", "", "from_logits label_smoothing axis *",
     TargetFit::kClasses},
    // What follows from_logits differs between Keras versions.
    {LossKind::kSparseCategoricalCrossentropy, "sparse_categorical_crossentropy", "", "from_logits * ignore_class axis",
     TargetFit::kClasses},
    {LossKind::kBinaryCrossentropy, "binary_crossentropy", "bce", "from_logits label_smoothing axis *",
     TargetFit::kSameShape},
    {LossKind::kMeanSquaredError, "mean_squared_error", "mse", "*", TargetFit::kSameShape},
    {LossKind::kMeanAbsoluteError, "mean_absolute_error", "mae", "*", TargetFit::kSameShape},
    {LossKind::kMeanAbsolutePercentageError, "mean_absolute_percentage_error", "mape", "*", TargetFit::kSameShape},
    {LossKind::kMeanSquaredLogarithmicError, "mean_squared_logarithmic_error", "msle", "*", TargetFit::kSameShape},
    {LossKind::kHuber, "huber", "huber_loss", "delta *", TargetFit::kSameShape},
    {LossKind::kLogCosh, "log_cosh", "logcosh", "*", TargetFit::kSameShape},
    {LossKind::kHinge, "hinge", "", "*", TargetFit::kSameShape},
    {LossKind::kSquaredHinge, "squared_hinge", "", "*", TargetFit::kSameShape},
    {LossKind::kCategoricalHinge, "categorical_hinge", "", "*", TargetFit::kClasses},
    {LossKind::kBinaryFocalCrossentropy, "binary_focal_crossentropy", "",
     "apply_class_balancing alpha gamma from_logits label_smoothing axis *", TargetFit::kSameShape},
    {LossKind::kCategoricalFocalCrossentropy, "categorical_focal_crossentropy", "",
     "alpha gamma from_logits label_smoothing axis *", TargetFit::kClasses},
    {LossKind::kKlDivergence, "kl_divergence", "kullback_leibler_divergence kld", "*", TargetFit::kSameShape},
    {LossKind::kPoisson, "poisson", "", "*", TargetFit::kSameShape},
    {LossKind::kCosineSimilarity, "cosine_similarity", "cosine_proximity cosine", "axis *", TargetFit::kSameShape},
    {LossKind::kDice, "dice", "", "* axis", TargetFit::kSameShape},
    {LossKind::kTversky, "tversky", "", "alpha beta * axis", TargetFit::kSameShape},
});

constexpr std::string_view kCommonSignature = " reduction name dtype";

struct RefusedLoss {
  std::string_view name;
  std::string_view reason;
};

constexpr std::array kRefused = std::to_array<RefusedLoss>({
    {"ctc", "Label sequences of varying length cannot be packed."},
    {"circle", "It compares the examples of a batch with each other."},
    {"categorical_generalized_cross_entropy", "categorical_crossentropy is the nearest that is supported."},
    {"crossentropy", "Say which: categorical_crossentropy, sparse_categorical_crossentropy or binary_crossentropy."},
    {"ce", "Say which: categorical_crossentropy, sparse_categorical_crossentropy or binary_crossentropy."},
});

void read_axis(const std::string& what, const PythonValue& value, LossSpec& loss) {
  const bool is_whole_batch = loss.kind == LossKind::kDice || loss.kind == LossKind::kTversky;
  const auto* axis = std::get_if<long long>(&value.value);
  if (is_whole_batch ? is_none(value) : axis != nullptr && *axis == -1) return;
  unsupported(what + " = " + in_quotes(value.text) + " is not supported",
              is_whole_batch ? "It is over all axes: leave it out." : "It is over the last axis: leave it out.");
}

void read_reduction(const std::string& what, const PythonValue& value, LossSpec& loss) {
  const std::string word = is_none(value) ? "none" : word_of(what, value);
  if (word == "sum") {
    loss.reduction = LossReduction::kSum;
  } else if (word == "mean_with_sample_weight") {
    loss.reduction = LossReduction::kMeanWithSampleWeight;
  } else if (has_word("auto sum_over_batch_size mean", word)) {
    loss.reduction = LossReduction::kMean;
  } else if (word == "none") {
    unsupported(what + " = " + in_quotes(value.text) + " is not supported", "Training needs one number per batch.");
  } else {
    refuse(what + " must be 'sum_over_batch_size', 'sum' or 'mean_with_sample_weight', not " + in_quotes(value.text));
  }
}

void read_dtype(const std::string& what, const PythonValue& value, LossSpec&) {
  if (!is_none(value) && word_of(what, value) != "float32")
    unsupported(what + " = " + in_quotes(value.text) + " is not supported", "Training is in 32-bit floats.");
}

constexpr std::array kArguments = std::to_array<Argument<LossSpec>>({
    {"from_logits", &LossSpec::from_logits},
    {"label_smoothing", &LossSpec::label_smoothing, kShare},
    {"delta", &LossSpec::delta, kPositive},
    {"gamma", &LossSpec::gamma, kNotNegative},
    {"alpha", &LossSpec::alpha, kNotNegative},
    {"beta", &LossSpec::beta, kNotNegative},
    {"apply_class_balancing", &LossSpec::apply_class_balancing},
    {"ignore_class", &LossSpec::ignore_class},
    {"axis", &read_axis},
    {"reduction", &read_reduction},
    {"dtype", &read_dtype},
    {"name", {}},
});

const LossRow* find_loss(const std::string& name) {
  for (const LossRow& row : kLosses) {
    if (row.name == name || has_word(row.aliases, name)) return &row;
  }
  return nullptr;
}

[[noreturn]] void refuse_loss(const std::string& written, const std::string& name, const CustomFunctions& functions) {
  for (const RefusedLoss& row : kRefused) {
    if (row.name == name) unsupported("loss " + in_quotes(written), std::string(row.reason));
  }
  std::vector<std::string> known;
  for (const LossRow& row : kLosses) known.emplace_back(row.name);
  refuse("unknown loss " + in_quotes(written), unknown_name_hint(name, known, functions));
}

void check_outputs(const char* key, std::size_t count) {
  if (count == 0) refuse("compile_params: " + in_quotes(key) + " is empty");
  if (count > kMaxOutputs)
    refuse("compile_params: " + in_quotes(key) + " has " + std::to_string(count) + " entries, the limit is " +
           std::to_string(kMaxOutputs));
}

/// The names of a dict by output; each once.
std::vector<std::string> output_names(const char* key, const PythonDict& dict) {
  check_outputs(key, dict.size());
  std::vector<std::string> names;
  for (const auto& [name, content] : dict)
    names.push_back(string_of("compile_params: a key of " + in_quotes(key), name));
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    refuse("compile_params: " + in_quotes(key) + " names output " + in_quotes(*twice) + " twice");
  return names;
}

LossSpec custom_loss(const PythonCall& call, const CustomFunction& function) {
  if (call.is_call) refuse("loss " + in_quotes(call.name) + " is a custom function", "Write its name alone.");
  LossSpec loss{LossKind::kCustom, function.name};
  loss.expression = read_custom_function(function);
  if (!loss.expression.is_derivable) {
    refuse("loss " + in_quotes(function.name) + " cannot be learnt: nothing of it has a derivative by y_pred",
           "Comparisons, argmax and roundings have none: use such a function as a metric.");
  }
  return loss;
}

}  // namespace

LossSpec read_loss(const PythonValue& value, const CustomFunctions& functions) {
  if (is_none(value))
    unsupported("an output without a loss", "Give each output a loss; weight 0 in loss_weights takes one out.");
  const PythonCall call = callable_of("loss", value);
  if (const CustomFunction* function = find_custom_function(functions, call.name)) return custom_loss(call, *function);
  const std::string name = snake_case(call.name);
  const LossRow* row = find_loss(name);
  if (row == nullptr) refuse_loss(call.name, name, functions);
  LossSpec loss{row->kind, std::string(row->name)};
  if (row->kind == LossKind::kTversky) {
    loss.gamma = 1.0;
    loss.alpha = 0.5;
  }
  read_arguments("loss " + loss.name, call, std::string(row->signature) + std::string(kCommonSignature), kArguments,
                 loss);
  return loss;
}

void read_losses(const PythonValue& written, const CustomFunctions& functions, TrainSpec& train) {
  const PythonValue value = without_quotes(written);
  if (const auto* list = std::get_if<PythonList>(&value.value)) {
    check_outputs("loss", list->size());
    train.loss_form = {OutputForm::Kind::kPerOutput, list->size()};
    for (const PythonValue& element : *list) train.losses.push_back(read_loss(element, functions));
  } else if (const auto* dict = std::get_if<PythonDict>(&value.value); dict != nullptr && !names_a_class(*dict)) {
    train.loss_outputs = output_names("loss", *dict);
    train.loss_form = {OutputForm::Kind::kNamed};
    for (const auto& [name, content] : *dict) train.losses.push_back(read_loss(content, functions));
  } else {
    train.loss_form = {OutputForm::Kind::kAll};
    train.losses.push_back(read_loss(value, functions));
  }
}

void read_loss_weights(const PythonValue& written, TrainSpec& train) {
  const PythonValue value = without_quotes(written);
  if (is_none(value)) return;
  const std::string what = "compile_params: \"loss_weights\"";
  const auto read = [&](const PythonValue& element) {
    read_value(what, element, kAnyNumber, train.loss_weights.emplace_back());
  };
  if (const auto* list = std::get_if<PythonList>(&value.value)) {
    check_outputs("loss_weights", list->size());
    train.loss_weight_form = {OutputForm::Kind::kPerOutput, list->size()};
    for (const PythonValue& element : *list) read(element);
  } else if (const auto* dict = std::get_if<PythonDict>(&value.value)) {
    train.loss_weight_outputs = output_names("loss_weights", *dict);
    train.loss_weight_form = {OutputForm::Kind::kNamed};
    for (const auto& [name, content] : *dict) read(content);
  } else {
    train.loss_weight_form = {OutputForm::Kind::kAll};
    read(value);
  }
}

bool is_loss_name(const std::string& name) {
  return find_loss(snake_case(name)) != nullptr;
}

TargetFit target_fit(LossKind kind) {
  if (kind == LossKind::kCustom) return TargetFit::kEither;
  for (const LossRow& row : kLosses) {
    if (row.kind == kind) return row.fit;
  }
  throw Error(ErrorCode::kInternal, "a loss without a row in its table");
}

}  // namespace modelhop::spec
