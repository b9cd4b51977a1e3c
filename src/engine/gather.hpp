// SPDX-License-Identifier: Apache-2.0
// Collects the rows of a mini-batch: decoding to float32 and scaling are part of the copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "modelhop/segment.hpp"

namespace modelhop::engine {

/// Rows of one array that lie apart; `view.data` is not used.
struct RowList {
  ArrayView view;
  std::span<const std::byte* const> rows;
};

/// out[r, i] = float32(x[r, i]) * scale.
void gather_floats(const RowList& list, float scale, float* out);

/// Class ids, or the arg max of rows with several columns (the first maximum wins). Throws kInvalidArgument for an id
/// outside [0, classes).
void gather_class_ids(const RowList& list, std::int64_t classes, std::int64_t* out);

}  // namespace modelhop::engine
