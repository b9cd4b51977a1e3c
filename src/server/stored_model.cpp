// SPDX-License-Identifier: Apache-2.0
#include "server/stored_model.hpp"

#include <algorithm>

#include "server/bridge.hpp"
#include "server/bytea_rows.hpp"
#include "server/run_input.hpp"
#include "server/settings.hpp"
#include "server/trainer_requests.hpp"
#include "spec/keras_json.hpp"
#include "spec/train_params.hpp"

namespace modelhop::server {
namespace {

const char* const kArgument = "model_table";

[[noreturn]] void refuse(const StoredModel& model, int sqlstate, const std::string& problem,
                         const std::string& hint = {}) {
  throw SqlError(sqlstate, "argument model_table: \"" + model.text + "\" " + problem, hint);
}

void check_key(StoredModel& model, std::optional<std::int32_t> mst_key) {
  if (model.is_single && mst_key) {
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                   "argument mst_key: \"" + model.text + "\" holds a single model, which has no mst_key",
                   "Call without mst_key.");
  }
  if (!model.is_single && !mst_key) {
    throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED,
                   "argument mst_key must say which model of \"" + model.text + "\" is meant",
                   "Choose one from its _info table, for example by modelhop.leaderboard.");
  }
  model.key = mst_key.value_or(1);
}

std::string where_key(const StoredModel& model) {
  return model.is_single ? std::string() : " WHERE mst_key = " + std::to_string(model.key);
}

/// The shape of the training examples, for an architecture that does not tell its input's.
Shape trained_shape(const StoredModel& model) {
  const TableName summary = model.table.with_suffix("_summary");
  check_columns(kArgument, summary.quoted(), existing_table(kArgument, summary.quoted()), {"independent_shape"});
  Shape shape;
  for (const Row& row : query("SELECT unnest(independent_shape) FROM " + summary.quoted())) {
    shape.push_back(row[0] ? std::stoll(*row[0]) : 0);
  }
  return shape;
}

void read_architecture(StoredModel& model) {
  const auto rows =
      query("SELECT model_arch::text, octet_length(model_weights) FROM " + model.table.quoted() + where_key(model));
  if (rows.empty() && !model.is_single) {
    throw SqlError(ERRCODE_UNDEFINED_OBJECT,
                   "argument mst_key: \"" + model.text + "\" has no model with mst_key " + std::to_string(model.key));
  }
  if (rows.size() != 1) {
    refuse(model, ERRCODE_INVALID_PARAMETER_VALUE,
           "must have one row for the model, it has " + std::to_string(rows.size()));
  }
  if (!rows[0][0] || !rows[0][1]) {
    refuse(model, ERRCODE_NULL_VALUE_NOT_ALLOWED, "has a NULL model_arch or model_weights");
  }
  model.json = *rows[0][0];
  model.model = parse_keras_json(model.json, trained_shape(model));
  const std::int64_t bytes = parameter_count(model.model) * 4;
  if (std::stoll(*rows[0][1]) != bytes) {
    refuse(model, ERRCODE_INVALID_PARAMETER_VALUE,
           "has weights of " + *rows[0][1] + " bytes for an architecture of " + std::to_string(bytes) + " bytes");
  }
  if (model.model.inputs.size() != 1 || model.model.outputs.size() != 1) {
    refuse(model, ERRCODE_FEATURE_NOT_SUPPORTED, "has more than one input or output");
  }
}

void read_parameters(StoredModel& model, const TableName& table) {
  check_columns(kArgument, table.quoted(), existing_table(kArgument, table.quoted()), {"compile_params", "fit_params"});
  const auto rows = query("SELECT compile_params, fit_params FROM " + table.quoted() + where_key(model));
  if (rows.size() != 1 || !rows[0][0]) {
    refuse(model, ERRCODE_INVALID_PARAMETER_VALUE, "has no parameters in \"" + table.quoted() + "\"");
  }
  model.compile_params = *rows[0][0];
  model.fit_params = rows[0][1].value_or("");
  model.train = parse_train_params(model.compile_params, model.fit_params, model.model.profile);
}

void read_summary(StoredModel& model, const TableName& table) {
  const Oid relation = existing_table(kArgument, table.quoted());
  check_columns(kArgument, table.quoted(), relation, {"dependent_varname", "normalizing_const"});
  const auto rows = query("SELECT dependent_varname[1], normalizing_const::double precision FROM " + table.quoted());
  if (rows.size() != 1) {
    refuse(model, ERRCODE_INVALID_PARAMETER_VALUE, "needs one row in \"" + table.quoted() + "\"");
  }
  model.dependent_name = rows[0][0].value_or("");
  model.normalizing_const = rows[0][1] ? std::stod(*rows[0][1]) : 1.0;
  const std::string column = model.dependent_name + "_class_values";
  check_columns(kArgument, table.quoted(), relation, {column});
  for (const Row& row : query("SELECT value::text FROM " + table.quoted() + ", unnest(" + quote_identifier(column) +
                              ") WITH ORDINALITY AS u(value, place) ORDER BY place")) {
    model.class_values.push_back(row[0]);
  }
}

}  // namespace

StoredModel read_stored_model(const std::optional<std::string>& model_table, std::optional<std::int32_t> mst_key) {
  StoredModel model;
  model.text = required(model_table, kArgument);
  const Oid relation = existing_table(kArgument, model.text);
  check_columns(kArgument, model.text, relation, {"model_arch", "model_weights"});
  const auto columns = table_columns(relation);
  model.is_single =
      std::none_of(columns.begin(), columns.end(), [](const Column& column) { return column.name == "mst_key"; });
  model.table = table_name(relation);
  check_key(model, mst_key);
  read_architecture(model);
  const TableName summary = model.table.with_suffix("_summary");
  read_parameters(model, model.is_single ? summary : model.table.with_suffix("_info"));
  read_summary(model, summary);
  return model;
}

void open_stored_model(TrainerClient& trainer, const StoredModel& model, const std::string& purpose,
                       std::int64_t dependent_row_elements, std::int64_t units) {
  OpenRequest request;
  request.name = model.table.quoted();
  request.purpose = purpose;
  request.units = units;
  request.memory_limit = current_settings().run_memory_limit;
  request.architectures = {model.json};
  request.independent_shape = model.input_shape();
  request.dependent_row_elements = dependent_row_elements;
  request.configurations = {{model.key, 0, model.compile_params, model.fit_params}};
  open_run(trainer, request);
  read_bytea_row("SELECT model_weights FROM " + model.table.quoted() + where_key(model), {},
                 [&](const ByteaValues& values) { set_state(trainer, model.key, values[0].value_or(Bytes{}), {}); });
}

}  // namespace modelhop::server
