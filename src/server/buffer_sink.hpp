// SPDX-License-Identifier: Apache-2.0
// Who takes the rows that the aggregate train_segment reads. The aggregate finds its sink by number, because SQL can
// carry no pointer.
#pragma once

#include "server/postgres.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace modelhop::server {

/// One row of a packed table.
struct Buffer {
  std::int64_t id = 0;
  std::int64_t rows = 0;
  std::vector<std::span<const std::byte>> arrays;  ///< in the order of the layout
};

/// Known to the aggregate from its making to its end. Of one backend.
class BufferSink {
 public:
  BufferSink();
  virtual ~BufferSink();
  BufferSink(const BufferSink&) = delete;
  BufferSink& operator=(const BufferSink&) = delete;

  std::int32_t number() const { return number_; }

  virtual void take(const Buffer& buffer) = 0;
  virtual void finish() = 0;  ///< after the last row; throws where rows are missing

  /// Null where no such sink is open.
  static BufferSink* find(std::int32_t number);

 private:
  std::int32_t number_;
};

}  // namespace modelhop::server
