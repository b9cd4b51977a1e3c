// SPDX-License-Identifier: Apache-2.0
// Compile and fit parameters meet a model: losses and metrics find their outputs, metrics their names, callbacks what
// they monitor. Where Keras generations differ the model's profile decides.
#include <algorithm>
#include <set>

#include "spec/call_arguments.hpp"
#include "spec/grammar_text.hpp"
#include "spec/metric_table.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace {

using namespace spec;

constexpr std::size_t kMaxMetrics = 2000;

std::string list_text(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 20); ++i) {
    text += (i == 0 ? "" : ", ") + in_quotes(names[i]);
  }
  return text + (names.size() > 20 ? ", ..." : "");
}

std::size_t output_named(const ModelSpec& model, const char* key, const std::string& name) {
  const auto found = std::find(model.output_names.begin(), model.output_names.end(), name);
  if (found == model.output_names.end()) {
    refuse("compile_params: " + in_quotes(key) + " names " + in_quotes(name) + ", which is no output of the model",
           "Its outputs are " + list_text(model.output_names) + ".");
  }
  return static_cast<std::size_t>(found - model.output_names.begin());
}

void check_entries(const char* key, std::size_t entries, const ModelSpec& model) {
  const std::size_t outputs = model.outputs.size();
  if (entries == outputs) return;
  refuse("compile_params: " + in_quotes(key) + " has " + std::to_string(entries) + " entries, but the model has " +
             std::to_string(outputs) + (outputs == 1 ? " output" : " outputs"),
         "Give one for each of the outputs " + list_text(model.output_names) +
             ", in their order or in a dict by their names; one value without a list is for all.");
}

void resolve_losses(TrainSpec& train, const ModelSpec& model) {
  const std::size_t outputs = model.outputs.size();
  if (train.loss_form.kind == OutputForm::Kind::kNamed) {
    std::vector<LossSpec> ordered(outputs);
    std::vector<bool> is_given(outputs, false);
    for (std::size_t i = 0; i < train.losses.size(); ++i) {
      const std::size_t output = output_named(model, "loss", train.loss_outputs[i]);
      ordered[output] = train.losses[i];
      is_given[output] = true;
    }
    const auto missing = std::find(is_given.begin(), is_given.end(), false);
    if (missing != is_given.end()) {
      const auto index = static_cast<std::size_t>(missing - is_given.begin());
      unsupported("compile_params: \"loss\" says nothing about output " + in_quotes(model.output_names[index]),
                  "Give each output a loss; weight 0 in loss_weights takes one out.");
    }
    train.losses = std::move(ordered);
  }
  const bool is_list = train.loss_form.kind == OutputForm::Kind::kPerOutput;
  if (train.losses.size() == 1 && !is_list) train.losses.resize(outputs, train.losses.front());
  check_entries("loss", train.losses.size(), model);
  train.loss_outputs.clear();
  train.loss_form = {};
}

void resolve_loss_weights(TrainSpec& train, const ModelSpec& model) {
  const std::size_t outputs = model.outputs.size();
  if (train.loss_weight_form.kind == OutputForm::Kind::kNamed) {
    std::vector<double> ordered(outputs, 1.0);
    for (std::size_t i = 0; i < train.loss_weights.size(); ++i) {
      ordered[output_named(model, "loss_weights", train.loss_weight_outputs[i])] = train.loss_weights[i];
    }
    train.loss_weights = std::move(ordered);
  } else if (train.loss_weight_form.kind == OutputForm::Kind::kAll) {
    train.loss_weights.resize(outputs, train.loss_weights.front());
  }
  if (!train.loss_weights.empty()) check_entries("loss_weights", train.loss_weights.size(), model);
  train.loss_weight_outputs.clear();
  train.loss_weight_form = {};
}

/// The metrics with their output_index, one output after the other.
std::vector<MetricSpec> metrics_by_output(std::vector<MetricSpec> metrics, const OutputForm& form, const char* key,
                                          const ModelSpec& model) {
  using Kind = OutputForm::Kind;
  const std::size_t outputs = model.outputs.size();
  const bool is_flat_per_output =
      form.kind == Kind::kFlatList && outputs > 1 && model.profile == SemanticsProfile::kKeras3;
  if (form.kind == Kind::kNamed) {
    for (MetricSpec& metric : metrics) metric.output_index = static_cast<int>(output_named(model, key, metric.output));
  } else if (is_flat_per_output || form.kind == Kind::kPerOutput) {
    if (!metrics.empty()) check_entries(key, form.entries, model);
  } else if (form.kind != Kind::kSettled) {
    if (metrics.size() * outputs > kMaxMetrics)
      refuse("compile_params: more than " + std::to_string(kMaxMetrics) + " metrics of all outputs together");
    std::vector<MetricSpec> copies;
    for (std::size_t output = 0; output < outputs; ++output) {
      for (MetricSpec& metric : metrics) copies.emplace_back(metric).output_index = static_cast<int>(output);
    }
    metrics = std::move(copies);
  }
  std::stable_sort(metrics.begin(), metrics.end(), [](const MetricSpec& left, const MetricSpec& right) {
    return left.output_index < right.output_index;
  });
  return metrics;
}

/// What "crossentropy" means for an output.
MetricKind crossentropy_kind(const ModelSpec& model, const LossSpec& loss, std::size_t output) {
  const Shape& shape = model.output_shape(output);
  if (shape.empty() || shape.back() == 1) return MetricKind::kBinaryCrossentropy;
  const bool is_by_loss = model.profile == SemanticsProfile::kKeras22 || model.profile == SemanticsProfile::kTf1;
  if (is_by_loss && loss.kind == LossKind::kBinaryCrossentropy) return MetricKind::kBinaryCrossentropy;
  // A categorical metric takes class ids as well.
  return loss.kind == LossKind::kSparseCategoricalCrossentropy ? MetricKind::kSparseCategoricalCrossentropy
                                                               : MetricKind::kCategoricalCrossentropy;
}

/// Keras's names: the output's before it where there are several, "weighted_" where a weighted one would be a second of
/// its name, a number where that does not help.
void name_metrics(std::vector<MetricSpec>& metrics, const ModelSpec& model) {
  std::set<std::string> taken;
  for (MetricSpec& metric : metrics) {
    const std::string prefix =
        model.outputs.size() > 1 ? model.output_names.at(static_cast<std::size_t>(metric.output_index)) + "_" : "";
    std::string name = prefix + metric.name;
    if (metric.is_weighted && taken.contains(name)) name = prefix + "weighted_" + metric.name;
    const std::string base = name;
    for (int number = 1; !taken.insert(name).second; ++number) name = base + "_" + std::to_string(number);
    metric.name = name;
  }
}

void resolve_metrics(TrainSpec& train, const ModelSpec& model) {
  const bool is_settled = train.metric_form.kind == OutputForm::Kind::kSettled &&
                          train.weighted_metric_form.kind == OutputForm::Kind::kSettled;
  for (const MetricSpec& metric : train.metrics) {
    if (is_settled &&
        (metric.output_index < 0 || static_cast<std::size_t>(metric.output_index) >= model.outputs.size()))
      refuse("metric " + in_quotes(metric.name) + " is of output " + std::to_string(metric.output_index) +
             ", but the model has " + std::to_string(model.outputs.size()));
  }
  if (is_settled) return;
  const auto is_weighted = [](const MetricSpec& metric) { return metric.is_weighted; };
  std::vector<MetricSpec> plain;
  std::vector<MetricSpec> weighted;
  std::copy_if(train.metrics.begin(), train.metrics.end(), std::back_inserter(weighted), is_weighted);
  std::remove_copy_if(train.metrics.begin(), train.metrics.end(), std::back_inserter(plain), is_weighted);
  plain = metrics_by_output(std::move(plain), train.metric_form, "metrics", model);
  weighted = metrics_by_output(std::move(weighted), train.weighted_metric_form, "weighted_metrics", model);
  std::vector<MetricSpec> all = std::move(plain);
  all.insert(all.end(), weighted.begin(), weighted.end());
  for (MetricSpec& metric : all) {
    const auto output = static_cast<std::size_t>(metric.output_index);
    if (metric.follows_loss) metric.kind = crossentropy_kind(model, train.losses[output], output);
    metric.follows_loss = false;
    metric.output.clear();
  }
  name_metrics(all, model);
  if (model.profile != SemanticsProfile::kKeras3) {
    std::stable_sort(all.begin(), all.end(), [](const MetricSpec& left, const MetricSpec& right) {
      return left.output_index < right.output_index;
    });
  }
  train.metrics = std::move(all);
  train.metric_form = {};
  train.weighted_metric_form = {};
}

/// What a callback may monitor, without "val_".
struct Monitored {
  std::string name;
  std::vector<std::string> others;     ///< further spellings
  const MetricSpec* metric = nullptr;  ///< null: a loss
};

std::vector<Monitored> monitored_values(const TrainSpec& train, const ModelSpec& model) {
  std::vector<Monitored> values = {{"loss", {}, nullptr}};
  const bool has_prefixes = model.outputs.size() > 1;
  if (has_prefixes) {
    for (const std::string& output : model.output_names) values.push_back({output + "_loss", {}, nullptr});
  }
  for (const MetricSpec& metric : train.metrics) {
    Monitored value{metric.name, {}, &metric};
    const std::string prefix =
        has_prefixes ? model.output_names.at(static_cast<std::size_t>(metric.output_index)) + "_" : "";
    const MetricRow& row = metric_row(metric.kind);
    std::vector<std::string> names = words_of(row.aliases);
    names.emplace_back(metric.kind == MetricKind::kCustom ? metric.function : std::string(row.name));
    for (const std::string& name : names) {
      value.others.push_back(prefix + name);
      if (metric.is_weighted) value.others.push_back(prefix + "weighted_" + name);
    }
    values.push_back(std::move(value));
  }
  return values;
}

const Monitored& find_monitored(const CallbackSpec& callback, const std::string& name,
                                const std::vector<Monitored>& values) {
  for (const Monitored& value : values) {
    if (value.name == name) return value;
  }
  for (const Monitored& value : values) {
    if (lower_case(value.name) == lower_case(name)) return value;
    for (const std::string& other : value.others) {
      if (lower_case(other) == lower_case(name)) return value;
    }
  }
  std::vector<std::string> known;
  for (const Monitored& value : values) known.push_back(value.name);
  refuse("callback " + callback.name + ": argument \"monitor\" = " + in_quotes(callback.monitor) +
             " is neither a loss nor a metric of compile_params",
         "Known are " + list_text(known) + ", for validation with val_ before them.");
}

bool ends_with_one_of(const std::string& name, std::initializer_list<std::string_view> ends) {
  return std::any_of(ends.begin(), ends.end(), [&name](std::string_view end) { return name.ends_with(end); });
}

/// Keras's `mode='auto'`: Keras 2 goes by the name, Keras 3 by the metric.
CallbackSpec::Mode automatic_mode(const CallbackSpec& callback, const Monitored& value, SemanticsProfile profile) {
  const auto mode = [](bool is_up) { return is_up ? CallbackSpec::Mode::kMax : CallbackSpec::Mode::kMin; };
  if (profile == SemanticsProfile::kKeras3) {
    const MetricDirection direction =
        value.metric == nullptr ? MetricDirection::kDown : metric_row(value.metric->kind).direction;
    if (direction == MetricDirection::kUnknown) {
      refuse("callback " + callback.name + ": argument \"mode\" = \"auto\" does not say whether more of " +
                 in_quotes(callback.monitor) + " is better",
             "Give mode='min' or mode='max'.");
    }
    return mode(direction == MetricDirection::kUp);
  }
  const std::string& name = callback.monitor;
  const bool has_acc = name.find("acc") != std::string::npos;
  if (callback.kind == CallbackSpec::Kind::kKeepBest) return mode(has_acc || name.starts_with("fmeasure"));
  const bool is_by_end = callback.kind == CallbackSpec::Kind::kEarlyStopping &&
                         (profile == SemanticsProfile::kTf2Legacy || profile == SemanticsProfile::kTf2);
  return mode(is_by_end ? ends_with_one_of(name, {"acc", "accuracy", "auc"}) : has_acc);
}

void resolve_callbacks(TrainSpec& train, const ModelSpec& model) {
  const std::vector<Monitored> values = monitored_values(train, model);
  for (CallbackSpec& callback : train.callbacks) {
    const bool monitors = callback.kind == CallbackSpec::Kind::kEarlyStopping ||
                          callback.kind == CallbackSpec::Kind::kReduceLrOnPlateau ||
                          callback.kind == CallbackSpec::Kind::kKeepBest;
    if (!monitors) continue;
    const bool is_validation = callback.monitor.starts_with("val_");
    const Monitored& value = find_monitored(callback, callback.monitor.substr(is_validation ? 4 : 0), values);
    if (callback.mode == CallbackSpec::Mode::kAuto) callback.mode = automatic_mode(callback, value, model.profile);
    callback.monitor = (is_validation ? "val_" : "") + value.name;
  }
}

}  // namespace

TrainSpec resolve_train_spec(TrainSpec train, const ModelSpec& model) {
  resolve_losses(train, model);
  resolve_loss_weights(train, model);
  resolve_metrics(train, model);
  resolve_callbacks(train, model);
  if (!train.class_weights.empty() && model.outputs.size() > 1) {
    refuse("fit_params: \"class_weight\" needs a model with one output, this one has " +
               std::to_string(model.outputs.size()),
           "Use loss_weights, or sample weights in the data.");
  }
  if (!train.class_weights.empty() && model.output_shape(0).size() > 1) {
    refuse("fit_params: \"class_weight\" needs a model with one class an example, the output of this one has " +
               std::to_string(model.output_shape(0).size() + 1) + " axes",
           "Use sample weights in the data.");
  }
  return train;
}

}  // namespace modelhop
