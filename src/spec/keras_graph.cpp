// SPDX-License-Identifier: Apache-2.0
// From a document to the graph, and the shapes of its inputs.
#include "spec/keras_graph.hpp"

#include "spec/fingerprint.hpp"
#include "spec/grammar_text.hpp"
#include "spec/layer_config.hpp"
#include "spec/nested_models.hpp"

namespace modelhop::spec {

Graph read_keras_graph(const Json& document, const std::vector<Shape>& input_shapes) {
  if (!document.is_object()) refuse("architecture must be a JSON object, not " + shown(document));
  const SemanticsProfile profile = profile_of_file(document);
  Graph graph = flatten(read_file_model(document, input_shapes));
  graph.profile = profile;
  return graph;
}

Shape read_input_shape(const std::string& where, const Json& config, const Shape& input_shape) {
  const Json* written = nullptr;
  for (const char* key : {"batch_shape", "batch_input_shape"}) {
    if (const auto found = config.find(key); found != config.end() && !found->is_null()) written = &*found;
  }
  if (written == nullptr) refuse(where + ": \"batch_input_shape\" is missing");
  if (!written->is_array() || written->empty() || written->size() > 33) {
    refuse(where + ": \"batch_input_shape\" must be a list with the batch axis first, not " + shown(*written));
  }
  Shape shape;
  for (std::size_t i = 1; i < written->size(); ++i) {
    const Json& extent = (*written)[i];
    if (extent.is_null()) {
      if (input_shape.size() + 1 != written->size()) {
        unsupported(where + ": \"batch_input_shape\" " + shown(*written) + " leaves extents open",
                    "Build the network with a fixed input shape.");
      }
      shape.push_back(input_shape[i - 1]);
    } else if (extent.is_number_integer() && extent.get<double>() >= 1 &&
               extent.get<double>() <= static_cast<double>(kMaxExtent)) {
      shape.push_back(extent.get<std::int64_t>());
    } else {
      refuse(where + ": \"batch_input_shape\" " + shown(*written) + " must hold positive integers");
    }
  }
  return shape;
}

}  // namespace modelhop::spec
