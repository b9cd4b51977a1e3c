// SPDX-License-Identifier: Apache-2.0
// The contract: a state depends on its list of units alone, bit for bit.
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <utility>

#include "executor_case.hpp"

namespace modelhop::test {
namespace {

/// Slots that do not begin at zero, and one that follows the weights.
OptimizerSpec averaged_adagrad() {
  OptimizerSpec optimizer;
  optimizer.kind = OptimizerKind::kAdagrad;
  optimizer.learning_rate = 0.05;
  optimizer.initial_accumulator_value = 0.1;
  optimizer.use_ema = true;
  return optimizer;
}

class ContractTest : public ExecutorTest, public ::testing::WithParamInterface<OptimizerSpec> {
 protected:
  ContractTest()
      : data_(101, 60, 3),
        model_(compile_model(regular_network(), train_spec(LossKind::kCategoricalCrossentropy, GetParam(), 16), {},
                             {3})) {}

  Trained train_alone() const {
    const auto state = model_->initial_state(7);
    const auto executor = make_executor({});
    for (const TrainUnit& unit : units()) executor->train(*model_, *state, data_.segment(), unit, {});
    return contents_of(*model_, *state);
  }

  Dataset data_;
  std::shared_ptr<const Model> model_;
};

TEST_P(ContractTest, TwoExecutorsGiveTheSameBits) {
  EXPECT_EQ(train_alone(), train_alone());
}

TEST_P(ContractTest, AnotherSeedOrOrderGivesOtherBits) {
  const auto executor = make_executor({});
  const auto train = [&](std::uint64_t configuration_seed, std::uint64_t run_seed) {
    const auto state = model_->initial_state(configuration_seed);
    executor->train(*model_, *state, data_.segment(), {run_seed, 1, 0, Shuffle::kSegment, false}, {});
    return contents_of(*model_, *state);
  };
  EXPECT_EQ(train(1, 1), train(1, 1));
  EXPECT_FALSE(train(1, 1) == train(2, 1));
  EXPECT_FALSE(train(1, 1) == train(1, 2));
}

TEST_P(ContractTest, UnitsSplitOverTwoThreadsGiveTheSameBits) {
  const auto state = model_->initial_state(7);
  const auto other_state = model_->initial_state(8);
  for (const TrainUnit& unit : units()) {
    std::thread slot([&] { make_executor({})->train(*model_, *state, data_.segment(), unit, {}); });
    make_executor({})->train(*model_, *other_state, data_.segment(), unit, {});
    slot.join();
  }
  EXPECT_EQ(contents_of(*model_, *state), train_alone());
}

TEST_P(ContractTest, SavedAndRestoredStateContinuesWithTheSameBits) {
  auto state = model_->initial_state(7);
  const auto executor = make_executor({});
  for (const TrainUnit& unit : units()) {
    const Trained saved = contents_of(*model_, *state);
    state = model_->initial_state(99, saved.weights);
    state->set_training_state(saved.rest);
    executor->train(*model_, *state, data_.segment(), unit, {});
  }
  EXPECT_EQ(contents_of(*model_, *state), train_alone());
}

TEST_P(ContractTest, AStateOfGivenWeightsIsNewInEverythingElse) {
  const Trained other = contents_of(*model_, *model_->initial_state(8));
  const auto state = model_->initial_state(7);
  state->set_weights(other.weights);
  EXPECT_EQ(contents_of(*model_, *model_->initial_state(7, other.weights)), contents_of(*model_, *state));
}

TEST_P(ContractTest, APassTakesNoMoreStepsThanItIsGiven) {
  TrainSpec spec = train_spec(LossKind::kCategoricalCrossentropy, GetParam(), 16);
  const auto executor = make_executor({});
  const TrainUnit unit{5, 1, 0, Shuffle::kNone, false};
  const auto train = [&](std::int64_t rows) {
    const auto model = compile_model(regular_network(), spec, {}, {3});
    const auto state = model->initial_state(7);
    const std::int64_t starts[] = {0};
    const TrainResult result = executor->train(*model, *state, {data_.block(0, rows), starts}, unit, {});
    return std::pair(result.steps, contents_of(*model, *state));
  };
  const auto all = train(data_.rows), two_batches = train(32);
  spec.steps_per_epoch = 2;
  EXPECT_EQ(train(data_.rows), two_batches);
  spec.steps_per_epoch = 100;
  EXPECT_EQ(train(data_.rows), all);
  spec.initial_epoch = 1;  // leaves no epoch
  const auto none = train(data_.rows);
  EXPECT_EQ(none.first, 0);
  EXPECT_FALSE(none.second == all.second);
}

TEST_P(ContractTest, StreamedBuffersGiveTheBitsOfTheWholeSegment) {
  for (const Shuffle shuffle : {Shuffle::kBuffer, Shuffle::kNone}) {
    TrainSpec spec = train_spec(LossKind::kCategoricalCrossentropy, GetParam(), 16);
    spec.epochs = 3;
    spec.initial_epoch = 1;
    if (shuffle == Shuffle::kNone) spec.steps_per_epoch = 5;
    const auto model = compile_model(regular_network(), spec, {}, {3});
    const auto executor = make_executor({});
    const TrainUnit unit{5, 1, 0, shuffle, false};
    const auto cached = model->initial_state(7), streamed = model->initial_state(7);
    const TrainResult expected = executor->train(*model, *cached, data_.segment(), unit, {});

    const auto run = executor->begin_streamed(model, *streamed, unit);
    for (int pass = 0; pass < spec.passes(); ++pass) {
      for (std::size_t buffer = 0; buffer < data_.buffer_starts.size(); ++buffer) {
        const std::int64_t first = data_.buffer_starts[buffer];
        const std::int64_t end = buffer + 1 < data_.buffer_starts.size() ? data_.buffer_starts[buffer + 1] : data_.rows;
        const auto copy = std::make_unique<Dataset>(data_);  // freed after consume: the unit must not look back
        run->consume(copy->block(first, end - first), {});
      }
      run->end_pass({});
    }
    const TrainResult result = run->finish();
    EXPECT_EQ(contents_of(*model, *cached), contents_of(*model, *streamed));
    EXPECT_EQ(result.steps, expected.steps);
    EXPECT_EQ(result.steps, 2 * (spec.steps_per_epoch ? 5 : 7));
    EXPECT_EQ(result.examples, 2 * (spec.steps_per_epoch ? 5 * 16 : 101));
    EXPECT_EQ(result.mean_loss, expected.mean_loss);
  }
}

TEST_P(ContractTest, InterleavedStreamsDoNotTouchEachOther) {
  const TrainUnit unit{5, 1, 0, Shuffle::kBuffer, false};
  const auto executor = make_executor({});
  const auto alone = model_->initial_state(7);
  executor->train(*model_, *alone, data_.segment(), unit, {});
  const auto first = model_->initial_state(7), second = model_->initial_state(8);
  const auto first_run = executor->begin_streamed(model_, *first, unit);
  const auto second_run = executor->begin_streamed(model_, *second, unit);
  for (std::size_t buffer = 0; buffer < data_.buffer_starts.size(); ++buffer) {
    const std::int64_t begin = data_.buffer_starts[buffer];
    const std::int64_t end = buffer + 1 < data_.buffer_starts.size() ? data_.buffer_starts[buffer + 1] : data_.rows;
    first_run->consume(data_.block(begin, end - begin), {});
    second_run->consume(data_.block(begin, end - begin), {});
  }
  first_run->end_pass({});
  second_run->end_pass({});
  EXPECT_EQ(contents_of(*model_, *first), contents_of(*model_, *alone));
}

INSTANTIATE_TEST_SUITE_P(Optimizers, ContractTest, ::testing::Values(sgd(0.05, 0.9), adam(0.01), averaged_adagrad()));

}  // namespace
}  // namespace modelhop::test
