// SPDX-License-Identifier: Apache-2.0
// Callbacks as users write them in fit parameters.
#include "spec/callbacks.hpp"

#include "samples.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace {

using Kind = CallbackSpec::Kind;
using Mode = CallbackSpec::Mode;
constexpr auto kInvalid = ErrorCode::kInvalidArgument;
constexpr auto kUnsupported = ErrorCode::kNotSupported;

std::vector<CallbackSpec> callbacks(const std::string& text) {
  return parse_train_params("optimizer='adam', loss='mse'", "callbacks=" + text).callbacks;
}

CallbackSpec callback(const std::string& text) {
  const std::vector<CallbackSpec> read = callbacks("[" + text + "]");
  EXPECT_EQ(read.size(), 1U) << text;
  return read.front();
}

TEST(Callbacks, forms) {
  EXPECT_TRUE(callbacks("None").empty());
  EXPECT_TRUE(callbacks("[]").empty());
  EXPECT_EQ(callbacks("EarlyStopping()").size(), 1U);
  EXPECT_EQ(callbacks("\"[EarlyStopping(patience=2), TerminateOnNaN()]\"").size(), 2U);
  for (const char* text : {"EarlyStopping(patience=2)", "keras.callbacks.EarlyStopping(patience=2)",
                           "tf.keras.callbacks.EarlyStopping('val_loss', 0, 2)", "'EarlyStopping(patience=2)'",
                           "{'class_name': 'EarlyStopping', 'config': {'patience': 2}}"}) {
    EXPECT_EQ(callback(text), callback("EarlyStopping(patience=2)")) << text;
  }
}

TEST(Callbacks, early_stopping) {
  const CallbackSpec plain = callback("EarlyStopping()");
  EXPECT_EQ(plain.kind, Kind::kEarlyStopping);
  EXPECT_EQ(plain.name, "EarlyStopping");
  EXPECT_EQ(plain.monitor, "val_loss");
  EXPECT_EQ(plain.mode, Mode::kAuto);
  EXPECT_EQ(plain.min_delta, 0.0);
  EXPECT_EQ(plain.patience, 0);
  EXPECT_FALSE(plain.baseline.has_value());
  EXPECT_FALSE(plain.restore_best_weights);
  const CallbackSpec full = callback(
      "EarlyStopping(monitor='val_acc', min_delta=-0.5, patience=3, verbose=1, mode='max', baseline=0.4, "
      "restore_best_weights=True, start_from_epoch=2)");
  EXPECT_EQ(full.monitor, "val_acc");
  EXPECT_EQ(full.min_delta, 0.5);
  EXPECT_EQ(full.patience, 3);
  EXPECT_EQ(full.mode, Mode::kMax);
  EXPECT_EQ(full.baseline, 0.4);
  EXPECT_TRUE(full.restore_best_weights);
  EXPECT_EQ(full.start_from_epoch, 2);
}

TEST(Callbacks, reduce_lr_on_plateau) {
  const CallbackSpec plain = callback("ReduceLROnPlateau()");
  EXPECT_EQ(plain.kind, Kind::kReduceLrOnPlateau);
  EXPECT_EQ(plain.factor, 0.1);
  EXPECT_EQ(plain.patience, 10);
  EXPECT_EQ(plain.min_delta, 1e-4);
  EXPECT_EQ(plain.cooldown, 0);
  EXPECT_EQ(plain.min_lr, 0.0);
  const CallbackSpec full =
      callback("ReduceLROnPlateau('loss', 0.5, 2, mode='min', min_delta=0.01, cooldown=3, min_lr=1e-5)");
  EXPECT_EQ(full.monitor, "loss");
  EXPECT_EQ(full.factor, 0.5);
  EXPECT_EQ(full.patience, 2);
  EXPECT_EQ(full.mode, Mode::kMin);
  EXPECT_EQ(full.min_delta, 0.01);
  EXPECT_EQ(full.cooldown, 3);
  EXPECT_EQ(full.min_lr, 1e-5);
  EXPECT_EQ(callback("ReduceLROnPlateau(epsilon=0.2)").min_delta, 0.2);  // its name before Keras 2.1.6
}

TEST(Callbacks, others) {
  const struct {
    const char* text;
    Kind kind;
  } cases[] = {
      {"LearningRateScheduler(ExponentialDecay(0.1, 1, 0.9))", Kind::kLearningRateSchedule},
      {"LearningRateScheduler(schedule='PiecewiseConstantDecay([1], [0.1, 0.2])', verbose=1)",
       Kind::kLearningRateSchedule},
      {"TerminateOnNaN()", Kind::kTerminateOnNan},
      {"TerminateOnNaN", Kind::kTerminateOnNan},
      {"ModelCheckpoint('best.h5', save_best_only=True)", Kind::kKeepBest},
      {"ModelCheckpoint(filepath='best.h5', monitor='val_acc', save_best_only=True, save_weights_only=True, "
       "save_freq='epoch', period=1, mode='max', initial_value_threshold=0.5)",
       Kind::kKeepBest},
      {"ModelCheckpoint('all.h5')", Kind::kRecorded},
      {"CSVLogger('log.csv', separator=';', append=True)", Kind::kRecorded},
      {"TensorBoard(log_dir=\"/tmp/logs/fit\")", Kind::kRecorded},
      {"TensorBoard(log_dir='x', histogram_freq=1, write_graph=True, update_freq='epoch', profile_batch=0)",
       Kind::kRecorded},
      {"History()", Kind::kRecorded},
      {"ProgbarLogger(count_mode='steps')", Kind::kRecorded},
  };
  for (const auto& test : cases) EXPECT_EQ(callback(test.text).kind, test.kind) << test.text;
  EXPECT_EQ(callback("LearningRateScheduler(ExponentialDecay(0.1, 1, 0.9))").schedule.decay_rate, 0.9);
  EXPECT_EQ(callback("ModelCheckpoint(save_best_only=True, initial_value_threshold=0.5)").baseline, 0.5);
}

TEST(Callbacks, refuses) {
  const struct {
    ErrorCode code;
    const char* text;
    const char* message;
  } cases[] = {
      {kInvalid, "MyCallback()", "unknown callback \"MyCallback\""},
      {kInvalid, "earlystopping()", "unknown callback \"earlystopping\""},
      {kInvalid, "7", "a name or a call"},
      {kInvalid, "EarlyStopping(patience=-1)", "callback EarlyStopping: argument \"patience\" must be at least 0"},
      {kInvalid, "EarlyStopping(patience=1.5)", "must be an integer"},
      {kInvalid, "EarlyStopping(mode='up')", "\"mode\" must be 'auto', 'min' or 'max'"},
      {kInvalid, "EarlyStopping(monitor=1)", "\"monitor\" must be a string"},
      {kInvalid, "EarlyStopping(factor=1)", "\"factor\" is unknown"},
      {kInvalid, "EarlyStopping(min_delta=None)", "must be a finite number"},
      {kInvalid, "ReduceLROnPlateau(factor=1.0)", "\"factor\" must be at least 0 and below 1"},
      {kInvalid, "LearningRateScheduler()", "\"schedule\" is missing"},
      {kInvalid, "LearningRateScheduler(0.1)", "a name or a call"},
      {kInvalid, "LearningRateScheduler(mine(0.1))", "unknown learning rate schedule \"mine\""},
      {kInvalid, "LearningRateScheduler(lambda epoch: 0.1)", "position"},
      {kInvalid, "CSVLogger()", "\"filename\" is missing"},
      {kUnsupported, "LearningRateScheduler(my_function)", "\"schedule\" = \"my_function\""},
      {kUnsupported, "ModelCheckpoint('x', save_freq=100)", "\"save_freq\""},
      {kUnsupported, "ModelCheckpoint('x', period=2)", "\"period\""},
      {kUnsupported, "TerminateOnNaN(raise_error=True)", "\"raise_error\""},
      {kUnsupported, "BackupAndRestore('/tmp')", "callback \"BackupAndRestore\""},
      {kUnsupported, "RemoteMonitor()", "callback \"RemoteMonitor\""},
      {kUnsupported, "LambdaCallback(on_epoch_end=f)", "callback \"LambdaCallback\""},
      {kUnsupported, "SwapEMAWeights()", "callback \"SwapEMAWeights\""},
  };
  for (const auto& test : cases) {
    expect_error(test.code, test.message, [&] { callback(test.text); });
    const bool has_hint = !error_of([&] { callback(test.text); }).hint().empty();
    EXPECT_TRUE(has_hint || test.code == kInvalid) << test.text;
  }
  std::string many = "[History()";
  for (int i = 0; i < 50; ++i) many += ",History()";
  expect_error(kInvalid, "\"callbacks\" has 51 entries", [&] { callbacks(many + "]"); });
}

TEST(Callbacks, no_second_hand_on_the_learning_rate) {
  const std::string compile = "loss='mse', optimizer=SGD(ExponentialDecay(0.1, 1, 0.9))";
  for (const char* text : {"ReduceLROnPlateau()", "LearningRateScheduler(CosineDecay(0.1, 10))"}) {
    expect_error(kInvalid, "cannot change the learning rate: the optimizer has a schedule",
                 [&] { parse_train_params(compile, std::string("callbacks=[") + text + "]"); });
  }
  EXPECT_NO_THROW(parse_train_params(compile, "callbacks=[EarlyStopping()]"));
}

}  // namespace
}  // namespace modelhop
