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

/// One argument of a call: tensors, or a value that holds none.
struct WrittenArgument {
  std::string keyword;            ///< "" by position
  std::vector<WrittenRef> refs;   ///< one tensor, or all tensors of a list or of an object
  std::vector<std::string> keys;  ///< parallel to refs where they were written as an object, else empty
  bool is_list = false;           ///< the tensors were written as a list
  Json value;                     ///< null where there are refs; tagged arrays of Keras 3 are plain lists
};

/// What one call of a layer is given, in the order of the file; null keywords are left out.
struct WrittenCall {
  std::vector<WrittenArgument> arguments;
};

/// The calls of one layer. Throws where the grammar is broken, and for values that only Python can read.
std::vector<WrittenCall> read_inbound_nodes(const std::string& layer, const std::string& class_name, const Json& entry);

/// Inputs or outputs of a model.
struct WrittenEnds {
  std::vector<WrittenRef> refs;
  std::vector<std::string> keys;  ///< parallel to refs where they were written as an object, else empty
};

/// A list of triples, one bare triple, or an object of triples.
WrittenEnds read_model_ends(const Json& value, const char* key);

}  // namespace modelhop::spec
