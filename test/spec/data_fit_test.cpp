// SPDX-License-Identifier: Apache-2.0
// Networks against the shapes of packed data.
#include "samples.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace {

ModelSpec network(int units) {
  return parse_keras_json(R"({"class_name":"Sequential","keras_version":"2.2.4","config":{"name":"net","layers":[
    {"class_name":"Dense","config":{"name":"d","batch_input_shape":[null,4],"units":)" +
                          std::to_string(units) + "}}]}}");
}

void check(int units, const std::string& loss, const Shape& dependent, std::int64_t classes,
           const std::string& metrics = "[]", const Shape& independent = {4}) {
  check_fits_data(network(units), parse_train_params("optimizer='sgd', loss='" + loss + "', metrics=" + metrics, ""),
                  independent, dependent, classes);
}

constexpr auto kInvalid = ErrorCode::kInvalidArgument;

TEST(DataFit, accepts_what_can_be_learned) {
  EXPECT_NO_THROW(check(3, "categorical_crossentropy", {3}, 3, "['accuracy','top_k_categorical_accuracy']"));
  EXPECT_NO_THROW(check(3, "sparse_categorical_crossentropy", {1}, 3, "['accuracy','sparse_categorical_accuracy']"));
  EXPECT_NO_THROW(check(3, "sparse_categorical_crossentropy", {}, 3));
  EXPECT_NO_THROW(check(5, "sparse_categorical_crossentropy", {}, 3));
  EXPECT_NO_THROW(check(1, "binary_crossentropy", {}, 2, "['accuracy']"));
  EXPECT_NO_THROW(check(1, "mse", {1}, 0));
  EXPECT_NO_THROW(check(3, "mae", {3}, 0, "['mse']"));
}

TEST(DataFit, names_the_shapes) {
  expect_error(kInvalid, "architecture \"net\" takes input of shape (4), but the independent variable has shape (2, 2)",
               [] {
                 check(3, "mse", {3}, 0, "[]", {2, 2});
               });
  expect_error(kInvalid, "architecture \"net\" puts out shape (3), but the dependent variable has shape (5)",
               [] { check(3, "categorical_crossentropy", {5}, 5); });
}

TEST(DataFit, refuses_losses_that_do_not_fit_the_target) {
  expect_error(kInvalid, "loss is categorical_crossentropy", [] { check(3, "categorical_crossentropy", {1}, 3); });
  expect_error(kInvalid, "loss is categorical_crossentropy", [] { check(1, "categorical_crossentropy", {1}, 2); });
  expect_error(kInvalid, "loss is sparse_categorical_crossentropy",
               [] { check(3, "sparse_categorical_crossentropy", {3}, 3); });
  expect_error(kInvalid, "puts out 3 classes, but the data has 4",
               [] { check(3, "sparse_categorical_crossentropy", {1}, 4); });
  expect_error(kInvalid, "loss is sparse_categorical_crossentropy",
               [] { check(1, "sparse_categorical_crossentropy", {1}, 2); });
  expect_error(kInvalid, "has 3 classes", [] { check(1, "binary_crossentropy", {1}, 3); });
  expect_error(kInvalid, "loss is mean_squared_error", [] { check(1, "mse", {3}, 0); });
  expect_error(kInvalid, "metric \"sparse_categorical_accuracy\"",
               [] { check(3, "categorical_crossentropy", {3}, 3, "['sparse_categorical_accuracy']"); });
  expect_error(kInvalid, "metric \"top_2_accuracy\"",
               [] { check(3, "sparse_categorical_crossentropy", {1}, 3, "['top_2_accuracy']"); });
}

TEST(DataFit, suggests_the_other_encoding) {
  EXPECT_NE(error_of([] { check(3, "categorical_crossentropy", {1}, 3); }).hint().find("one-hot"), std::string::npos);
  EXPECT_NE(error_of([] { check(3, "sparse_categorical_crossentropy", {3}, 3); }).hint().find("one-hot"),
            std::string::npos);
}

}  // namespace
}  // namespace modelhop
