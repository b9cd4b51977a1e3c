// SPDX-License-Identifier: Apache-2.0
// The engine's face: learning, evaluation, errors and memory.
#include <gtest/gtest.h>

#include <limits>
#include <memory>

#include "executor_case.hpp"
#include "modelhop/error.hpp"

namespace modelhop::test {
namespace {

TEST_F(ExecutorTest, LearnsXor) {
  const ModelSpec spec = NetworkBuilder({2}).dense(16, "tanh").dense(1, "sigmoid").build();
  const auto model = compile_model(spec, train_spec(LossKind::kBinaryCrossentropy, adam(0.05), 4), {}, {1});
  Dataset data(4, 2, 1);
  data.features = {0, 0, 0, 1, 1, 0, 1, 1};
  data.targets = {0, 1, 1, 0};
  const auto state = model->initial_state(3);
  const auto executor = make_executor({});
  for (int iteration = 1; iteration <= 300; ++iteration) {
    executor->train(*model, *state, data.segment(), {1, iteration, 0, Shuffle::kSegment, false}, {});
  }
  const EvaluationSums sums = executor->evaluate(*model, *state, data.examples(), {});
  EXPECT_LT(sums.loss / 4, 0.05);
  EXPECT_EQ(sums.metrics.at(0), 4.0);
  std::vector<float> outputs(4);
  executor->predict(*model, *state, data.examples(), outputs, {});
  EXPECT_LT(outputs[0], 0.2F);
  EXPECT_GT(outputs[1], 0.8F);
}

TEST_F(ExecutorTest, NarrowElementsAndClassIdsAreWhatFloatsAndOneHotAre) {
  const ModelSpec spec = NetworkBuilder({4}).dense(3, "softmax").build();
  std::vector<std::uint8_t> pixels;
  std::vector<std::int16_t> shorts, ids;
  Dataset data(10, 4, 3);
  for (int index = 0; index < 40; ++index) {
    pixels.push_back(static_cast<std::uint8_t>(index * 6));
    shorts.push_back(static_cast<std::int16_t>(index * 6));
    data.features[index] = static_cast<float>(index * 6) * (1.0F / 255.0F);
  }
  for (int row = 0; row < 10; ++row) ids.push_back(static_cast<std::int16_t>((row * 7 / 3) % 3));
  const auto train_on = [&](const Examples& examples, LossKind loss, std::int64_t columns) {
    const auto model = compile_model(spec, train_spec(loss, sgd(0.5), 4), {}, {columns});
    const auto state = model->initial_state(1);
    make_executor({})->train(*model, *state, {examples, data.buffer_starts}, {1, 1, 0, Shuffle::kSegment, false}, {});
    return weights_of(*model, *state);
  };
  const std::vector<float> expected = train_on(data.examples(), LossKind::kCategoricalCrossentropy, 3);
  Examples narrow = data.examples();
  const float scale = 1.0F / 255.0F;
  narrow.independent = {{reinterpret_cast<const std::byte*>(pixels.data()), ElementType::kUint8, 4, scale}};
  EXPECT_EQ(train_on(narrow, LossKind::kCategoricalCrossentropy, 3), expected);
  narrow.independent = {{reinterpret_cast<const std::byte*>(shorts.data()), ElementType::kInt16, 4, scale}};
  EXPECT_EQ(train_on(narrow, LossKind::kCategoricalCrossentropy, 3), expected);
  EXPECT_EQ(train_on(narrow, LossKind::kSparseCategoricalCrossentropy, 3), expected);
  narrow.dependent = {{reinterpret_cast<const std::byte*>(ids.data()), ElementType::kInt16, 1}};
  EXPECT_EQ(train_on(narrow, LossKind::kSparseCategoricalCrossentropy, 1), expected);
  EXPECT_EQ(train_on(narrow, LossKind::kCategoricalCrossentropy, 1), expected);
  ids[3] = 3;
  EXPECT_THROW(train_on(narrow, LossKind::kSparseCategoricalCrossentropy, 1), Error);
}

TEST_F(ExecutorTest, EvaluationOfPartsAddsUp) {
  const auto model =
      compile_model(regular_network(), train_spec(LossKind::kCategoricalCrossentropy, sgd(0.1), 16), {}, {3});
  const auto state = model->initial_state(2);
  const auto executor = make_executor({});
  const Dataset data(700, 60, 3);
  const EvaluationSums whole = executor->evaluate(*model, *state, data.examples(), {});
  const EvaluationSums first = executor->evaluate(*model, *state, data.block(0, 300), {});
  const EvaluationSums second = executor->evaluate(*model, *state, data.block(300, 400), {});
  EXPECT_EQ(whole.examples, first.examples + second.examples);
  EXPECT_NEAR(whole.loss, first.loss + second.loss, 1e-4);
  EXPECT_EQ(whole.metrics[0], first.metrics[0] + second.metrics[0]);
  EXPECT_EQ(executor->evaluate(*model, *state, data.examples(), {}).loss, whole.loss);
}

TEST_F(ExecutorTest, ConfigurationsThatDifferInMetricsAloneKeepTheirOwn) {
  TrainSpec train = train_spec(LossKind::kMeanSquaredError, sgd(0.1), 16);
  train.metrics = {{MetricKind::kMeanSquaredError, "mse"}};
  const auto squares = compile_model(regular_network(), train, {}, {3});
  train.metrics = {{MetricKind::kMeanAbsoluteError, "mae"}};
  const auto absolutes = compile_model(regular_network(), train, {}, {3});
  train.metrics.push_back({MetricKind::kMeanSquaredError, "mse"});
  const auto both = compile_model(regular_network(), train, {}, {3});
  const Dataset data(40, 60, 3);
  const auto executor = make_executor({});
  const auto metrics_of = [&](const Model& model) {
    return executor->evaluate(model, *model.initial_state(2), data.examples(), {}).metrics;
  };
  const std::vector<double> first = metrics_of(*squares), second = metrics_of(*absolutes), third = metrics_of(*both);
  EXPECT_NE(first, second);
  EXPECT_EQ(third, (std::vector<double>{second[0], second[1], first[0], first[1]}));
}

TEST_F(ExecutorTest, PenaltyIsReportedOnceAndTrained) {
  const ModelSpec spec = NetworkBuilder({4}).dense(3, "softmax").regularize(0.0, 0.5).build();
  const auto model = compile_model(spec, train_spec(LossKind::kCategoricalCrossentropy, sgd(0.1), 4), {}, {3});
  const auto state = model->initial_state(1);
  const Dataset data(20, 4, 3);
  double squares = 0.0;
  for (const float weight : weights_of(*model, *state)) squares += 0.5 * weight * weight;
  const auto executor = make_executor({});
  EXPECT_NEAR(executor->evaluate(*model, *state, data.examples(), {}).penalty, squares, 1e-6);
  for (int iteration = 1; iteration <= 50; ++iteration) {
    executor->train(*model, *state, data.segment(), {1, iteration, 0, Shuffle::kSegment, false}, {});
  }
  EXPECT_LT(executor->evaluate(*model, *state, data.examples(), {}).penalty, 0.1 * squares);
}

TEST_F(ExecutorTest, TrainingEndsWithTheAverageOfTheWeights) {
  OptimizerSpec averaging = sgd(0.5);
  averaging.use_ema = true;
  averaging.ema_momentum = 0.9;
  const ModelSpec spec = NetworkBuilder({4}).dense(3, "softmax").build();
  const auto model = compile_model(spec, train_spec(LossKind::kCategoricalCrossentropy, averaging, 4), {}, {3});
  const auto plain = compile_model(spec, train_spec(LossKind::kCategoricalCrossentropy, sgd(0.5), 4), {}, {3});
  const auto state = model->initial_state(1), same = plain->initial_state(1);
  const Dataset data(20, 4, 3);
  const auto executor = make_executor({});
  executor->train(*model, *state, data.segment(), {1, 1, 0, Shuffle::kSegment, false}, {});
  executor->train(*plain, *same, data.segment(), {1, 1, 0, Shuffle::kSegment, false}, {});
  const std::vector<float> before = weights_of(*model, *state);
  EXPECT_EQ(before, weights_of(*plain, *same));
  finish_training(*model, *state);
  EXPECT_NE(weights_of(*model, *state), before);
  finish_training(*plain, *same);
  EXPECT_EQ(weights_of(*plain, *same), before);
}

TEST_F(ExecutorTest, StopIsACancelledError) {
  const auto model =
      compile_model(regular_network(), train_spec(LossKind::kCategoricalCrossentropy, sgd(0.1), 16), {}, {3});
  const auto state = model->initial_state(2);
  const Dataset data(64, 60, 3);
  std::stop_source source;
  source.request_stop();
  const auto executor = make_executor({});
  const auto code_of = [](const auto& action) {
    try {
      action();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  const std::vector<float> before = weights_of(*model, *state);
  std::vector<float> outputs(64 * 3);
  EXPECT_EQ(code_of([&] { executor->train(*model, *state, data.segment(), {}, source.get_token()); }),
            ErrorCode::kCancelled);
  EXPECT_EQ(weights_of(*model, *state), before);
  EXPECT_EQ(code_of([&] { executor->evaluate(*model, *state, data.examples(), source.get_token()); }),
            ErrorCode::kCancelled);
  EXPECT_EQ(code_of([&] { executor->predict(*model, *state, data.examples(), outputs, source.get_token()); }),
            ErrorCode::kCancelled);
}

TEST_F(ExecutorTest, DivergenceIsNoticedAndEndsTheUnit) {
  const ModelSpec spec = NetworkBuilder({4}).dense(8).dense(3).build();
  const auto model = compile_model(spec, train_spec(LossKind::kMeanSquaredError, sgd(1e20), 4), {}, {3});
  const auto state = model->initial_state(1);
  const Dataset data(400, 4, 3);
  const TrainResult result = make_executor({})->train(*model, *state, data.segment(), {}, {});
  EXPECT_TRUE(result.has_diverged);
  EXPECT_LT(result.steps, 100);
}

TEST_F(ExecutorTest, AConfigurationThatDivergedLeavesNothingToTheNext) {
  const auto model =
      compile_model(regular_network(), train_spec(LossKind::kCategoricalCrossentropy, sgd(0.1), 16), {}, {3});
  const Dataset data(101, 60, 3);
  const auto executor = make_executor({});
  const auto spoilt = model->initial_state(1);
  spoilt->set_weights(std::vector<float>(model->parameter_count(), std::numeric_limits<float>::quiet_NaN()));
  ASSERT_TRUE(executor->train(*model, *spoilt, data.segment(), units()[0], {}).has_diverged);
  const auto contents_after = [&](Executor& with) {
    const auto state = model->initial_state(2);
    with.train(*model, *state, data.segment(), units()[0], {});
    return contents_of(*model, *state);
  };
  EXPECT_EQ(contents_after(*executor), contents_after(*make_executor({})));
}

TEST_F(ExecutorTest, TrimGivesBackWhatNothingUses) {
  const auto model =
      compile_model(regular_network(), train_spec(LossKind::kCategoricalCrossentropy, sgd(0.1), 64), {}, {3});
  const Dataset data(101, 60, 3);
  const auto executor = make_executor({});
  const auto state = model->initial_state(1);
  executor->train(*model, *state, data.segment(), units()[0], {});
  const EngineMemory before = engine_memory();
  executor->trim();
  EXPECT_LT(engine_memory().used, before.used);
  EXPECT_EQ(engine_memory().held, engine_memory().used);
}

TEST_F(ExecutorTest, MemoryLimitIsAnErrorOfThatCallAlone) {
  const ModelSpec large = NetworkBuilder({64}).dense(4096, "relu").dense(4096, "relu").dense(3, "softmax").build();
  const ModelSpec small = NetworkBuilder({64}).dense(8, "relu").dense(3, "softmax").build();
  const TrainSpec train = train_spec(LossKind::kCategoricalCrossentropy, adam(0.01), 16);
  const Dataset data(64, 64, 3);
  const auto executor = make_executor({});
  initialize_engine({engine_memory().used + (32 << 20)});
  const auto train_one = [&](const ModelSpec& spec) {
    const auto model = compile_model(spec, train, {}, {3});
    const auto state = model->initial_state(1);
    executor->train(*model, *state, data.segment(), {}, {});
  };
  try {
    train_one(large);
    ADD_FAILURE() << "the limit was not noticed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOutOfMemory) << error.what();
  }
  EXPECT_NO_THROW(train_one(small));
  initialize_engine({});
  EXPECT_NO_THROW(train_one(large));
}

TEST_F(ExecutorTest, ExamplesOfAnotherSizeAreRefused) {
  const auto model =
      compile_model(regular_network(), train_spec(LossKind::kCategoricalCrossentropy, sgd(0.1), 16), {}, {3});
  const auto state = model->initial_state(2);
  const auto executor = make_executor({});
  const Dataset narrow(32, 59, 3), few(32, 60, 2);
  EXPECT_THROW(executor->train(*model, *state, narrow.segment(), {}, {}), Error);
  EXPECT_THROW(executor->train(*model, *state, few.segment(), {}, {}), Error);
  EXPECT_THROW(executor->evaluate(*model, *state, narrow.examples(), {}), Error);
  EXPECT_THROW(executor->evaluate(*model, *state, few.examples(), {}), Error);
}

}  // namespace
}  // namespace modelhop::test
