// SPDX-License-Identifier: Apache-2.0
// Losses, weights, metrics and callbacks against the outputs of a model, by Keras generation.
#include "models.hpp"
#include "samples.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace {

using Profile = SemanticsProfile;
using Mode = CallbackSpec::Mode;
using Names = std::vector<std::string>;
constexpr auto kInvalid = ErrorCode::kInvalidArgument;
constexpr auto kUnsupported = ErrorCode::kNotSupported;

ModelSpec one(Profile profile = Profile::kTf2Legacy) {
  return model_of({{"out", {3}}}, profile);
}

ModelSpec two(Profile profile = Profile::kTf2Legacy) {
  return model_of({{"a", {3}}, {"b", {1}}}, profile);
}

TrainSpec resolved(const std::string& compile, const ModelSpec& model, const std::string& fit = "") {
  const TrainSpec once =
      resolve_train_spec(parse_train_params("optimizer='adam', " + compile, fit, model.profile), model);
  const TrainSpec twice = resolve_train_spec(once, model);
  EXPECT_EQ(once.losses, twice.losses);
  EXPECT_EQ(once.loss_weights, twice.loss_weights);
  EXPECT_EQ(once.metrics, twice.metrics);
  EXPECT_EQ(once.callbacks, twice.callbacks);
  for (const OutputForm& form : {once.loss_form, once.loss_weight_form, once.metric_form, once.weighted_metric_form})
    EXPECT_EQ(form, OutputForm{});
  return once;
}

Names names(const TrainSpec& train) {
  Names list;
  for (const MetricSpec& metric : train.metrics) list.push_back(metric.name);
  return list;
}

Names metric_names(const std::string& metrics, const ModelSpec& model) {
  return names(resolved("loss='mse', " + metrics, model));
}

TEST(TrainResolution, losses_by_output) {
  const auto kinds = [](const std::string& text, const ModelSpec& model) {
    std::vector<LossKind> list;
    for (const LossSpec& loss : resolved("loss=" + text, model).losses) list.push_back(loss.kind);
    return list;
  };
  const auto kMse = LossKind::kMeanSquaredError;
  const auto kMae = LossKind::kMeanAbsoluteError;
  EXPECT_EQ(kinds("'mse'", one()), (std::vector{kMse}));
  EXPECT_EQ(kinds("['mse']", one()), (std::vector{kMse}));
  EXPECT_EQ(kinds("{'out': 'mse'}", one()), (std::vector{kMse}));
  EXPECT_EQ(kinds("'mse'", two()), (std::vector{kMse, kMse}));
  EXPECT_EQ(kinds("['mse', 'mae']", two()), (std::vector{kMse, kMae}));
  EXPECT_EQ(kinds("{'b': 'mse', 'a': 'mae'}", two()), (std::vector{kMae, kMse}));
}

TEST(TrainResolution, refuses_losses_without_an_output) {
  expect_error(kInvalid, "\"loss\" has 1 entries, but the model has 2 outputs",
               [] { resolved("loss=['mse']", two()); });
  expect_error(kInvalid, "\"loss\" has 2 entries, but the model has 1 output",
               [] { resolved("loss=['mse', 'mae']", one()); });
  EXPECT_NE(error_of([] { resolved("loss=['mse']", two()); }).hint().find("\"a\", \"b\""), std::string::npos);
  const Error unknown = error_of([] { resolved("loss={'a': 'mse', 'c': 'mae'}", two()); });
  EXPECT_EQ(std::string(unknown.what()), "compile_params: \"loss\" names \"c\", which is no output of the model");
  EXPECT_EQ(unknown.hint(), "Its outputs are \"a\", \"b\".");
  expect_error(kUnsupported, "\"loss\" says nothing about output \"b\"", [] { resolved("loss={'a': 'mse'}", two()); });
}

TEST(TrainResolution, loss_weights_by_output) {
  const auto weights = [](const std::string& text, const ModelSpec& model) {
    return resolved("loss='mse', loss_weights=" + text, model).loss_weights;
  };
  EXPECT_TRUE(weights("None", two()).empty());
  EXPECT_EQ(weights("[0.5, 2]", two()), (std::vector<double>{0.5, 2.0}));
  EXPECT_EQ(weights("{'b': 0.5}", two()), (std::vector<double>{1.0, 0.5}));
  EXPECT_EQ(weights("0.5", two()), (std::vector<double>{0.5, 0.5}));
  EXPECT_EQ(weights("[0.5]", one()), (std::vector<double>{0.5}));
  expect_error(kInvalid, "\"loss_weights\" has 1 entries, but the model has 2 outputs", [&] { weights("[1]", two()); });
  expect_error(kInvalid, "\"loss_weights\" names \"c\"", [&] { weights("{'c': 1}", two()); });
}

TEST(TrainResolution, metrics_by_output) {
  for (const Profile profile : kProfiles) {
    SCOPED_TRACE(static_cast<int>(profile));
    EXPECT_EQ(metric_names("metrics=['acc', 'mse']", one(profile)), (Names{"acc", "mse"}));
    EXPECT_EQ(metric_names("metrics=[['acc', 'mse']]", one(profile)), (Names{"acc", "mse"}));
    EXPECT_EQ(metric_names("metrics={'out': 'acc'}", one(profile)), (Names{"acc"}));
    EXPECT_EQ(metric_names("metrics='acc'", two(profile)), (Names{"a_acc", "b_acc"}));
    EXPECT_EQ(metric_names("metrics=[['acc', 'mse'], []]", two(profile)), (Names{"a_acc", "a_mse"}));
    EXPECT_EQ(metric_names("metrics=[[], 'mae']", two(profile)), (Names{"b_mae"}));
    EXPECT_EQ(metric_names("metrics={'b': ['mse', 'mae'], 'a': 'acc'}", two(profile)),
              (Names{"a_acc", "b_mse", "b_mae"}));
    EXPECT_TRUE(metric_names("metrics=[]", two(profile)).empty());
    expect_error(kInvalid, "\"metrics\" names \"c\"", [&] { metric_names("metrics={'c': 'acc'}", two(profile)); });
    expect_error(kInvalid, "\"metrics\" has 3 entries, but the model has 2 outputs",
                 [&] { metric_names("metrics=[['acc'], [], ['mse']]", two(profile)); });
  }
}

TEST(TrainResolution, a_flat_list_for_several_outputs) {
  for (const Profile profile : kProfiles) {
    if (profile == Profile::kKeras3) continue;
    EXPECT_EQ(metric_names("metrics=['acc', 'mse']", two(profile)), (Names{"a_acc", "a_mse", "b_acc", "b_mse"}));
  }
  const TrainSpec keras3 = resolved("loss='mse', metrics=['acc', 'mse']", two(Profile::kKeras3));
  EXPECT_EQ(names(keras3), (Names{"a_acc", "b_mse"}));
  EXPECT_EQ(keras3.metrics[1].output_index, 1);
  EXPECT_EQ(metric_names("metrics=[None, 'mse']", two(Profile::kKeras3)), (Names{"b_mse"}));
  expect_error(kInvalid, "\"metrics\" has 1 entries, but the model has 2 outputs",
               [] { metric_names("metrics=['acc']", two(Profile::kKeras3)); });
}

TEST(TrainResolution, names_are_unique) {
  EXPECT_EQ(metric_names("metrics=[AUC(), AUC(curve='PR'), AUC()]", one()), (Names{"auc", "auc_1", "auc_2"}));
  EXPECT_EQ(metric_names("metrics=['acc'], weighted_metrics=['acc', 'mse']", one()),
            (Names{"acc", "weighted_acc", "mse"}));
  EXPECT_EQ(metric_names("weighted_metrics=['acc'], metrics=['acc']", two()),
            (Names{"a_acc", "a_weighted_acc", "b_acc", "b_weighted_acc"}));
  EXPECT_EQ(metric_names("weighted_metrics=[['acc'], []], metrics=[['acc'], ['acc']]", two(Profile::kKeras3)),
            (Names{"a_acc", "b_acc", "a_weighted_acc"}));
  const TrainSpec weighted = resolved("loss='mse', weighted_metrics={'b': 'mse'}", two());
  EXPECT_TRUE(weighted.metrics[0].is_weighted);
  EXPECT_EQ(weighted.metrics[0].output_index, 1);
}

TEST(TrainResolution, what_crossentropy_means) {
  const struct {
    Profile profile;
    const char* loss;
    Shape output;
    MetricKind kind;
  } cases[] = {
      {Profile::kTf2Legacy, "categorical_crossentropy", {3}, MetricKind::kCategoricalCrossentropy},
      {Profile::kTf2Legacy, "sparse_categorical_crossentropy", {3}, MetricKind::kSparseCategoricalCrossentropy},
      {Profile::kTf2Legacy, "binary_crossentropy", {1}, MetricKind::kBinaryCrossentropy},
      {Profile::kTf2Legacy, "binary_crossentropy", {3}, MetricKind::kCategoricalCrossentropy},
      {Profile::kKeras3, "binary_crossentropy", {3}, MetricKind::kCategoricalCrossentropy},
      {Profile::kKeras22, "binary_crossentropy", {3}, MetricKind::kBinaryCrossentropy},
      {Profile::kTf1, "binary_crossentropy", {3}, MetricKind::kBinaryCrossentropy},
      {Profile::kTf1, "mse", {1}, MetricKind::kBinaryCrossentropy},
  };
  for (const auto& test : cases) {
    for (const char* metric : {"crossentropy", "ce"}) {
      const TrainSpec train = resolved(std::string("loss='") + test.loss + "', metrics=['" + metric + "']",
                                       model_of({{"out", test.output}}, test.profile));
      EXPECT_EQ(train.metrics[0].kind, test.kind) << test.loss << static_cast<int>(test.profile);
      EXPECT_EQ(train.metrics[0].name, metric);
      EXPECT_FALSE(train.metrics[0].follows_loss);
    }
  }
}

CallbackSpec monitored(const std::string& callback, const std::string& metrics, const ModelSpec& model) {
  return resolved("loss='mse', metrics=" + metrics, model, "callbacks=[" + callback + "]").callbacks.front();
}

TEST(TrainResolution, what_callbacks_monitor) {
  const struct {
    const char* monitor;
    const char* metrics;
    const char* found;
  } cases[] = {
      {"loss", "[]", "loss"},
      {"val_loss", "[]", "val_loss"},
      {"val_accuracy", "['accuracy']", "val_accuracy"},
      {"val_acc", "['accuracy']", "val_accuracy"},
      {"accuracy", "['acc']", "acc"},
      {"val_auc", "['AUC']", "val_AUC"},
      {"val_auc_1", "[AUC(), AUC()]", "val_auc_1"},
      {"mean_squared_error", "['mse']", "mse"},
      {"val_kullback_leibler_divergence", "[KLDivergence()]", "val_kl_divergence"},
      {"val_area", "[AUC(name='area')]", "val_area"},
      {"val_top_3_accuracy", "['top_3_accuracy']", "val_top_3_accuracy"},
  };
  for (const auto& test : cases) {
    const std::string text = std::string("EarlyStopping(monitor='") + test.monitor + "')";
    EXPECT_EQ(monitored(text, test.metrics, one()).monitor, test.found) << test.monitor;
  }
  EXPECT_EQ(monitored("EarlyStopping('val_a_accuracy')", "['acc']", two()).monitor, "val_a_acc");
  EXPECT_EQ(monitored("EarlyStopping('b_loss')", "['acc']", two()).monitor, "b_loss");
  for (const char* monitor : {"val_acc", "lr", "", "val_", "val_val_loss", "out_loss"}) {
    expect_error(kInvalid, "is neither a loss nor a metric of compile_params",
                 [&] { monitored(std::string("EarlyStopping('") + monitor + "')", "['mse']", one()); });
  }
  EXPECT_NE(error_of([] { monitored("EarlyStopping('x')", "['mse']", one()); }).hint().find("\"loss\", \"mse\""),
            std::string::npos);
  EXPECT_NO_THROW(monitored("CSVLogger('x')", "[]", one()));
}

TEST(TrainResolution, automatic_mode) {
  const struct {
    Profile profile;
    const char* callback;
    const char* metrics;
    Mode mode;
  } cases[] = {
      {Profile::kTf2Legacy, "EarlyStopping('val_loss')", "[]", Mode::kMin},
      {Profile::kTf2Legacy, "EarlyStopping('val_acc')", "['acc']", Mode::kMax},
      {Profile::kTf2Legacy, "EarlyStopping('val_auc')", "[AUC()]", Mode::kMax},
      {Profile::kKeras22, "EarlyStopping('val_auc')", "[AUC()]", Mode::kMin},
      {Profile::kTf2Legacy, "EarlyStopping('val_recall')", "[Recall()]", Mode::kMin},
      {Profile::kKeras3, "EarlyStopping('val_recall')", "[Recall()]", Mode::kMax},
      {Profile::kKeras3, "EarlyStopping('val_mse')", "['mse']", Mode::kMin},
      {Profile::kKeras3, "EarlyStopping('loss')", "['mse']", Mode::kMin},
      {Profile::kTf2Legacy, "ReduceLROnPlateau('val_auc')", "[AUC()]", Mode::kMin},
      {Profile::kTf2, "ReduceLROnPlateau('val_accuracy')", "['accuracy']", Mode::kMax},
      {Profile::kTf2Legacy, "ModelCheckpoint('x', 'val_acc', save_best_only=True)", "['acc']", Mode::kMax},
      {Profile::kTf2Legacy, "EarlyStopping('val_acc', mode='min')", "['acc']", Mode::kMin},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(monitored(test.callback, test.metrics, one(test.profile)).mode, test.mode) << test.callback;
  }
  expect_error(kInvalid, "does not say whether more of \"val_poisson\" is better",
               [] { monitored("EarlyStopping('val_poisson')", "['poisson']", one(Profile::kKeras3)); });
}

TEST(TrainResolution, class_weights_need_one_output) {
  EXPECT_NO_THROW(resolved("loss='mse'", one(), "class_weight={0: 1, 1: 2}"));
  expect_error(kInvalid, "\"class_weight\" needs a model with one output",
               [] { resolved("loss='mse'", two(), "class_weight={0: 1, 1: 2}"); });
  expect_error(kInvalid, "the output of this one has 3 axes", [] {
    resolved("loss='mse'", model_of({{"out", {5, 3}}}, Profile::kKeras3), "class_weight={0: 1, 1: 2}");
  });
}

TEST(TrainResolution, specs_made_by_hand_are_settled) {
  TrainSpec train;
  train.losses = {LossSpec{LossKind::kMeanSquaredError, "mean_squared_error"}};
  MetricSpec metric;
  metric.name = "x";
  metric.output_index = 1;
  train.metrics = {metric};
  const TrainSpec settled = resolve_train_spec(train, two());
  EXPECT_EQ(settled.losses.size(), 2U);
  EXPECT_EQ(settled.metrics, train.metrics);
  expect_error(kInvalid, "metric \"x\" is of output 1, but the model has 1", [&] { resolve_train_spec(train, one()); });
}

}  // namespace
}  // namespace modelhop
