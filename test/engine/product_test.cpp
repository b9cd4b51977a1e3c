// SPDX-License-Identifier: Apache-2.0
// Every form of the product against the sums that define it.
#include "engine/product.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <vector>

#include "modelhop/engine.hpp"

namespace modelhop::engine {
namespace {

constexpr std::int64_t kRows = 3, kColumns = 5, kInner = 4, kGap = 2;

/// A factor of small whole numbers, with a gap behind each row, so that sums are exact.
struct Matrix {
  Matrix(std::int64_t rows, std::int64_t columns, bool is_transposed)
      : stride((is_transposed ? rows : columns) + kGap), transposed(is_transposed) {
    values.resize(static_cast<std::size_t>((is_transposed ? columns : rows) * stride));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 7 % 11) - 5.0F;
  }
  float at(std::int64_t row, std::int64_t column) const {
    return values[static_cast<std::size_t>(transposed ? column * stride + row : row * stride + column)];
  }
  Factor factor() const { return {values.data(), stride, transposed}; }

  std::int64_t stride;
  bool transposed;
  std::vector<float> values;
};

void expect_product(bool left_is_transposed, bool right_is_transposed, bool accumulates) {
  const Matrix left(kRows, kInner, left_is_transposed), right(kInner, kColumns, right_is_transposed);
  constexpr std::int64_t kStride = kColumns + kGap;
  std::vector<float> result(kRows * kStride, 100.0F);
  multiply({kRows, kColumns, kInner}, left.factor(), right.factor(), result.data(), kStride, accumulates);
  for (std::int64_t row = 0; row < kRows; ++row) {
    for (std::int64_t column = 0; column < kStride; ++column) {
      float sum = accumulates || column >= kColumns ? 100.0F : 0.0F;
      for (std::int64_t i = 0; column < kColumns && i < kInner; ++i) sum += left.at(row, i) * right.at(i, column);
      EXPECT_EQ(result[static_cast<std::size_t>(row * kStride + column)], sum) << row << ", " << column;
    }
  }
}

TEST(Product, TakesEachFactorAsItLiesOrTransposed) {
  for (const bool left : {false, true}) {
    for (const bool right : {false, true}) expect_product(left, right, false);
  }
}

TEST(Product, AddsToWhatTheResultHolds) {
  for (const bool left : {false, true}) {
    for (const bool right : {false, true}) expect_product(left, right, true);
  }
}

/// Fails where the program no longer exports the function, or MKL no longer has one of that name to put aside.
TEST(Product, MklAsksTheProgramAboutTheProcessor) {
  initialize_engine({});
  constexpr const char* kName = "mkl_serv_intel_cpu_true";
  void* libraries = dlsym(RTLD_NEXT, kName);
  if (libraries == nullptr && dlsym(RTLD_DEFAULT, "mkl_get_max_threads") == nullptr) {
    GTEST_SKIP() << "this libtorch has no MKL";
  }
  EXPECT_NE(libraries, nullptr);
  EXPECT_NE(dlsym(RTLD_DEFAULT, kName), libraries);
}

}  // namespace
}  // namespace modelhop::engine
