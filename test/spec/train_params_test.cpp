// SPDX-License-Identifier: Apache-2.0
// The keys of compile and fit parameters, and texts that mean harm.
#include "spec/train_params.hpp"

#include "samples.hpp"

namespace modelhop {
namespace {

const std::string kCompile = "optimizer='adam', loss='categorical_crossentropy'";
constexpr auto kInvalid = ErrorCode::kInvalidArgument;
constexpr auto kUnsupported = ErrorCode::kNotSupported;

TrainSpec fit(const std::string& text) {
  return parse_train_params(kCompile, text);
}

TEST(TrainParams, forms_of_madlibs_documents) {
  const char* const compile[] = {
      "loss='categorical_crossentropy', optimizer='Adam(lr=0.01)', metrics=['accuracy']",
      " optimizer=SGD(lr=0.01, decay=1e-6, nesterov=True), loss='categorical_crossentropy', metrics=['accuracy']",
      "metrics=['acc'], loss='categorical_crossentropy', optimizer='SGD(lr=0.001,momentum=0.95)'",
      "optimizer='Adam(lr=0.1,decay=0.0001)',metrics=['mae'],loss=\"mse\"",
      "optimizer='adam',\n loss='categorical_crossentropy',\n metrics=['categorical_accuracy']",
      "optimizer=Adam(epsilon=None), loss=categorical_crossentropy, metrics=[]",
      "optimizer='sgd()', loss='mse', metrics=['top_3_accuracy'], loss_weights=[1.0], weighted_metrics=['acc'], "
      "sample_weight_mode=None,",
      "optimizer='RMSprop(lr=0.05)', loss='binary_crossentropy', loss_weights={'out': 2}",
  };
  const char* const fits[] = {"",
                              "batch_size=5, epochs=3",
                              "batch_size=1,\nepochs=1 , verbose=0",
                              "shuffle = 'batch'",
                              "callbacks=[TensorBoard(log_dir=\"/tmp/logs/fit\")], shuffle=True",
                              "class_weight={0:1.0,1:2.5}, initial_epoch=0, steps_per_epoch=None"};
  for (const char* compile_params : compile) {
    for (const char* fit_params : fits) {
      EXPECT_NO_THROW(parse_train_params(compile_params, fit_params)) << compile_params << " and " << fit_params;
    }
  }
}

TEST(TrainParams, compile_keys) {
  expect_error(kInvalid, "compile_params: \"optimizer\" is missing", [] { parse_train_params("loss='mse'", ""); });
  expect_error(kInvalid, "compile_params: \"optimizer\" is missing", [] { parse_train_params("", ""); });
  expect_error(kInvalid, "compile_params: \"loss\" is missing", [] { parse_train_params("optimizer='adam'", ""); });
  EXPECT_NO_THROW(parse_train_params(
      kCompile + ", loss_weights=None, weighted_metrics=None, metrics=None, sample_weight_mode=None", ""));
  EXPECT_NO_THROW(parse_train_params(
      kCompile + ", loss_weights='None', weighted_metrics='None', metrics='None', sample_weight_mode='None'", ""));
  expect_error(kUnsupported, "\"sample_weight_mode\" = \"'temporal'\" is not supported",
               [] { parse_train_params(kCompile + ", sample_weight_mode='temporal'", ""); });
  for (const char* key : {"run_eagerly=True", "jit_compile=False", "target_tensors=None", "Loss='mse'"}) {
    const Error error = error_of([&] { parse_train_params(kCompile + ", " + key, ""); });
    EXPECT_NE(std::string(error.what()).find("is not currently accepted as a parameter"), std::string::npos);
    EXPECT_EQ(error.hint(), "Accepted: optimizer, loss, metrics, loss_weights, weighted_metrics, sample_weight_mode.");
  }
}

TEST(TrainParams, later_duplicates_win) {
  const TrainSpec train = parse_train_params("loss='mae', optimizer='sgd', loss='mse'", "epochs=1, epochs=4");
  EXPECT_EQ(train.epochs, 4);
  EXPECT_EQ(train.losses.front().kind, LossKind::kMeanSquaredError);
}

TEST(TrainParams, fit_keys) {
  EXPECT_EQ(fit("").batch_size, 32);
  EXPECT_EQ(fit("").epochs, 1);
  EXPECT_FALSE(fit("").shuffle.has_value());
  const TrainSpec train = fit(" batch_size=5,\n epochs=3, verbose=0, initial_epoch=0, shuffle = 'batch'");
  EXPECT_EQ(train.batch_size, 5);
  EXPECT_EQ(train.epochs, 3);
  EXPECT_EQ(train.shuffle, Shuffle::kBuffer);
  EXPECT_EQ(fit("shuffle=batch").shuffle, Shuffle::kBuffer);
  EXPECT_EQ(fit("epochs=5, initial_epoch=2").passes(), 3);
  EXPECT_EQ(fit("initial_epoch=1").steps_of_pass(), 0);
  EXPECT_EQ(fit("steps_per_epoch=7").steps_of_pass(), 7);
  EXPECT_FALSE(fit("shuffle=True").shuffle.has_value());
  EXPECT_EQ(fit("shuffle=False").shuffle, Shuffle::kNone);
  EXPECT_NO_THROW(fit("class_weight=None, steps_per_epoch=None, callbacks=None, verbose='auto', batch_size=None"));
  for (const char* text : {"batch_size=0", "batch_size=-1", "batch_size=2147483648", "batch_size=8.5", "batch_size='8'",
                           "batch_size=1e400", "epochs=0", "epochs=-1", "epochs=None", "epochs=True"}) {
    expect_error(kInvalid, "must be an integer from 1", [&] { fit(text); });
  }
  EXPECT_EQ(fit("batch_size=2147483647").batch_size, 2147483647);
  expect_error(kInvalid, "\"shuffle\" must be True, False or 'batch', not \"'rows'\"", [] { fit("shuffle='rows'"); });
  expect_error(kInvalid, "\"verbose\" must be an integer", [] { fit("verbose='loud'"); });
  expect_error(kInvalid, "\"initial_epoch\"", [] { fit("initial_epoch=-1"); });
  expect_error(kInvalid, "\"steps_per_epoch\"", [] { fit("steps_per_epoch=0"); });
}

TEST(TrainParams, refused_fit_keys_say_where_to_turn) {
  const struct {
    const char* text;
    const char* hint;
  } cases[] = {
      {"validation_split=0.1", "validation table"},
      {"validation_data=None", "validation table"},
      {"validation_freq=2", "metrics_compute_frequency"},
      {"sample_weight=[1]", "sample_weight_varname"},
      {"x=[1]", "packed table"},
      {"nonsense=1", "Accepted: batch_size, epochs, verbose, shuffle, class_weight, initial_epoch"},
      {"workers=2", "Accepted: batch_size"},
  };
  for (const auto& test : cases) {
    const Error error = error_of([&] { fit(test.text); });
    EXPECT_EQ(error.code(), kInvalid) << test.text;
    EXPECT_NE(std::string(error.what()).find("is not currently accepted as a parameter"), std::string::npos);
    EXPECT_NE(error.hint().find(test.hint), std::string::npos) << error.hint();
  }
}

TEST(TrainParams, class_weight) {
  EXPECT_EQ(fit("class_weight={0: 1.0, 1: 2.5}").class_weights, (std::map<std::int64_t, double>{{0, 1.0}, {1, 2.5}}));
  EXPECT_EQ(fit("class_weight='{0: 1, 3: 0}'").class_weights, (std::map<std::int64_t, double>{{0, 1.0}, {3, 0.0}}));
  EXPECT_TRUE(fit("class_weight=None").class_weights.empty());
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"class_weight={}", "must be a dict"},
      {"class_weight=[1.0, 2.5]", "must be a dict such as {0: 1.0, 1: 2.5}, not \"[1.0, 2.5]\""},
      {"class_weight='balanced'", "must be a dict"},
      {"class_weight={'a': 1.0}", "class \"'a'\" must be an integer"},
      {"class_weight={-1: 1.0}", "class \"-1\" must be at least 0"},
      {"class_weight={0: -1.0}", "weight of class 0 must be at least 0, not \"-1.0\""},
      {"class_weight={0: None}", "weight of class 0 must be a finite number"},
  };
  for (const auto& test : cases) expect_error(kInvalid, test.message, [&] { fit(test.text); });
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

std::string repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

TEST(TrainParams, hostile_texts_are_refused) {
  std::string names = "optimizer=SGD(";
  for (int i = 0; i < 100'000; ++i) names += "a" + std::to_string(i) + "=1,";
  std::string keys;
  for (int i = 0; i < 100'000; ++i) keys += "a" + std::to_string(i) + "=1,";
  std::string quotes = "loss='mse', optimizer=";
  for (int i = 0; i < 2'000; ++i) quotes += i % 2 == 0 ? "'\"" : "\"'";
  const std::string texts[] = {
      names + ")",
      keys,
      quotes,
      "loss='mse', optimizer=" + repeated("SGD(", 100'000),
      "loss='mse', optimizer=" + std::string(1'000'000, 'a'),
      "optimizer='sgd', loss=[" + repeated("'mse',", 150'000) + "]",
      "optimizer='sgd', loss={" + repeated("'a':'mse',", 90'000) + "}",
      "optimizer='sgd', loss='mse', metrics=[" + repeated("'acc',", 150'000) + "]",
      "optimizer='sgd', loss='mse', metrics=" + repeated("[", 100'000),
      "optimizer='sgd', loss='mse', loss_weights=[" + repeated("1,", 500'000) + "]",
      "loss='mse', optimizer=SGD(PiecewiseConstantDecay([" + repeated("1,", 400'000) + "],[1]))",
      "loss='mse', optimizer={" + repeated("'class_name':{},", 60'000) + "}",
      "loss='mse', optimizer=" + std::string(2'000'000, ' '),
  };
  for (const std::string& text : texts) {
    const Error error = error_of([&] { parse_train_params(text, ""); });
    EXPECT_EQ(error.code(), kInvalid) << text.substr(0, 60);
    EXPECT_LT(std::string(error.what()).size() + error.hint().size(), 2000U) << text.substr(0, 60);
  }
  expect_error(kInvalid, "\"callbacks\" has", [&] { fit("callbacks=[" + repeated("History(),", 90'000) + "]"); });
}

}  // namespace
}  // namespace modelhop
