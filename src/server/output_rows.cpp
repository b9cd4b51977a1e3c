// SPDX-License-Identifier: Apache-2.0
// MADlib's columns in MADlib's order, then ours. Orders and types are part of the interface: existing scripts read
// them.
#include "server/output_rows.hpp"

#include <utility>

#include "server/value_text.hpp"

namespace modelhop::server {
namespace {

using Text = std::optional<std::string>;

constexpr const char* kModelType = "madlib_keras";  // what scripts that read these tables compare with

void append(OutputRow& row, OutputRow more) {
  row.insert(row.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

Text names_text(const std::string& name) {
  return array_text(std::vector<Text>{name});
}

std::string class_values_type(const RunPlan& plan) {
  return plan.training.class_values_type.empty() ? "text[]" : plan.training.class_values_type;
}

Text class_values_text(const RunPlan& plan) {
  if (plan.training.class_values.empty()) return std::nullopt;
  return array_text(plan.training.class_values);
}

Text class_count_text(const RunPlan& plan) {
  const std::int64_t count =
      plan.training.class_count > 0 ? plan.training.class_count : element_count(plan.training.dependent_shape);
  return "{" + std::to_string(count) + "}";
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

/// Losses and first metrics of a table, final and all; NULL where the table or the metric does not exist.
struct Curve {
  Text metrics_final, loss_final, metrics, loss, all_final;
};

Curve curve_of(const std::vector<Score>& scores) {
  Curve curve;
  if (scores.empty()) return curve;
  std::vector<double> losses;
  std::vector<double> metrics;
  for (const Score& score : scores) {
    losses.push_back(score.loss);
    if (!score.metrics.empty()) metrics.push_back(score.metrics.front());
  }
  curve.loss_final = number_text(losses.back());
  curve.loss = array_text(losses);
  if (metrics.empty()) return curve;
  curve.metrics_final = number_text(metrics.back());
  curve.metrics = array_text(metrics);
  curve.all_final = array_text(scores.back().metrics);
  return curve;
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
            ",\"segment\":" + std::to_string(unit.unit.segment) + ",\"slot\":" + std::to_string(unit.slot) +
            ",\"start\":" + seconds(unit.started_us) + ",\"end\":" + seconds(unit.ended_us) +
            ",\"steps\":" + std::to_string(unit.steps) + ",\"examples\":" + std::to_string(unit.examples) +
            ",\"loss\":" + json_number_text(unit.loss) + "}";
  }
  return json + "]";
}

/// What both kinds of runs tell of one configuration, beyond MADlib's columns.
OutputRow configuration_columns(const RunPlan& plan, const ConfigurationRecord* record, const Curve& training,
                                const Curve& validation, std::int64_t origin_us) {
  const auto status = [record] { return record->has_diverged ? "diverged" : "finished"; };
  return {{"status", "text", record ? Text(status()) : std::nullopt},
          {"all_training_metrics", "double precision[]", training.all_final},
          {"all_validation_metrics", "double precision[]", validation.all_final},
          {"units", "jsonb", record ? Text(units_json(plan, *record, origin_us)) : std::nullopt}};
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
          {"independent_shape", "integer[]", array_text(plan.training.independent_shape)},
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
  const ConfigurationRecord* own = record ? &record->of(configuration.key) : nullptr;
  const Curve training = own ? curve_of(own->training) : Curve{};
  const Curve validation = own ? curve_of(own->validation) : Curve{};
  OutputRow row = {{"mst_key", "integer", std::to_string(configuration.key)},
                   {"model_id", "integer", std::to_string(plan.architecture_of(configuration).model_id)},
                   {"compile_params", "text", configuration.compile_params},
                   {"fit_params", "text", configuration.fit_params},
                   {"model_type", "text", kModelType},
                   {"model_size", "double precision", model_size_text(plan, configuration)},
                   {"metrics_elapsed_time", "double precision[]", own ? Text(array_text(own->elapsed)) : std::nullopt},
                   {"metrics_type", "text[]", metric_names_text(configuration)},
                   {"loss_type", "text", configuration.train.loss.name}};
  append(row, curve_columns("training", training));
  append(row, curve_columns("validation", validation));
  append(row, configuration_columns(plan, own, training, validation, record ? record->started_us() : 0));
  return row;
}

OutputRow summary_row(const RunPlan& plan, const RunRecord* record) {
  const Text validation = plan.validation ? Text(plan.validation->text) : std::nullopt;
  OutputRow row = {{"source_table", "text", plan.training.text},
                   {"validation_table", "text", validation},
                   {"model", "text", plan.model_output_text},
                   {"model_info", "text", plan.tables.info.quoted()},
                   {"dependent_varname", "text[]", names_text(plan.training.dependent_column)},
                   {"independent_varname", "text[]", names_text(plan.training.independent_column)},
                   {"model_arch_table", "text", plan.model_arch_text},
                   {"model_selection_table", "text", plan.model_selection_text},
                   {"object_table", "text", plan.object_text},
                   {"num_iterations", "integer", std::to_string(plan.iterations)},
                   {"metrics_compute_frequency", "integer", std::to_string(plan.frequency)},
                   {"warm_start", "boolean", boolean_text(plan.is_warm_start)},
                   {"name", "text", plan.name},
                   {"description", "text", plan.description}};
  append(row, time_columns(record));
  append(row, {{"madlib_version", "text", MODELHOP_VERSION},
               {"num_classes", "integer[]", class_count_text(plan)},
               {plan.training.dependent_column + "_class_values", class_values_type(plan), class_values_text(plan)},
               {"dependent_vartype", "text[]", names_text(plan.training.dependent_type)},
               {"normalizing_const", "real", number_text(plan.training.normalizing_const)},
               {"metrics_iters", "integer[]", array_text(plan.evaluated_iterations())}});
  append(row, run_columns(plan, record));
  return row;
}

OutputRow single_summary_row(const RunPlan& plan, const RunRecord* record) {
  const ConfigurationPlan& configuration = plan.configurations.front();
  const ConfigurationRecord* own = record ? &record->of(configuration.key) : nullptr;
  const Curve training = own ? curve_of(own->training) : Curve{};
  const Curve validation = own ? curve_of(own->validation) : Curve{};
  const Text validation_table = plan.validation ? Text(plan.validation->text) : std::nullopt;
  OutputRow row = {{"source_table", "text", plan.training.text},
                   {"model", "text", plan.model_output_text},
                   {"dependent_varname", "text[]", names_text(plan.training.dependent_column)},
                   {"independent_varname", "text[]", names_text(plan.training.independent_column)},
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
  append(row, {{"metrics_elapsed_time", "double precision[]", own ? Text(array_text(own->elapsed)) : std::nullopt},
               {"madlib_version", "text", MODELHOP_VERSION},
               {"num_classes", "integer[]", class_count_text(plan)},
               {"dependent_vartype", "text[]", names_text(plan.training.dependent_type)},
               {"normalizing_const", "real", number_text(plan.training.normalizing_const)},
               {"metrics_type", "text[]", metric_names_text(configuration)},
               {"loss_type", "text", configuration.train.loss.name}});
  append(row, curve_columns("training", training));
  append(row, curve_columns("validation", validation));
  append(row, {{"metrics_iters", "integer[]", array_text(plan.evaluated_iterations())},
               {plan.training.dependent_column + "_class_values", class_values_type(plan), class_values_text(plan)}});
  append(row, configuration_columns(plan, own, training, validation, record ? record->started_us() : 0));
  append(row, run_columns(plan, record));
  return row;
}

}  // namespace modelhop::server
