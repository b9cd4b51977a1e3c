// SPDX-License-Identifier: Apache-2.0
// An architecture as load_keras_model left it in its table.
#pragma once

#include "server/postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>

#include "modelhop/model_spec.hpp"
#include "server/query.hpp"

namespace modelhop::server {

struct StoredArchitecture {
  std::string text;  ///< the table as the caller wrote it
  TableName table;
  std::int32_t model_id = 0;
  std::string json;
  std::optional<SemanticsProfile> profile;  ///< instead of the one that the architecture's fingerprint gives

  std::string condition() const;  ///< the WHERE clause that finds its row
};

/// Leaves the weights alone. Throws SqlError naming the argument or model_id: not a table of architectures, an id that
/// is missing or unknown.
StoredArchitecture read_stored_architecture(const char* argument, const std::optional<std::string>& table,
                                            std::optional<std::int32_t> model_id);

}  // namespace modelhop::server
