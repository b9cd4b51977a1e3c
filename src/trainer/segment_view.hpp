// SPDX-License-Identifier: Apache-2.0
// Descriptions of rows that come from another process, checked, and views of the rows themselves.
#pragma once

#include <cstddef>
#include <cstdint>

#include "modelhop/segment.hpp"
#include "wire/message_generated.h"
#include "wire/segment_layout.hpp"

namespace modelhop::trainer {

using LayoutList = flatbuffers::Vector<flatbuffers::Offset<wire::Layout>>;

/// Throws kInvalidArgument where there is no independent array, an array is of an unknown type or has a scale that is
/// no number, or sizes overflow.
wire::SegmentLayout checked_layout(std::int64_t rows, const LayoutList* independent, const LayoutList* dependent,
                                   bool has_sample_weight);

/// The rows at `data` without a copy.
Examples examples_at(const std::byte* data, const wire::SegmentLayout& layout);

}  // namespace modelhop::trainer
