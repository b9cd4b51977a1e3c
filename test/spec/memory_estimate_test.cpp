// SPDX-License-Identifier: Apache-2.0
// What training needs in bytes: counted by hand.
#include "models.hpp"
#include "samples.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace {

TrainSpec train(const std::string& optimizer, int batch_size) {
  return parse_train_params("loss='mse', optimizer=" + optimizer, "batch_size=" + std::to_string(batch_size));
}

TEST(MemoryEstimate, state_by_optimizer) {
  const ModelSpec model = parse_keras_json(sample("keras21_mlp"));  // 50 of 83 parameters are trainable
  const struct {
    const char* optimizer;
    int slots;
  } cases[] = {
      {"SGD()", 0},
      {"SGD(momentum=0.9)", 1},
      {"Adam()", 2},
      {"Adam(amsgrad=True)", 3},
      {"RMSprop(momentum=0.9, centered=True)", 3},
      {"Adafactor(use_ema=True, gradient_accumulation_steps=2)", 4},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(estimate_memory(model, train(test.optimizer, 8)).state, 4 * (83 + test.slots * 50)) << test.optimizer;
  }
  EXPECT_EQ(estimate_memory(model, train("SGD()", 8)).workspace, 4 * kEvaluationRows * (4 + 10 + 3));
  EXPECT_EQ(estimate_memory(model, train("SGD()", 512)).workspace, 4 * (50 + 2 * 512 * (4 + 10 + 3)));
}

TEST(MemoryEstimate, evaluation_stays_in_the_caches) {
  EXPECT_EQ(cached_evaluation_rows(model_of({{"out", {3}}})), kEvaluationRows);
  ModelSpec model = model_of({{"out", {3}}});
  add_layer(model, LayerSpec{}, {TensorRef{0, 0}}, {32, 32, 16});  // 64 KB
  EXPECT_EQ(cached_evaluation_rows(model), 32);
  add_layer(model, LayerSpec{}, {TensorRef{0, 0}}, {1024, 1024});
  EXPECT_EQ(cached_evaluation_rows(model), 16);
}

TEST(MemoryEstimate, hostile_sizes_do_not_wrap) {
  const MemoryEstimate estimate = estimate_memory(parse_keras_json(sample("keras3_vgg3")), train("SGD()", 2147483647));
  EXPECT_GT(estimate.workspace, std::int64_t{1} << 48);
  ModelSpec model = model_of({{"out", {3}}});
  for (int i = 0; i < 40; ++i) add_layer(model, LayerSpec{}, {TensorRef{0, 0}}, {std::int64_t{1} << 40});
  EXPECT_EQ(estimate_memory(model, train("SGD()", 2147483647)).workspace, std::numeric_limits<std::int64_t>::max());
}

constexpr int kBatch = 512;

/// Floats of the workspace beyond those of the outputs, of one example.
double kept_inside(const LayerSpec& layer, const std::vector<Shape>& inputs, const Shape& output) {
  ModelSpec model;
  std::vector<TensorRef> tensors;
  std::int64_t elements = element_count(output);
  for (const Shape& input : inputs) {
    tensors.push_back({add_layer(model, LayerSpec{}, {}, input), 0});
    elements += element_count(input);
  }
  add_layer(model, layer, tensors, output);
  const double floats = static_cast<double>(estimate_memory(model, train("SGD()", kBatch)).workspace) / 4;
  return (floats - static_cast<double>(trainable_parameter_count(model))) / (2.0 * kBatch) -
         static_cast<double>(elements);
}

LayerSpec layer_of(const std::string& class_name, const Attributes& attributes, std::vector<WeightSpec> weights = {}) {
  LayerSpec layer;
  layer.class_name = class_name;
  layer.attributes = attributes;
  layer.weights = std::move(weights);
  return layer;
}

WeightSpec weight(const std::string& name, const Shape& shape) {
  WeightSpec spec;
  spec.name = name;
  spec.shape = shape;
  return spec;
}

TEST(MemoryEstimate, convolutions_of_every_kind) {
  const Attributes kernel = {{"kernel_size", std::vector<std::int64_t>{3}}};
  EXPECT_EQ(kept_inside(layer_of("Conv1D", kernel), {{10, 2}}, {8, 4}), 20 + 32);
  Attributes separable = kernel;
  separable["depth_multiplier"] = std::int64_t{3};
  EXPECT_EQ(kept_inside(layer_of("SeparableConv1D", separable), {{10, 2}}, {8, 4}), 60 + 32);
  LayerSpec wrapped = layer_of("TimeDistributed", {});
  wrapped.children.push_back(layer_of("Conv2D", kernel));
  EXPECT_EQ(kept_inside(wrapped, {{5, 6, 6, 2}}, {5, 4, 4, 3}), 360 + 240);
  EXPECT_EQ(kept_inside(layer_of("Dense", {}), {{10, 2}}, {10, 4}), 0);
}

TEST(MemoryEstimate, recurrent_layers) {
  const auto lstm = layer_of("LSTM", {}, {weight("kernel", {2, 20}), weight("recurrent_kernel", {5, 20})});
  const auto copies = [](int floats) { return floats / (2.0 * kBatch); };  // once, not for each example
  EXPECT_EQ(kept_inside(lstm, {{7, 2}}, {5}), 3 * 20 * 7 + copies(2 * 20 + 5 * 20));
  const auto both = layer_of(
      "Bidirectional", {}, {weight("forward/recurrent_kernel", {5, 15}), weight("backward/recurrent_kernel", {5, 15})});
  EXPECT_EQ(kept_inside(both, {{7, 2}}, {10}), 3 * 30 * 7 + copies(2 * 5 * 15));
}

TEST(MemoryEstimate, attention) {
  const Attributes heads = {
      {"num_heads", std::int64_t{2}}, {"key_dim", std::int64_t{3}}, {"value_dim", std::int64_t{5}}};
  EXPECT_EQ(kept_inside(layer_of("MultiHeadAttention", heads), {{4, 8}, {6, 8}}, {4, 8}), 2 * (2 * 24 + 8 * 10));
  EXPECT_EQ(kept_inside(layer_of("Attention", {}), {{4, 8}, {6, 8}}, {4, 8}), 2 * 24);
  EXPECT_EQ(kept_inside(layer_of("AdditiveAttention", {}), {{4, 8}, {6, 8}}, {4, 8}), 24 * 10);
}

}  // namespace
}  // namespace modelhop
