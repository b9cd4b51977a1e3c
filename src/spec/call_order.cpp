// SPDX-License-Identifier: Apache-2.0
// Topological order, stable in the file's order of layers.
#include "spec/call_order.hpp"

#include <functional>
#include <queue>

#include "spec/grammar_text.hpp"

namespace modelhop::spec {

std::vector<Call> order_of_calls(const Graph& graph) {
  std::vector<std::vector<int>> missing;
  std::vector<std::vector<std::vector<Call>>> waiting;
  for (const GraphLayer& layer : graph.layers) {
    missing.emplace_back(layer.calls.size(), 0);
    waiting.emplace_back(layer.calls.size());
  }
  std::priority_queue<Call, std::vector<Call>, std::greater<>> ready;
  for (int layer = 0; layer < static_cast<int>(graph.layers.size()); ++layer) {
    const auto& calls = graph.layers[layer].calls;
    for (int call = 0; call < static_cast<int>(calls.size()); ++call) {
      missing[layer][call] = static_cast<int>(calls[call].inputs.size()) + (call > 0 ? 1 : 0);
      if (call > 0) waiting[layer][call - 1].push_back({layer, call});
      for (const CallRef& ref : calls[call].inputs) waiting[ref.layer][ref.call].push_back({layer, call});
      if (missing[layer][call] == 0) ready.push({layer, call});
    }
  }
  std::vector<Call> order;
  while (!ready.empty()) {
    const Call next = ready.top();
    ready.pop();
    order.push_back(next);
    for (const Call& dependent : waiting[next.first][next.second]) {
      if (--missing[dependent.first][dependent.second] == 0) ready.push(dependent);
    }
  }
  for (std::size_t layer = 0; layer < missing.size(); ++layer) {
    for (const int count : missing[layer]) {
      if (count > 0) refuse("layer " + in_quotes(graph.layers[layer].name) + " is part of a loop");
    }
  }
  return order;
}

}  // namespace modelhop::spec
