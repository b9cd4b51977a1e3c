// SPDX-License-Identifier: Apache-2.0
// What losses and metrics ask of the dependent variable: one column of their tables.
#pragma once

#include <cstdint>

namespace modelhop::spec {

enum class TargetFit : std::uint8_t {
  kSameShape,  ///< as many elements as the output
  kClasses,    ///< at least two output units, one per class; targets are one-hot or class ids
  kEither,     ///< class ids, or as many elements as the output
};

}  // namespace modelhop::spec
