// SPDX-License-Identifier: Apache-2.0
// Examples from an unpacked table, read by a cursor and decoded as the trainer's memory is laid out.
#pragma once

#include "server/postgres.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "modelhop/model_spec.hpp"
#include "modelhop/segment.hpp"
#include "server/query.hpp"
#include "wire/segment_layout.hpp"

namespace modelhop::server {

/// One input's values.
struct ExampleColumn {
  std::string name;
  Oid type = InvalidOid;
  Shape shape;         ///< of one example, the model's input
  float scale = 1.0F;  ///< 1 / normalizing constant

  ElementType element_type() const;  ///< as it is sent to the trainer
  std::int64_t row_bytes() const { return element_count(shape) * element_size(element_type()); }
};

/// Where the examples are, checked.
struct ExampleSource {
  Oid relation = InvalidOid;
  TableName table;
  std::string id_column;
  std::string id_type;                 ///< SQL type with its modifier
  std::vector<ExampleColumn> columns;  ///< one for each input, in the model's order

  wire::SegmentLayout layout(std::int64_t rows) const;
};

/// What an input takes.
struct InputForm {
  Shape shape;
  double normalizing_const = 1.0;
};

/// `independent_varname` is a list of columns, one for each input. Throws SqlError naming test_table, id_col or
/// independent_varname.
ExampleSource find_examples(const std::optional<std::string>& test_table, const std::optional<std::string>& id_col,
                            const std::optional<std::string>& independent_varname,
                            const std::vector<InputForm>& inputs);

/// A cursor over the source. Needs an Spi scope around it that lives longer.
class ExampleCursor {
 public:
  explicit ExampleCursor(const ExampleSource& source);

  /// Reads up to `limit` rows and returns how many there are; 0 at the end.
  std::int64_t fetch(std::int64_t limit);
  std::int64_t rows() const { return rows_; }  ///< of the last fetch
  /// Decodes the rows of the last fetch into `target` (source.layout(rows()) says where) and returns their ids as text.
  /// Throws SqlError with the row's id for NULL, not-a-number and examples of another shape. Frees the rows.
  std::vector<std::optional<std::string>> decode(std::span<std::byte> target);
  void close();

 private:
  void decode_value(std::int64_t row, std::size_t place, std::span<std::byte> target, const std::string& id);

  const ExampleSource& source_;
  void* portal_ = nullptr;
  void* table_ = nullptr;  ///< the SPITupleTable of the last fetch
  std::int64_t rows_ = 0;
};

}  // namespace modelhop::server
