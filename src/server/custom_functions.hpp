// SPDX-License-Identifier: Apache-2.0
// Custom losses and metrics in tables: the user's object table, and what the summary of a run keeps of it.
#pragma once

#include "server/postgres.hpp"

#include <optional>
#include <string>

#include "server/query.hpp"
#include "spec/custom_functions.hpp"

namespace modelhop::server {

/// All functions of an object table, as the caller wrote its name; none where it is NULL or empty. Their texts are not
/// read yet: parse_train_params reads those that it needs.
CustomFunctions read_object_table(const std::optional<std::string>& object_table);

/// {"name": "text"}, so that a model can be evaluated when the object table has changed or is gone. NULL: none.
std::optional<std::string> kept_functions_json(const CustomFunctions& functions);

/// The same back from a run's summary; where it has MADlib's columns alone, from its object table as it is now.
CustomFunctions read_kept_functions(const TableName& summary);

}  // namespace modelhop::server
