// SPDX-License-Identifier: Apache-2.0
// Networks, losses and metrics against the shapes of packed data.
#include "models.hpp"
#include "samples.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace {

constexpr auto kInvalid = ErrorCode::kInvalidArgument;

struct Data {
  std::string compile;
  Shape output;
  Shape dependent;
  std::int64_t classes = 0;
  std::string fit;
  SemanticsProfile profile = SemanticsProfile::kTf2Legacy;
};

void check(const Data& data) {
  const ModelSpec model = model_of({{"out", data.output}}, data.profile);
  const TrainSpec train = parse_train_params("optimizer='sgd', loss=" + data.compile, data.fit, data.profile);
  check_fits_data(model, resolve_train_spec(train, model), {{4}}, {{data.dependent, data.classes}});
}

TEST(DataFit, accepts_what_can_be_learned) {
  const Data cases[] = {
      {"'categorical_crossentropy', metrics=['accuracy', 'top_k_categorical_accuracy']", {3}, {3}, 3},
      {"'categorical_crossentropy', metrics=['sparse_categorical_accuracy']", {3}, {3}, 3},
      {"'categorical_crossentropy'", {3}, {1}, 3},
      {"'sparse_categorical_crossentropy', metrics=['accuracy', 'categorical_accuracy']", {3}, {1}, 3},
      {"'sparse_categorical_crossentropy', metrics=['top_2_accuracy']", {3}, {}, 3},
      {"'sparse_categorical_crossentropy'", {5}, {}, 3},
      {"'sparse_categorical_crossentropy'", {3}, {3}, 3},
      {"SparseCategoricalCrossentropy(ignore_class=3)", {3}, {}, 4},
      {"'sparse_categorical_crossentropy', metrics=['acc']", {7, 3}, {7}, 3},
      {"'sparse_categorical_crossentropy', metrics=['acc']", {7, 3}, {7, 1}, 3},
      {"'sparse_categorical_crossentropy', metrics=[MeanIoU(3, sparse_y_pred=False)]", {6, 6, 3}, {6, 6}, 3},
      {"'categorical_crossentropy', metrics=['acc']", {7, 3}, {7, 3}, 0},
      {"'binary_crossentropy', metrics=['accuracy', 'AUC', 'Precision']", {1}, {}, 2},
      {"'binary_crossentropy', metrics=[AUC(multi_label=True)]", {4}, {4}, 0},
      {"'binary_crossentropy'", {6, 6, 1}, {6, 6}, 2},
      {"'mse'", {1}, {1}, 0},
      {"'mse'", {}, {}, 0},
      {"'mae', metrics=['mse', 'RMSE', R2Score()]", {3}, {3}, 0},
      {"'huber'", {2, 3}, {2, 3}, 0},
      {"'categorical_hinge', metrics=['categorical_focal_crossentropy']", {3}, {1}, 3},
      {"'mse', metrics=[MeanIoU(2)]", {3}, {3}, 0},
      {"'mse'", {2, 3}, {6}, 0},  // a flat column of as many elements
      {"'kld', metrics=[F1Score(average='macro')]", {3}, {3}, 3},
      {"'categorical_focal_crossentropy'", {3}, {3}, 3},
      {"'mse', metrics=[Precision(class_id=2, top_k=3)]", {3}, {3}, 0},
      {"'categorical_crossentropy', metrics=[OneHotMeanIoU(3), CategoricalAccuracy()]", {3}, {3}, 3},
      {"'binary_crossentropy', metrics=[BinaryIoU()]", {1}, {1}, 2},
  };
  for (const Data& data : cases) EXPECT_NO_THROW(check(data)) << data.compile;
}

TEST(DataFit, refuses_what_cannot) {
  const struct {
    Data data;
    const char* message;
  } cases[] = {
      {{"'categorical_crossentropy'", {3}, {5}, 5},
       "architecture \"net\" puts out shape (3), but the dependent variable has shape (5) and loss is "
       "categorical_crossentropy"},
      {{"'categorical_crossentropy'", {1}, {1}, 2}, "loss is categorical_crossentropy"},
      {{"'sparse_categorical_crossentropy'", {1}, {1}, 2}, "loss is sparse_categorical_crossentropy"},
      {{"'sparse_categorical_crossentropy'", {3}, {1}, 4}, "puts out 3 classes, but the data has 4"},
      {{"SparseCategoricalCrossentropy(ignore_class=0)", {3}, {1}, 4}, "puts out 3 classes, but the data has 4"},
      {{"'binary_crossentropy'", {1}, {1}, 3}, "has 3 classes"},
      {{"'binary_crossentropy'", {3}, {1}, 3}, "loss is binary_crossentropy"},
      {{"'mse'", {1}, {3}, 0}, "loss is mean_squared_error"},
      {{"'mse'", {3}, {1}, 3}, "loss is mean_squared_error"},
      {{"'mse'", {2, 3}, {3, 2}, 0}, "puts out shape (2, 3), but the dependent variable has shape (3, 2)"},
      {{"'sparse_categorical_crossentropy'", {7, 3}, {6}, 3}, "puts out shape (7, 3)"},
      {{"'binary_focal_crossentropy'", {3}, {1}, 3}, "loss is binary_focal_crossentropy"},
      {{"'categorical_hinge'", {1}, {1}, 2}, "loss is categorical_hinge"},
      {{"'sparse_categorical_crossentropy', metrics=['mse']", {3}, {1}, 3},
       "metric \"mse\" does not go with an output of shape (3) and a dependent variable of shape (1)"},
      {{"'sparse_categorical_crossentropy', metrics=['AUC']", {3}, {1}, 3}, "metric \"AUC\" does not go with"},
      {{"'mse', metrics=['top_2_accuracy']", {1}, {1}, 0}, "metric \"top_2_accuracy\" does not go with"},
      {{"'mse', metrics=[Precision(class_id=3)]", {3}, {3}, 0}, "looks at class 3, but the output has 3 columns"},
      {{"'mse', metrics=[Recall(top_k=4)]", {3}, {3}, 0}, "looks at the top 4, but the output has 3 columns"},
      {{"'mse', metrics=[MeanRelativeError([1, 2])]", {3}, {3}, 0},
       "has 2 numbers as normalizer, but the output has 3 columns"},
      {{"'mse', metrics=[AUC(label_weights=[1, 2])]", {3}, {3}, 0},
       "has 2 label_weights, but the output has 3 columns"},
      {{"'sparse_categorical_crossentropy', metrics=[MeanIoU(2, sparse_y_pred=False)]", {3}, {1}, 3},
       "metric \"mean_io_u\" has num_classes 2, but there are 3 classes"},
      {{"'mse', metrics=[AUC(100000, multi_label=True)]", {100}, {100}, 0}, "sums, the limit is"},
      {{"'mse', metrics=[MeanIoU(2000), MeanIoU(2000)]", {3}, {3}, 0}, "need 8004000 sums, the limit is 8000000"},
  };
  for (const auto& test : cases) expect_error(kInvalid, test.message, [&] { check(test.data); });
  EXPECT_NE(error_of([] { check({"'mse'", {3}, {1}, 3}); }).hint().find("one-hot"), std::string::npos);
  EXPECT_NE(error_of([] {
              check({"'categorical_crossentropy'", {1}, {1}, 2});
            })
                .hint()
                .find("binary_crossentropy"),
            std::string::npos);
}

TEST(DataFit, class_weights_are_of_the_datas_classes) {
  const std::string one_hot = "'categorical_crossentropy'";
  EXPECT_NO_THROW(check({one_hot, {3}, {3}, 3, "class_weight={0: 1, 1: 2, 2: 1}"}));
  EXPECT_NO_THROW(check({"'sparse_categorical_crossentropy'", {5}, {1}, 3, "class_weight={0: 1, 1: 2, 2: 1}"}));
  EXPECT_NO_THROW(check({"'binary_crossentropy'", {1}, {1}, 2, "class_weight={0: 1, 1: 2}"}));
  EXPECT_NO_THROW(check({"'mse'", {1}, {1}, 0, "class_weight={0: 1, 7: 2}"}));  // nothing is known of the classes
  expect_error(kInvalid, "\"class_weight\" names class 3, but there are only 3 classes", [&] {
    check({one_hot, {3}, {3}, 3, "class_weight={0: 1, 1: 2, 2: 1, 3: 1}"});
  });
  expect_error(kInvalid, "\"class_weight\" says nothing about class 1 of 3", [&] {
    check({one_hot, {3}, {3}, 3, "class_weight={0: 1, 2: 1}"});
  });
  EXPECT_NO_THROW(check({one_hot, {3}, {3}, 3, "class_weight={0: 1, 2: 1}", SemanticsProfile::kKeras3}));
}

TEST(DataFit, several_inputs_and_outputs) {
  const ModelSpec model = model_of({{"a", {3}}, {"b", {1}}});
  const auto fits = [&](const std::string& loss, const std::vector<Shape>& inputs,
                        const std::vector<DependentVariable>& dependents) {
    const TrainSpec train = parse_train_params("optimizer='sgd', loss=" + loss, "");
    check_fits_data(model, resolve_train_spec(train, model), inputs, dependents);
  };
  const std::string losses = "{'b': 'mse', 'a': 'sparse_categorical_crossentropy'}, metrics={'a': 'acc', 'b': 'mae'}";
  EXPECT_NO_THROW(fits(losses, {{4}}, {{{}, 3}, {{1}, 0}}));
  expect_error(kInvalid, "architecture \"net\", output \"b\", puts out shape (1)", [&] {
    fits(losses, {{4}}, {{{}, 3}, {{2}, 0}});
  });
  expect_error(kInvalid, "has 2 outputs, but there are 1 dependent variables", [&] { fits(losses, {{4}}, {{{}, 3}}); });
  expect_error(kInvalid, "has 1 inputs, but there are 2 independent variables", [&] {
    fits(losses, {{4}, {4}}, {{{}, 3}, {{1}, 0}});
  });
  expect_error(kInvalid, "architecture \"net\" takes input of shape (4), but the independent variable has shape (2, 2)",
               [&] {
                 fits(losses, {{2, 2}}, {{{}, 3}, {{1}, 0}});
               });
}

}  // namespace
}  // namespace modelhop
