// SPDX-License-Identifier: Apache-2.0
// Parts of 1024 rows, each found by the loops that find the numbers of a mini-batch.
#include "engine/sparse_index.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>

#include "engine/guard.hpp"
#include "engine/sparse_rows.hpp"

namespace modelhop::engine {
namespace {

constexpr std::int64_t kMostColumns = 1 << 16;  ///< finding the numbers of a part takes 100 MB then

/// Two fifths of the array, as make_sparse_index() says. Numbers of one or two bytes are worth an index only where even
/// fewer are not zero: one takes as much room here whatever its type.
bool is_small(std::int64_t numbers, std::int64_t bytes_of_rows) {
  constexpr std::int64_t kBytes = sizeof(float) + sizeof(std::int32_t);
  return 5 * numbers * kBytes <= 2 * bytes_of_rows;
}

}  // namespace

RowIndex::RowIndex(const ArrayView& array, std::int64_t rows)
    : array_(array), rows_(rows), row_bytes_(array.row_bytes()) {
  array_.index = nullptr;
}

bool RowIndex::is_known() const {
  std::call_once(once_, [this] { make(); });
  return !parts_.empty();
}

void RowIndex::make() const {
  if (array_.row_elements > kMostColumns) return;
  try {
    guarded([this] {
      SparseRows found;
      for (std::int64_t first = 0; first < rows_; first += kPartRows) {
        if (add_part(first, found)) continue;
        parts_.clear();
        return;
      }
    });
  } catch (const Error& error) {
    parts_.clear();
    if (error.code() != ErrorCode::kOutOfMemory) throw;
  }
}

bool RowIndex::add_part(std::int64_t first, SparseRows& found) const {
  std::array<const std::byte*, kPartRows> rows;
  const std::int64_t count = std::min(kPartRows, rows_ - first);
  for (std::int64_t row = 0; row < count; ++row) rows[row] = array_.row(first + row);
  if (!found.read({array_, std::span(rows).first(count)}, array_.row_elements)) return false;
  Part part;
  part.begins.push_back(0);
  for (const SparseRow& row : found.rows()) {
    part.begins.push_back(part.begins.back() + static_cast<std::int32_t>(row.count));
  }
  if (!is_small(part.begins.back(), count * row_bytes_)) return false;
  const std::int64_t room = std::max(1, part.begins.back());  // without room there would be no rows of zeros
  part.memory_of_numbers = at::empty({room}, at::TensorOptions().dtype(at::kFloat));
  part.memory_of_columns = at::empty({room}, at::TensorOptions().dtype(at::kInt));
  auto* numbers = part.memory_of_numbers.mutable_data_ptr<float>();
  auto* columns = part.memory_of_columns.mutable_data_ptr<std::int32_t>();
  part.numbers = numbers;
  part.columns = columns;
  for (const SparseRow& row : found.rows()) {
    numbers = std::copy_n(row.numbers, row.count, numbers);
    columns = std::copy_n(row.columns, row.count, columns);
  }
  parts_.push_back(std::move(part));
  return true;
}

}  // namespace modelhop::engine

namespace modelhop {

std::unique_ptr<SparseIndex> make_sparse_index(const ArrayView& array, std::int64_t rows) {
  return std::make_unique<engine::RowIndex>(array, rows);
}

}  // namespace modelhop
