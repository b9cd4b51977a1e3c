// SPDX-License-Identifier: Apache-2.0
#include "server/stored_model.hpp"

#include "server/bridge.hpp"
#include "server/bytea_rows.hpp"
#include "server/custom_functions.hpp"
#include "server/keras_semantics.hpp"
#include "server/run_input.hpp"
#include "server/settings.hpp"
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
  if (!model.is_single) model.condition = " WHERE mst_key = " + std::to_string(model.key);
}

/// The shapes of the training examples, for an architecture that does not tell its inputs'; none in MADlib's tables.
std::vector<Shape> trained_shapes(const StoredModel& model) {
  const TableName summary = model.table.with_suffix(kArgument, "_summary");
  std::vector<Shape> shapes;
  if (!has_column(existing_table(kArgument, summary.quoted()), "independent_shapes")) return shapes;
  // LIMIT 1: without it the planner expects so many rows that it has the query compiled, which takes 25 ms.
  for (const Row& row :
       query("SELECT s.place, e.extent FROM (SELECT independent_shapes FROM " + summary.quoted() +
             " LIMIT 1) AS t, jsonb_array_elements(t.independent_shapes) WITH ORDINALITY AS s(shape, place), "
             "jsonb_array_elements_text(s.shape) WITH ORDINALITY AS e(extent, axis) "
             "ORDER BY s.place, e.axis")) {
    shapes.resize(std::stoull(*row[0]));
    shapes.back().push_back(std::stoll(row[1].value_or("0")));
  }
  return shapes;
}

void read_architecture(StoredModel& model, Oid relation) {
  const auto rows = query("SELECT model_arch::text, octet_length(model_weights), " + semantics_expression(relation) +
                          " FROM " + model.table.quoted() + model.condition);
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
  model.profile = keras_semantics(rows[0][2]);
  model.model = parse_keras_json(model.json, trained_shapes(model), model.profile);
  const std::int64_t bytes = parameter_count(model.model) * 4;
  if (std::stoll(*rows[0][1]) != bytes) {
    refuse(model, ERRCODE_INVALID_PARAMETER_VALUE,
           "has weights of " + *rows[0][1] + " bytes for an architecture of " + std::to_string(bytes) + " bytes");
  }
}

void read_parameters(StoredModel& model, const TableName& table) {
  check_columns(kArgument, table.quoted(), existing_table(kArgument, table.quoted()), {"compile_params", "fit_params"});
  const auto rows = query("SELECT compile_params, fit_params FROM " + table.quoted() + model.condition);
  if (rows.size() != 1 || !rows[0][0]) {
    refuse(model, ERRCODE_INVALID_PARAMETER_VALUE, "has no parameters in \"" + table.quoted() + "\"");
  }
  model.compile_params = *rows[0][0];
  model.fit_params = rows[0][1].value_or("");
  model.train = resolve_train_spec(
      parse_train_params(model.compile_params, model.fit_params, model.model.profile, model.custom_functions),
      model.model);
}

void read_class_values(const TableName& table, Oid relation, StoredOutput& output) {
  const std::string column = output.name + "_class_values";
  check_columns(kArgument, table.quoted(), relation, {column});
  for (const Row& row : query("SELECT value::text FROM " + table.quoted() + ", unnest(" + quote_identifier(column) +
                              ") WITH ORDINALITY AS u(value, place) ORDER BY place")) {
    output.class_values.push_back(row[0]);
  }
}

void read_summary(StoredModel& model, const TableName& table) {
  const Oid relation = existing_table(kArgument, table.quoted());
  check_columns(kArgument, table.quoted(), relation, {"dependent_varname", "normalizing_const"});
  // MADlib's tables know classes alone, and one constant.
  const std::string encodings = has_column(relation, "dependent_encoding") ? "s.dependent_encoding" : "ARRAY[]::text[]";
  const std::string constants =
      has_column(relation, "normalizing_consts")
          ? "s.normalizing_consts"
          : "array_fill(s.normalizing_const, ARRAY[" + std::to_string(model.model.inputs.size()) + "])";
  const auto count = query("SELECT count(*) FROM " + table.quoted())[0][0];
  if (count != "1") refuse(model, ERRCODE_INVALID_PARAMETER_VALUE, "needs one row in \"" + table.quoted() + "\"");
  for (const Row& row :
       query("SELECT u.name, u.encoding FROM " + table.quoted() + " AS s, unnest(s.dependent_varname, " + encodings +
             ") WITH ORDINALITY AS "
             "u(name, encoding, place) ORDER BY place")) {
    model.outputs.push_back({row[0].value_or(""), row[1].value_or("one_hot"), {}});
    read_class_values(table, relation, model.outputs.back());
  }
  // The text of a real, as the packed table's constants were read: the same factors as in training.
  for (const Row& row : query("SELECT unnest(" + constants + ") FROM " + table.quoted() + " AS s")) {
    model.normalizing_consts.push_back(row[0] ? std::stod(*row[0]) : 1.0);
  }
  if (model.outputs.size() != model.model.outputs.size() ||
      model.normalizing_consts.size() != model.model.inputs.size()) {
    refuse(model, ERRCODE_INVALID_PARAMETER_VALUE, "has another number of inputs or outputs than its summary");
  }
}

}  // namespace

std::vector<Shape> StoredModel::input_shapes() const {
  std::vector<Shape> shapes;
  for (std::size_t input = 0; input < model.inputs.size(); ++input) shapes.push_back(model.input_shape(input));
  return shapes;
}

StoredModel read_stored_model(const std::optional<std::string>& model_table, std::optional<std::int32_t> mst_key) {
  StoredModel model;
  model.text = given_name(kArgument, model_table, TableRole::kInput);
  const Oid relation = existing_table(kArgument, model.text);
  check_columns(kArgument, model.text, relation, {"model_arch", "model_weights"});
  model.is_single = !has_column(relation, "mst_key");
  model.table = table_name(relation);
  check_key(model, mst_key);
  read_architecture(model, relation);
  const TableName summary = model.table.with_suffix(kArgument, "_summary");
  model.custom_functions = read_kept_functions(summary);
  read_parameters(model, model.is_single ? summary : model.table.with_suffix(kArgument, "_info"));
  read_summary(model, summary);
  return model;
}

void read_weights(const StoredModel& model, const std::function<void(Bytes weights)>& use) {
  read_bytea_row("SELECT model_weights FROM " + model.table.quoted() + model.condition, {},
                 [&](const ByteaValues& values) { use(values[0].value_or(Bytes{})); });
}

void open_stored_model(TrainerClient& trainer, const StoredModel& model, const std::string& purpose,
                       const std::vector<std::int64_t>& dependent_row_elements, std::int64_t units) {
  OpenRequest request;
  request.name = model.table.quoted();
  request.purpose = purpose;
  request.units = units;
  const Settings settings = current_settings();
  request.memory_limit = settings.run_memory_limit;
  request.slots = settings.run_slots;
  request.architectures = {{model.json, model.profile}};
  request.independent_shapes = model.input_shapes();
  request.dependent_row_elements = dependent_row_elements;
  request.configurations = {{model.key, 0, model.compile_params, model.fit_params}};
  request.custom_functions = model.custom_functions;
  open_run(trainer, request);
  read_weights(model, [&](Bytes weights) { set_state(trainer, model.key, weights, {}); });
}

}  // namespace modelhop::server
