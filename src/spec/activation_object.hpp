// SPDX-License-Identifier: Apache-2.0
// An activation that a file gives as an object instead of a name.
#pragma once

#include <string>

#include "spec/layer_config.hpp"

namespace modelhop::spec {

/// {"class_name": "function", "config": "relu"}, or a layer given as a function (LeakyReLU(0.1)) -> the text that
/// attributes hold (activation_names.hpp).
std::string activation_of_object(const LayerConfig& config, const std::string& key, const Json& value);

}  // namespace modelhop::spec
