// SPDX-License-Identifier: Apache-2.0
// Pointers to rows, kept per array.
#include "engine/batch_builder.hpp"

namespace modelhop::engine {

std::vector<ArrayView*> arrays_of(Examples& examples) {
  std::vector<ArrayView*> arrays;
  for (ArrayView& array : examples.independent) arrays.push_back(&array);
  for (ArrayView& array : examples.dependent) arrays.push_back(&array);
  if (examples.sample_weight.row_elements > 0) arrays.push_back(&examples.sample_weight);
  return arrays;
}

void BatchBuilder::begin(const Examples& format) {
  format_ = format;
  format_.rows = 0;
  const std::vector<ArrayView*> views = arrays_of(format_);
  for (ArrayView* view : views) view->data = nullptr;
  arrays_.resize(views.size());
  for (auto& array : arrays_) array.clear();
  size_ = 0;
}

/// `row_at(i)`: the row to be added as number i. One array at a time, into room made before.
template <typename RowAt>
void BatchBuilder::add_rows(const Examples& block, std::int64_t count, RowAt&& row_at) {
  auto array = arrays_.begin();
  const auto add_of = [&](const ArrayView& view) {
    array->resize(static_cast<std::size_t>(size_ + count));
    const std::byte** next = array->data() + size_;
    for (std::int64_t i = 0; i < count; ++i) next[i] = view.row(row_at(i));
    ++array;
  };
  for (const ArrayView& view : block.independent) add_of(view);
  for (const ArrayView& view : block.dependent) add_of(view);
  if (block.sample_weight.row_elements > 0) add_of(block.sample_weight);
  size_ += count;
}

void BatchBuilder::add(const Examples& block, std::span<const std::int64_t> rows) {
  add_rows(block, std::ssize(rows), [rows](std::int64_t i) { return rows[i]; });
}

void BatchBuilder::add(const Examples& block, std::int64_t first, std::int64_t count) {
  add_rows(block, count, [first](std::int64_t i) { return first + i; });
}

const BatchRows& BatchBuilder::rows() {
  rows_.independent.clear();
  rows_.dependent.clear();
  rows_.sample_weight = {};
  auto array = arrays_.begin();
  for (const ArrayView& view : format_.independent) rows_.independent.push_back({view, *array++});
  for (const ArrayView& view : format_.dependent) rows_.dependent.push_back({view, *array++});
  if (format_.sample_weight.row_elements > 0) rows_.sample_weight = {format_.sample_weight, *array};
  return rows_;
}

void BatchBuilder::move_to(std::vector<std::vector<std::byte>>& bytes, Examples& block) const {
  Examples format = format_;
  const std::vector<ArrayView*> views = arrays_of(format);
  std::vector<std::vector<std::byte>> copies(views.size());
  for (std::size_t index = 0; index < views.size(); ++index) {
    const auto row_bytes = static_cast<std::size_t>(views[index]->row_bytes());
    for (const std::byte* row : arrays_[index]) copies[index].insert(copies[index].end(), row, row + row_bytes);
    views[index]->data = copies[index].data();
    views[index]->index = nullptr;
  }
  format.rows = size_;
  bytes = std::move(copies);
  block = std::move(format);
}

}  // namespace modelhop::engine
