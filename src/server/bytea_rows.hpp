// SPDX-License-Identifier: Apache-2.0
// Big values between tables and memory, as they are: no text form, one row in memory at a time.
#pragma once

#include "server/postgres.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "server/query.hpp"

namespace modelhop::server {

/// A value of PostgreSQL ends at one gigabyte; a megabyte is left for the rest of the row.
inline constexpr std::int64_t kMaxValueBytes = (std::int64_t{1} << 30) - (std::int64_t{1} << 20);

using ByteaValues = std::vector<std::optional<std::span<const std::byte>>>;

/// Runs a query of bytea columns that gives at most one row and hands its values to `use`; they live until it returns.
/// Returns false, without calling it, where there is no row.
bool read_bytea_row(const std::string& sql, const Parameters& parameters,
                    const std::function<void(const ByteaValues&)>& use);

/// A statement that is planned once and run for many rows. Its parameters are so many texts ($1...) and then bytea
/// values.
class PreparedStatement {
 public:
  PreparedStatement(const std::string& sql, std::size_t texts, std::size_t values);
  ~PreparedStatement();
  PreparedStatement(const PreparedStatement&) = delete;
  PreparedStatement& operator=(const PreparedStatement&) = delete;

  void execute(const Parameters& texts, const ByteaValues& values);

 private:
  std::size_t parameters_;
  void* plan_;  ///< the server's SPIPlanPtr
};

}  // namespace modelhop::server
