// SPDX-License-Identifier: Apache-2.0
// Models against real Keras: predictions, losses, metrics, gradients, and weights after training
// (test/keras/README.md).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <ostream>

#include "keras_case.hpp"

namespace modelhop::engine {
namespace {

/// What cannot agree, and why. docs/keras-support.md has the decisions.
struct Departure {
  const char* name;  ///< the end of a test's name
  const char* reason;
};
constexpr Departure kDepartures[] = {
    {"layers_normalization_tf2_legacy_batch_norm_renorm", "renorm is refused"},
    {"Lamb", "Lamb is refused"},
    {"topology_keras22_nested_model_frozen", "the JSON of Keras 2.2 does not say that the inner model is frozen"},
    {"topology_keras22_nested_model_with_batch_norm_frozen", "as above"},
    {"TrainsThreeSteps/training_keras22_saturated_sigmoid",
     "an output of 0.9999998753 lies at the clip of 1 - 1e-7: rounding decides whether it has a gradient"},
    {"TrainsThreeSteps/training_keras22_saturated_sigmoid_layer", "as above"},
    {"tf2_legacy_saturated_output_by_softmax__dropout_0", "tf.keras 2.10 looks for logits in training alone"},
    {"HasKerasGradients/training_tf2_legacy_saturated_output_by_a_softmax_layer",
     "outside a compiled model tf.keras 2.10 does not find these logits"},
    {"TrainsThreeSteps/whole_resnet20_keras3_resnet20",
     "single units of deep relus flip by rounding after the first step"},
    {"TrainsThreeSteps/whole_resnet20_tf2_legacy_resnet20", "as above"},
};

class KerasModelTest : public ::testing::TestWithParam<NamedCase> {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    for (const Departure& departure : kDepartures) {
      if (std::string(info->name()).ends_with(departure.name)) GTEST_SKIP() << departure.reason;
    }
    initialize_engine({});
    case_ = std::make_unique<KerasCase>(*GetParam().content);
    model_ = compile_model(case_->spec(), case_->train(), {}, case_->target_elements());
    ASSERT_EQ(model_->parameter_count(), static_cast<std::int64_t>(case_->start().size()));
    executor_ = make_executor({});
  }

  const Json& content() const { return case_->content(); }

  /// Deep and recurrent networks add up more roundings.
  double forward_tolerance() const {
    return GetParam().name.starts_with("whole") || GetParam().name.starts_with("layers_recurrent") ||
                   GetParam().name.starts_with("layers_wrappers")
               ? 1e-4
               : 1e-5;
  }

  double loss_tolerance() const { return forward_tolerance(); }

  std::unique_ptr<State> start(const Model& model) const { return model.initial_state(1, case_->start()); }

  TrainResult train(const Model& model, State& state, const Examples& examples) const {
    const std::int64_t starts[] = {0};
    return executor_->train(model, state, {examples, starts}, {1, 1, 0, Shuffle::kNone, false}, {});
  }

  std::vector<float> weights_of(const State& state) const {
    std::vector<float> weights(case_->start().size());
    state.get_weights(weights);
    return weights;
  }

  void expect_outputs(const State& state, const Json& expected, double tolerance) const {
    std::vector<float> outputs(static_cast<std::size_t>(case_->rows() * model_->output_elements()));
    executor_->predict(*model_, state, case_->block(0, case_->rows()), outputs, {});
    std::int64_t offset = 0;
    for (std::size_t index = 0; index < case_->spec().outputs.size(); ++index) {
      const std::int64_t elements = element_count(case_->spec().output_shape(index));
      ASSERT_EQ(elements_of(expected[index].at("shape")), case_->rows() * elements) << "output " << index;
      const std::vector<float> values = fixture_floats(expected[index].at("values"));
      for (std::int64_t i = 0; i < static_cast<std::int64_t>(values.size()); ++i) {
        const float output = outputs[i / elements * model_->output_elements() + offset + i % elements];
        ASSERT_NEAR(output, values[i], tolerance + tolerance * std::abs(values[i]))
            << "output " << index << " element " << i;
      }
      offset += elements;
    }
  }

  void expect_evaluation(const State& state, const Json& expected) const {
    const EvaluationSums sums = executor_->evaluate(*model_, state, case_->block(0, case_->rows()), {});
    const double rows = static_cast<double>(case_->rows()), loss = expected.at("loss");
    EXPECT_NEAR(sums.loss / rows + sums.penalty, loss, loss_tolerance() * std::abs(loss) + 1e-7);
    for (std::size_t index = 0; index < expected.value("output_losses", Json::array()).size(); ++index) {
      const double own = expected.at("output_losses")[index];
      EXPECT_NEAR(sums.output_losses.at(index) / rows, own, loss_tolerance() * std::abs(own) + 1e-7)
          << "output " << index;
    }
    if (!expected.contains("metrics")) return;
    std::vector<double> values;
    for (const Json& list : expected.at("metrics")) {
      for (const double value : list) values.push_back(value);
    }
    const TrainSpec& train = model_->train_spec();
    ASSERT_EQ(train.metrics.size(), values.size());
    std::span<const double> accumulators(sums.metrics);
    for (std::size_t index = 0; index < values.size(); ++index) {
      const MetricSpec& metric = train.metrics[index];
      const Shape& shape = case_->spec().output_shape(static_cast<std::size_t>(metric.output_index));
      const std::int64_t columns = shape.empty() ? 1 : shape.back();
      const std::size_t count = accumulator_count(metric, columns);
      EXPECT_NEAR(metric_value(metric, accumulators.first(count), columns), values[index],
                  loss_tolerance() * std::abs(values[index]) + 1e-7)
          << "metric " << metric.name;
      accumulators = accumulators.subspan(count);
    }
  }

  /// Adam and its kin amplify the rounding of tiny gradients: relative to the update.
  void expect_weights(const State& state, const Json& list) const {
    const std::vector<float> expected = fixture_floats(list), weights = weights_of(state);
    ASSERT_EQ(weights.size(), expected.size());
    const bool is_sgd = case_->train().optimizer.kind == OptimizerKind::kSgd;
    const double relative = (is_sgd ? 1e-4 : 5e-4);
    for (std::size_t index = 0; index < weights.size(); ++index) {
      const double update = std::abs(static_cast<double>(expected[index]) - case_->start()[index]);
      ASSERT_NEAR(weights[index], expected[index], 2e-6 + relative * update) << "weight " << index;
    }
  }

  std::unique_ptr<KerasCase> case_;
  std::shared_ptr<const Model> model_;
  std::unique_ptr<Executor> executor_;
};

TEST_P(KerasModelTest, Predicts) {
  const auto state = start(*model_);
  expect_outputs(*state, content().at("outputs"), forward_tolerance());
}

TEST_P(KerasModelTest, Evaluates) {
  if (!content().contains("evaluation")) GTEST_SKIP() << "the case only predicts";
  expect_evaluation(*start(*model_), content().at("evaluation"));
}

TEST_P(KerasModelTest, HasKerasGradients) {
  if (!content().contains("gradients")) GTEST_SKIP() << "the case has no gradients";
  // One step of plain SGD at rate 1 moves each weight by its gradient.
  ModelSpec spec = case_->spec();
  for (LayerSpec& layer : spec.layers) {
    for (WeightSpec& weight : layer.weights) weight.constraint = {};
  }
  TrainSpec plain = case_->train();
  plain.optimizer = {};
  plain.optimizer.kind = OptimizerKind::kSgd;
  plain.optimizer.learning_rate = 1.0;
  plain.optimizer.momentum = 0.0;
  const auto model = compile_model(spec, plain, {}, case_->target_elements());
  const auto state = start(*model);
  train(*model, *state, case_->block(0, 8));
  const std::vector<float> weights = weights_of(*state);
  std::size_t offset = 0;
  for (std::size_t array = 0; array < content().at("gradients").size(); ++array) {
    const Json& list = content().at("gradients")[array];
    const auto count = static_cast<std::size_t>(elements_of(content().at("weight_shapes")[array]));
    const std::vector<float> gradients = list.is_null() ? std::vector<float>() : fixture_floats(list);
    double largest = 0.0;
    for (const float gradient : gradients) largest = std::max(largest, std::abs(static_cast<double>(gradient)));
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      const double moved = static_cast<double>(case_->start()[offset + i]) - weights[offset + i];
      ASSERT_NEAR(moved, gradients[i], 1e-6 + 1e-4 * largest) << "array " << array << " element " << i;
    }
    offset += count;
  }
}

TEST_P(KerasModelTest, TrainsThreeSteps) {
  if (!content().contains("batch_losses")) GTEST_SKIP() << "the case does not train";
  const auto state = start(*model_);
  for (int batch = 0; batch < 3; ++batch) {
    const TrainResult result = train(*model_, *state, case_->block(8 * batch, batch < 2 ? 8 : 5));
    const double loss = content().at("batch_losses")[batch];
    EXPECT_NEAR(result.mean_loss, loss, loss_tolerance() * std::abs(loss) + 1e-7) << "batch " << batch;
  }
  if (content().contains("end_weights")) expect_weights(*state, content().at("end_weights"));
  if (content().contains("end_outputs")) {
    expect_outputs(*state, content().at("end_outputs"), forward_tolerance());
  }
  if (content().contains("end_evaluation")) {
    const double loss = content().at("end_evaluation").at("loss");
    const EvaluationSums sums = executor_->evaluate(*model_, *state, case_->block(0, case_->rows()), {});
    EXPECT_NEAR(sums.loss / static_cast<double>(case_->rows()) + sums.penalty, loss,
                loss_tolerance() * std::abs(loss) + 1e-7);
  }
}

TEST_P(KerasModelTest, Fits) {
  if (!content().contains("fits")) GTEST_SKIP() << "the case has no fit";
  const auto state = start(*model_);
  for (const Json& fit : content().at("fits")) {
    TrainSpec spec = case_->train();
    spec.batch_size = fit.at("batch_size");
    const auto model = compile_model(case_->spec(), spec, {}, case_->target_elements());
    for (const double loss : fit.at("losses")) {
      EXPECT_NEAR(train(*model, *state, case_->block(0, case_->rows())).mean_loss, loss,
                  loss_tolerance() * std::abs(loss));
    }
    if (fit.contains("end_weights")) expect_weights(*state, fit.at("end_weights"));
  }
}

std::string name_of(const ::testing::TestParamInfo<NamedCase>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Layers, KerasModelTest, ::testing::ValuesIn(keras_cases("layers_")), name_of);
INSTANTIATE_TEST_SUITE_P(Operations, KerasModelTest, ::testing::ValuesIn(keras_cases("operations")), name_of);
INSTANTIATE_TEST_SUITE_P(Topology, KerasModelTest, ::testing::ValuesIn(keras_cases("topology")), name_of);
INSTANTIATE_TEST_SUITE_P(Training, KerasModelTest, ::testing::ValuesIn(keras_cases("training")), name_of);
INSTANTIATE_TEST_SUITE_P(Optimizers, KerasModelTest, ::testing::ValuesIn(keras_cases("optimizer_networks")), name_of);
INSTANTIATE_TEST_SUITE_P(Whole, KerasModelTest, ::testing::ValuesIn(keras_cases("whole_")), name_of);

}  // namespace
}  // namespace modelhop::engine
