// SPDX-License-Identifier: Apache-2.0
// The rows of a mini-batch, array by array, as pointers into the blocks they lie in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/gather.hpp"

namespace modelhop::engine {

class BatchBuilder {
 public:
  /// Starts an empty batch of blocks like this one.
  void begin(const Examples& format);
  /// Adds these rows of a block; its data must stay until the batch was loaded.
  void add(const Examples& block, std::span<const std::int64_t> rows);
  /// The same for rows that follow each other.
  void add(const Examples& block, std::int64_t first, std::int64_t count);
  std::int64_t size() const { return size_; }
  /// Valid until the next begin() or add().
  const BatchRows& rows();

  /// Copies the rows into `bytes` and makes `block` a block of them.
  void move_to(std::vector<std::vector<std::byte>>& bytes, Examples& block) const;

 private:
  template <typename RowAt>
  void add_rows(const Examples& block, std::int64_t count, RowAt&& row_at);

  Examples format_;                                    ///< no data
  std::vector<std::vector<const std::byte*>> arrays_;  ///< independent ones, dependent ones, the weight
  std::int64_t size_ = 0;
  BatchRows rows_;
};

/// All arrays of a block: independent ones, dependent ones, the weight where there is one.
std::vector<ArrayView*> arrays_of(Examples& examples);

}  // namespace modelhop::engine
