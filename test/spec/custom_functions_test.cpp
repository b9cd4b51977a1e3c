// SPDX-License-Identifier: Apache-2.0
// Custom functions among losses and metrics: how they are found, what is refused, which way is better.
#include "spec/custom_functions.hpp"

#include "models.hpp"
#include "samples.hpp"
#include "spec/metric_table.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace {

constexpr auto kInvalid = ErrorCode::kInvalidArgument;

const CustomFunctions kFunctions = {
    {"my_loss", "K.square(y_pred - y_true)"},
    {"My_Metric", "K.equal(K.argmax(y_true), K.argmax(y_pred))"},
    {"rmse", "K.sqrt(K.mean(K.square(y_pred - y_true), axis=-1))"},
    {"top_3_accuracy", "nonsense("},
    {"broken", "K.square(y_pred"},
    {"pickled", std::string("\x80\x04\x95", 3)},
};

TrainSpec train(const std::string& rest) {
  return parse_train_params("optimizer='sgd', " + rest, "", SemanticsProfile::kTf2Legacy, kFunctions);
}

TEST(CustomFunctions, are_found_by_name) {
  for (const char* text : {"loss='my_loss'", "loss=my_loss", "loss='MY_LOSS'", "loss=\"My_Loss\""}) {
    const LossSpec loss = train(text).losses.front();
    EXPECT_EQ(loss.kind, LossKind::kCustom) << text;
    EXPECT_EQ(loss.name, "my_loss");
    EXPECT_EQ(loss.expression.text, kFunctions[0].text);
  }
  const TrainSpec spec = train("loss='mse', metrics=['my_metric', 'accuracy', 'rmse', 'top_3_accuracy', 'My_Metric']");
  ASSERT_EQ(spec.metrics.size(), 5U);
  EXPECT_EQ(spec.losses.front().kind, LossKind::kMeanSquaredError);
  EXPECT_EQ(spec.metrics[0].kind, MetricKind::kCustom);
  EXPECT_EQ(spec.metrics[0].name, "my_metric");
  EXPECT_EQ(spec.metrics[0].function, "My_Metric");
  EXPECT_EQ(spec.metrics[1].kind, MetricKind::kAccuracy);
  EXPECT_EQ(spec.metrics[2].kind, MetricKind::kCustom);
  EXPECT_EQ(spec.metrics[3].kind, MetricKind::kTopKCategoricalAccuracy);
  EXPECT_EQ(parse_train_params("optimizer='sgd', loss='mse', metrics=['rmse']", "").metrics[0].kind,
            MetricKind::kRootMeanSquaredError);
  CustomFunctions used;
  add_used_functions(spec, used);
  add_used_functions(spec, used);
  EXPECT_EQ(used, (CustomFunctions{kFunctions[1], kFunctions[2]}));
}

TEST(CustomFunctions, that_cannot_be_used_are_refused_by_name) {
  expect_error(kInvalid, "loss \"My_Metric\" cannot be learnt", [] { train("loss='My_Metric'"); });
  expect_error(kInvalid, "custom function \"broken\": line 1, column 16", [] { train("loss='broken'"); });
  expect_error(kInvalid, "custom function \"pickled\": it is a pickled",
               [] { train("loss='mse', metrics=['pickled']"); });
  expect_error(kInvalid, "loss \"my_loss\" is a custom function", [] { train("loss=my_loss(2)"); });
  const Error unknown = error_of([] { train("loss='my_lost'"); });
  EXPECT_STREQ(unknown.what(), "unknown loss \"my_lost\"");
  EXPECT_NE(unknown.hint().find("Did you mean \"my_loss\"?"), std::string::npos) << unknown.hint();
  EXPECT_NE(unknown.hint().find("object_table"), std::string::npos) << unknown.hint();
  const Error none = error_of([] { parse_train_params("optimizer='sgd', loss='mse', metrics=['acuracy']", ""); });
  EXPECT_NE(none.hint().find("Did you mean \"accuracy\"?"), std::string::npos) << none.hint();
  EXPECT_NE(none.hint().find("object_table"), std::string::npos) << none.hint();
}

TEST(CustomFunctions, meet_a_model) {
  const ModelSpec model = parse_keras_json(R"({"class_name": "Sequential", "config": [{"class_name": "Dense",
      "config": {"units": 3, "batch_input_shape": [null, 4]}}]})");
  const auto fits = [&](const std::string& text, const Shape& dependent) {
    const CustomFunctions functions = {{"f", text}};
    const TrainSpec spec = resolve_train_spec(
        parse_train_params("optimizer='sgd', loss='f', metrics=['f']", "", model.profile, functions), model);
    check_fits_data(model, spec, {{4}}, {{dependent, 0}});
    return spec;
  };
  const TrainSpec spec = fits("K.square(y_pred - y_true)", {3});
  EXPECT_EQ(spec.losses, resolve_train_spec(spec, model).losses);
  EXPECT_GT(estimate_memory(model, spec).workspace, estimate_memory(model, TrainSpec()).workspace);
  EXPECT_NO_THROW(fits("K.square(y_pred - y_true)", {1}));  // class ids, seen as one-hot rows
  expect_error(kInvalid, "puts out shape (3), but the dependent variable has shape (2) and loss is f",
               [&] { fits("y_pred - y_true", {2}); });
  expect_error(kInvalid, "loss \"f\": line 1, column 8: \"-\": shapes",
               [&] { fits("y_pred - mean(y_true, axis=-1)", {3}); });
}

TEST(CustomFunctions, have_a_direction_by_their_name) {
  for (const char* name : {"my_accuracy", "Top_Acc", "f1_score", "iou"}) {
    MetricSpec metric;
    metric.kind = MetricKind::kCustom;
    metric.function = name;
    EXPECT_TRUE(spec::grows_with_quality(metric)) << name;
  }
  for (const char* name : {"my_loss", "rmse", "accumulated", "scores_off"}) {
    MetricSpec metric;
    metric.kind = MetricKind::kCustom;
    metric.function = name;
    EXPECT_FALSE(spec::grows_with_quality(metric)) << name;
  }
}

TEST(CustomFunctions, may_have_names_that_keras_has_not) {
  for (const char* name : {"rmse", "squared_error", "test_custom_fn", "F", "_x1"}) {
    EXPECT_NO_THROW(check_custom_function(name, "y_pred")) << name;
  }
  for (const char* name : {"", "my loss", "1st", "a-b", "\xc3\xa9", "x'; --", "None", "mse", "MSE", "accuracy",
                           "CategoricalCrossentropy", "top_3_accuracy", "huber", "ce", "auc"}) {
    expect_error(kInvalid, "argument name: ", [&] { check_custom_function(name, "y_pred"); });
  }
  expect_error(kInvalid, "argument object is empty", [] { check_custom_function("f", ""); });
  expect_error(kInvalid, "argument object: line 1, column 1: unknown name \"y\"",
               [] { check_custom_function("f", "y"); });
  for (const std::string& object : {std::string("\x80\x03K"), std::string("cdill._dill\n_create_function\np0\n"),
                                    std::string("c__builtin__\neval\np1\n."), std::string("y_pred\0", 7)}) {
    expect_error(ErrorCode::kNotSupported, "argument object: a pickled Python object is not accepted",
                 [&] { check_custom_function("f", object); });
  }
}

}  // namespace
}  // namespace modelhop
