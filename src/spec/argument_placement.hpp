// SPDX-License-Identifier: Apache-2.0
// A call as the file writes it -> tensors with roles and plain keywords, by the signature of the class's call().
#pragma once

#include <string>
#include <vector>

#include "spec/inbound_nodes.hpp"

namespace modelhop::spec {

struct PlacedCall {
  std::vector<WrittenRef> refs;
  std::vector<std::string> roles;   ///< parallel to refs: "" by position, else the keyword
  std::vector<std::string> keys;    ///< parallel to refs where the inputs were written as an object, else empty
  Json arguments = Json::object();  ///< keywords that hold no tensor
};

/// How the file's writer treats keywords that the user did not give.
struct CallWriter {
  /// Keras 3 writes `training` of its own accord, and gives every call the mode of the model when it runs one.
  bool is_keras3 = false;
};

/// Throws where a positional argument is not a tensor, or there are more of them than the class is known to take.
PlacedCall place_arguments(const std::string& where, const std::string& class_name, const WrittenCall& call,
                           const CallWriter& writer);

}  // namespace modelhop::spec
