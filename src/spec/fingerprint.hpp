// SPDX-License-Identifier: Apache-2.0
// Which Keras wrote a file, and whose numbers are meant by that.
#pragma once

#include "modelhop/model_spec.hpp"
#include "spec/json_text.hpp"

namespace modelhop::spec {

/// Files of Keras 3 follow its grammar; all others that of Keras 2.
bool is_keras3_file(const Json& document);

/// From `keras_version` and `module`. Throws kNotSupported for Keras 1.
SemanticsProfile profile_of_file(const Json& document);

}  // namespace modelhop::spec
