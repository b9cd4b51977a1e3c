// SPDX-License-Identifier: Apache-2.0
// Making and filling the output tables. The columns of each table and their values are named side by side.
#include "server/run_output.hpp"

#include "server/bridge.hpp"
#include "server/bytea_rows.hpp"
#include "server/output_rows.hpp"
#include "server/search_run.hpp"
#include "server/trainer_requests.hpp"

namespace modelhop::server {
namespace {

std::vector<OutputColumn> columns_of(const OutputRow& row) {
  std::vector<OutputColumn> columns;
  for (const OutputValue& value : row) columns.push_back({value.name, value.type});
  return columns;
}

void insert_row(const TableName& table, const OutputRow& row) {
  std::string names;
  std::string values;
  Parameters parameters;
  for (const OutputValue& value : row) {
    const std::string separator = names.empty() ? "" : ", ";
    parameters.push_back(value.text);
    names += separator + quote_identifier(value.name);
    values += separator + "$" + std::to_string(parameters.size()) + "::text::" + value.type;
  }
  execute("INSERT INTO " + table.quoted() + " (" + names + ") VALUES (" + values + ")", parameters);
}

/// Weights and training state as one row of the model table. A training state beyond a value's size is left out: the
/// configuration then continues with a fresh optimizer.
void insert_model(const RunPlan& plan, const ConfigurationPlan& configuration, bool is_complete,
                  TrainerClient& trainer) {
  const ArchitecturePlan& architecture = plan.architecture_of(configuration);
  const bool with_training_state =
      is_complete && !plan.madlib_columns && configuration.memory.state - architecture.parameters * 4 < kMaxValueBytes;
  const FetchedState state = get_state(trainer, configuration.key, with_training_state);
  std::string columns = "model_arch";
  std::string values = "$1::json";
  Parameters parameters = {architecture.json};
  const auto add = [&](const std::string& column, const std::string& type, std::optional<std::string> text) {
    parameters.push_back(std::move(text));
    columns += ", " + column;
    values += ", $" + std::to_string(parameters.size()) + type;
  };
  if (!plan.is_single) {
    add("mst_key", "::integer", std::to_string(configuration.key));
    add("__dist_key__", "::integer", "0");
  }
  if (!plan.madlib_columns) {
    add("keras_semantics", "", architecture.profile ? std::optional(to_string(*architecture.profile)) : std::nullopt);
  }
  ByteaValues bytes{state.weights()};
  columns += ", model_weights";
  values += ", $" + std::to_string(parameters.size() + 1);
  if (!plan.madlib_columns) {
    bytes.push_back(with_training_state ? std::optional(state.training_state()) : std::nullopt);
    columns += ", training_state";
    values += ", $" + std::to_string(parameters.size() + 2);
  }
  execute_with_bytea("INSERT INTO " + plan.tables.model.quoted() + " (" + columns + ") VALUES (" + values + ")",
                     parameters, bytes);
}

std::vector<OutputColumn> model_columns(const RunPlan& plan) {
  std::vector<OutputColumn> columns = {{"model_weights", "bytea"}, {"model_arch", "json"}};
  if (!plan.is_single) {
    columns.insert(columns.begin(), {"mst_key", "integer"});
    columns.push_back({"__dist_key__", "integer"});
  }
  if (!plan.madlib_columns) {
    columns.push_back({"training_state", "bytea"});
    columns.push_back({"keras_semantics", "text"});
  }
  return columns;
}

void write_winner(const RunPlan& plan, const RunRecord& record) {
  insert_row(plan.search->selection_summary, selection_summary_row(plan));
  if (const auto best = winner(record)) {
    insert_row(plan.search->selection, selection_row(plan, plan.configuration(*best)));
  } else {
    report_notice("every configuration has diverged: there is no winner, and \"" + plan.model_selection_text +
                  "\" stays empty");
  }
}

}  // namespace

std::vector<OutputTable> output_tables(const RunPlan& plan) {
  std::vector<OutputTable> tables;
  const RunRecord* no_record = nullptr;
  tables.push_back({plan.tables.model, model_columns(plan), ""});
  if (plan.is_single) {
    tables.push_back({plan.tables.summary, columns_of(single_summary_row(plan, no_record)), ""});
    return tables;
  }
  tables.push_back({plan.tables.info, columns_of(info_row(plan, plan.configurations.front(), no_record)),
                    ", PRIMARY KEY (mst_key)"});
  tables.push_back({plan.tables.summary, columns_of(summary_row(plan, no_record)), ""});
  if (plan.search) {
    const ConfigurationPlan& any = plan.configurations.front();
    tables.push_back({plan.search->selection, columns_of(selection_row(plan, any)), ""});
    tables.push_back({plan.search->selection_summary, columns_of(selection_summary_row(plan)), ""});
  }
  return tables;
}

void prepare_output(const RunPlan& plan) {
  if (plan.is_warm_start) return;
  for (const OutputTable& table : output_tables(plan)) {
    std::string columns;
    for (const OutputColumn& column : table.columns) {
      columns += (columns.empty() ? "" : ", ") + quote_identifier(column.name) + " " + column.type;
    }
    execute("CREATE TABLE " + table.name.quoted() + " (" + columns + table.constraint + ")");
  }
  // Floats do not compress: store them as they are.
  execute("ALTER TABLE " + plan.tables.model.quoted() + " ALTER COLUMN model_weights SET STORAGE EXTERNAL" +
          (plan.madlib_columns ? "" : ", ALTER COLUMN training_state SET STORAGE EXTERNAL"));
}

void write_output(const RunPlan& plan, const RunRecord& record, TrainerClient& trainer) {
  if (plan.is_warm_start) {
    std::string list;
    for (const OutputTable& table : output_tables(plan)) list += (list.empty() ? "" : ", ") + table.name.quoted();
    execute("TRUNCATE " + list);
  }
  for (const ConfigurationPlan& configuration : plan.configurations) {
    check_interrupts();
    insert_model(plan, configuration, !record.of(configuration.key).has_diverged, trainer);
    if (!plan.is_single) insert_row(plan.tables.info, info_row(plan, configuration, &record));
  }
  insert_row(plan.tables.summary, plan.is_single ? single_summary_row(plan, &record) : summary_row(plan, &record));
  if (plan.search) write_winner(plan, record);
}

}  // namespace modelhop::server
