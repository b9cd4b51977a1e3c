// SPDX-License-Identifier: Apache-2.0
// MADlib's columns in MADlib's order, then ours. Orders and types are part of the interface: existing scripts read
// them.
#include "server/output_rows.hpp"

#include <utility>

#include "server/curve.hpp"
#include "server/custom_functions.hpp"
#include "server/value_text.hpp"
#include "spec/metric_table.hpp"

namespace modelhop::server {
namespace {

using Text = std::optional<std::string>;

constexpr const char* kModelType = "madlib_keras";  // what scripts that read these tables compare with

void append(OutputRow& row, OutputRow more) {
  row.insert(row.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

Text variables_text(const std::vector<PackedVariable>& variables) {
  return array_text(names_of(variables));
}

Text dependent_types_text(const RunPlan& plan) {
  std::vector<Text> types;
  for (const PackedVariable& variable : plan.training.dependent) types.push_back(variable.sql_type);
  return array_text(types);
}

OutputRow class_values_columns(const RunPlan& plan) {
  OutputRow row;
  for (const PackedVariable& variable : plan.training.dependent) {
    const std::string type = variable.class_values_type.empty() ? "text[]" : variable.class_values_type;
    const Text values = variable.class_values.empty() ? Text() : array_text(variable.class_values);
    row.push_back({variable.column + "_class_values", type, values});
  }
  return row;
}

Text class_counts_text(const RunPlan& plan) {
  std::vector<std::int64_t> counts;
  for (const PackedVariable& variable : plan.training.dependent) counts.push_back(variable.class_count);
  return array_text(counts);
}

/// 'float' where numbers are learnt as they are, as the preprocessor's dependent_encoding.
Text encodings_text(const RunPlan& plan) {
  std::vector<Text> encodings;
  for (const PackedVariable& variable : plan.training.dependent) encodings.push_back(variable.encoding);
  return array_text(encodings);
}

/// [[28,28,1],[5]]: the shapes of one example.
std::string shapes_json(const RunPlan& plan) {
  std::string json;
  for (const Shape& shape : plan.training.independent_shapes()) {
    std::string extents = array_text(shape);
    extents.front() = '[';
    extents.back() = ']';
    json += (json.empty() ? "[" : ", ") + extents;
  }
  return json + "]";
}

Text model_size_text(const RunPlan& plan, const ConfigurationPlan& configuration) {
  return number_text(static_cast<double>(plan.architecture_of(configuration).parameters) * 4.0 / 1024.0);
}

Text metric_names_text(const ConfigurationPlan& configuration) {
  if (configuration.train.metrics.empty()) return std::nullopt;
  std::vector<Text> names;
  for (const MetricSpec& metric : configuration.train.metrics) names.push_back(metric.name);
  return array_text(names);
}

Text metric_goals_text(const ConfigurationPlan& configuration) {
  if (configuration.train.metrics.empty()) return std::nullopt;
  std::vector<Text> goals;
  for (const MetricSpec& metric : configuration.train.metrics) {
    goals.push_back(spec::grows_with_quality(metric) ? "max" : "min");
  }
  return array_text(goals);
}

OutputRow curve_columns(const std::string& prefix, const Curve& curve) {
  return {{prefix + "_metrics_final", "double precision", curve.metrics_final},
          {prefix + "_loss_final", "double precision", curve.loss_final},
          {prefix + "_metrics", "double precision[]", curve.metrics},
          {prefix + "_loss", "double precision[]", curve.loss}};
}

const char* kind_name(UnitKind kind) {
  return kind == UnitKind::kTrain              ? "train"
         : kind == UnitKind::kEvaluateTraining ? "evaluate_training"
                                               : "evaluate_validation";
}

/// The configuration's units in the order in which they ended. `iteration` is the number that entered the order of the
/// examples, so that the run can be replayed from these rows.
std::string units_json(const RunPlan& plan, const ConfigurationRecord& record, std::int64_t origin_us) {
  std::string json = "[";
  for (const UnitRecord& unit : record.units) {
    const auto seconds = [origin_us](std::int64_t us) {
      return number_text(static_cast<double>(us - origin_us) * 1e-6);
    };
    json += std::string(json.size() > 1 ? "," : "") + "{\"kind\":\"" + kind_name(unit.unit.kind) +
            "\",\"iteration\":" + std::to_string(unit.unit.iteration + plan.first_iteration - 1) +
            ",\"segment\":" + std::to_string(plan.segment_number(unit.unit)) +
            ",\"slot\":" + std::to_string(unit.slot) + ",\"start\":" + seconds(unit.started_us) +
            ",\"end\":" + seconds(unit.ended_us) + ",\"steps\":" + std::to_string(unit.steps) +
            ",\"examples\":" + std::to_string(unit.examples) + ",\"loss\":" + json_number_text(unit.loss) + "}";
  }
  return json + "]";
}

std::string events_json(const RunPlan& plan, const ConfigurationRecord& record) {
  std::string json;
  for (const CallbackEvent& event : record.events) {
    json += (json.empty() ? "[" : ", ") + std::string("{\"iteration\": ") +
            std::to_string(event.iteration + plan.first_iteration - 1) +
            ", \"callback\": " + json_text(event.callback) +
            (event.learning_rate ? ", \"learning_rate\": " + json_number_text(*event.learning_rate)
                                 : std::string(", \"action\": \"stop\"")) +
            "}";
  }
  return json.empty() ? "[]" : json + "]";
}

const char* status_of(const ConfigurationRecord& record) {
  return record.has_diverged ? "diverged" : record.stopped_iteration ? "stopped early" : "finished";
}

Text iteration_text(const RunPlan& plan, const std::optional<std::int32_t>& iteration) {
  if (!iteration) return std::nullopt;
  return std::to_string(*iteration + plan.first_iteration - 1);
}

/// What both kinds of runs tell of one configuration, beyond MADlib's columns.
OutputRow configuration_columns(const RunPlan& plan, const ConfigurationPlan& configuration, const RunRecord* record,
                                const Curves& curves) {
  const ConfigurationRecord* own = record ? &record->of(configuration.key) : nullptr;
  return {{"status", "text", own ? Text(status_of(*own)) : Text()},
          {"all_training_metrics", "double precision[]", curves.training.all_final},
          {"all_validation_metrics", "double precision[]", curves.validation.all_final},
          {"units", "jsonb", own ? Text(units_json(plan, *own, record->started_us())) : Text()},
          {"metrics_goal", "text[]", metric_goals_text(configuration)},
          {"training_scores", "jsonb", curves.training.scores},
          {"validation_scores", "jsonb", curves.validation.scores},
          {"stopped_iteration", "integer", own ? iteration_text(plan, own->stopped_iteration) : Text()},
          {"weights_iteration", "integer", own ? iteration_text(plan, own->weights_iteration) : Text()},
          {"callback_events", "jsonb", own ? Text(events_json(plan, *own)) : Text()}};
}

CustomFunctions used_functions(const RunPlan& plan) {
  CustomFunctions used;
  for (const ConfigurationPlan& configuration : plan.configurations) add_used_functions(configuration.train, used);
  return used;
}

/// What both kinds of runs tell of the whole, beyond MADlib's columns.
OutputRow run_columns(const RunPlan& plan, const RunRecord* record) {
  const auto number = [record](double (RunRecord::*value)() const) -> Text {
    if (record == nullptr) return std::nullopt;
    return number_text((record->*value)());
  };
  Text ratio;
  if (record != nullptr && record->lower_bound_seconds() > 0.0) {
    ratio = number_text(record->makespan_seconds() / record->lower_bound_seconds());
  }
  return {{"seed", "bigint", std::to_string(plan.seed)},
          {"shuffle", "text", shuffle_name(plan.shuffle)},
          {"optimizer_state", "text", plan.reset_optimizer ? "reset" : "carry"},
          {"use_caching", "boolean", boolean_text(plan.is_cached)},
          {"num_segments", "integer", std::to_string(plan.training.num_segments)},
          {"independent_shapes", "jsonb", shapes_json(plan)},
          {"normalizing_consts", "real[]", array_text(plan.training.normalizing_consts)},
          {"dependent_encoding", "text[]", encodings_text(plan)},
          {"sample_weight_varname", "text", plan.training.sample_weight},
          {"custom_functions", "jsonb", kept_functions_json(used_functions(plan))},
          {"first_iteration", "integer", std::to_string(plan.first_iteration)},
          {"slots", "integer", record ? Text(std::to_string(record->slots())) : std::nullopt},
          {"feed_bytes", "bigint", record ? Text(std::to_string(record->feed_bytes())) : std::nullopt},
          {"feed_seconds", "double precision", number(&RunRecord::feed_seconds)},
          {"elapsed_seconds", "double precision", number(&RunRecord::elapsed_seconds)},
          {"makespan_seconds", "double precision", number(&RunRecord::makespan_seconds)},
          {"lower_bound_seconds", "double precision", number(&RunRecord::lower_bound_seconds)},
          {"makespan_ratio", "double precision", ratio},
          {"modelhop_version", "text", MODELHOP_VERSION}};
}

/// What MADlib tells of a configuration of a search: the iterations that its curves are of, and the last rung.
OutputRow search_columns(const RunPlan& plan, const ConfigurationPlan& configuration) {
  OutputRow row = {{"metrics_iters", "integer[]", array_text(plan.reported_iterations(configuration))}};
  if (plan.search->is_hyperband()) {
    append(row, {{"s", "integer", std::to_string(configuration.bracket)},
                 {"i", "integer", std::to_string(configuration.rung)}});
  }
  return row;
}

OutputRow automl_columns(const SearchPlan& search) {
  const Text state = search.random_state ? Text(std::to_string(*search.random_state)) : std::nullopt;
  return {{"automl_method", "text", search.method_text},
          {"automl_params", "text", search.params_text},
          {"random_state", "text", state}};
}

/// What the _info table is called by the name that the caller gave the models, as MADlib writes it.
std::string info_name(std::string name) {
  name.erase(name.find_last_not_of(" \t\n") + 1);
  name.insert(name.size() - (name.ends_with('"') ? 1 : 0), "_info");
  return name;
}

/// In the session's time zone, as MADlib stores times.
Text timestamp_text(std::int64_t us) {
  return query("SELECT to_timestamp($1::double precision)::timestamp",
               {number_text(static_cast<double>(us) * 1e-6)})[0][0];
}

OutputRow time_columns(const RunRecord* record) {
  return {
      {"start_training_time", "timestamp without time zone", record ? timestamp_text(record->started_us()) : Text()},
      {"end_training_time", "timestamp without time zone", record ? timestamp_text(record->ended_us()) : Text()}};
}

}  // namespace

OutputRow info_row(const RunPlan& plan, const ConfigurationPlan& configuration, const RunRecord* record) {
  const Curves curves = record ? curves_of(plan, configuration, *record) : Curves{};
  OutputRow row = {{"mst_key", "integer", std::to_string(configuration.key)},
                   {"model_id", "integer", std::to_string(plan.architecture_of(configuration).model_id)},
                   {"compile_params", "text", configuration.compile_params},
                   {"fit_params", "text", configuration.fit_params},
                   {"model_type", "text", kModelType},
                   {"model_size", "double precision", model_size_text(plan, configuration)},
                   {"metrics_elapsed_time", "double precision[]", curves.elapsed},
                   {"metrics_type", "text[]", metric_names_text(configuration)},
                   {"loss_type", "text", loss_names_text(configuration.train)}};
  append(row, curve_columns("training", curves.training));
  append(row, curve_columns("validation", curves.validation));
  if (plan.search) append(row, search_columns(plan, configuration));
  if (!plan.madlib_columns) append(row, configuration_columns(plan, configuration, record, curves));
  return row;
}

OutputRow selection_row(const RunPlan& plan, const ConfigurationPlan& configuration) {
  return {{"mst_key", "integer", std::to_string(configuration.key)},
          {"model_id", "integer", std::to_string(plan.architecture_of(configuration).model_id)},
          {"compile_params", "text", configuration.compile_params},
          {"fit_params", "text", configuration.fit_params}};
}

OutputRow selection_summary_row(const RunPlan& plan) {
  return {{"model_arch_table", "character varying", plan.model_arch_text},
          {"object_table", "character varying", plan.object_text}};
}

OutputRow summary_row(const RunPlan& plan, const RunRecord* record) {
  const Text validation = plan.validation ? Text(plan.validation->text) : std::nullopt;
  OutputRow row = {{"source_table", "text", plan.training.text},
                   {"validation_table", "text", validation},
                   {"model", "text", plan.model_output_text},
                   {"model_info", "text", info_name(plan.model_output_text)},
                   {"dependent_varname", "text[]", variables_text(plan.training.dependent)},
                   {"independent_varname", "text[]", variables_text(plan.training.independent)},
                   {"model_arch_table", "text", plan.model_arch_text},
                   {"model_selection_table", "text", plan.model_selection_text}};
  if (plan.search) append(row, automl_columns(*plan.search));
  row.push_back({"object_table", "text", plan.object_text});
  if (plan.search) {
    row.push_back({"use_gpus", "boolean", boolean_text(plan.use_gpus)});
  } else {
    row.push_back({"num_iterations", "integer", std::to_string(plan.iterations)});
  }
  row.push_back({"metrics_compute_frequency", "integer", std::to_string(plan.frequency)});
  if (!plan.search) row.push_back({"warm_start", "boolean", boolean_text(plan.is_warm_start)});
  append(row, {{"name", "text", plan.name}, {"description", "text", plan.description}});
  append(row, time_columns(record));
  append(row, {{"madlib_version", "text", MODELHOP_VERSION}, {"num_classes", "integer[]", class_counts_text(plan)}});
  append(row, class_values_columns(plan));
  append(row, {{"dependent_vartype", "text[]", dependent_types_text(plan)},
               {"normalizing_const", "real", number_text(plan.training.normalizing_const)}});
  if (!plan.search) row.push_back({"metrics_iters", "integer[]", array_text(plan.reported_iterations())});
  if (!plan.madlib_columns) append(row, run_columns(plan, record));
  return row;
}

OutputRow single_summary_row(const RunPlan& plan, const RunRecord* record) {
  const ConfigurationPlan& configuration = plan.configurations.front();
  const Curves curves = record ? curves_of(plan, configuration, *record) : Curves{};
  const Text validation_table = plan.validation ? Text(plan.validation->text) : std::nullopt;
  OutputRow row = {{"source_table", "text", plan.training.text},
                   {"model", "text", plan.model_output_text},
                   {"dependent_varname", "text[]", variables_text(plan.training.dependent)},
                   {"independent_varname", "text[]", variables_text(plan.training.independent)},
                   {"model_arch_table", "text", plan.model_arch_text},
                   {"model_id", "integer", std::to_string(plan.architecture_of(configuration).model_id)},
                   {"compile_params", "text", configuration.compile_params},
                   {"fit_params", "text", configuration.fit_params},
                   {"num_iterations", "integer", std::to_string(plan.iterations)},
                   {"validation_table", "text", validation_table},
                   {"object_table", "text", plan.object_text},
                   {"metrics_compute_frequency", "integer", std::to_string(plan.frequency)},
                   {"name", "text", plan.name},
                   {"description", "text", plan.description},
                   {"model_type", "text", kModelType},
                   {"model_size", "double precision", model_size_text(plan, configuration)}};
  append(row, time_columns(record));
  append(row, {{"metrics_elapsed_time", "double precision[]", curves.elapsed},
               {"madlib_version", "text", MODELHOP_VERSION},
               {"num_classes", "integer[]", class_counts_text(plan)},
               {"dependent_vartype", "text[]", dependent_types_text(plan)},
               {"normalizing_const", "real", number_text(plan.training.normalizing_const)},
               {"metrics_type", "text[]", metric_names_text(configuration)},
               {"loss_type", "text", loss_names_text(configuration.train)}});
  append(row, curve_columns("training", curves.training));
  append(row, curve_columns("validation", curves.validation));
  append(row, {{"metrics_iters", "integer[]", array_text(plan.reported_iterations())}});
  append(row, class_values_columns(plan));
  if (plan.madlib_columns) return row;
  append(row, configuration_columns(plan, configuration, record, curves));
  append(row, run_columns(plan, record));
  append(row, {{"parallel", "text", plan.is_averaged ? "average" : "hop"}});
  return row;
}

}  // namespace modelhop::server
