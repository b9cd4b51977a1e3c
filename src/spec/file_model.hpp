// SPDX-License-Identifier: Apache-2.0
// A model of a file with the models inside it, as they are written: layers by number, calls resolved within each model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "modelhop/model_spec.hpp"
#include "spec/argument_placement.hpp"
#include "spec/keras_graph.hpp"

namespace modelhop::spec {

struct FileModel;

struct FileLayer {
  std::string name;
  std::string class_name;  ///< of an operation node its canonical one, "ops.add"
  Json config;
  bool is_trainable = true;
  std::vector<GraphCall> calls;  ///< an InputLayer has one call without inputs; references are within the model
  std::vector<std::vector<std::string>> keys;  ///< per call: PlacedCall::keys
  std::unique_ptr<FileModel> model;            ///< of a nested model
};

/// Sequential models begin with an InputLayer, which is made up where the file has none.
struct FileModel {
  std::string name;
  bool is_sequential = false;
  bool has_input_shape = false;  ///< the file says it somewhere
  bool is_trainable = true;
  std::vector<FileLayer> layers;
  std::vector<CallRef> inputs;
  std::vector<CallRef> outputs;
  std::vector<std::string> input_keys, output_keys;  ///< where they were written as an object, else empty
};

/// Throws kInvalidArgument or kNotSupported: broken containers, dangling references, duplicate names, more than 10,000
/// layers in all, models nested deeper than 16. `input_shapes` are used where a Sequential file says no shape.
FileModel read_file_model(const Json& document, const std::vector<Shape>& input_shapes);

}  // namespace modelhop::spec
