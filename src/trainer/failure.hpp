// SPDX-License-Identifier: Apache-2.0
// Exceptions as values, so that one thread can hand them to another and the wire can carry them.
#pragma once

#include "modelhop/error.hpp"

namespace modelhop::trainer {

/// The exception in flight as an Error; call it inside a catch block only.
Error current_error();

}  // namespace modelhop::trainer
