// SPDX-License-Identifier: Apache-2.0
// The readers of untrusted text as functions of bytes: what the fuzzers drive, and what the corpus is replayed through.
#pragma once

#include <string_view>

namespace modelhop::fuzz {

/// Reads an architecture. Returns for every Error but kInternal; anything else leaves as an exception. A model that was
/// read is checked: order of nodes, weights that are all listed once, counts that do not overflow.
void read_architecture(std::string_view text);

/// Reads compile parameters and, behind the first line break, fit parameters.
void read_train_params(std::string_view text);

/// Reads a custom loss or metric and checks its shapes against outputs of several ranks. Steps must come after what
/// they use, all of them be used, and the text read again be the same.
void read_expression(std::string_view text);

}  // namespace modelhop::fuzz
