// SPDX-License-Identifier: Apache-2.0
// Finds each relu's neighbours and offers it to them: first to the one behind it, which may have fewer elements.
#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "engine/lowering.hpp"

namespace modelhop::engine {
namespace {

void replace(std::vector<Value*>& values, Value* old, Value* by) {
  std::replace(values.begin(), values.end(), old, by);
}

}  // namespace

void merge_relus(Graph& graph) {
  std::map<const Value*, Operation*> consumers;
  for (const auto& operation : graph.operations) {
    for (const Value* value : operation->inputs) consumers[value] = operation.get();
  }
  std::set<const Value*> orphans;
  const auto is_merged = [&](const std::unique_ptr<Operation>& operation) {
    if (!is_relu(*operation)) return false;
    Value* before = operation->inputs.front();
    Value* after = operation->outputs.front();
    const auto consumer = consumers.find(after);
    if (consumer != consumers.end() && consumer->second->absorb_relu_of_input()) {
      replace(consumer->second->inputs, after, before);
      consumers[before] = consumer->second;
      orphans.insert(after);
      return true;
    }
    if (before->producer == nullptr || !before->producer->absorb_relu_of_output()) return false;
    replace(before->producer->outputs, before, after);
    after->producer = before->producer;
    orphans.insert(before);
    return true;
  };
  std::erase_if(graph.operations, is_merged);
  std::erase_if(graph.values, [&](const auto& value) { return orphans.contains(value.get()); });
}

}  // namespace modelhop::engine
