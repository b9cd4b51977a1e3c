// SPDX-License-Identifier: Apache-2.0
// The grammar of `inbound_nodes`, `input_layers` and `output_layers` in Keras 2 and Keras 3.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "spec/json_text.hpp"

namespace modelhop::spec {

/// A tensor by the layer's name, as the file writes it.
struct WrittenRef {
  std::string layer;
  std::int64_t call = 0;
  std::int64_t tensor = 0;
};

/// What one call of a layer is given.
struct WrittenCall {
  std::vector<WrittenRef> refs;
  std::vector<std::string> roles;   ///< parallel to refs: "" by position, else the keyword
  Json arguments = Json::object();  ///< keywords that hold no tensor
};

/// Calls of one layer. Throws kNotSupported for call arguments that change what the layer computes.
std::vector<WrittenCall> read_inbound_nodes(const std::string& layer, const std::string& class_name, const Json& entry);

/// A list of triples, one bare triple, or an object of triples.
std::vector<WrittenRef> read_model_ends(const Json& value, const char* key);

}  // namespace modelhop::spec
