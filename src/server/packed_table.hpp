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
#include "spec/train_params.hpp"
#include "wire/segment_layout.hpp"

namespace modelhop::server {

/// A column of examples. Values of uint8 and int16 are stored as they came and scaled by the trainer; float32 values
/// are stored normalized, as MADlib stores them.
struct PackedVariable {
  std::string column;  ///< of the packed table itself
  ElementType type = ElementType::kFloat32;
  Shape shape;         ///< of one example
  float scale = 1.0F;  ///< 1 / normalizing constant, or 1 where the stored values are normalized already
  // Of a dependent one:
  std::string sql_type;                                  ///< its dependent_vartype
  std::string encoding;                                  ///< one_hot, class_id or float
  std::vector<std::optional<std::string>> class_values;  ///< empty: not classes; NULL is a class of its own
  std::string class_values_type;                         ///< SQL type of the class_values array; empty: none
  std::int64_t class_count = 0;  ///< num_classes of the summary; without it the extent of the dependent rows

  std::int64_t elements() const;  ///< of one row
  std::string shape_column() const { return column + "_shape"; }
};

/// Segment j of n is the rows with buffer_id modulo n equal to j. Models visit those that hold rows.
struct PackedSegment {
  int number = 0;  ///< j
  std::int64_t rows = 0;
};

/// Columns stand for a model's inputs and outputs by their position.
struct PackedTable {
  std::string argument;  ///< name of the argument it came from, for messages
  std::string text;      ///< as the caller wrote it
  Oid relation = InvalidOid;
  TableName name;  ///< schema filled in
  std::vector<PackedVariable> independent;
  std::vector<PackedVariable> dependent;
  std::optional<std::string> sample_weight;  ///< column of float32, one a row
  double normalizing_const = 1.0;
  std::vector<double> normalizing_consts;  ///< one for each independent column
  int num_segments = 1;
  std::vector<PackedSegment> segments;  ///< those that hold rows, ascending; never empty
  std::int64_t buffers = 0;
  std::int64_t rows = 0;

  std::vector<std::int64_t> segment_rows() const;  ///< beside `segments`
  std::vector<Shape> independent_shapes() const;
  std::vector<std::int64_t> dependent_row_elements() const;
  std::vector<DependentVariable> dependent_variables() const;
  std::vector<std::string> columns() const;  ///< that hold arrays, in the order of the layout
  wire::SegmentLayout layout(std::int64_t row_count) const;
  std::int64_t decoded_bytes() const;  ///< of all rows, as the trainer holds them
};

/// Names of the variables, as an array literal.
std::vector<std::optional<std::string>> names_of(const std::vector<PackedVariable>& variables);

/// Reads `<table>_summary` and the shapes of the buffers, no big value. Throws SqlError naming the argument: missing
/// table or summary, not a packed table, wrong column types, no rows, buffers of different shapes.
PackedTable read_packed_table(const std::string& argument, const std::string& text);

}  // namespace modelhop::server
