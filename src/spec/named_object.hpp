// SPDX-License-Identifier: Apache-2.0
// Keras's way to write an object of a module: a name, or its class with the arguments of its constructor.
#pragma once

#include <string>

#include "spec/layer_config.hpp"

namespace modelhop::spec {

struct NamedObject {
  std::string name;
  Json arguments;
};

/// "name", {"class_name": name, "config": {...}} or {"class_name": "function", "config": name}.
NamedObject named_object(const LayerConfig& config, const std::string& key, const Json& value);

/// A number among the arguments of the object at `key`, or the fallback where there is none.
double argument(const LayerConfig& config, const std::string& key, const Json& arguments, const char* name,
                double fallback, NumberRange range = {});

/// The same for a name.
std::string word(const LayerConfig& config, const std::string& key, const Json& arguments, const char* name,
                 std::string fallback);

}  // namespace modelhop::spec
