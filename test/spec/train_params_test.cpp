// SPDX-License-Identifier: Apache-2.0
// Compile and fit parameters in every accepted form, and what is refused.
#include "spec/train_params.hpp"

#include "samples.hpp"

namespace modelhop {
namespace {

const std::string kLoss = ", loss='categorical_crossentropy'";

OptimizerSpec optimizer(const std::string& text, SemanticsProfile profile = SemanticsProfile::kTf2Legacy) {
  return parse_train_params("optimizer=" + text + kLoss, "", profile).optimizer;
}

LossSpec loss(const std::string& text) {
  return parse_train_params("optimizer='adam', loss=" + text, "").loss;
}

std::vector<MetricSpec> metrics(const std::string& text, const std::string& loss_name = "'categorical_crossentropy'") {
  return parse_train_params("optimizer='adam', metrics=" + text + ", loss=" + loss_name, "").metrics;
}

TrainSpec fit(const std::string& text) {
  return parse_train_params("optimizer='adam'" + kLoss, text);
}

constexpr auto kInvalid = ErrorCode::kInvalidArgument;
constexpr auto kUnsupported = ErrorCode::kNotSupported;

TEST(TrainParams, forms_of_madlibs_documents) {
  const struct {
    const char* text;
    OptimizerKind kind;
    double learning_rate;
  } forms[] = {
      {"'Adam(lr=0.01)'", OptimizerKind::kAdam, 0.01},
      {"SGD(lr=0.01, decay=1e-6, nesterov=True)", OptimizerKind::kSgd, 0.01},
      {"'SGD(lr=0.001,momentum=0.95)'", OptimizerKind::kSgd, 0.001},
      {"'Adam(lr=0.1,decay=0.0001)'", OptimizerKind::kAdam, 0.1},
      {"'adam'", OptimizerKind::kAdam, 0.001},
      {"\"Adam\"", OptimizerKind::kAdam, 0.001},
      {"adam", OptimizerKind::kAdam, 0.001},
      {"'SGD'", OptimizerKind::kSgd, 0.01},
      {"'sgd()'", OptimizerKind::kSgd, 0.01},
      {"'Adam()'", OptimizerKind::kAdam, 0.001},
      {"SGD()", OptimizerKind::kSgd, 0.01},
      {"Adam(epsilon=None)", OptimizerKind::kAdam, 0.001},
      {"'RMSprop(lr=0.05)'", OptimizerKind::kRmsprop, 0.05},
      {"'rmsprop'", OptimizerKind::kRmsprop, 0.001},
      {"'Adagrad(learning_rate=0.5)'", OptimizerKind::kAdagrad, 0.5},
      {"keras.optimizers.Adam(learning_rate=1e-3)", OptimizerKind::kAdam, 1e-3},
      {"tf.keras.optimizers.legacy.SGD(0.02, momentum=0.9, nesterov=True)", OptimizerKind::kSgd, 0.02},
      {"{'class_name':'Adam','config':{'learning_rate':0.03}}", OptimizerKind::kAdam, 0.03},
      {"\"{'class_name': 'SGD', 'config': {'lr': 1}}\"", OptimizerKind::kSgd, 1.0},
  };
  for (const auto& form : forms) {
    SCOPED_TRACE(form.text);
    const OptimizerSpec read = optimizer(form.text);
    EXPECT_EQ(read.kind, form.kind);
    EXPECT_EQ(read.learning_rate, form.learning_rate);
    EXPECT_EQ(read.epsilon, 1e-7);
  }
}

TEST(TrainParams, optimizer_arguments) {
  const OptimizerSpec sgd = optimizer("SGD(0.1, 0.9, decay=1e-4, nesterov=False)");
  EXPECT_EQ(sgd.momentum, 0.9);
  EXPECT_EQ(sgd.decay, 1e-4);
  EXPECT_FALSE(sgd.nesterov);
  EXPECT_TRUE(optimizer("SGD(nesterov=True)").nesterov);
  EXPECT_FALSE(optimizer("Adam(amsgrad=False)").amsgrad);
  EXPECT_TRUE(optimizer("Adam(amsgrad=True, beta_1=0.8, beta_2=0.99, epsilon=1e-5)").amsgrad);
  EXPECT_EQ(optimizer("Adam(epsilon=0)").epsilon, 1e-7);
  const OptimizerSpec rmsprop = optimizer("RMSprop(rho=0.8, momentum=0.5, centered=True)");
  EXPECT_EQ(rmsprop.rho, 0.8);
  EXPECT_TRUE(rmsprop.centered);
  EXPECT_EQ(optimizer("Adagrad(initial_accumulator_value=0.5)").initial_accumulator_value, 0.5);
  EXPECT_EQ(optimizer("SGD(lr=0)").learning_rate, 0.0);
  EXPECT_EQ(optimizer("Adam(clipnorm=None, use_ema=False, name='Adam')"), optimizer("Adam"));
}

TEST(TrainParams, defaults_follow_the_profile) {
  EXPECT_EQ(optimizer("adagrad").learning_rate, 0.001);
  EXPECT_EQ(optimizer("adagrad").initial_accumulator_value, 0.1);
  EXPECT_EQ(optimizer("adagrad", SemanticsProfile::kKeras22).learning_rate, 0.01);
  EXPECT_EQ(optimizer("adagrad", SemanticsProfile::kKeras22).initial_accumulator_value, 0.0);
}

TEST(TrainParams, refuses_optimizers) {
  for (const char* name : {"Adadelta", "adamax", "'Nadam()'", "Ftrl", "AdamW(weight_decay=0.1)", "lion"}) {
    const Error error = error_of([&] { optimizer(name); });
    EXPECT_EQ(error.code(), kUnsupported) << name;
    EXPECT_NE(error.hint().find("SGD, RMSprop, Adam and Adagrad"), std::string::npos);
  }
  expect_error(kInvalid, "unknown optimizer \"adm\"", [] { optimizer("'adm'"); });
  expect_error(kInvalid, "optimizer Adam: argument \"nesterov\" is unknown", [] { optimizer("Adam(nesterov=True)"); });
  expect_error(kInvalid, "argument \"lr\" is out of range: \"-0.1\"", [] { optimizer("Adam(lr=-0.1)"); });
  expect_error(kInvalid, "must be a finite number", [] { optimizer("Adam(lr=1e400)"); });
  expect_error(kInvalid, "must be a finite number", [] { optimizer("Adam(lr=nan)"); });
  expect_error(kInvalid, "must be a finite number", [] { optimizer("Adam(lr='x')"); });
  expect_error(kInvalid, "must be a finite number", [] { optimizer("Adam(lr=None)"); });
  expect_error(kInvalid, "out of range", [] { optimizer("Adam(beta_1=1)"); });
  expect_error(kInvalid, "out of range", [] { optimizer("SGD(momentum=1.5)"); });
  expect_error(kInvalid, "True or False", [] { optimizer("SGD(nesterov=0.5)"); });
  expect_error(kInvalid, "needs a name", [] { optimizer("SGD(0.1, 0.9, True)"); });
  expect_error(kInvalid, "needs a name", [] { optimizer("Adam(0.1, 0.9)"); });
  expect_error(kInvalid, "a name or a call", [] { optimizer("7"); });
  expect_error(kInvalid, "position", [] { optimizer("'Adam(lr=0.1'"); });
  expect_error(kUnsupported, "schedule", [] { optimizer("Adam(learning_rate=ExponentialDecay(0.1, 10, 0.9))"); });
  expect_error(kUnsupported, "\"clipnorm\"", [] { optimizer("Adam(clipnorm=1.0)"); });
  expect_error(kInvalid, "\"optimizer\" is missing", [] { parse_train_params("loss='mse'", ""); });
  expect_error(kInvalid, "\"optimizer\" is missing", [] { parse_train_params("", ""); });
}

TEST(TrainParams, losses) {
  for (const char* text :
       {"'categorical_crossentropy'", "\"categorical_crossentropy\"", "categorical_crossentropy",
        "'CategoricalCrossentropy'", "keras.losses.CategoricalCrossentropy()", "['categorical_crossentropy']",
        "losses.categorical_crossentropy", "'Categorical_Crossentropy'"}) {
    EXPECT_EQ(loss(text).kind, LossKind::kCategoricalCrossentropy) << text;
    EXPECT_EQ(loss(text).name, "categorical_crossentropy") << text;
  }
  for (const char* text : {"'mse'", "'MSE'", "mean_squared_error", "MeanSquaredError()", "'mean_squared_error'"}) {
    EXPECT_EQ(loss(text).kind, LossKind::kMeanSquaredError) << text;
    EXPECT_EQ(loss(text).name, "mean_squared_error") << text;
  }
  EXPECT_EQ(loss("'mae'").kind, LossKind::kMeanAbsoluteError);
  EXPECT_EQ(loss("'bce'").kind, LossKind::kBinaryCrossentropy);
  EXPECT_EQ(loss("BinaryCrossentropy(True)").from_logits, true);
  EXPECT_EQ(loss("'sparse_categorical_crossentropy'").kind, LossKind::kSparseCategoricalCrossentropy);
  EXPECT_EQ(loss("SparseCategoricalCrossentropy(from_logits=True)").name, "sparse_categorical_crossentropy");
  const LossSpec smooth =
      loss("keras.losses.CategoricalCrossentropy(from_logits=True,label_smoothing=.1, axis=-1, reduction='auto')");
  EXPECT_TRUE(smooth.from_logits);
  EXPECT_EQ(smooth.label_smoothing, 0.1);

  expect_error(kUnsupported, "loss \"huber\"", [] { loss("'huber'"); });
  expect_error(kUnsupported, "loss \"KLDivergence\"", [] { loss("KLDivergence()"); });
  expect_error(kInvalid, "unknown loss \"crossentropie\"", [] { loss("'crossentropie'"); });
  expect_error(kInvalid, "\"label_smoothing\" must be from 0 to 1",
               [] { loss("CategoricalCrossentropy(label_smoothing=2)"); });
  expect_error(kInvalid, "\"label_smoothing\" is unknown",
               [] { loss("SparseCategoricalCrossentropy(label_smoothing=.1)"); });
  expect_error(kInvalid, "\"from_logits\" is unknown", [] { loss("MeanSquaredError(from_logits=True)"); });
  expect_error(kUnsupported, "\"reduction\"", [] { loss("MeanSquaredError(reduction='sum')"); });
  expect_error(kUnsupported, "2 losses", [] { loss("['mse', 'mae']"); });
  expect_error(kInvalid, "\"loss\" is missing", [] { parse_train_params("optimizer='adam'", ""); });
}

TEST(TrainParams, metrics) {
  EXPECT_TRUE(metrics("[]").empty());
  EXPECT_TRUE(metrics("None").empty());
  EXPECT_EQ(metrics("['accuracy']")[0].kind, MetricKind::kAccuracy);
  EXPECT_EQ(metrics("['accuracy']")[0].name, "accuracy");
  EXPECT_EQ(metrics("'acc'")[0].name, "acc");
  EXPECT_EQ(metrics("[['acc']]").size(), 1U);
  EXPECT_EQ(metrics("['mae']")[0].kind, MetricKind::kMeanAbsoluteError);
  EXPECT_EQ(metrics("['categorical_accuracy']")[0].kind, MetricKind::kCategoricalAccuracy);
  EXPECT_EQ(metrics("['top_k_categorical_accuracy']")[0].k, 5);
  EXPECT_EQ(metrics("['top_3_accuracy']")[0].k, 3);
  EXPECT_EQ(metrics("['top_3_accuracy']")[0].kind, MetricKind::kTopKCategoricalAccuracy);
  const MetricSpec top = metrics("[TopKCategoricalAccuracy(k=4)]")[0];
  EXPECT_EQ(top.k, 4);
  EXPECT_EQ(top.name, "TopKCategoricalAccuracy(k=4)");
  EXPECT_EQ(metrics("['keras.metrics.SparseTopKCategoricalAccuracy(2)']")[0].k, 2);
  EXPECT_EQ(metrics("['crossentropy']")[0].kind, MetricKind::kCategoricalCrossentropy);
  EXPECT_EQ(metrics("['ce']", "'binary_crossentropy'")[0].kind, MetricKind::kBinaryCrossentropy);
  EXPECT_EQ(metrics("['BinaryAccuracy']")[0].kind, MetricKind::kBinaryAccuracy);
  const std::vector<MetricSpec> several = metrics("['accuracy', 'mse', 'top_k_categorical_accuracy']");
  ASSERT_EQ(several.size(), 3U);
  EXPECT_EQ(several[1].kind, MetricKind::kMeanSquaredError);

  expect_error(kUnsupported, "metric \"AUC\"", [] { metrics("[keras.metrics.AUC(curve='PR')]"); });
  expect_error(kInvalid, "unknown metric \"acuracy\"", [] { metrics("['acuracy']"); });
  expect_error(kInvalid, "unknown metric \"top_0_accuracy\"", [] { metrics("['top_0_accuracy']"); });
  expect_error(kInvalid, "\"k\" must be an integer", [] { metrics("[TopKCategoricalAccuracy(k=0)]"); });
  expect_error(kUnsupported, "dict", [] { metrics("{'out': 'acc'}"); });
  expect_error(kUnsupported, "'accuracy'", [] {
    const Error error = error_of([] { metrics("['Accuracy']"); });
    throw Error(error.code(), error.hint());
  });
}

TEST(TrainParams, other_compile_keys) {
  EXPECT_NO_THROW(parse_train_params(
      "optimizer='adam'" + kLoss + ", loss_weights=None, weighted_metrics=None, sample_weight_mode=None", ""));
  for (const char* key : {"loss_weights=[1.0]", "weighted_metrics=['acc']", "sample_weight_mode='temporal'"}) {
    expect_error(kUnsupported, "is not supported",
                 [&] { parse_train_params("optimizer='adam'" + kLoss + "," + key, ""); });
  }
  expect_error(kInvalid, "\"run_eagerly\" is not currently accepted as a parameter",
               [] { parse_train_params("optimizer='adam', run_eagerly=True" + kLoss, ""); });
}

TEST(TrainParams, later_duplicates_win) {
  EXPECT_EQ(parse_train_params("loss='mae', optimizer='sgd', loss='mse'", "epochs=1, epochs=4").epochs, 4);
}

TEST(TrainParams, fit_parameters) {
  EXPECT_EQ(fit("").batch_size, 32);
  EXPECT_EQ(fit("").epochs, 1);
  EXPECT_FALSE(fit("").shuffle.has_value());
  const TrainSpec train = fit(" batch_size=5,\n epochs=3, verbose=0, initial_epoch=0, shuffle = 'batch'");
  EXPECT_EQ(train.batch_size, 5);
  EXPECT_EQ(train.epochs, 3);
  EXPECT_EQ(train.shuffle, Shuffle::kBuffer);
  EXPECT_FALSE(fit("shuffle=True").shuffle.has_value());
  EXPECT_EQ(fit("shuffle=False").shuffle, Shuffle::kNone);
  EXPECT_NO_THROW(fit("class_weight=None, steps_per_epoch=None, callbacks=None, verbose='auto', batch_size=None"));
  for (const char* text : {"batch_size=0", "batch_size=-1", "batch_size=2147483648", "batch_size=8.5", "batch_size='8'",
                           "batch_size=1e400", "epochs=0", "epochs=-1", "epochs=None", "epochs=True"}) {
    expect_error(kInvalid, "must be an integer from 1", [&] { fit(text); });
  }
  EXPECT_EQ(fit("batch_size=2147483647").batch_size, 2147483647);
  expect_error(kInvalid, "\"shuffle\" must be", [] { fit("shuffle='rows'"); });
  expect_error(kUnsupported, "\"class_weight\"", [] { fit("class_weight={0:1.0, 1:2.5}"); });
  expect_error(kUnsupported, "\"initial_epoch\"", [] { fit("initial_epoch=2"); });
  expect_error(kUnsupported, "\"steps_per_epoch\"", [] { fit("steps_per_epoch=3"); });
  expect_error(kUnsupported, "\"callbacks\"", [] { fit("callbacks=[TensorBoard(log_dir=\"/tmp\")]"); });
  for (const char* key : {"validation_split=0.1", "sample_weight=[1]", "nonsense=1"}) {
    expect_error(kInvalid, "is not currently accepted as a parameter", [&] { fit(key); });
  }
}

TEST(TrainParams, canonical_text) {
  EXPECT_EQ(canonical_params("optimizer='Adam(lr=0.10, decay=1e-4)', loss=\"mse\",metrics=['acc']"),
            canonical_params("  metrics = [ \"acc\" ], loss='mse',\n optimizer=Adam(decay=.0001,lr=.1) "));
  EXPECT_NE(canonical_params("a=1"), canonical_params("a=2"));
  EXPECT_NE(canonical_params("a=[1,2]"), canonical_params("a=[2,1]"));
  EXPECT_NE(canonical_params("a=True"), canonical_params("a=1"));
  EXPECT_EQ(canonical_params("a={'x':1,'y':2}"), canonical_params("a={'y':2, 'x':1}"));
  EXPECT_EQ(canonical_params("a=1,b=2"), canonical_params("b=2,a=3,a=1"));
  const std::string once = canonical_params("optimizer='SGD()', note='it\\'s (', shuffle='batch'");
  EXPECT_EQ(canonical_params(once), once);
}

TEST(TrainParams, memory_estimate) {
  const ModelSpec model = parse_keras_json(sample("keras21_mlp"));  // 50 of 83 parameters are trainable
  const auto estimate = [&](const std::string& text) {
    return estimate_memory(model, parse_train_params("optimizer=" + text + kLoss, "batch_size=8"));
  };
  EXPECT_EQ(estimate("SGD()").state, 4 * 83);
  EXPECT_EQ(estimate("SGD(momentum=0.9)").state, 4 * (83 + 50));
  EXPECT_EQ(estimate("Adam()").state, 4 * (83 + 2 * 50));
  EXPECT_EQ(estimate("Adam(amsgrad=True)").state, 4 * (83 + 3 * 50));
  EXPECT_EQ(estimate("RMSprop(momentum=0.9, centered=True)").state, 4 * (83 + 3 * 50));
  EXPECT_EQ(estimate("SGD()").workspace, 4 * kEvaluationRows * (4 + 10 + 3));
  const TrainSpec large = parse_train_params("optimizer=SGD()" + kLoss, "batch_size=512");
  EXPECT_EQ(estimate_memory(model, large).workspace, 4 * (50 + 2 * 512 * (4 + 10 + 3)));
  TrainSpec huge = parse_train_params("optimizer=SGD()" + kLoss, "batch_size=2147483647");
  EXPECT_GT(estimate_memory(parse_keras_json(sample("keras3_vgg3")), huge).workspace, std::int64_t{1} << 48);
}

}  // namespace
}  // namespace modelhop
