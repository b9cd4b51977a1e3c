// SPDX-License-Identifier: Apache-2.0
// What tests of the executor share: a network with all that makes states differ, and a state's bits.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "network_builder.hpp"

namespace modelhop::test {

class ExecutorTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { initialize_engine({}); }
};

inline ModelSpec regular_network() {
  return NetworkBuilder({6, 5, 2})
      .conv2d(4, 3, "same", "relu")
      .batch_normalization()
      .pool("Max", 2, 2)
      .dropout(0.25)
      .flatten()
      .dense(8, "tanh")
      .dropout(0.5)
      .dense(3, "softmax")
      .build();
}

inline std::vector<TrainUnit> units() {
  std::vector<TrainUnit> list;
  for (int iteration = 1; iteration <= 2; ++iteration) {
    for (int segment = 0; segment < 2; ++segment) list.push_back({42, iteration, segment, Shuffle::kSegment, false});
  }
  return list;
}

struct Trained {
  std::vector<float> weights;
  std::vector<std::byte> rest;
  bool operator==(const Trained& other) const {
    return weights.size() == other.weights.size() && rest == other.rest &&
           std::memcmp(weights.data(), other.weights.data(), weights.size() * sizeof(float)) == 0;
  }
};

inline Trained contents_of(const Model& model, const State& state) {
  return {weights_of(model, state), state.get_training_state()};
}

}  // namespace modelhop::test
