// SPDX-License-Identifier: Apache-2.0
// Networks of few layers read from Keras JSON, and what they put out.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/batch_builder.hpp"
#include "engine/device.hpp"
#include "engine/plan.hpp"
#include "modelhop/engine.hpp"
#include "network_builder.hpp"
#include "spec/keras_json.hpp"

namespace modelhop::engine {

/// Class name and config, without the braces: {"Conv1D", R"("filters":2,"kernel_size":3)"}.
using LayerText = std::pair<std::string, std::string>;

inline ModelSpec network_of(const Shape& input, const std::vector<LayerText>& layers,
                            SemanticsProfile profile = SemanticsProfile::kTf2Legacy) {
  std::string text = R"({"class_name":"Sequential","keras_version":"2.10.0","config":{"name":"m","layers":[)";
  for (std::size_t index = 0; index < layers.size(); ++index) {
    const auto& [class_name, config] = layers[index];
    text += (index > 0 ? "," : "") + std::string(R"({"class_name":")") + class_name + R"(","config":{"name":"layer_)" +
            std::to_string(index) + "\"" + (config.empty() ? "" : ",") + config + "}}";
  }
  return parse_keras_json(text + "]}}", {input}, profile);
}

/// Predictions of one example, with these weights or the initial ones.
inline std::vector<float> outputs_of(const ModelSpec& spec, const std::vector<float>& input,
                                     const std::vector<float>& weights = {}) {
  initialize_engine({});
  TrainSpec train;
  train.losses.resize(1);
  const auto model = compile_model(spec, train, {}, {});
  const auto state = model->initial_state(1);
  if (!weights.empty()) state->set_weights(weights);
  Examples examples;
  examples.rows = 1;
  examples.independent = {{reinterpret_cast<const std::byte*>(input.data()), ElementType::kFloat32,
                           static_cast<std::int64_t>(input.size())}};
  std::vector<float> outputs(model->output_elements());
  make_executor({})->predict(*model, *state, examples, outputs, {});
  return outputs;
}

/// What a network without weights puts out in a training step on these examples.
inline std::vector<float> training_outputs(const ModelSpec& spec, const std::vector<float>& input, const Step& step) {
  initialize_engine({});
  const ComputeScope scope;
  const std::int64_t elements = element_count(spec.input_shape(0)), targets = element_count(spec.output_shape(0));
  test::Dataset data(static_cast<std::int64_t>(input.size()) / elements, elements, targets);
  data.features = input;
  const Network network(spec, test::train_spec(LossKind::kMeanSquaredError, test::sgd(0.1), 8), {}, {targets});
  const FlatState state(std::make_shared<StateLayout>(network.layout()), {}, 5);
  Plan plan(network, Purpose::kTraining, data.rows);
  plan.bind(state);
  const Examples examples = data.examples();
  BatchBuilder batch;
  batch.begin(examples);
  batch.add(examples, 0, data.rows);
  plan.load(batch.rows());
  plan.run_forward(step);
  std::vector<float> outputs(static_cast<std::size_t>(data.rows * targets));
  plan.copy_outputs(outputs.data());
  return outputs;
}

inline void expect_near(const std::vector<float>& values, const std::vector<float>& expected, float tolerance = 2e-5F) {
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], tolerance) << "element " << i;
}

}  // namespace modelhop::engine
