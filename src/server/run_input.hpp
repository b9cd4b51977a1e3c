// SPDX-License-Identifier: Apache-2.0
// The parts of a run request: configurations and architectures, output tables, a former run to continue.
#pragma once

#include "modelhop/error.hpp"
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

/// Fills plan.tables: free names, or for a warm start the tables of the former run, whose columns must fit and which
/// say where each configuration, the seed and the iterations go on. Other writers are kept off those from here on.
void resolve_output(const RunRequest& request, RunPlan& plan);

}  // namespace modelhop::server
