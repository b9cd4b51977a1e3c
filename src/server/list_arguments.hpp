// SPDX-License-Identifier: Apache-2.0
// Arguments of SQL functions that are arrays, element after element, whatever their dimensions.
#pragma once

#include "server/postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

MODELHOP_SERVER_HEADERS_BEGIN
#include "utils/array.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {

/// Elements that are NULL are empty, and so is an argument that is NULL.
std::optional<std::vector<std::optional<std::int32_t>>> integers_argument(FunctionCallInfo fcinfo, int index);

/// NULL elements are empty texts, and NULL is an empty list.
std::vector<std::string> texts_argument(FunctionCallInfo fcinfo, int index);

std::vector<std::optional<std::string>> text_elements(ArrayType* array);

}  // namespace modelhop::server
