// SPDX-License-Identifier: Apache-2.0
// Which operations a network with relus becomes.
#include <gtest/gtest.h>

#include <vector>

#include "engine/lowering.hpp"
#include "engine/network.hpp"
#include "network_builder.hpp"

namespace modelhop::engine {
namespace {

using test::NetworkBuilder;

std::size_t relus_left(const ModelSpec& spec, Purpose purpose) {
  const Network network(spec, test::train_spec(LossKind::kMeanSquaredError, test::sgd(0.1), 2), {},
                        {element_count(spec.output_shape(0))});
  const Graph graph = lower(spec, network.layout(), purpose, {false});
  std::size_t count = 0;
  for (const auto& operation : graph.operations) count += is_relu(*operation) ? 1 : 0;
  return count;
}

TEST(ReluMerging, NeighboursTakeRelusOver) {
  const ModelSpec spec = NetworkBuilder({6, 6, 2})
                             .conv2d(3, 3, "same", "relu")
                             .conv2d(3, 3, "same", "relu")
                             .pool("Max", 2, 2)
                             .flatten()
                             .dense(4, "relu")
                             .dense(2, "relu")
                             .build();
  EXPECT_EQ(relus_left(spec, Purpose::kTraining), 0U);
  EXPECT_EQ(relus_left(spec, Purpose::kInference), 0U);
}

TEST(ReluMerging, OthersKeepTheirOwn) {
  const ModelSpec behind_normalization =
      NetworkBuilder({6, 6, 2}).conv2d(3, 3).batch_normalization().activation("relu").flatten().dense(2).build();
  EXPECT_EQ(relus_left(behind_normalization, Purpose::kTraining), 1U);

  const auto between_normalizations = [](std::int64_t axis) {
    return NetworkBuilder({6, 6, 2})
        .batch_normalization()
        .activation("relu")
        .batch_normalization(true, axis)
        .flatten()
        .dense(2)
        .build();
  };
  EXPECT_EQ(relus_left(between_normalizations(-1), Purpose::kTraining), 0U);
  EXPECT_EQ(relus_left(between_normalizations(0), Purpose::kTraining), 1U);

  NetworkBuilder builder({6, 6, 2});
  builder.conv2d(3, 3, "same");
  const int sums = builder.last();
  builder.activation("relu").pool("Max", 2, 1, "same");
  const ModelSpec of_shared_input = builder.merge("Add", {builder.last(), sums}).flatten().dense(2).build();
  EXPECT_EQ(relus_left(of_shared_input, Purpose::kTraining), 0U);  // the pooling behind may, the convolution may not
}

}  // namespace
}  // namespace modelhop::engine
