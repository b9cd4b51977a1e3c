// SPDX-License-Identifier: Apache-2.0
// Texts of messages, which may be left out of one.
#pragma once

#include <string>

#include "wire/message_generated.h"

namespace modelhop::wire {

/// Empty where the message has none.
inline std::string text_of(const flatbuffers::String* text) {
  return text == nullptr ? std::string() : text->str();
}

}  // namespace modelhop::wire
