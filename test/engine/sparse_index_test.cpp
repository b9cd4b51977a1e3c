// SPDX-License-Identifier: Apache-2.0
// Rows out of an index against the same rows scanned, and training with and without one.
#include "engine/sparse_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "drawn_numbers.hpp"
#include "engine/sparse_rows.hpp"
#include "network_builder.hpp"

namespace modelhop::engine {
namespace {

using test::sparse_numbers;
using Floats = std::vector<float>;
using Pointers = std::vector<const std::byte*>;

constexpr std::int64_t kColumns = 40, kRows = 2500;  // more rows than a part of an index has

ArrayView view_of(const Floats& matrix) {
  return {reinterpret_cast<const std::byte*>(matrix.data()), ElementType::kFloat32, kColumns, 1.0F};
}

void expect_equal(const SparseRows& left, const SparseRows& right) {
  ASSERT_EQ(left.rows().size(), right.rows().size());
  for (std::size_t row = 0; row < left.rows().size(); ++row) {
    const SparseRow &one = left.rows()[row], &other = right.rows()[row];
    EXPECT_EQ(Floats(one.numbers, one.numbers + one.count), Floats(other.numbers, other.numbers + other.count));
    EXPECT_EQ(std::vector(one.columns, one.columns + one.count),
              std::vector(other.columns, other.columns + other.count));
  }
}

TEST(SparseIndex, GivesTheRowsThatAScanFinds) {
  initialize_engine({});
  const Floats matrix = sparse_numbers(kRows * kColumns, 10), elsewhere = sparse_numbers(kColumns, 10);
  ArrayView view = view_of(matrix);
  Pointers rows;
  for (const std::int64_t row : {0, 1023, 1024, 7, 2499, 1024}) rows.push_back(view.row(row));
  rows.push_back(reinterpret_cast<const std::byte*>(elsewhere.data()));  // as the rows left of another block
  rows.push_back(view.row(2));
  SparseRows scanned, indexed;
  ASSERT_TRUE(scanned.read({view, rows}, kColumns));
  const auto index = make_sparse_index(view, kRows);
  view.index = index.get();
  ASSERT_TRUE(indexed.read({view, rows}, kColumns));
  expect_equal(indexed, scanned);
}

TEST(SparseIndex, GivesDecodedNumbers) {
  initialize_engine({});
  std::vector<std::uint8_t> bytes(kColumns, 0);
  bytes[3] = 51;
  ArrayView view{reinterpret_cast<const std::byte*>(bytes.data()), ElementType::kUint8, kColumns, 1.0F / 255.0F};
  const auto index = make_sparse_index(view, 1);
  view.index = index.get();
  bytes[3] = 102;  // the first mini-batch finds this, and the second what the first found
  const Pointers rows{view.row(0)};
  SparseRows indexed;
  for (const std::uint8_t later : {102, 204}) {
    ASSERT_TRUE(indexed.read({view, rows}, kColumns));
    ASSERT_EQ(indexed.rows().front().count, 1);
    EXPECT_FLOAT_EQ(*indexed.rows().front().numbers, 0.4F) << static_cast<int>(later);
    bytes[3] = later;
  }
}

TEST(SparseIndex, IsNoneWhereOnePartIsFull) {
  initialize_engine({});
  Floats matrix = sparse_numbers(kRows * kColumns, 10);
  std::fill(matrix.end() - 400 * kColumns, matrix.end(), 1.0F);
  const RowIndex index(view_of(matrix), kRows);
  EXPECT_FALSE(index.is_known());
}

/// 8 bytes for each number that is not zero may be two fifths of the array's.
TEST(SparseIndex, IsNoneWhereItWouldBeLarge) {
  initialize_engine({});
  const auto is_known = [](std::int64_t numbers) {
    std::vector<std::uint8_t> bytes(100 * kColumns, 0);
    std::fill_n(bytes.begin(), numbers, 1);
    const RowIndex index({reinterpret_cast<const std::byte*>(bytes.data()), ElementType::kUint8, kColumns, 1.0F}, 100);
    return index.is_known();
  };
  EXPECT_TRUE(is_known(200));
  EXPECT_FALSE(is_known(201));
}

TEST(SparseIndex, KnowsRowsOfZeros) {
  initialize_engine({});
  const Floats zeros(2 * kColumns, 0.0F);
  const ArrayView view = view_of(zeros);
  const RowIndex index(view, 2);
  ASSERT_TRUE(index.is_known());
  EXPECT_NE(index.row(view.row(1)).numbers, nullptr);
  EXPECT_EQ(index.row(view.row(1)).count, 0);
}

TEST(SparseIndex, IsNoneWhereMemoryIsShort) {
  const Floats matrix = sparse_numbers(kRows * kColumns, 10);
  initialize_engine({});
  make_executor(Device{})->trim();  // or what was freed would serve
  initialize_engine({.memory_limit = engine_memory().held + 4096});
  const RowIndex index(view_of(matrix), kRows);
  EXPECT_FALSE(index.is_known());
  ArrayView view = view_of(matrix);
  view.index = &index;
  SparseRows scanned;
  EXPECT_TRUE(scanned.read({view, Pointers{view.row(3)}}, kColumns));
  initialize_engine({});
}

TEST(SparseIndex, LeavesTrainingAsItIs) {
  initialize_engine({});
  const Floats x = sparse_numbers(kRows * kColumns, 10);
  std::vector<std::int16_t> y(kRows);
  for (std::size_t row = 0; row < y.size(); ++row) y[row] = x[row * kColumns] > 0.0F ? 1 : 0;
  const std::vector<std::int64_t> starts{0, 1000, 1300};  // no multiples of the batch: rows are left over
  Segment segment;
  segment.examples.rows = kRows;
  segment.examples.independent = {view_of(x)};
  segment.examples.dependent = {{reinterpret_cast<const std::byte*>(y.data()), ElementType::kInt16, 1}};
  segment.buffer_starts = starts;
  const auto model = compile_model(test::NetworkBuilder({kColumns}).dense(32, "relu").dense(1, "sigmoid").build(),
                                   test::train_spec(LossKind::kBinaryCrossentropy, test::sgd(0.5), 64), Device{}, {1});
  const auto executor = make_executor(Device{});
  const auto trained = [&](Shuffle shuffle) {
    const auto state = model->initial_state(1);
    TrainUnit unit;
    unit.iteration = 1;
    unit.shuffle = shuffle;
    executor->train(*model, *state, segment, unit, {});
    Floats weights(static_cast<std::size_t>(model->parameter_count()));
    state->get_weights(weights);
    weights.push_back(static_cast<float>(executor->evaluate(*model, *state, segment.examples, {}).loss));
    return weights;
  };
  for (const Shuffle shuffle : {Shuffle::kSegment, Shuffle::kBuffer, Shuffle::kNone}) {
    segment.examples.independent.front().index = nullptr;
    const Floats without = trained(shuffle);
    const std::int64_t used = engine_memory().used;
    const auto index = make_sparse_index(segment.examples.independent.front(), kRows);
    segment.examples.independent.front().index = index.get();
    EXPECT_EQ(trained(shuffle), without);
    EXPECT_GT(engine_memory().used, used) << "no index was made";
  }
}

}  // namespace
}  // namespace modelhop::engine
