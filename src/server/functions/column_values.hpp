// SPDX-License-Identifier: Apache-2.0
// The numbers in one value of a user's column, whatever its SQL type: bytea, a numeric scalar or an array of those.
#pragma once

#include "server/postgres.hpp"

#include <cstdint>
#include <optional>

namespace modelhop::server {

/// How the numbers lie in memory.
enum class NumberKind : std::uint8_t { kUint8, kInt16, kInt32, kInt64, kFloat32, kFloat64 };

/// What an SQL type holds.
struct ColumnType {
  NumberKind kind = NumberKind::kFloat32;
  Oid element = InvalidOid;  ///< of an array, or the type itself
  bool is_array = false;

  bool is_bytes() const;
  bool is_numeric() const;  ///< the SQL type numeric: converted number by number
};

/// Empty where the type holds no numbers.
std::optional<ColumnType> column_type(Oid type);

/// Valid until the current memory context is reset.
struct ColumnValue {
  const void* numbers = nullptr;
  std::int64_t count = 0;
  int dimensions = 0;  ///< 0: a scalar; bytea has one
  const int* extents = nullptr;
  bool has_null = false;  ///< then there are no numbers
  double scalar = 0.0;    ///< room for a scalar
};

/// Reads a value that is not NULL. `value` is filled in place, since it may point into itself.
void read_value(const ColumnType& type, Datum datum, ColumnValue& value);

/// Length of a bytea without fetching it.
std::int64_t bytes_length(Datum datum);

/// Calls visit(const T* numbers, count) with the type of the numbers.
template <typename Visit>
void visit_numbers(const ColumnType& type, const ColumnValue& value, Visit&& visit) {
  switch (type.kind) {
    case NumberKind::kUint8:
      return visit(static_cast<const std::uint8_t*>(value.numbers), value.count);
    case NumberKind::kInt16:
      return visit(static_cast<const std::int16_t*>(value.numbers), value.count);
    case NumberKind::kInt32:
      return visit(static_cast<const std::int32_t*>(value.numbers), value.count);
    case NumberKind::kInt64:
      return visit(static_cast<const std::int64_t*>(value.numbers), value.count);
    case NumberKind::kFloat32:
      return visit(static_cast<const float*>(value.numbers), value.count);
    case NumberKind::kFloat64:
      return visit(static_cast<const double*>(value.numbers), value.count);
  }
}

}  // namespace modelhop::server
