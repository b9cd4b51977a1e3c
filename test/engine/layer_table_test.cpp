// SPDX-License-Identifier: Apache-2.0
// The reader's table of layers against the engine's.
#include <gtest/gtest.h>

#include "engine/lowering.hpp"
#include "spec/keras_json.hpp"

namespace modelhop::engine {
namespace {

/// Cells are computed by the layers that wrap them, and an input is there already.
bool is_lowered_by_others(const std::string& name) {
  return name == "InputLayer" || name.ends_with("Cell") || name.ends_with("Cells");
}

TEST(LayerTable, HasALoweringForEveryClassThatIsRead) {
  for (const std::string& name : supported_layers()) {
    if (!is_lowered_by_others(name)) {
      EXPECT_NE(find_layer_lowering(name), nullptr) << name;
    }
  }
}

}  // namespace
}  // namespace modelhop::engine
