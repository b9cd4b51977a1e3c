// SPDX-License-Identifier: Apache-2.0
// Products that leave zeros out against sums in double precision, and a network that takes them.
#include "engine/sparse_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "drawn_numbers.hpp"
#include "network_builder.hpp"

namespace modelhop::engine {
namespace {

using test::drawn_numbers;
using test::sparse_numbers;
using Floats = std::vector<float>;

/// A matrix as rows of a table.
class Rows {
 public:
  Rows(const Floats& matrix, std::int64_t row_elements) {
    for (std::size_t first = 0; first < matrix.size(); first += static_cast<std::size_t>(row_elements)) {
      rows_.push_back(reinterpret_cast<const std::byte*>(matrix.data() + first));
    }
    view_.row_elements = row_elements;
  }
  RowList list() const { return {view_, rows_}; }

 private:
  ArrayView view_;
  std::vector<const std::byte*> rows_;
};

void expect_products(std::int64_t rows, std::int64_t columns, std::int64_t width) {
  const Floats matrix = sparse_numbers(rows * columns, 10), kernel = drawn_numbers(columns * width, 3),
               gradient = drawn_numbers(rows * width, 5);
  SparseRows sparse;
  ASSERT_TRUE(sparse.read(Rows(matrix, columns).list(), columns));
  Floats product(static_cast<std::size_t>(rows * width), 99.0F);
  Floats transposed(static_cast<std::size_t>(columns * width), 99.0F);
  sparse.multiply(kernel.data(), width, nullptr, false, product.data());
  sparse.multiply_transposed(gradient.data(), width, transposed.data());
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t i = 0; i < width; ++i) {
      double sum = 0.0;
      for (std::int64_t c = 0; c < columns; ++c) sum += double{matrix[row * columns + c]} * kernel[c * width + i];
      ASSERT_NEAR(product[row * width + i], sum, 1e-5) << row << ", " << i << " of " << columns << " x " << width;
    }
  }
  for (std::int64_t c = 0; c < columns; ++c) {
    for (std::int64_t i = 0; i < width; ++i) {
      double sum = 0.0;
      for (std::int64_t row = 0; row < rows; ++row)
        sum += double{matrix[row * columns + c]} * gradient[row * width + i];
      ASSERT_NEAR(transposed[c * width + i], sum, 1e-5) << c << ", " << i << " of " << columns << " x " << width;
    }
  }
}

TEST(SparseRows, ProductsAreThoseOfTheMatrix) {
  for (const std::int64_t width : {1, 16, 17, 64, 83, 128}) {
    expect_products(9, 108, width);
    expect_products(40, 33, width);
  }
  expect_products(3, 2100, 129);  // tiles that the second-level cache could not hold
}

TEST(SparseRows, AddsABiasAndRectifies) {
  constexpr std::int64_t kColumns = 20, kWidth = 81;  // a tile, a register and a column
  Floats matrix(kColumns, 0.0F), kernel(kColumns * kWidth, 2.0F), bias(kWidth, -3.0F), product(kWidth);
  matrix[4] = 1.0F;
  for (std::int64_t i = 0; i < kWidth; i += 2) bias[i] = 1.0F;
  kernel[4 * kWidth + 80] = NAN;
  SparseRows sparse;
  ASSERT_TRUE(sparse.read(Rows(matrix, kColumns).list(), kColumns));
  for (const bool is_rectified : {false, true}) {
    sparse.multiply(kernel.data(), kWidth, bias.data(), is_rectified, product.data());
    for (std::int64_t i = 0; i < 80; ++i) {
      EXPECT_EQ(product[i], i % 2 == 0 ? 3.0F : is_rectified ? 0.0F : -1.0F) << i;
    }
    EXPECT_TRUE(std::isnan(product[80]));
  }
}

TEST(SparseRows, CutsRowsAndDecodesThem) {
  std::vector<std::int16_t> numbers(3 * 20, 0);
  numbers[7] = 5;
  numbers[20] = -3;
  const ArrayView view{nullptr, ElementType::kInt16, 60, 0.5F};
  const std::vector<const std::byte*> rows{reinterpret_cast<const std::byte*>(numbers.data())};
  SparseRows sparse;
  ASSERT_TRUE(sparse.read({view, rows}, 20));
  ASSERT_EQ(sparse.rows().size(), 3U);
  for (const std::size_t row : {0, 1, 2}) EXPECT_EQ(sparse.rows()[row].count, row < 2 ? 1 : 0);
  EXPECT_EQ(*sparse.rows()[0].numbers, 2.5F);
  EXPECT_EQ(*sparse.rows()[0].columns, 7);
  EXPECT_EQ(*sparse.rows()[1].numbers, -1.5F);
  EXPECT_EQ(*sparse.rows()[1].columns, 0);
}

TEST(SparseRows, ZerosAloneGiveZeros) {
  const Floats zeros(20, 0.0F), kernel(20, 1.0F);
  Floats product(4, 99.0F), transposed(20, 99.0F);
  SparseRows sparse;
  ASSERT_TRUE(sparse.read(Rows(zeros, 20).list(), 20));
  sparse.multiply(kernel.data(), 1, nullptr, false, product.data());
  sparse.multiply_transposed(kernel.data(), 1, transposed.data());
  EXPECT_EQ(product[0], 0.0F);
  EXPECT_EQ(transposed, zeros);
}

TEST(SparseRows, RefusesFullMatricesAndTakesTheNext) {
  const Floats full(3 * 50, 1.0F), half = sparse_numbers(3 * 50, 2), sparse_ones = sparse_numbers(3 * 50, 10);
  SparseRows sparse;
  EXPECT_FALSE(sparse.read(Rows(full, 50).list(), 50));
  EXPECT_FALSE(sparse.read(Rows(half, 50).list(), 50));
  EXPECT_TRUE(sparse.read(Rows(sparse_ones, 50).list(), 50));
}

TEST(SparseRows, NotANumberIsNoZero) {
  Floats matrix(40, 0.0F);
  matrix[3] = matrix[39] = NAN;  // the last column lies behind the whole registers
  const Floats kernel(40, 1.0F);
  Floats product(2);
  SparseRows sparse;
  ASSERT_TRUE(sparse.read(Rows(matrix, 20).list(), 20));
  sparse.multiply(kernel.data(), 1, nullptr, false, product.data());
  EXPECT_TRUE(std::isnan(product[0]));
  EXPECT_TRUE(std::isnan(product[1]));
}

/// An infinite weight under a column of zeros: only a product that leaves zeros out stays finite.
TEST(SparseRows, ADenseLayerLeavesZerosOut) {
  initialize_engine({});
  constexpr std::int64_t kColumns = 40, kUnits = 16;
  Floats x(2 * kColumns, 0.0F);
  x[3] = x[kColumns + 5] = 1.0F;
  Examples examples;
  examples.rows = 2;
  examples.independent = {{reinterpret_cast<const std::byte*>(x.data()), ElementType::kFloat32, kColumns, 1.0F}};
  const auto model =
      compile_model(test::NetworkBuilder({kColumns}).dense(kUnits).build(),
                    test::train_spec(LossKind::kMeanSquaredError, test::sgd(0.1), 2), Device{}, {kUnits});
  const auto state = model->initial_state(1);
  Floats weights(kColumns * kUnits + kUnits, 0.5F), outputs(2 * kUnits);
  weights[7 * kUnits] = INFINITY;
  state->set_weights(weights);
  make_executor(Device{})->predict(*model, *state, examples, outputs, {});
  EXPECT_EQ(outputs, Floats(2 * kUnits, 1.0F));
}

/// The loss after 20 passes over `x` [64, 40], in batches of 16 in their order.
double loss_after_training(const ModelSpec& spec, const Floats& x) {
  constexpr std::int64_t kRows = 64, kColumns = 40;
  std::vector<std::int16_t> y(kRows);
  for (std::size_t row = 0; row < y.size(); ++row) y[row] = x[row * kColumns] > 0.0F ? 1 : 0;
  const std::int64_t start = 0;
  Segment segment;
  segment.examples.rows = kRows;
  segment.examples.independent = {
      {reinterpret_cast<const std::byte*>(x.data()), ElementType::kFloat32, kColumns, 1.0F}};
  segment.examples.dependent = {{reinterpret_cast<const std::byte*>(y.data()), ElementType::kInt16, 1}};
  segment.buffer_starts = {&start, 1};
  const TrainSpec train = test::train_spec(LossKind::kBinaryCrossentropy, test::sgd(0.5), 16);
  const auto model = compile_model(spec, train, Device{}, {1});
  const auto state = model->initial_state(1);
  const auto executor = make_executor(Device{});
  TrainUnit unit;
  unit.shuffle = Shuffle::kNone;
  double loss = 0.0;
  for (unit.iteration = 1; unit.iteration <= 20; ++unit.iteration) {
    loss = executor->train(*model, *state, segment, unit, {}).mean_loss;
  }
  return loss;
}

/// A reshape between the input and the dense layer keeps that one on BLAS.
void expect_equal_training(const Floats& x) {
  using test::NetworkBuilder;
  const double sparse = loss_after_training(NetworkBuilder({40}).dense(32, "relu").dense(1, "sigmoid").build(), x);
  const double full =
      loss_after_training(NetworkBuilder({40}).reshape({40}).dense(32, "relu").dense(1, "sigmoid").build(), x);
  EXPECT_LT(full, 0.2);
  EXPECT_NEAR(sparse, full, 1e-4);
}

TEST(SparseRows, ADenseLayerTrainsTheSame) {
  initialize_engine({});
  expect_equal_training(sparse_numbers(64 * 40, 10));
}

TEST(SparseRows, ABatchMayBeFullBetweenSparseOnes) {
  initialize_engine({});
  Floats x = sparse_numbers(64 * 40, 10);
  const Floats full = drawn_numbers(16 * 40, 3);
  std::copy(full.begin(), full.end(), x.begin() + 16 * 40);
  expect_equal_training(x);
}

}  // namespace
}  // namespace modelhop::engine
