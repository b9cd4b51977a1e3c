// SPDX-License-Identifier: Apache-2.0
// Padding arithmetic against values that Keras gave.
#include "spec/padding.hpp"

#include <gtest/gtest.h>

namespace modelhop {
namespace {

TEST(Padding, same) {
  EXPECT_EQ(same_padding(5, {3, 2}), (PaddedExtent{3, 1, 1}));
  EXPECT_EQ(same_padding(6, {3, 2}), (PaddedExtent{3, 0, 1}));
  EXPECT_EQ(same_padding(7, {2, 2}), (PaddedExtent{4, 0, 1}));
  EXPECT_EQ(same_padding(4, {2, 1}), (PaddedExtent{4, 0, 1}));
  EXPECT_EQ(same_padding(224, {7, 2}), (PaddedExtent{112, 2, 3}));
  EXPECT_EQ(same_padding(10, {3, 1, 2}), (PaddedExtent{10, 2, 2}));
  EXPECT_EQ(same_padding(4, {1, 3}), (PaddedExtent{2, 0, 0}));
}

TEST(Padding, valid) {
  EXPECT_EQ(valid_padding(32, {3, 1}).outputs, 30);
  EXPECT_EQ(valid_padding(7, {2, 2}).outputs, 3);
  EXPECT_EQ(valid_padding(10, {3, 1, 2}).outputs, 6);
  EXPECT_EQ(valid_padding(3, {3, 5}).outputs, 1);
  EXPECT_EQ(valid_padding(2, {3, 1}).outputs, 0);
}

TEST(Padding, causal) {
  EXPECT_EQ(causal_padding(7, {3, 1, 2}), (PaddedExtent{7, 4, 0}));
  EXPECT_EQ(causal_padding(7, {3, 2}), (PaddedExtent{4, 2, 0}));
}

TEST(Padding, transposed) {
  EXPECT_EQ(transposed_extent(3, {3, 2}, true, -1), (TransposedExtent{6, 0}));
  EXPECT_EQ(transposed_extent(3, {4, 2}, true, -1), (TransposedExtent{6, 1}));
  EXPECT_EQ(transposed_extent(3, {2, 3}, true, -1), (TransposedExtent{9, 0}));
  EXPECT_EQ(transposed_extent(3, {3, 2}, false, -1), (TransposedExtent{7, 0}));
  EXPECT_EQ(transposed_extent(3, {2, 3}, false, -1), (TransposedExtent{9, 0}));
  EXPECT_EQ(transposed_extent(3, {3, 2}, false, 1), (TransposedExtent{8, 0}));
  EXPECT_EQ(transposed_extent(3, {3, 2}, true, 1), (TransposedExtent{6, 0}));
  EXPECT_EQ(transposed_extent(3, {3, 2}, true, 0), (TransposedExtent{5, 1}));
}

}  // namespace
}  // namespace modelhop
