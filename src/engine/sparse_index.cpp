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

constexpr std::int64_t kReadPastEnd = 16;       ///< numbers of a register
constexpr std::int64_t kMostColumns = 1 << 20;  ///< 32 bits count the numbers of a part then

template <typename Number>
at::Tensor copy_of(std::span<const Number> numbers, at::ScalarType type) {
  const std::int64_t count = std::ssize(numbers);
  at::Tensor copy = at::empty({count + kReadPastEnd}, at::TensorOptions().dtype(type));
  std::copy(numbers.begin(), numbers.end(), copy.mutable_data_ptr<Number>());
  return copy;
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
      for (std::int64_t first = 0; first < rows_; first += kPartRows) {
        if (add_part(first)) continue;
        parts_.clear();
        return;
      }
    });
  } catch (const Error& error) {
    parts_.clear();
    if (error.code() != ErrorCode::kOutOfMemory) throw;
  }
}

bool RowIndex::add_part(std::int64_t first) const {
  std::array<const std::byte*, kPartRows> rows;
  const std::int64_t count = std::min(kPartRows, rows_ - first);
  for (std::int64_t row = 0; row < count; ++row) rows[row] = array_.row(first + row);
  SparseRows found;
  if (!found.read({array_, std::span(rows).first(count)}, array_.row_elements)) return false;
  Part part;
  part.memory_of_numbers = copy_of(found.numbers(), at::kFloat);
  part.memory_of_columns = copy_of(found.columns(), at::kInt);
  part.numbers = part.memory_of_numbers.const_data_ptr<float>();
  part.columns = part.memory_of_columns.const_data_ptr<std::int32_t>();
  part.begins = {0};
  part.begins.insert(part.begins.end(), found.ends().begin(), found.ends().end());
  parts_.push_back(std::move(part));
  return true;
}

}  // namespace modelhop::engine

namespace modelhop {

std::unique_ptr<SparseIndex> make_sparse_index(const ArrayView& array, std::int64_t rows) {
  return std::make_unique<engine::RowIndex>(array, rows);
}

}  // namespace modelhop
