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

/// Values come as texts, in this order, and after them as bytea.
std::string insertion(const TableName& table, const std::vector<OutputColumn>& texts,
                      const std::vector<std::string>& byteas = {}) {
  std::string names;
  std::string values;
  int count = 0;
  const auto add = [&](const std::string& name, const std::string& type) {
    const std::string separator = names.empty() ? "" : ", ";
    names += separator + quote_identifier(name);
    values += separator + "$" + std::to_string(++count) + type;
  };
  for (const OutputColumn& column : texts) add(column.name, "::text::" + column.type);
  for (const std::string& column : byteas) add(column, "");
  return "INSERT INTO " + table.quoted() + " (" + names + ") VALUES (" + values + ")";
}

Parameters texts_of(const OutputRow& row) {
  Parameters texts;
  for (const OutputValue& value : row) texts.push_back(value.text);
  return texts;
}

void insert_row(const TableName& table, const OutputRow& row) {
  execute(insertion(table, columns_of(row)), texts_of(row));
}

/// What a row of the model table holds beside weights and training state.
OutputRow model_texts(const RunPlan& plan, const ConfigurationPlan& configuration) {
  const ArchitecturePlan& architecture = plan.architecture_of(configuration);
  OutputRow row = {{"model_arch", "json", architecture.json}};
  if (!plan.is_single) {
    row.push_back({"mst_key", "integer", std::to_string(configuration.key)});
    row.push_back({"__dist_key__", "integer", "0"});
  }
  if (!plan.madlib_columns) {
    row.push_back({"keras_semantics", "text",
                   architecture.profile ? std::optional<std::string>(to_string(*architecture.profile)) : std::nullopt});
  }
  return row;
}

/// Weights and training states into the model table, in the order of the configurations. The trainer makes the next
/// state ready while one is written. A training state beyond a value's size is left out: the configuration then
/// continues with a fresh optimizer.
class ModelRows {
 public:
  ModelRows(const RunPlan& plan, const RunRecord& record, TrainerClient& trainer)
      : plan_(plan), record_(record), trainer_(trainer), statement_(statement(plan)) {}

  void insert(std::size_t place) {
    if (!is_asked_) ask(place);
    is_asked_ = false;
    const FetchedState state = await_state(trainer_);
    const std::size_t next = place + 1;
    if (next < plan_.configurations.size() && plan_.configurations[next].memory.state <= kMostAheadBytes) ask(next);
    const ConfigurationPlan& configuration = plan_.configurations[place];
    ByteaValues bytes{state.weights()};
    if (!plan_.madlib_columns) {
      bytes.push_back(has_training_state(configuration) ? std::optional(state.training_state()) : std::nullopt);
    }
    statement_.execute(texts_of(model_texts(plan_, configuration)), bytes);
  }

 private:
  /// Two large states at a time would take more memory than the time is worth.
  static constexpr std::int64_t kMostAheadBytes = std::int64_t{64} << 20;

  static PreparedStatement statement(const RunPlan& plan) {
    const std::vector<OutputColumn> texts = columns_of(model_texts(plan, plan.configurations.front()));
    std::vector<std::string> byteas = {"model_weights"};
    if (!plan.madlib_columns) byteas.emplace_back("training_state");
    return {insertion(plan.tables.model, texts, byteas), texts.size(), byteas.size()};
  }

  bool has_training_state(const ConfigurationPlan& configuration) const {
    const std::int64_t bytes = configuration.memory.state - plan_.architecture_of(configuration).parameters * 4;
    return !plan_.madlib_columns && !record_.of(configuration.key).has_diverged && bytes < kMaxValueBytes;
  }

  void ask(std::size_t place) {
    const ConfigurationPlan& configuration = plan_.configurations[place];
    send_get_state(trainer_, configuration.key, has_training_state(configuration));
    is_asked_ = true;
  }

  const RunPlan& plan_;
  const RunRecord& record_;
  TrainerClient& trainer_;
  PreparedStatement statement_;
  bool is_asked_ = false;
};

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
  ModelRows models(plan, record, trainer);
  std::optional<PreparedStatement> info;
  if (!plan.is_single) {
    const auto columns = columns_of(info_row(plan, plan.configurations.front(), nullptr));
    info.emplace(insertion(plan.tables.info, columns), columns.size(), 0);
  }
  for (std::size_t place = 0; place < plan.configurations.size(); ++place) {
    check_interrupts();
    models.insert(place);
    if (info) info->execute(texts_of(info_row(plan, plan.configurations[place], &record)), {});
  }
  insert_row(plan.tables.summary, plan.is_single ? single_summary_row(plan, &record) : summary_row(plan, &record));
  if (plan.search) write_winner(plan, record);
}

}  // namespace modelhop::server
