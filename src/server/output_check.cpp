// SPDX-License-Identifier: Apache-2.0
// The output tables before a run: free names, or the tables of the run that is continued.
#include <limits>
#include <map>
#include <set>

#include "server/bridge.hpp"
#include "server/run_input.hpp"
#include "server/run_output.hpp"
#include "server/value_text.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "access/xact.h"
#include "access/xlog.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {
namespace {

const char* output_argument(const RunPlan& plan) {
  return plan.is_single ? "model" : "model_output_table";
}

void take_free_names(const std::string& text, RunPlan& plan) {
  const char* argument = output_argument(plan);
  plan.tables.model = free_output_table(argument, text);
  plan.tables.summary = free_output_table(argument, plan.tables.model.with_suffix(argument, "_summary").quoted());
  if (!plan.is_single)
    plan.tables.info = free_output_table(argument, plan.tables.model.with_suffix(argument, "_info").quoted());
}

/// The winner's selection table, beside the run's three.
void take_free_selection(RunPlan& plan) {
  const char* argument = "model_selection_table";
  SearchPlan& search = *plan.search;
  search.selection = free_output_table(argument, plan.model_selection_text);
  search.selection_summary = free_output_table(argument, search.selection.with_suffix(argument, "_summary").quoted());
  std::set<std::string> names;
  for (const OutputTable& table : output_tables(plan)) {
    if (names.insert(table.name.quoted()).second) continue;
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                   "argument model_selection_table: \"" + plan.model_selection_text + "\" and model_output_table \"" +
                       plan.model_output_text + "\" would both make table " + table.name.quoted(),
                   "Give them different names.");
  }
}

/// The tables are filled anew in place, so their columns must be those that this run would make.
void check_former_table(const char* argument, const OutputTable& table) {
  const Oid relation = existing_table(argument, table.name.quoted());
  std::vector<std::optional<std::string>> names;
  std::vector<std::optional<std::string>> types;
  for (const OutputColumn& column : table.columns) {
    names.push_back(column.name);
    types.push_back(column.type);
  }
  const auto comparison = query(
      "SELECT (SELECT array_agg(attname::text || ' ' || atttypid::text ORDER BY attnum) FROM pg_attribute "
      "WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped) = "
      "(SELECT array_agg(name || ' ' || type::regtype::oid::text ORDER BY place) "
      "FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS u(name, type, place))",
      {std::to_string(relation), array_text(names), array_text(types)});
  const bool is_same = comparison[0][0] == "t";
  if (!is_same) {
    throw SqlError(ERRCODE_WRONG_OBJECT_TYPE,
                   std::string("argument ") + argument + ": \"" + table.name.quoted() +
                       "\" does not have the columns that this run writes, so it cannot be continued",
                   "Continue with data of the same dependent variable, or call without warm_start.");
  }
  const auto rights =
      query("SELECT has_table_privilege($1::oid, 'INSERT') AND has_table_privilege($1::oid, 'TRUNCATE')",
            {std::to_string(relation)});
  if (rights[0][0] != "t") {
    throw SqlError(ERRCODE_INSUFFICIENT_PRIVILEGE,
                   std::string("argument ") + argument + ": \"" + table.name.quoted() +
                       "\": permission denied to replace its rows",
                   "GRANT INSERT, TRUNCATE on the table to the current role.");
  }
}

void check_former_weights(const ConfigurationPlan& configuration, const RunPlan& plan, const std::string& bytes) {
  const std::int64_t parameters = plan.architecture_of(configuration).parameters;
  if (std::stoll(bytes) == parameters * 4) return;
  throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                 std::string("argument ") + output_argument(plan) + ": mst_key " + std::to_string(configuration.key) +
                     " has weights of " + bytes + " bytes, its architecture now has " + std::to_string(parameters) +
                     " parameters of 4 bytes",
                 "A warm start needs the architecture that the weights belong to.");
}

void take_former_states(RunPlan& plan) {
  const std::string key = plan.is_single ? "1" : "mst_key";
  std::map<std::string, std::string> bytes;
  for (const Row& row : query("SELECT " + key + ", octet_length(model_weights) FROM " + plan.tables.model.quoted() +
                              " WHERE model_weights IS NOT NULL")) {
    bytes.emplace(row[0].value_or(""), row[1].value_or("0"));
  }
  for (ConfigurationPlan& configuration : plan.configurations) {
    const auto found = bytes.find(std::to_string(configuration.key));
    if (found == bytes.end()) continue;
    check_former_weights(configuration, plan, found->second);
    configuration.origin = Origin::kFormerRun;
  }
}

void continue_former_run(const RunRequest& request, const std::string& text, RunPlan& plan) {
  const char* argument = output_argument(plan);
  plan.tables.model = table_name(existing_table(argument, text));
  plan.tables.summary = plan.tables.model.with_suffix(argument, "_summary");
  if (!plan.is_single) plan.tables.info = plan.tables.model.with_suffix(argument, "_info");
  if (!request.is_plan_only && (XactReadOnly || RecoveryInProgress())) {
    throw SqlError(ERRCODE_READ_ONLY_SQL_TRANSACTION, std::string("cannot replace the rows of argument ") + argument +
                                                          ": \"" + text + "\" in a read-only transaction");
  }
  // The tables stay what they are, whatever the session's setting says.
  plan.madlib_columns = !has_column(existing_table(argument, plan.tables.model.quoted()), "training_state");
  for (const OutputTable& table : output_tables(plan)) {
    check_former_table(argument, table);
    // Before the states are read, so that of two sessions the second one continues from what the first has written.
    if (!request.is_plan_only) execute("LOCK TABLE " + table.name.quoted() + " IN SHARE ROW EXCLUSIVE MODE");
  }
  // Without our columns nothing tells the former seed: a new one gives new orders.
  const std::string columns =
      plan.madlib_columns ? "1, " + std::to_string(plan.seed) : "first_iteration + num_iterations, seed";
  const auto former = query("SELECT " + columns + " FROM " + plan.tables.summary.quoted());
  if (former.size() != 1 || !former[0][0] || !former[0][1]) {
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, std::string("argument ") + argument + ": \"" +
                                                        plan.tables.summary.quoted() +
                                                        "\" must have one row to continue from");
  }
  plan.first_iteration = std::stoi(*former[0][0]);
  if (plan.first_iteration < 1 || plan.iterations > std::numeric_limits<int>::max() - plan.first_iteration) {
    throw SqlError(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                   "argument num_iterations: " + std::to_string(plan.iterations) + " from iteration " +
                       std::to_string(plan.first_iteration) + " on cannot be counted",
                   "Call without warm_start.");
  }
  // The former seed unless another is wanted, so that two runs of n iterations see the orders of one of 2n.
  if (!request.seed) plan.seed = std::stoll(*former[0][1]);
  take_former_states(plan);
}

}  // namespace

void resolve_output(const RunRequest& request, RunPlan& plan) {
  const std::string& text = given_name(output_argument(plan), request.model_output_table, TableRole::kOutput);
  plan.model_output_text = text;
  if (plan.is_warm_start) {
    continue_former_run(request, text, plan);
  } else if (!request.is_plan_only) {
    take_free_names(text, plan);
    if (plan.search) take_free_selection(plan);
  }
}

}  // namespace modelhop::server
