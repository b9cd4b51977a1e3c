// SPDX-License-Identifier: Apache-2.0
// Descriptions of rows that come from another process, checked, and views of the rows themselves.
#pragma once

#include <cstddef>
#include <cstdint>

#include "modelhop/segment.hpp"
#include "wire/message_generated.h"
#include "wire/segment_layout.hpp"

namespace modelhop::trainer {

/// Layout of `rows` rows. Throws kInvalidArgument on a missing part, an unknown type or sizes that overflow.
/// `dependent` may be missing or have row_elements 0.
wire::SegmentLayout checked_layout(std::int64_t rows, const wire::Layout* independent, const wire::Layout* dependent);

/// The rows at `data` without a copy.
Examples examples_at(const std::byte* data, const wire::SegmentLayout& layout, float independent_scale);

}  // namespace modelhop::trainer
