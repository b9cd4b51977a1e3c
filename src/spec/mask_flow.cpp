// SPDX-License-Identifier: Apache-2.0
// One boolean per tensor in the order of calls, then removal of operation nodes that feed nobody.
#include "spec/mask_flow.hpp"

#include <algorithm>

#include "spec/call_order.hpp"
#include "spec/grammar_text.hpp"
#include "spec/layer_kind.hpp"
#include "spec/model_class.hpp"

namespace modelhop::spec {
namespace {

bool is_mask_role(const std::string& role) {
  return role == "mask" || role == "query_mask" || role == "value_mask" || role == "key_mask";
}

bool is_set(const Json& config, const char* key) {
  const auto found = config.find(key);
  return found != config.end() && *found == Json(true);
}

bool returns_sequences(const Json& config) {
  if (is_set(config, "return_sequences")) return true;
  const auto wrapped = config.find("layer");
  return wrapped != config.end() && wrapped->is_object() && wrapped->contains("config") &&
         (*wrapped)["config"].is_object() && is_set((*wrapped)["config"], "return_sequences");
}

class MaskFlow {
 public:
  explicit MaskFlow(Graph& graph) : graph_(graph) {
    for (const GraphLayer& layer : graph.layers) carries_.emplace_back(layer.calls.size(), false);
  }

  void run() {
    for (const Call& call : order_of_calls(graph_)) settle(call);
  }

 private:
  /// States and further outputs have no mask; a nested model's layers are calls like all others.
  bool carries(const CallRef& ref) const { return ref.tensor == 0 && carries_[ref.layer][ref.call]; }

  void settle(const Call& at) {
    const GraphLayer& layer = graph_.layers[at.first];
    GraphCall& call = graph_.layers[at.first].calls[at.second];
    bool is_first = false, is_any = false, is_all = !call.inputs.empty();
    for (std::size_t i = 0; i < call.inputs.size(); ++i) {
      if (is_mask_role(call.roles[i])) continue;
      const bool has = carries(call.inputs[i]);
      if (i == 0) is_first = has;
      is_any = is_any || has;
      is_all = is_all && has;
    }
    if (is_any) drop_computed(call);
    const bool is_given = std::find(call.roles.begin(), call.roles.end(), "mask") != call.roles.end();
    carries_[at.first][at.second] = gives_mask(layer, is_first || is_given, is_any, is_all);
  }

  void drop_computed(GraphCall& call) const {
    for (std::size_t i = call.inputs.size(); i-- > 0;) {
      const bool is_computed = is_operation_class(graph_.layers[call.inputs[i].layer].class_name);
      if (!is_mask_role(call.roles[i]) || !is_computed) continue;
      call.inputs.erase(call.inputs.begin() + static_cast<std::ptrdiff_t>(i));
      call.roles.erase(call.roles.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  bool gives_mask(const GraphLayer& layer, bool is_first, bool is_any, bool is_all) const {
    if (layer.class_name == "Masking") return true;
    if (layer.class_name == "Embedding") return is_set(layer.config, "mask_zero");
    const LayerKind* kind = find_layer_kind(layer.class_name);
    if (kind == nullptr || layer.class_name == "InputLayer") return false;
    switch (kind->mask_rule) {
      case MaskRule::kDropped:
        if (is_any) refuse_mask(layer);
        return false;
      case MaskRule::kPassed:
        return is_first;
      case MaskRule::kMerged:
        return graph_.profile == SemanticsProfile::kKeras3 ? is_all : is_any;
      case MaskRule::kOwn:
        break;
    }
    if (layer.class_name == "GlobalAveragePooling1D" || layer.class_name == "Dot") return false;
    if (layer.class_name == "Concatenate") return is_any;
    return is_first && (!takes_initial_state(layer.class_name) || returns_sequences(layer.config));
  }

  void refuse_mask(const GraphLayer& layer) const {
    if (graph_.profile != SemanticsProfile::kKeras22 && graph_.profile != SemanticsProfile::kTf1) return;
    unsupported("layer " + in_quotes(layer.name) + ": " + layer.class_name +
                    " does not support masks, but its input carries one",
                "Keras raises here too; set mask_zero to false, or choose the semantics of tf.keras 2 or Keras 3.");
  }

  Graph& graph_;
  std::vector<std::vector<bool>> carries_;  ///< per layer and call, of its first output
};

/// Layers that stay: all but operation nodes whose results nobody uses.
std::vector<bool> used_layers(const Graph& graph) {
  const std::vector<Call> order = order_of_calls(graph);
  std::vector<bool> used;
  for (const GraphLayer& layer : graph.layers) used.push_back(!is_operation_class(layer.class_name));
  for (const CallRef& output : graph.outputs) used[output.layer] = true;
  for (auto call = order.rbegin(); call != order.rend(); ++call) {
    if (!used[call->first]) continue;
    for (const CallRef& ref : graph.layers[call->first].calls[call->second].inputs) used[ref.layer] = true;
  }
  return used;
}

void renumber(GraphNest& nest, const std::vector<int>& numbers) {
  if (nest.layer >= 0) nest.layer = numbers[nest.layer];
  for (GraphNest& part : nest.parts) renumber(part, numbers);
  std::erase_if(nest.parts, [](const GraphNest& part) { return part.layer == -2; });
}

void remove_unused_operations(Graph& graph) {
  const std::vector<bool> used = used_layers(graph);
  if (std::find(used.begin(), used.end(), false) == used.end()) return;
  std::vector<int> numbers;
  std::vector<GraphLayer> kept;
  for (std::size_t layer = 0; layer < used.size(); ++layer) {
    numbers.push_back(used[layer] ? static_cast<int>(kept.size()) : -2);
    if (used[layer]) kept.push_back(std::move(graph.layers[layer]));
  }
  graph.layers = std::move(kept);
  for (GraphLayer& layer : graph.layers) {
    for (GraphCall& call : layer.calls) {
      for (CallRef& ref : call.inputs) ref.layer = numbers[ref.layer];
    }
  }
  for (std::vector<CallRef>* ends : {&graph.inputs, &graph.outputs}) {
    for (CallRef& ref : *ends) ref.layer = numbers[ref.layer];
  }
  renumber(graph.nest, numbers);
}

}  // namespace

void settle_masks(Graph& graph) {
  MaskFlow(graph).run();
  remove_unused_operations(graph);
}

}  // namespace modelhop::spec
