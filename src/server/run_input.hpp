// SPDX-License-Identifier: Apache-2.0
// The parts of a run request: configurations and architectures, output tables, a former run to continue.
#pragma once

#include <string>
#include <vector>

#include "modelhop/error.hpp"
#include "selection/search.hpp"
#include "server/bridge.hpp"
#include "server/run_request.hpp"

namespace modelhop::server {

/// The argument's value, or ERRCODE_NULL_VALUE_NOT_ALLOWED.
const std::string& required(const std::optional<std::string>& value, const char* argument);

/// Throws ERRCODE_UNDEFINED_COLUMN where the relation lacks one of the columns.
void check_columns(const char* argument, const std::string& text, Oid relation,
                   const std::vector<std::string>& columns);

/// What to select for the semantics of a table of architectures: tables that others made do not have the column.
std::string semantics_expression(Oid relation);

/// Adds these architectures of the table plan.model_arch_text to the plan.
void read_architectures(const std::vector<std::int32_t>& model_ids, RunPlan& plan);

/// Parses a configuration and checks it against its architecture, which the plan has, and the data.
ConfigurationPlan checked_configuration(std::int32_t key, const ConfigurationText& text, const RunPlan& plan);

/// Says which part of the input a refusal of the spec room is about.
template <typename Body>
auto naming(const std::string& subject, Body&& body) {
  try {
    return body();
  } catch (const SqlError&) {
    throw;
  } catch (const Error& error) {
    throw Error(error.code(), subject + ": " + error.what(), error.hint());
  }
}

/// Fills plan.configurations, plan.architectures and the names that the summary tells; plan.training is read already.
void read_configurations(const RunRequest& request, RunPlan& plan);

/// Before the data is read: what automl_method and automl_params say. Fills plan.search and plan.iterations.
void begin_search(const RunRequest& request, RunPlan& plan);
/// read_configurations for a search: checks the whole space, then asks for the first configurations.
void read_search(const RunRequest& request, RunPlan& plan);
/// What a search asks for, as a configuration of the plan.
ConfigurationPlan trial_configuration(const Trial& trial, const RunPlan& plan);

/// Fills plan.tables: free names, or for a warm start the tables of the former run, whose columns must fit and which
/// say where each configuration, the seed and the iterations go on. Other writers are kept off those from here on.
void resolve_output(const RunRequest& request, RunPlan& plan);

}  // namespace modelhop::server
