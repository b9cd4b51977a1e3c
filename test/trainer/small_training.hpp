// SPDX-License-Identifier: Apache-2.0
// The trainer program with two slots, and the data that the tests of training give it.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "test_client.hpp"

namespace modelhop::trainer {

inline const std::vector<std::int64_t> kBuffers = {50, 40, 37, 23};
inline constexpr std::int64_t kRows = 150;

class SmallTraining : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { trainer_ = new TrainerProcess({"--slots=2"}); }
  static void TearDownTestSuite() {
    delete trainer_;
    trainer_ = nullptr;
  }

  static void train(TestClient& client, std::uint64_t unit, int configuration, int iteration) {
    client.queue_unit(unit, wire::UnitKind_Train, configuration, 0, iteration);
    client.finished(unit);
  }

  inline static TrainerProcess* trainer_ = nullptr;
  const Flowers flowers_ = make_flowers(kRows);
};

}  // namespace modelhop::trainer
