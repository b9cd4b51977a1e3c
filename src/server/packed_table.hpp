// SPDX-License-Identifier: Apache-2.0
// A packed table as its summary describes it, checked against its columns.
#pragma once

#include "server/postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "modelhop/model_spec.hpp"
#include "modelhop/segment.hpp"
#include "server/query.hpp"

namespace modelhop::server {

/// Values of uint8 and int16 are stored as they came and scaled by the trainer; float32 values are stored normalized,
/// as MADlib stores them.
struct PackedTable {
  std::string argument;  ///< name of the argument it came from, for messages
  std::string text;      ///< as the caller wrote it
  Oid relation = InvalidOid;
  TableName name;                  ///< schema filled in
  std::string independent_column;  ///< of the packed table itself
  std::string dependent_column;
  std::string dependent_type;  ///< dependent_vartype of the summary
  ElementType independent_type = ElementType::kFloat32;
  ElementType dependent_type_of_elements = ElementType::kInt16;
  Shape independent_shape;  ///< of one example
  Shape dependent_shape;
  double normalizing_const = 1.0;
  float independent_scale = 1.0F;  ///< 1 / normalizing_const, or 1 where the stored values are normalized already
  std::vector<std::optional<std::string>> class_values;  ///< empty: not classes; NULL is a class of its own
  std::string class_values_type;                         ///< SQL type of the class_values array; empty: none
  std::int64_t class_count = 0;  ///< num_classes of the summary; without it the extent of the dependent rows
  int num_segments = 1;
  std::int64_t buffers = 0;
  std::int64_t rows = 0;

  std::int64_t independent_elements() const;  ///< of one row
  std::int64_t dependent_elements() const;
  std::int64_t decoded_bytes() const;  ///< of all rows, as the trainer holds them
  std::string independent_shape_column() const { return independent_column + "_shape"; }
  std::string dependent_shape_column() const { return dependent_column + "_shape"; }
};

/// Reads `<table>_summary` and the shapes of the buffers, no big value. Throws SqlError naming the argument: missing
/// table or summary, not a packed table, wrong column types, several variables, no rows, buffers of different shapes.
PackedTable read_packed_table(const std::string& argument, const std::string& text);

}  // namespace modelhop::server
