// SPDX-License-Identifier: Apache-2.0
// Collects the rows of a mini-batch: decoding to float32 and scaling are part of the copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "modelhop/segment.hpp"

namespace modelhop::engine {

/// Rows of one array that lie apart; `view.data` is not used.
struct RowList {
  ArrayView view;
  std::span<const std::byte* const> rows;
};

/// A mini-batch, array by array.
struct BatchRows {
  std::vector<RowList> independent;
  std::vector<RowList> dependent;  ///< empty: no loss is computed
  RowList sample_weight;           ///< no rows: every example counts 1
};

/// out[r, i] = float32(x[r, i]) * scale of the array.
void gather_floats(const RowList& list, float* out);

/// Class ids, one for each element of a row. Throws kInvalidArgument for an id outside [0, classes) that is not the one
/// to ignore.
void gather_class_ids(const RowList& list, std::int64_t classes, std::optional<std::int64_t> ignored,
                      std::int64_t* out);

}  // namespace modelhop::engine
