// SPDX-License-Identifier: Apache-2.0
// Settling the first call number of each layer.
#include "spec/call_numbers.hpp"

#include "spec/file_model.hpp"
#include "spec/grammar_text.hpp"

namespace modelhop::spec {

CallNumbers::CallNumbers(const FileModel& model)
    : model_(model), names_(index_names(model)), noted_(model.layers.size()), first_(model.layers.size(), 0) {}

std::unordered_map<std::string, int> CallNumbers::index_names(const FileModel& model) {
  std::unordered_map<std::string, int> names;
  for (const FileLayer& layer : model.layers) {
    if (!names.emplace(layer.name, static_cast<int>(names.size())).second) {
      refuse("layer " + in_quotes(layer.name) + " appears twice");
    }
  }
  return names;
}

void CallNumbers::note(const WrittenRef& ref, const std::string& where) {
  const auto found = names_.find(ref.layer);
  if (found == names_.end()) {
    refuse(where + " refers to " + in_quotes(ref.layer) + ", which is not a layer of the model");
  }
  if (ref.call < 0 || ref.tensor < 0) refuse(where + " refers to a negative output of " + in_quotes(ref.layer));
  noted_[found->second].emplace(ref.call, 0);
}

void CallNumbers::settle(const std::function<int(const FileLayer&)>& first) {
  for (std::size_t layer = 0; layer < noted_.size(); ++layer) {
    auto& noted = noted_[layer];
    if (noted.empty()) continue;
    std::int64_t rank = 0;
    for (auto& [number, its_rank] : noted) its_rank = rank++;
    const auto calls = static_cast<std::int64_t>(model_.layers[layer].calls.size());
    const auto fits = [&](std::int64_t from) {
      return noted.begin()->first >= from && noted.rbegin()->first - from < calls;
    };
    const int expected = first(model_.layers[layer]);
    if (fits(expected)) {
      first_[layer] = expected;
    } else if (fits(1 - expected)) {
      first_[layer] = 1 - expected;
    } else {
      first_[layer] = noted.begin()->first;
    }
  }
}

CallRef CallNumbers::resolve(const WrittenRef& ref, const std::string& where) const {
  const int layer = names_.at(ref.layer);
  const auto calls = static_cast<std::int64_t>(model_.layers[layer].calls.size());
  const auto& noted = noted_[layer];
  std::int64_t call = ref.call - first_[layer];
  // Numbers with gaps, one for each call: calls elsewhere were counted in between.
  if (noted.rbegin()->first - first_[layer] >= calls && static_cast<std::int64_t>(noted.size()) == calls) {
    call = noted.at(ref.call);
  }
  if (call >= calls) {
    refuse(where + " refers to call " + std::to_string(ref.call) + " of " + in_quotes(ref.layer) + ", which has " +
           std::to_string(calls));
  }
  return {layer, static_cast<int>(call), ref.tensor};
}

}  // namespace modelhop::spec
