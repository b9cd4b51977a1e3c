// SPDX-License-Identifier: Apache-2.0
// The graph of a Keras architecture: layers, their calls, inputs and outputs. Names are resolved and models inside the
// model are replaced by their layers; nothing is known yet about what the layers do.
#pragma once

#include <string>
#include <vector>

#include "modelhop/model_spec.hpp"
#include "spec/json_text.hpp"

namespace modelhop::spec {

/// Output `tensor` of call number `call` of layer number `layer`.
struct CallRef {
  int layer = 0;
  int call = 0;
  std::int64_t tensor = 0;
};

/// One call of a layer.
struct GraphCall {
  std::vector<CallRef> inputs;
  std::vector<std::string>
      roles;  ///< of each input: "" by position, else the keyword; see layer_attributes.hpp for operations
  Json arguments = Json::object();  ///< keywords that hold no tensor
};

struct GraphLayer {
  std::string name;  ///< of a layer in a nested model "model/layer"
  std::string class_name;
  Json config;
  bool is_frozen_by_model = false;  ///< a model that the layer is in is not trainable
  std::vector<GraphCall> calls;     ///< an InputLayer has one call without inputs
};

/// Who is inside whom: the file's order of layers, which says the order of weights.
struct GraphNest {
  int layer = -1;                ///< a layer; -1: a model
  bool is_trainable = true;      ///< of the model
  std::vector<GraphNest> parts;  ///< of the model
};

struct Graph {
  std::string name;
  SemanticsProfile profile = SemanticsProfile::kTf2Legacy;
  std::vector<GraphLayer> layers;  ///< in file order
  GraphNest nest;
  std::vector<CallRef> inputs;
  std::vector<CallRef> outputs;
  std::vector<std::string> output_names;  ///< of the layers (or nested models) that give the outputs, or a dict's keys
  bool has_named_outputs = false;         ///< the output names are a dict's keys
};

/// Throws kInvalidArgument or kNotSupported: not a Keras model, dangling references, duplicate names, more than 10,000
/// layers or 100,000 calls. A Sequential model gets an InputLayer where the file has none.
Graph read_keras_graph(const Json& document, const std::vector<Shape>& input_shapes);

/// The shape of an InputLayer's config; extents that the file leaves open are taken from `input_shape`.
Shape read_input_shape(const std::string& where, const Json& config, const Shape& input_shape);

}  // namespace modelhop::spec
