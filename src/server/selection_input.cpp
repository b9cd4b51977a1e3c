// SPDX-License-Identifier: Apache-2.0
// Configurations and architectures: read from their tables, parsed, and checked against the data.
#include <algorithm>
#include <set>

#include "server/bridge.hpp"
#include "server/bytea_rows.hpp"
#include "server/callback_run.hpp"
#include "server/custom_functions.hpp"
#include "server/keras_semantics.hpp"
#include "server/run_input.hpp"
#include "server/value_text.hpp"
#include "spec/train_params.hpp"

namespace modelhop::server {
namespace {

struct SelectionRow {
  std::int32_t key;
  ConfigurationText text;
};

std::string key_text(std::int32_t key) {
  return "mst_key " + std::to_string(key);
}

std::vector<SelectionRow> read_selection(const std::string& text, RunPlan& plan) {
  const char* argument = "model_selection_table";
  const Oid relation = existing_table(argument, text);
  check_columns(argument, text, relation, {"mst_key", "model_id", "compile_params", "fit_params"});
  const TableName name = table_name(relation);
  const TableName summary = name.with_suffix(argument, "_summary");
  check_columns(argument, summary.quoted(), existing_table(argument, summary.quoted()),
                {"model_arch_table", "object_table"});
  const auto facts = query("SELECT model_arch_table, object_table FROM " + summary.quoted());
  if (facts.size() != 1 || !facts[0][0]) {
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                   "argument model_selection_table: \"" + summary.quoted() +
                       "\" must have one row that names the "
                       "model_arch_table",
                   "Make the selection table by load_model_selection_table or generate_model_configs.");
  }
  plan.model_selection_text = text;
  plan.model_arch_text = *facts[0][0];
  plan.object_text = facts[0][1];

  std::vector<SelectionRow> rows;
  for (const Row& row : query("SELECT mst_key::integer, model_id::integer, compile_params, fit_params FROM " +
                              name.quoted() + " ORDER BY mst_key")) {
    if (!row[0] || !row[1]) {
      throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED,
                     "argument model_selection_table: \"" + text + "\" has a row with a NULL mst_key or model_id");
    }
    const std::int32_t key = std::stoi(*row[0]);
    if (!rows.empty() && rows.back().key == key) {
      throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                     "argument model_selection_table: \"" + text + "\" has more than one row with " + key_text(key));
    }
    rows.push_back({key, {std::stoi(*row[1]), row[2].value_or(""), row[3].value_or("")}});
  }
  if (rows.empty()) {
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "argument model_selection_table: \"" + text + "\" is empty",
                   "Make the selection table by load_model_selection_table or generate_model_configs.");
  }
  return rows;
}

SelectionRow single_configuration(const RunRequest& request, RunPlan& plan) {
  plan.model_arch_text = given_name("model_arch_table", request.model_arch_table, TableRole::kInput);
  plan.object_text = request.object_table;
  if (!request.model_id) {
    throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, "argument model_id must not be NULL");
  }
  return {1, {*request.model_id, required(request.compile_params, "compile_params"), request.fit_params.value_or("")}};
}

void check_weights(const ArchitecturePlan& architecture, const std::optional<std::string>& stored_bytes,
                   const std::string& subject) {
  const std::int64_t bytes = architecture.parameters * 4;
  if (bytes > kMaxValueBytes) {
    throw Error(ErrorCode::kNotSupported,
                subject + ": " + std::to_string(architecture.parameters) + " parameters take " +
                    std::to_string(bytes >> 20) + " MB, a value of a table at most 1023 MB",
                "Use an architecture of at most 268 million parameters.");
  }
  if (stored_bytes && std::stoll(*stored_bytes) != bytes) {
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                   subject + ": model_weights has " + *stored_bytes + " bytes, the architecture " +
                       std::to_string(architecture.parameters) + " parameters of 4 bytes",
                   "Store the weights as the float32 of get_weights() of this very architecture.");
  }
}

}  // namespace

const std::string& required(const std::optional<std::string>& value, const char* argument) {
  if (!value) throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, std::string("argument ") + argument + " must not be NULL");
  return *value;
}

void check_columns(const char* argument, const std::string& text, Oid relation,
                   const std::vector<std::string>& columns) {
  const auto present = table_columns(relation);
  for (const std::string& column : columns) {
    if (std::any_of(present.begin(), present.end(), [&](const Column& c) { return c.name == column; })) continue;
    throw SqlError(ERRCODE_UNDEFINED_COLUMN,
                   std::string("argument ") + argument + ": table \"" + text + "\" has no column \"" + column + "\"");
  }
}

std::string semantics_expression(Oid relation) {
  const auto columns = table_columns(relation);
  const bool has_semantics = std::any_of(columns.begin(), columns.end(),
                                         [](const Column& column) { return column.name == "keras_semantics"; });
  return has_semantics ? "keras_semantics" : "NULL::text";
}

void read_architectures(const std::vector<std::int32_t>& model_ids, RunPlan& plan) {
  const char* argument = "model_arch_table";
  const std::string& text = plan.model_arch_text;
  const Oid relation = existing_table(argument, text);
  check_columns(argument, text, relation, {"model_id", "model_arch", "model_weights"});
  plan.model_arch_table = table_name(relation);
  const auto rows =
      query("SELECT model_id, model_arch::text, octet_length(model_weights), " + semantics_expression(relation) +
                " FROM " + plan.model_arch_table.quoted() + " WHERE model_id = ANY ($1::integer[])",
            {array_text(model_ids)});
  for (std::int32_t id : model_ids) {
    const std::string subject = "model_id " + std::to_string(id) + " of \"" + text + "\"";
    const auto is_this = [id](const Row& row) { return row[0] == std::to_string(id); };
    const auto found = std::find_if(rows.begin(), rows.end(), is_this);
    if (found == rows.end() || !(*found)[1]) {
      throw SqlError(ERRCODE_UNDEFINED_OBJECT, "argument model_arch_table: \"" + text + "\" has no architecture with " +
                                                   "model_id " + std::to_string(id));
    }
    if (std::count_if(rows.begin(), rows.end(), is_this) > 1) {
      throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, subject + " stands for more than one architecture");
    }
    ArchitecturePlan architecture;
    architecture.model_id = id;
    architecture.json = *(*found)[1];
    architecture.model = naming(subject, [&] {
      architecture.profile = keras_semantics((*found)[3]);
      return parse_keras_json(architecture.json, plan.training.independent_shapes(), architecture.profile);
    });
    architecture.parameters = parameter_count(architecture.model);
    architecture.forward_flops = forward_flops(architecture.model);
    check_weights(architecture, (*found)[2], subject);
    architecture.has_weights = (*found)[2].has_value();
    plan.architectures.push_back(std::move(architecture));
  }
}

ConfigurationPlan checked_configuration(std::int32_t key, const ConfigurationText& text, const RunPlan& plan) {
  const auto found =
      std::find_if(plan.architectures.begin(), plan.architectures.end(),
                   [&text](const ArchitecturePlan& architecture) { return architecture.model_id == text.model_id; });
  check(found != plan.architectures.end(), "a configuration of an architecture that was not read");
  const ArchitecturePlan& used = *found;
  ConfigurationPlan configuration{key, static_cast<std::size_t>(found - plan.architectures.begin()),
                                  text.compile_params, text.fit_params};
  configuration.train = resolve_train_spec(
      parse_train_params(text.compile_params, text.fit_params, used.model.profile, plan.custom_functions), used.model);
  check_fits_data(used.model, configuration.train, plan.training.independent_shapes(),
                  plan.training.dependent_variables());
  check_callbacks(configuration.train, plan.validation.has_value());
  configuration.is_monitored = has_monitors(configuration.train);
  if (plan.is_averaged && configuration.train.optimizer.use_ema) {
    throw Error(ErrorCode::kNotSupported,
                "argument parallel: 'average' goes not with an optimizer whose use_ema is true: each segment would "
                "have a moving average of its own",
                "Use parallel => 'hop', or leave out use_ema.");
  }
  if (!plan.is_cached && configuration.train.shuffle == Shuffle::kSegment) {
    throw Error(ErrorCode::kInvalidArgument, "shuffle over the whole segment needs a cached run, and this run streams");
  }
  configuration.memory = estimate_memory(used.model, configuration.train);
  const auto& callbacks = configuration.train.callbacks;
  configuration.kept_bytes = used.parameters * 4 * std::count_if(callbacks.begin(), callbacks.end(), keeps_weights);
  configuration.ends = {plan.iterations};
  configuration.origin = used.has_weights ? Origin::kArchitectureTable : Origin::kInitializers;
  return configuration;
}

void read_configurations(const RunRequest& request, RunPlan& plan) {
  if (request.search) return read_search(request, plan);
  std::vector<SelectionRow> rows;
  if (request.is_single) {
    rows.push_back(single_configuration(request, plan));
  } else {
    rows = read_selection(given_name("model_selection_table", request.model_selection_table, TableRole::kInput), plan);
  }
  std::set<std::int32_t> known;
  std::vector<std::int32_t> model_ids;
  for (const SelectionRow& row : rows) {
    if (known.insert(row.text.model_id).second) model_ids.push_back(row.text.model_id);
  }
  read_architectures(model_ids, plan);
  plan.custom_functions = read_object_table(plan.object_text);
  for (const SelectionRow& row : rows) {
    const auto make = [&] { return checked_configuration(row.key, row.text, plan); };
    plan.configurations.push_back(request.is_single ? make() : naming(key_text(row.key), make));
  }
}

}  // namespace modelhop::server
