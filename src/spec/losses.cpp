// SPDX-License-Identifier: Apache-2.0
// Names, aliases and arguments of losses and metrics.
#include "spec/losses.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "spec/grammar_text.hpp"
#include "spec/parameter_value.hpp"

namespace modelhop::spec {
namespace {

struct LossName {
  const char* name;   ///< snake_case
  const char* alias;  ///< or null
  LossKind loss;
  MetricKind metric;
};

constexpr std::array kLosses = std::to_array<LossName>({
    {"categorical_crossentropy", nullptr, LossKind::kCategoricalCrossentropy, MetricKind::kCategoricalCrossentropy},
    {"sparse_categorical_crossentropy", nullptr, LossKind::kSparseCategoricalCrossentropy,
     MetricKind::kSparseCategoricalCrossentropy},
    {"binary_crossentropy", "bce", LossKind::kBinaryCrossentropy, MetricKind::kBinaryCrossentropy},
    {"mean_squared_error", "mse", LossKind::kMeanSquaredError, MetricKind::kMeanSquaredError},
    {"mean_absolute_error", "mae", LossKind::kMeanAbsoluteError, MetricKind::kMeanAbsoluteError},
});

struct MetricName {
  const char* name;
  MetricKind metric;
};

constexpr std::array kMetrics = std::to_array<MetricName>({
    {"accuracy", MetricKind::kAccuracy},
    {"acc", MetricKind::kAccuracy},
    {"binary_accuracy", MetricKind::kBinaryAccuracy},
    {"categorical_accuracy", MetricKind::kCategoricalAccuracy},
    {"sparse_categorical_accuracy", MetricKind::kSparseCategoricalAccuracy},
    {"top_k_categorical_accuracy", MetricKind::kTopKCategoricalAccuracy},
    {"sparse_top_k_categorical_accuracy", MetricKind::kSparseTopKCategoricalAccuracy},
});

constexpr std::array kOtherNames = std::to_array<std::string_view>({"mean_absolute_percentage_error",
                                                                    "mape",
                                                                    "mean_squared_logarithmic_error",
                                                                    "msle",
                                                                    "huber",
                                                                    "huber_loss",
                                                                    "log_cosh",
                                                                    "logcosh",
                                                                    "hinge",
                                                                    "squared_hinge",
                                                                    "categorical_hinge",
                                                                    "binary_focal_crossentropy",
                                                                    "categorical_focal_crossentropy",
                                                                    "kullback_leibler_divergence",
                                                                    "kl_divergence",
                                                                    "kld",
                                                                    "poisson",
                                                                    "cosine_proximity",
                                                                    "cosine_similarity",
                                                                    "cosine",
                                                                    "auc",
                                                                    "precision",
                                                                    "recall",
                                                                    "root_mean_squared_error",
                                                                    "f1_score",
                                                                    "fbeta_score",
                                                                    "mean_io_u",
                                                                    "true_positives",
                                                                    "false_positives",
                                                                    "true_negatives",
                                                                    "false_negatives"});

bool is_other_name(const std::string& name) {
  return std::find(kOtherNames.begin(), kOtherNames.end(), name) != kOtherNames.end();
}

const LossName* find_loss(const std::string& name) {
  for (const LossName& entry : kLosses) {
    if (name == entry.name || (entry.alias != nullptr && name == entry.alias)) return &entry;
  }
  return nullptr;
}

bool is_crossentropy(LossKind kind) {
  return kind == LossKind::kCategoricalCrossentropy || kind == LossKind::kSparseCategoricalCrossentropy ||
         kind == LossKind::kBinaryCrossentropy;
}

/// Arguments of every loss: they may only say what is the case anyway.
void check_common_argument(const std::string& what, const std::string& name, const PythonValue& value) {
  if (name == "name" || is_none(value)) return;
  if (name == "axis" && number_of(what, value) == -1.0) return;
  if (name == "reduction") {
    const std::string reduction = lower_case(string_of(what, value));
    if (reduction == "auto" || reduction == "sum_over_batch_size") return;
  }
  if (name == "dtype" && string_of(what, value) == "float32") return;
  if (name != "axis" && name != "reduction" && name != "dtype" && name != "ignore_class") refuse(what + " is unknown");
  unsupported(what + " = " + in_quotes(value.text) + " is not supported");
}

void set_loss_argument(LossSpec& loss, const std::string& name, const PythonValue& value) {
  const std::string what = "loss " + loss.name + ": argument " + in_quotes(name);
  if (name == "from_logits" && is_crossentropy(loss.kind)) {
    loss.from_logits = boolean_of(what, value);
  } else if (name == "label_smoothing" && is_crossentropy(loss.kind) &&
             loss.kind != LossKind::kSparseCategoricalCrossentropy) {
    loss.label_smoothing = number_of(what, value);
    if (loss.label_smoothing < 0.0 || loss.label_smoothing > 1.0)
      refuse(what + " must be from 0 to 1, not " + in_quotes(value.text));
  } else {
    check_common_argument(what, name, value);
  }
}

/// The k of MADlib's `top_<k>_accuracy`.
std::optional<int> top_k_of(const std::string& name) {
  if (!name.starts_with("top_") || !name.ends_with("_accuracy") || name.size() <= 13) return {};
  const char* begin = name.data() + 4;
  const char* end = name.data() + name.size() - 9;
  int k = 0;
  const auto [stop, error] = std::from_chars(begin, end, k);
  if (error != std::errc() || stop != end || k < 1) return {};
  return k;
}

MetricKind crossentropy_metric(const LossSpec& loss) {
  for (const LossName& entry : kLosses) {
    if (entry.loss == loss.kind && is_crossentropy(loss.kind)) return entry.metric;
  }
  return MetricKind::kCategoricalCrossentropy;
}

std::optional<MetricSpec> find_metric(const PythonCall& call, const LossSpec& loss) {
  MetricSpec metric;
  // Keras's class Accuracy compares values for equality; the name 'accuracy' is what people mean.
  if (call.name == "Accuracy") unsupported("metric \"Accuracy\"", "Write 'accuracy'.");
  const std::string name = snake_case(call.name);
  if (const std::optional<int> k = top_k_of(name)) {
    metric.kind = MetricKind::kTopKCategoricalAccuracy;
    metric.k = *k;
    return metric;
  }
  for (const MetricName& entry : kMetrics) {
    if (name != entry.name) continue;
    metric.kind = entry.metric;
    return metric;
  }
  if (name == "crossentropy" || name == "ce") {
    metric.kind = crossentropy_metric(loss);
    return metric;
  }
  const LossName* entry = find_loss(name);
  if (entry == nullptr) return {};
  metric.kind = entry->metric;
  return metric;
}

void set_metric_argument(MetricSpec& metric, const std::string& name, const PythonValue& value) {
  const std::string what = "metric " + metric.name + ": argument " + in_quotes(name);
  const bool is_top_k =
      metric.kind == MetricKind::kTopKCategoricalAccuracy || metric.kind == MetricKind::kSparseTopKCategoricalAccuracy;
  if (name == "k" && is_top_k) {
    metric.k = integer_of(what, value, 1);
  } else if (name == "threshold" && metric.kind == MetricKind::kBinaryAccuracy) {
    if (number_of(what, value) != 0.5) unsupported(what + " = " + in_quotes(value.text) + " is not supported");
  } else if (name == "from_logits" || name == "label_smoothing") {
    const auto* flag = std::get_if<bool>(&value.value);
    const bool is_off = flag != nullptr ? !*flag : number_of(what, value) == 0.0;
    if (!is_off) unsupported(what + " = " + in_quotes(value.text) + " is not supported");
  } else {
    check_common_argument(what, name, value);
  }
}

MetricSpec read_metric(const PythonValue& value, const LossSpec& loss) {
  const auto* text = std::get_if<std::string>(&value.value);
  const std::string written = text != nullptr ? *text : value.text;
  const PythonCall call = callable_of("metrics", value);
  std::optional<MetricSpec> metric = find_metric(call, loss);
  if (!metric) {
    if (is_other_name(snake_case(call.name))) unsupported("metric " + in_quotes(call.name));
    refuse("unknown metric " + in_quotes(call.name));
  }
  metric->name = written;
  if (call.positional.size() > 1)
    refuse("metric " + metric->name + ": argument " + in_quotes(call.positional[1].text) + " needs a name");
  if (!call.positional.empty()) set_metric_argument(*metric, "k", call.positional[0]);
  for (const auto& [name, argument] : call.named) set_metric_argument(*metric, name, argument);
  return *metric;
}

}  // namespace

LossSpec read_loss(const PythonValue& value) {
  if (std::holds_alternative<PythonList>(value.value)) {
    const auto& list = std::get<PythonList>(value.value);
    if (list.size() != 1) unsupported("a list of " + std::to_string(list.size()) + " losses", "Give one loss.");
    return read_loss(list.front());
  }
  const PythonCall call = callable_of("loss", value);
  const std::string name = snake_case(call.name);
  const LossName* entry = find_loss(name);
  if (entry == nullptr) {
    const std::string hint =
        "categorical_crossentropy, sparse_categorical_crossentropy, binary_crossentropy, mean_squared_error and "
        "mean_absolute_error are accepted.";
    if (is_other_name(name)) unsupported("loss " + in_quotes(call.name), hint);
    refuse("unknown loss " + in_quotes(call.name), hint);
  }
  LossSpec loss{entry->loss, entry->name};
  constexpr std::array kPositions = std::to_array<const char*>({"from_logits", "label_smoothing"});
  for (std::size_t i = 0; i < call.positional.size(); ++i) {
    if (i >= kPositions.size())
      refuse("loss " + loss.name + ": argument " + in_quotes(call.positional[i].text) + " needs a name");
    set_loss_argument(loss, kPositions[i], call.positional[i]);
  }
  for (const auto& [argument, content] : call.named) set_loss_argument(loss, argument, content);
  return loss;
}

std::vector<MetricSpec> read_metrics(const PythonValue& value, const LossSpec& loss) {
  std::vector<MetricSpec> metrics;
  if (is_none(value)) return metrics;
  const auto* list = std::get_if<PythonList>(&value.value);
  if (list == nullptr) {
    if (std::holds_alternative<PythonDict>(value.value)) unsupported("metrics as a dict", "Give a list.");
    metrics.push_back(read_metric(value, loss));
    return metrics;
  }
  // One output: [['accuracy']] means ['accuracy'].
  const bool is_nested = list->size() == 1 && std::holds_alternative<PythonList>(list->front().value);
  for (const PythonValue& element : is_nested ? std::get<PythonList>(list->front().value) : *list) {
    metrics.push_back(read_metric(element, loss));
  }
  return metrics;
}

}  // namespace modelhop::spec
