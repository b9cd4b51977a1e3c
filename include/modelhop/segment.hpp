// SPDX-License-Identifier: Apache-2.0
// Decoded examples as the engine reads them: views of bytes owned elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace modelhop {

/// Native byte order. The values are part of the wire format.
enum class ElementType : std::uint8_t { kUint8 = 0, kInt16 = 1, kFloat32 = 2 };

constexpr std::int64_t element_size(ElementType type) {
  return type == ElementType::kUint8 ? 1 : type == ElementType::kInt16 ? 2 : 4;
}

class SparseIndex;

/// `rows` rows of `row_elements` elements each, in C order. The network sees float32(x) * scale.
struct ArrayView {
  const std::byte* data = nullptr;
  ElementType type = ElementType::kFloat32;
  std::int64_t row_elements = 0;
  float scale = 1.0F;                  ///< 1 / normalizing_const
  const SparseIndex* index = nullptr;  ///< of a block that the rows are part of, lives as long; may be null

  std::int64_t row_bytes() const { return row_elements * element_size(type); }
  const std::byte* row(std::int64_t index) const { return data + index * row_bytes(); }
};

/// A block of consecutive examples.
struct Examples {
  std::int64_t rows = 0;
  std::vector<ArrayView> independent;  ///< one per input of the network, in its order
  /// One per output: one-hot rows, class ids (row_elements 1) or floats. Empty where there is none.
  std::vector<ArrayView> dependent;
  /// float32, one per example or one for each of its steps; data null: every example counts 1.
  ArrayView sample_weight;
};

/// All of a segment's examples, its buffers in buffer_id order.
struct Segment {
  Examples examples;
  std::span<const std::int64_t> buffer_starts;  ///< first row of each buffer; ascending, begins with 0
};

}  // namespace modelhop
