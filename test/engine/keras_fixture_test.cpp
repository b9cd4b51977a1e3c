// SPDX-License-Identifier: Apache-2.0
// Whole models against real Keras: predictions, losses, metrics and weights after three steps (test/keras/README.md).
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <ostream>

#include "keras_fixture.hpp"
#include "modelhop/engine.hpp"
#include "spec/keras_json.hpp"

namespace modelhop::engine {
namespace {

constexpr std::int64_t kExamples = 21;

struct Fixture {
  nlohmann::json content;
};

void PrintTo(const Fixture& fixture, std::ostream* out) {
  *out << fixture.content.at("name");
}

std::vector<Fixture> fixtures(const char* key) {
  std::vector<Fixture> list;
  for (const char* file : {"models.tf2_legacy.json", "models.keras3.json"}) {
    for (const auto& content : keras_fixture(file)) {
      if (content.contains(key)) list.push_back({content});
    }
  }
  return list;
}

MetricSpec metric_of(const std::string& name) {
  if (name == "accuracy") return {MetricKind::kAccuracy, name};
  if (name == "binary_accuracy") return {MetricKind::kBinaryAccuracy, name};
  if (name == "mse") return {MetricKind::kMeanSquaredError, name};
  if (name == "mae") return {MetricKind::kMeanAbsoluteError, name};
  throw std::runtime_error("unknown metric " + name);
}

std::int64_t elements_of(const nlohmann::json& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

class KerasModelTest : public ::testing::TestWithParam<Fixture> {
 protected:
  KerasModelTest() : fixture_(GetParam().content) {
    initialize_engine({});
    const double scale = fixture_.at("input_scale");
    for (std::int64_t index = 0; index < elements_of(fixture_.at("input_shape")); ++index) {
      features_.push_back(
          static_cast<float>(std::round(std::cos(0.9 * static_cast<double>(index)) * 1000) / 1000 * scale));
    }
    targets_ = fixture_floats(fixture_.at("target"));
    spec_ = parse_keras_json(fixture_.at("model").dump());
    spec_.profile = fixture_profile(fixture_.at("profile"));
    train_.losses = {fixture_loss(fixture_.at("loss"))};
    train_.optimizer = fixture_optimizer(fixture_.at("optimizer"));
    train_.batch_size = 8;
    for (const std::string name : fixture_.at("metrics")) train_.metrics.push_back(metric_of(name));
    start_ = fixture_floats(fixture_.at("start_weights"));
  }

  Examples block(std::int64_t first, std::int64_t rows) const {
    Examples examples;
    examples.rows = rows;
    const std::int64_t inputs = static_cast<std::int64_t>(features_.size()) / kExamples;
    examples.independent = {
        {reinterpret_cast<const std::byte*>(features_.data() + first * inputs), ElementType::kFloat32, inputs}};
    examples.dependent = {{reinterpret_cast<const std::byte*>(targets_.data() + first * target_columns()),
                           ElementType::kFloat32, target_columns()}};
    return examples;
  }
  std::int64_t target_columns() const { return static_cast<std::int64_t>(targets_.size()) / kExamples; }

  std::shared_ptr<const Model> compile() const { return compile_model(spec_, train_, {}, {target_columns()}); }
  std::unique_ptr<State> start(const Model& model) const {
    auto state = model.initial_state(1);
    state->set_weights(start_);
    return state;
  }

  void expect_evaluation(const Model& model, const State& state, const nlohmann::json& expected) {
    const EvaluationSums sums = make_executor({})->evaluate(model, state, block(0, kExamples), {});
    const double loss = expected.at("loss");
    EXPECT_NEAR(sums.loss / kExamples + sums.penalty, loss, 1e-5 * std::abs(loss) + 1e-7);
    ASSERT_EQ(train_.metrics.size(), expected.at("metrics").size());
    std::span<const double> accumulators(sums.metrics);
    for (std::size_t index = 0; index < train_.metrics.size(); ++index) {
      const MetricSpec& spec = train_.metrics[index];
      const std::size_t count = accumulator_count(spec, target_columns());
      const double metric = expected.at("metrics")[index];
      EXPECT_NEAR(metric_value(spec, accumulators.first(count), target_columns()), metric,
                  1e-5 * std::abs(metric) + 1e-7);
      accumulators = accumulators.subspan(count);
    }
  }

  /// Tolerance: relative to the update, since Adam and its kin amplify rounding of tiny gradients.
  void expect_weights(const Model& model, const State& state, const nlohmann::json& list) {
    const std::vector<float> expected = fixture_floats(list);
    std::vector<float> weights(model.parameter_count());
    state.get_weights(weights);
    ASSERT_EQ(weights.size(), expected.size());
    const double relative = train_.optimizer.kind == OptimizerKind::kSgd ? 1e-4 : 5e-4;
    for (std::size_t index = 0; index < weights.size(); ++index) {
      const double update = std::abs(static_cast<double>(expected[index]) - start_[index]);
      EXPECT_NEAR(weights[index], expected[index], 2e-6 + relative * update) << "weight " << index;
    }
  }

  const nlohmann::json& fixture_;
  std::vector<float> features_, targets_, start_;
  ModelSpec spec_;
  TrainSpec train_;
};

TEST_P(KerasModelTest, Predicts) {
  const auto model = compile();
  const auto state = start(*model);
  const std::vector<float> expected = fixture_floats(fixture_.at("forward"));
  std::vector<float> outputs(8 * model->output_elements());
  ASSERT_EQ(outputs.size(), expected.size());
  make_executor({})->predict(*model, *state, block(0, 8), outputs, {});
  for (std::size_t index = 0; index < outputs.size(); ++index) {
    EXPECT_NEAR(outputs[index], expected[index], 1e-5 + 1e-5 * std::abs(expected[index]));
  }
}

TEST_P(KerasModelTest, EvaluatesAndTrains) {
  const auto model = compile();
  const auto state = start(*model);
  expect_evaluation(*model, *state, fixture_.at("evaluation"));
  const auto executor = make_executor({});
  const std::int64_t starts[] = {0};
  for (int batch = 0; batch < 3; ++batch) {
    const Examples examples = block(8 * batch, batch < 2 ? 8 : 5);
    const TrainResult result =
        executor->train(*model, *state, {examples, starts}, {1, 1, 0, Shuffle::kNone, false}, {});
    const double loss = fixture_.at("batch_losses")[batch];
    EXPECT_NEAR(result.mean_loss, loss, 1e-5 * std::abs(loss)) << "batch " << batch;
  }
  expect_weights(*model, *state, fixture_.at("end_weights"));
  expect_evaluation(*model, *state, fixture_.at("end_evaluation"));
}

class KerasFitTest : public KerasModelTest {};

TEST_P(KerasFitTest, FitsWithAShortLastBatch) {
  const auto& fit = fixture_.at("fit");
  train_.batch_size = fit.at("batch_size");
  const auto model = compile();
  const auto state = start(*model);
  const std::int64_t starts[] = {0};
  for (const double loss : fit.at("losses")) {
    const TrainResult result =
        make_executor({})->train(*model, *state, {block(0, kExamples), starts}, {1, 1, 0, Shuffle::kNone, false}, {});
    EXPECT_NEAR(result.mean_loss, loss, 1e-5 * std::abs(loss));
  }
  expect_weights(*model, *state, fit.at("end_weights"));
}

std::string name_of(const ::testing::TestParamInfo<Fixture>& info) {
  std::string name = info.param.content.at("profile").get<std::string>() + "_";
  for (const char letter : info.param.content.at("name").get<std::string>()) {
    name += std::isalnum(static_cast<unsigned char>(letter)) ? letter : '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Keras, KerasModelTest, ::testing::ValuesIn(fixtures("model")), name_of);
INSTANTIATE_TEST_SUITE_P(Keras, KerasFitTest, ::testing::ValuesIn(fixtures("fit")), name_of);

}  // namespace
}  // namespace modelhop::engine
