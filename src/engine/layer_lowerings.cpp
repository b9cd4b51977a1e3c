// SPDX-License-Identifier: Apache-2.0
// The table of layer classes.
#include <initializer_list>
#include <map>

#include "engine/lowering.hpp"

namespace modelhop::engine {
namespace {

using Table = std::map<std::string_view, const LayerLowering*>;

const Table& lowering_table() {
  static const Table table = [] {
    Table entries;
    for (const std::span<const LayerLowering> list :
         {activation_lowerings(), activity_lowerings(), attention_lowerings(), batch_normalization_lowerings(),
          convolution_lowerings(), dense_lowerings(), dropout_lowerings(), embedding_lowerings(), image_lowerings(),
          max_pooling_lowerings(), merge_lowerings(), normalization_lowerings(), operation_node_lowerings(),
          pooling_lowerings(), recurrent_lowerings(), resampling_lowerings(), shape_lowerings(), wrapper_lowerings()}) {
      for (const LayerLowering& entry : list) entries.emplace(entry.class_name, &entry);
    }
    return entries;
  }();
  return table;
}

}  // namespace

const LayerLowering* find_layer_lowering(std::string_view class_name) {
  const auto found = lowering_table().find(class_name);
  return found == lowering_table().end() ? nullptr : found->second;
}

}  // namespace modelhop::engine
