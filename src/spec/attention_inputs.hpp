// SPDX-License-Identifier: Apache-2.0
// Query, value, key and masks among the inputs of an attention layer's call.
#pragma once

#include <string>
#include <vector>

#include "spec/call_inputs.hpp"

namespace modelhop {

/// Indexes into a call's inputs; -1 where there is none. Without a key the value is the key too.
struct AttentionInputs {
  int query = -1, value = -1, key = -1, attention_mask = -1;
};

inline AttentionInputs attention_inputs(const std::vector<std::string>& roles) {
  AttentionInputs inputs{argument_index(roles, "query", 0), argument_index(roles, "value", 1),
                         argument_index(roles, "key", 2), argument_index(roles, "attention_mask", 3)};
  if (inputs.key < 0) inputs.key = inputs.value;
  return inputs;
}

}  // namespace modelhop
