// SPDX-License-Identifier: Apache-2.0
// Rows out of a set-returning function: values as text, read by the input functions of the declared columns.
#pragma once

#include "server/postgres.hpp"

#include <optional>
#include <string>
#include <vector>

namespace modelhop::server {

/// Make one at the start of the function, add rows, return 0. The function is declared RETURNS TABLE or SETOF record.
class RowWriter {
 public:
  explicit RowWriter(FunctionCallInfo fcinfo);
  void add(const std::vector<std::optional<std::string>>& columns);

 private:
  struct Target;
  Target* target_;  ///< in the query's memory
};

}  // namespace modelhop::server
