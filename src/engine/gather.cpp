// SPDX-License-Identifier: Apache-2.0
// Loops over rows by element type, vectorized for the processor at run time.
#include "engine/gather.hpp"

#include <string>

#include "engine/vector_clones.hpp"
#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

template <typename Element>
MODELHOP_INLINE void convert_rows(const RowList& list, float* __restrict out) {
  const float scale = list.view.scale;
  const std::int64_t count = list.view.row_elements;
  for (const std::byte* row : list.rows) {
    const Element* source = reinterpret_cast<const Element*>(row);
#pragma GCC ivdep
    for (std::int64_t index = 0; index < count; ++index) out[index] = static_cast<float>(source[index]) * scale;
    out += count;
  }
}

// Clones are functions, not templates; the last argument only tells the type.
MODELHOP_VECTOR_CLONES void convert(const RowList& list, float* out, std::uint8_t) {
  convert_rows<std::uint8_t>(list, out);
}
MODELHOP_VECTOR_CLONES void convert(const RowList& list, float* out, std::int16_t) {
  convert_rows<std::int16_t>(list, out);
}
MODELHOP_VECTOR_CLONES void convert(const RowList& list, float* out, float) {
  convert_rows<float>(list, out);
}

template <typename Element>
void class_ids(const RowList& list, std::int64_t* out) {
  for (const std::byte* row : list.rows) {
    const Element* source = reinterpret_cast<const Element*>(row);
    for (std::int64_t index = 0; index < list.view.row_elements; ++index) {
      *out++ = static_cast<std::int64_t>(source[index]);
    }
  }
}

/// Calls function.template operator()<Element>() for the list's element type.
template <typename Function>
void with_element(const RowList& list, Function&& function) {
  switch (list.view.type) {
    case ElementType::kUint8:
      return function.template operator()<std::uint8_t>();
    case ElementType::kInt16:
      return function.template operator()<std::int16_t>();
    case ElementType::kFloat32:
      return function.template operator()<float>();
  }
}

}  // namespace

void gather_floats(const RowList& list, float* out) {
  with_element(list, [&]<typename Element>() { convert(list, out, Element{}); });
}

void gather_class_ids(const RowList& list, std::int64_t classes, std::optional<std::int64_t> ignored,
                      std::int64_t* out) {
  with_element(list, [&]<typename Element>() { class_ids<Element>(list, out); });
  const std::size_t count = list.rows.size() * static_cast<std::size_t>(list.view.row_elements);
  for (std::size_t index = 0; index < count; ++index) {
    if ((out[index] >= 0 && out[index] < classes) || out[index] == ignored) continue;
    throw Error(ErrorCode::kInvalidArgument,
                "class id " + std::to_string(out[index]) + " of the dependent variable is outside 0.." +
                    std::to_string(classes - 1),
                "The network's output must have one element per class.");
  }
}

}  // namespace modelhop::engine
