// SPDX-License-Identifier: Apache-2.0
// The known name that a misspelt one is likely to mean.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace modelhop::spec {

/// The candidate with the fewest insertions, deletions and replacements from `name`, case ignored; the first one in
/// order where several are as near. Long names count by their first 64 bytes. Empty where there are no candidates.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace modelhop::spec
