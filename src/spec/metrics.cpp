// SPDX-License-Identifier: Apache-2.0
// One table row per argument; forms of lists and dicts.
#include "spec/metrics.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "spec/call_arguments.hpp"
#include "spec/grammar_text.hpp"
#include "spec/metric_table.hpp"
#include "spec/parameter_value.hpp"

namespace modelhop::spec {
namespace {

constexpr std::size_t kMaxMetrics = 200;
constexpr std::size_t kMaxNameBytes = 200;

struct RefusedMetric {
  std::string_view name;
  std::string_view reason;
};

constexpr std::array kRefused = std::to_array<RefusedMetric>({
    {"mean", "It does not look at the dependent variable."},
    {"sum", "It does not look at the dependent variable."},
    {"mean_tensor", "It does not look at the dependent variable."},
    {"dice", "It is a loss alone."},
    {"tversky", "It is a loss alone."},
});

[[noreturn]] void refuse_setting(const std::string& what, const PythonValue& value, const char* reason) {
  unsupported(what + " = " + in_quotes(value.text) + " is not supported", reason);
}

void read_name(const std::string& what, const PythonValue& value, MetricSpec& metric) {
  if (is_none(value)) return;
  metric.name = string_of(what, value);
  if (metric.name.empty() || metric.name.size() > kMaxNameBytes)
    refuse(what + " must have from 1 to " + std::to_string(kMaxNameBytes) + " bytes");
}

void read_dtype(const std::string& what, const PythonValue& value, MetricSpec&) {
  if (!is_none(value) && !has_word("float32 float64", word_of(what, value)))
    refuse_setting(what, value, "Metrics are summed up in 64-bit floats.");
}

void read_axis(const std::string& what, const PythonValue& value, MetricSpec&) {
  const auto* axis = std::get_if<long long>(&value.value);
  if (axis == nullptr || *axis != -1) refuse_setting(what, value, "It is over the last axis: leave it out.");
}

void must_be_false(const std::string& what, const PythonValue& value, MetricSpec&) {
  if (boolean_of(what, value)) refuse_setting(what, value, "Leave it out.");
}

/// Whether targets are class ids or one-hot is seen from the shapes.
void read_sparse_truth(const std::string& what, const PythonValue& value, MetricSpec&) {
  boolean_of(what, value);
}

/// Of predictions that are scores of each class the largest counts, as in the metrics for one-hot rows.
void read_sparse_predictions(const std::string& what, const PythonValue& value, MetricSpec& metric) {
  const bool is_sparse = boolean_of(what, value);
  const bool is_one_hot = metric.kind == MetricKind::kOneHotIoU || metric.kind == MetricKind::kOneHotMeanIoU;
  if (is_sparse && is_one_hot) refuse_setting(what, value, "For predictions that are class ids use IoU or MeanIoU.");
  if (!is_sparse && metric.kind == MetricKind::kIoU) metric.kind = MetricKind::kOneHotIoU;
  if (!is_sparse && metric.kind == MetricKind::kMeanIoU) metric.kind = MetricKind::kOneHotMeanIoU;
}

void read_thresholds(const std::string& what, const PythonValue& value, MetricSpec& metric) {
  if (!is_none(value)) read_value(what, value, kShare, metric.thresholds);
}

/// Of F scores: None is arg max.
void read_threshold(const std::string& what, const PythonValue& value, MetricSpec& metric) {
  const bool is_f_score = metric.kind == MetricKind::kF1Score || metric.kind == MetricKind::kFBetaScore;
  if (!is_f_score) return read_value(what, value, kAnyNumber, metric.threshold);
  if (!is_none(value)) read_value(what, value, Range{0.0, 1.0, true}, metric.thresholds.emplace_back());
}

std::string choice_of(const std::string& what, const PythonValue& value, std::string_view choices) {
  const std::string word = word_of(what, value);
  if (has_word(choices, word)) return word;
  std::string known;
  for (const std::string& choice : words_of(choices)) known += (known.empty() ? "'" : ", '") + choice + "'";
  refuse(what + " must be one of " + known + ", not " + in_quotes(value.text));
}

void read_curve(const std::string& what, const PythonValue& value, MetricSpec& metric) {
  metric.curve = choice_of(what, value, "roc pr") == "pr" ? "PR" : "ROC";
}

void read_summation(const std::string& what, const PythonValue& value, MetricSpec& metric) {
  metric.summation = choice_of(what, value, "interpolation minoring majoring");
}

void read_average(const std::string& what, const PythonValue& value, MetricSpec& metric) {
  metric.average = is_none(value) ? "" : choice_of(what, value, "micro macro weighted");
}

/// Keras's None is a list of one value per column, of which the mean is shown: the same as the uniform average.
void read_aggregation(const std::string& what, const PythonValue& value, MetricSpec& metric) {
  if (!is_none(value)) metric.class_aggregation = choice_of(what, value, "uniform_average variance_weighted_average");
}

void read_label_weights(const std::string& what, const PythonValue& value, MetricSpec& metric) {
  if (!is_none(value)) read_value(what, value, kNotNegative, metric.label_weights);
}

void read_class_ids(const std::string& what, const PythonValue& value, MetricSpec& metric) {
  const auto* list = std::get_if<PythonList>(&value.value);
  if (list == nullptr || list->empty()) refuse(what + " must be a list of classes, not " + in_quotes(value.text));
  metric.target_class_ids.clear();
  for (const PythonValue& element : *list)
    read_value(what, element, kNotNegative, metric.target_class_ids.emplace_back());
}

constexpr Range kThresholdCount = {1.0, 1e5};

constexpr std::array kArguments = std::to_array<Argument<MetricSpec>>({
    {"name", &read_name},
    {"dtype", &read_dtype},
    {"axis", &read_axis},
    {"k", &MetricSpec::k, kAtLeastOne},
    {"threshold", &read_threshold},
    {"thresholds", &read_thresholds},
    {"top_k", &MetricSpec::top_k, kAtLeastOne},
    {"class_id", &MetricSpec::class_id, kNotNegative},
    {"specificity", &MetricSpec::target, kShare},
    {"sensitivity", &MetricSpec::target, kShare},
    {"recall", &MetricSpec::target, kShare},
    {"precision", &MetricSpec::target, kShare},
    {"num_thresholds", &MetricSpec::num_thresholds, kThresholdCount},
    {"curve", &read_curve},
    {"summation_method", &read_summation},
    {"multi_label", &MetricSpec::multi_label},
    {"num_labels", {}},
    {"label_weights", &read_label_weights},
    {"from_logits", &MetricSpec::from_logits},
    {"from_sorted_ids", &must_be_false},
    {"label_smoothing", &MetricSpec::label_smoothing, kShare},
    {"delta", &MetricSpec::delta, kPositive},
    {"gamma", &MetricSpec::gamma, kNotNegative},
    {"alpha", &MetricSpec::alpha, kNotNegative},
    {"apply_class_balancing", &MetricSpec::apply_class_balancing},
    {"normalizer", &MetricSpec::normalizer},
    {"beta", &MetricSpec::beta, kPositive},
    {"average", &read_average},
    {"num_classes", &MetricSpec::num_classes, Range{1.0, 2000.0}},  // a confusion matrix of doubles
    {"target_class_ids", &read_class_ids},
    {"ignore_class", &MetricSpec::ignore_class, kAnyNumber},
    {"sparse_y_true", &read_sparse_truth},
    {"sparse_y_pred", &read_sparse_predictions},
    {"class_aggregation", &read_aggregation},
    {"num_regressors", &MetricSpec::num_regressors, kNotNegative},
});

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

[[noreturn]] void refuse_metric(const std::string& written, const std::string& name, const CustomFunctions& functions) {
  for (const RefusedMetric& row : kRefused) {
    if (row.name == name) unsupported("metric " + in_quotes(written), std::string(row.reason));
  }
  std::vector<std::string> known;
  for (const MetricRow& row : metric_rows()) known.emplace_back(row.name);
  refuse("unknown metric " + in_quotes(written), unknown_name_hint(name, known, functions));
}

MetricSpec metric_named(const std::string& written, const CustomFunctions& functions) {
  const std::string name = snake_case(written);
  MetricSpec metric;
  if (const std::optional<int> k = top_k_of(name)) {
    metric.kind = MetricKind::kTopKCategoricalAccuracy;
    metric.k = *k;
    return metric;
  }
  if (name == "crossentropy" || name == "ce") {
    metric.kind = MetricKind::kCategoricalCrossentropy;
    metric.follows_loss = true;
    return metric;
  }
  const MetricRow* row = find_metric_row(name);
  if (row == nullptr) refuse_metric(written, name, functions);
  metric.kind = row->kind;
  if (row->kind == MetricKind::kBinaryIoU) metric.target_class_ids = {0, 1};
  return metric;
}

void check_metric(const std::string& what, const MetricSpec& metric) {
  if (metric.kind == MetricKind::kAuc && metric.thresholds.empty() && metric.num_thresholds < 2)
    refuse(what + ": num_thresholds must be at least 2, not " + std::to_string(metric.num_thresholds));
  const std::int64_t classes = metric.kind == MetricKind::kBinaryIoU ? 2 : metric.num_classes;
  for (const std::int64_t id : metric.target_class_ids) {
    if (id >= classes)
      refuse(what + ": target class " + std::to_string(id) + " is not below " + std::to_string(classes));
  }
}

MetricSpec custom_metric(const PythonCall& call, const CustomFunction& function) {
  if (call.is_call) refuse("metric " + in_quotes(call.name) + " is a custom function", "Write its name alone.");
  MetricSpec metric;
  metric.kind = MetricKind::kCustom;
  metric.name = call.name;
  metric.function = function.name;
  metric.expression = read_custom_function(function);
  return metric;
}

/// MADlib registers top_<k>_accuracy as custom functions; they are the built-in ones.
const CustomFunction* custom_function_of(const CustomFunctions& functions, const PythonCall& call) {
  return top_k_of(snake_case(call.name)) ? nullptr : find_custom_function(functions, call.name);
}

MetricSpec read_metric(const PythonValue& value, const CustomFunctions& functions) {
  const PythonCall call = callable_of("metrics", value);
  if (const CustomFunction* function = custom_function_of(functions, call)) return custom_metric(call, *function);
  // Keras's class Accuracy compares values for equality; the name 'accuracy' is what people mean.
  if (call.is_call && call.name == "Accuracy") unsupported("metric \"Accuracy()\"", "Write 'accuracy'.");
  MetricSpec metric = metric_named(call.name, functions);
  const std::string what = "metric " + call.name;
  if (!call.is_call) {
    metric.name = call.name;
    std::string_view signature = metric_row(metric.kind).signature;
    if (signature.find('!') != std::string_view::npos) bind_arguments(what, call, signature);
    return metric;
  }
  metric.name = metric_row(metric.kind).name;
  std::string signature(metric_row(metric.kind).signature);
  signature += has_word(signature, "*") ? " name dtype" : " * name dtype";
  read_arguments(what, call, signature, kArguments, metric);
  check_metric(what, metric);
  return metric;
}

class MetricReader {
 public:
  MetricReader(bool is_weighted, const CustomFunctions& functions, TrainSpec& train)
      : is_weighted_(is_weighted), functions_(functions), train_(train) {}

  /// One metric, or a list of them, None among them.
  void read(const PythonValue& value, const std::string& output, std::size_t output_index) {
    const auto* list = std::get_if<PythonList>(&value.value);
    if (list != nullptr) {
      for (const PythonValue& element : *list) read_one(element, output, output_index);
    } else {
      read_one(value, output, output_index);
    }
  }

  void read_one(const PythonValue& value, const std::string& output, std::size_t output_index) {
    if (is_none(value)) return;
    if (train_.metrics.size() >= kMaxMetrics)
      refuse("compile_params: more than " + std::to_string(kMaxMetrics) + " metrics");
    MetricSpec metric = read_metric(value, functions_);
    metric.output = output;
    metric.output_index = static_cast<int>(output_index);
    metric.is_weighted = is_weighted_;
    train_.metrics.push_back(std::move(metric));
  }

 private:
  bool is_weighted_;
  const CustomFunctions& functions_;
  TrainSpec& train_;
};

}  // namespace

bool is_metric_name(const std::string& name) {
  const std::string snake = snake_case(name);
  // Keras has the class RootMeanSquaredError, but no function of this name: MADlib's users bring their own.
  if (snake == "rmse") return false;
  return top_k_of(snake) || has_word("crossentropy ce", snake) || find_metric_row(snake) != nullptr;
}

void read_metrics(const PythonValue& written, bool is_weighted, const CustomFunctions& functions, TrainSpec& train) {
  const PythonValue value = without_quotes(written);
  MetricReader reader(is_weighted, functions, train);
  OutputForm& form = is_weighted ? train.weighted_metric_form : train.metric_form;
  if (const auto* list = std::get_if<PythonList>(&value.value)) {
    const bool is_nested = std::any_of(list->begin(), list->end(), [](const PythonValue& element) {
      return std::holds_alternative<PythonList>(element.value);
    });
    form = {is_nested ? OutputForm::Kind::kPerOutput : OutputForm::Kind::kFlatList, list->size()};
    for (std::size_t index = 0; index < list->size(); ++index) reader.read((*list)[index], "", index);
  } else if (const auto* dict = std::get_if<PythonDict>(&value.value); dict != nullptr && !names_a_class(*dict)) {
    form = {OutputForm::Kind::kNamed};
    for (const auto& [name, content] : *dict)
      reader.read(content, string_of("compile_params: a key of \"metrics\"", name), 0);
  } else {
    form = {OutputForm::Kind::kAll};
    reader.read_one(value, "", 0);
  }
}

}  // namespace modelhop::spec
