// SPDX-License-Identifier: Apache-2.0
// Losses in every accepted form, by output, with weights, and what is refused.
#include "spec/losses.hpp"

#include "samples.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace {

constexpr auto kInvalid = ErrorCode::kInvalidArgument;
constexpr auto kUnsupported = ErrorCode::kNotSupported;

TrainSpec train(const std::string& text) {
  return parse_train_params("optimizer='adam', loss=" + text, "");
}

LossSpec loss(const std::string& text) {
  const TrainSpec spec = train(text);
  EXPECT_EQ(spec.losses.size(), 1U) << text;
  return spec.losses.front();
}

TEST(Losses, names_of_all_generations) {
  const struct {
    LossKind kind;
    const char* name;
    std::vector<const char*> spellings;
  } cases[] = {
      {LossKind::kCategoricalCrossentropy,
       "categorical_crossentropy",
       {"'categorical_crossentropy'", "\"categorical_crossentropy\"", "categorical_crossentropy",
        "'CategoricalCrossentropy'", "keras.losses.CategoricalCrossentropy()", "losses.categorical_crossentropy",
        "'Categorical_Crossentropy'", "tf.keras.losses.CategoricalCrossentropy", "'CategoricalCrossentropy()'",
        "{'class_name': 'CategoricalCrossentropy', 'config': {'from_logits': False}}"}},
      {LossKind::kSparseCategoricalCrossentropy,
       "sparse_categorical_crossentropy",
       {"'sparse_categorical_crossentropy'", "SparseCategoricalCrossentropy()"}},
      {LossKind::kBinaryCrossentropy,
       "binary_crossentropy",
       {"'binary_crossentropy'", "'bce'", "'BCE'", "BinaryCrossentropy()"}},
      {LossKind::kMeanSquaredError,
       "mean_squared_error",
       {"'mse'", "'MSE'", "mean_squared_error", "MeanSquaredError()", "'mean_squared_error'"}},
      {LossKind::kMeanAbsoluteError, "mean_absolute_error", {"'mae'", "'MAE'", "MeanAbsoluteError()"}},
      {LossKind::kMeanAbsolutePercentageError,
       "mean_absolute_percentage_error",
       {"'mape'", "'MAPE'", "MeanAbsolutePercentageError()", "'mean_absolute_percentage_error'"}},
      {LossKind::kMeanSquaredLogarithmicError,
       "mean_squared_logarithmic_error",
       {"'msle'", "'MSLE'", "MeanSquaredLogarithmicError()"}},
      {LossKind::kHuber, "huber", {"'huber'", "'huber_loss'", "Huber()", "'Huber'", "tf.losses.Huber()"}},
      {LossKind::kLogCosh, "log_cosh", {"'logcosh'", "'log_cosh'", "LogCosh()"}},
      {LossKind::kHinge, "hinge", {"'hinge'", "Hinge()"}},
      {LossKind::kSquaredHinge, "squared_hinge", {"'squared_hinge'", "SquaredHinge()"}},
      {LossKind::kCategoricalHinge, "categorical_hinge", {"'categorical_hinge'", "CategoricalHinge()"}},
      {LossKind::kBinaryFocalCrossentropy,
       "binary_focal_crossentropy",
       {"'binary_focal_crossentropy'", "BinaryFocalCrossentropy()"}},
      {LossKind::kCategoricalFocalCrossentropy,
       "categorical_focal_crossentropy",
       {"'categorical_focal_crossentropy'", "CategoricalFocalCrossentropy()"}},
      {LossKind::kKlDivergence,
       "kl_divergence",
       {"'kullback_leibler_divergence'", "'kld'", "'KLD'", "'kl_divergence'", "KLDivergence()", "'KLDivergence'"}},
      {LossKind::kPoisson, "poisson", {"'poisson'", "Poisson()"}},
      {LossKind::kCosineSimilarity,
       "cosine_similarity",
       {"'cosine_proximity'", "'cosine'", "'cosine_similarity'", "CosineSimilarity()", "CosineSimilarity(axis=-1)"}},
      {LossKind::kDice, "dice", {"'dice'", "Dice()", "Dice(axis=None)"}},
      {LossKind::kTversky, "tversky", {"'tversky'", "Tversky()"}},
  };
  for (const auto& test : cases) {
    for (const char* spelling : test.spellings) {
      EXPECT_EQ(loss(spelling).kind, test.kind) << spelling;
      EXPECT_EQ(loss(spelling).name, test.name) << spelling;
      EXPECT_EQ(loss(spelling), loss(test.spellings.front())) << spelling;
      EXPECT_NO_THROW(spec::target_fit(test.kind));
    }
  }
}

TEST(Losses, arguments) {
  EXPECT_TRUE(loss("BinaryCrossentropy(True)").from_logits);
  EXPECT_TRUE(loss("SparseCategoricalCrossentropy(from_logits=True)").from_logits);
  EXPECT_EQ(loss("SparseCategoricalCrossentropy(ignore_class=255)").ignore_class, 255);
  EXPECT_EQ(loss("SparseCategoricalCrossentropy(ignore_class=-1)").ignore_class, -1);
  EXPECT_FALSE(loss("SparseCategoricalCrossentropy(ignore_class=None)").ignore_class.has_value());
  const LossSpec smooth =
      loss("keras.losses.CategoricalCrossentropy(from_logits=True,label_smoothing=.1, axis=-1, reduction='auto')");
  EXPECT_TRUE(smooth.from_logits);
  EXPECT_EQ(smooth.label_smoothing, 0.1);
  EXPECT_EQ(loss("CategoricalCrossentropy(False, 0.2)").label_smoothing, 0.2);
  EXPECT_EQ(loss("'Huber(delta=2)'").delta, 2.0);
  EXPECT_EQ(loss("Huber(0.5, name='h')").delta, 0.5);
  const LossSpec focal = loss("BinaryFocalCrossentropy(True, 0.3, 1.5, from_logits=True, label_smoothing=0.1)");
  EXPECT_TRUE(focal.apply_class_balancing);
  EXPECT_EQ(focal.alpha, 0.3);
  EXPECT_EQ(focal.gamma, 1.5);
  EXPECT_TRUE(focal.from_logits);
  EXPECT_EQ(loss("CategoricalFocalCrossentropy(0.4)").alpha, 0.4);
  EXPECT_EQ(loss("'categorical_focal_crossentropy'").gamma, 2.0);
  EXPECT_EQ(loss("Tversky()").alpha, 0.5);
  EXPECT_EQ(loss("Tversky()").gamma, 1.0);
  EXPECT_EQ(loss("Tversky(0.7, 0.3)").beta, 0.3);
}

TEST(Losses, reductions) {
  const struct {
    const char* text;
    LossReduction reduction;
  } cases[] = {
      {"'auto'", LossReduction::kMean},
      {"'sum_over_batch_size'", LossReduction::kMean},
      {"'mean'", LossReduction::kMean},
      {"tf.keras.losses.Reduction.AUTO", LossReduction::kMean},
      {"losses.Reduction.SUM_OVER_BATCH_SIZE", LossReduction::kMean},
      {"'sum'", LossReduction::kSum},
      {"tf.keras.losses.Reduction.SUM", LossReduction::kSum},
      {"'mean_with_sample_weight'", LossReduction::kMeanWithSampleWeight},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(loss("MeanSquaredError(reduction=" + std::string(test.text) + ")").reduction, test.reduction)
        << test.text;
  }
}

TEST(Losses, refuses) {
  const struct {
    ErrorCode code;
    const char* text;
    const char* message;
  } cases[] = {
      {kInvalid, "'crossentropie'", "unknown loss \"crossentropie\""},
      {kInvalid, "my_loss", "unknown loss \"my_loss\""},
      {kInvalid, "7", "a name or a call"},
      {kInvalid, "CategoricalCrossentropy(label_smoothing=2)", "\"label_smoothing\" must be from 0 to 1, not \"2\""},
      {kInvalid, "SparseCategoricalCrossentropy(label_smoothing=.1)", "\"label_smoothing\" is unknown"},
      {kInvalid, "SparseCategoricalCrossentropy(True, -1)", "argument \"-1\" needs a name"},
      {kInvalid, "MeanSquaredError(from_logits=True)", "\"from_logits\" is unknown"},
      {kInvalid, "MeanSquaredError('sum')", "argument \"'sum'\" needs a name"},
      {kInvalid, "MeanSquaredError(reduction='average')", "\"reduction\" must be"},
      {kInvalid, "Huber(delta=0)", "\"delta\" must be above 0"},
      {kInvalid, "SparseCategoricalCrossentropy(ignore_class=1.5)", "must be an integer"},
      {kInvalid, "[]", "\"loss\" is empty"},
      {kInvalid, "{}", "\"loss\" is empty"},
      {kInvalid, "{'a': 'mse', 'a': 'mae'}", "names output \"a\" twice"},
      {kInvalid, "{1: 'mse'}", "must be a string"},
      {kUnsupported, "MeanSquaredError(reduction='none')", "\"reduction\" = \"'none'\""},
      {kUnsupported, "MeanSquaredError(reduction=None)", "\"reduction\" = \"None\""},
      {kUnsupported, "MeanSquaredError(dtype='float16')", "\"dtype\""},
      {kUnsupported, "CategoricalCrossentropy(axis=1)", "\"axis\" = \"1\""},
      {kUnsupported, "Dice(axis=-1)", "\"axis\" = \"-1\""},
      {kUnsupported, "CTC()", "loss \"CTC\""},
      {kUnsupported, "'circle'", "loss \"circle\""},
      {kUnsupported, "'crossentropy'", "loss \"crossentropy\""},
      {kUnsupported, "None", "an output without a loss"},
      {kUnsupported, "['mse', None]", "an output without a loss"},
  };
  for (const auto& test : cases) expect_error(test.code, test.message, [&] { train(test.text); });
  EXPECT_NE(error_of([] { loss("'crossentropie'"); }).hint().find("mean_squared_error"), std::string::npos);
  std::string many = "['mse'";
  for (int i = 0; i < 1000; ++i) many += ",'mse'";
  expect_error(kInvalid, "\"loss\" has 1001 entries", [&] { train(many + "]"); });
}

TEST(Losses, by_output) {
  using Kind = OutputForm::Kind;
  EXPECT_EQ(train("'mse'").loss_form.kind, Kind::kAll);
  for (const char* text : {"['mse', Huber(delta=3)]", "('mse', 'Huber(delta=3)')", "\"['mse', Huber(delta=3)]\""}) {
    const TrainSpec list = train(text);
    EXPECT_EQ(list.loss_form, (OutputForm{Kind::kPerOutput, 2})) << text;
    ASSERT_EQ(list.losses.size(), 2U);
    EXPECT_EQ(list.losses[1].delta, 3.0);
  }
  for (const char* text : {"{'b': 'mse', 'a': keras.losses.Huber(3)}", "\"{'b': 'mse', 'a': 'Huber(3)'}\""}) {
    const TrainSpec dict = train(text);
    EXPECT_EQ(dict.loss_form.kind, Kind::kNamed) << text;
    EXPECT_EQ(dict.loss_outputs, (std::vector<std::string>{"b", "a"}));
    EXPECT_EQ(dict.losses[1].kind, LossKind::kHuber);
  }
}

TEST(Losses, weights_by_output) {
  using Kind = OutputForm::Kind;
  EXPECT_TRUE(train("'mse', loss_weights=None").loss_weights.empty());
  EXPECT_EQ(train("'mse', loss_weights=0.5").loss_weight_form.kind, Kind::kAll);
  EXPECT_EQ(train("'mse', loss_weights=[1, 0.2, -1]").loss_weights, (std::vector<double>{1.0, 0.2, -1.0}));
  EXPECT_EQ(train("'mse', loss_weights='[1, 0.2]'").loss_weight_form, (OutputForm{Kind::kPerOutput, 2}));
  const TrainSpec dict = train("'mse', loss_weights={'b': 0.25, 'a': 4}");
  EXPECT_EQ(dict.loss_weights, (std::vector<double>{0.25, 4.0}));
  EXPECT_EQ(dict.loss_weight_outputs, (std::vector<std::string>{"b", "a"}));
  expect_error(kInvalid, "\"loss_weights\" must be a finite number", [] { train("'mse', loss_weights=['a']"); });
  expect_error(kInvalid, "\"loss_weights\" must be a finite number", [] { train("'mse', loss_weights={'a': None}"); });
  expect_error(kInvalid, "names output \"a\" twice", [] { train("'mse', loss_weights={'a': 1, 'a': 2}"); });
  expect_error(kInvalid, "\"loss_weights\" is empty", [] { train("'mse', loss_weights=[]"); });
}

}  // namespace
}  // namespace modelhop
