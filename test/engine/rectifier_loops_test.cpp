// SPDX-License-Identifier: Apache-2.0
// Passes over matrices against sums in double precision, for widths on both sides of every tile.
#include "engine/rectifier_loops.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "drawn_numbers.hpp"

namespace modelhop::engine {
namespace {

using test::drawn_numbers;
using Floats = std::vector<float>;

class RectifierLoops : public ::testing::TestWithParam<std::int64_t> {};

TEST_P(RectifierLoops, SumColumnsOfWhatTheyLetPass) {
  const std::int64_t columns = GetParam();
  for (const std::int64_t rows : {1, 63, 64, 1000}) {
    const Floats output = drawn_numbers(rows * columns, 1), given = drawn_numbers(rows * columns, 2);
    Floats gradient = given, alone = given, sums(columns, 99.0F), plain(columns, 99.0F);
    rectify_gradient(gradient.data(), output.data(), rows, columns, sums.data());
    rectify_gradient(alone.data(), output.data(), rows * columns);
    sum_columns(given.data(), rows, columns, plain.data());
    EXPECT_EQ(alone, gradient);
    for (std::int64_t column = 0; column < columns; ++column) {
      double passed = 0.0, all = 0.0;
      for (std::int64_t row = 0; row < rows; ++row) {
        const auto place = static_cast<std::size_t>(row * columns + column);
        ASSERT_EQ(gradient[place], output[place] > 0.0F ? given[place] : 0.0F);
        passed += gradient[place];
        all += given[place];
      }
      EXPECT_NEAR(sums[column], passed, 5e-5) << rows << " rows, column " << column;
      EXPECT_NEAR(plain[column], all, 5e-5) << rows << " rows, column " << column;
    }
  }
}

TEST_P(RectifierLoops, AddBiasesThenRectify) {
  const std::int64_t columns = GetParam(), rows = 5;
  const Floats given = drawn_numbers(rows * columns, 3), bias = drawn_numbers(columns, 4);
  Floats sums = given, rectified = given;
  add_bias(sums.data(), rows, columns, bias.data(), false);
  add_bias(rectified.data(), rows, columns, bias.data(), true);
  for (std::size_t place = 0; place < given.size(); ++place) {
    const float sum = given[place] + bias[place % static_cast<std::size_t>(columns)];
    EXPECT_EQ(sums[place], sum);
    EXPECT_EQ(rectified[place], std::fmax(sum, 0.0F));
  }
}

INSTANTIATE_TEST_SUITE_P(Columns, RectifierLoops, ::testing::Values(1, 3, 16, 17, 32, 64, 127, 200));

TEST(RectifierLoops, LosesLittleOfLongColumns) {
  // A tenth has no exact float: added up one by one it would be off by 2 %.
  const Floats tenths(2'000'000, 0.1F);
  float sum = 0.0F;
  sum_columns(tenths.data(), 2'000'000, 1, &sum);
  EXPECT_NEAR(sum, 200'000.0F, 200.0F);
}

TEST(RectifierLoops, KeepNotANumber) {
  Floats values = {-1.0F, NAN, 2.0F};
  rectify(values.data(), 3);
  EXPECT_EQ(values[0], 0.0F);
  EXPECT_TRUE(std::isnan(values[1]));
  EXPECT_EQ(values[2], 2.0F);
}

}  // namespace
}  // namespace modelhop::engine
