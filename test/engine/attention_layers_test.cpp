// SPDX-License-Identifier: Apache-2.0
// Attention on two parts of one input: values worked out by hand, masks, and gradients against finite differences.
#include <gtest/gtest.h>

#include "gradient_check.hpp"
#include "layer_network.hpp"

namespace modelhop::engine {
namespace {

using Floats = std::vector<float>;

std::string layer(const std::string& class_name, const std::string& name, const std::string& config,
                  const std::string& refs) {
  return R"({"class_name":")" + class_name + R"(","name":")" + name + R"(","config":{"name":")" + name + "\"" +
         (config.empty() ? "" : ",") + config + R"(},"inbound_nodes":[[)" + refs + "]]}";
}

std::string ref(const std::string& name, const std::string& keywords = "{}") {
  return R"([")" + name + R"(",0,0,)" + keywords + "]";
}

/// Self-attention over an input of this shape, after `before` (a layer in front of query and value alike).
ModelSpec self_attention(const Shape& input, const std::string& class_name, const std::string& config,
                         const std::string& keywords = "{}", const std::string& before = "Dense",
                         const std::string& before_config = R"("units":3)",
                         SemanticsProfile profile = SemanticsProfile::kTf2Legacy) {
  std::string extents;
  for (const std::int64_t extent : input) extents += "," + std::to_string(extent);
  const std::string text =
      R"({"class_name":"Functional","keras_version":"2.10.0","config":{"name":"m","layers":[
      {"class_name":"InputLayer","name":"x","config":{"name":"x","batch_input_shape":[null)" +
      extents + R"(]},"inbound_nodes":[]},)" + layer(before, "b", before_config, ref("x")) + "," +
      layer(class_name, "a", config, ref("b", keywords) + "," + ref("b", keywords)) +
      R"(],"input_layers":[["x",0,0]],"output_layers":[["a",0,0]]}})";
  return parse_keras_json(text, {}, profile);
}

TEST(AttentionTest, WeighsValuesByTheirScores) {
  // Scores of the two steps with themselves: 1 and 2, 2 and 4.
  const float near = 1.0F / (1.0F + std::exp(1.0F)), far = 1.0F / (1.0F + std::exp(2.0F));
  const ModelSpec spec = self_attention({2, 1}, "Attention", "", "{}", "Activation", R"("activation":"linear")");
  expect_near(outputs_of(spec, {1, 2}), {2 - near, 2 - far}, 1e-6F);
}

TEST(AttentionTest, CausalQueriesDoNotLookAhead) {
  const ModelSpec spec =
      self_attention({2, 1}, "Attention", "", R"({"use_causal_mask":true})", "Activation", R"("activation":"linear")");
  expect_near(outputs_of(spec, {1, 2}), {1, 2 - 1.0F / (1.0F + std::exp(2.0F))}, 1e-6F);
}

TEST(AttentionTest, MaskedStepsAreNeitherSeenNorSeeing) {
  for (const char* kind : {"Attention", "AdditiveAttention"}) {
    const ModelSpec spec = self_attention({3, 1}, kind, R"("use_scale":false)", "{}", "Masking", "");
    expect_near(outputs_of(spec, {0, 2, 0}), {0, 2, 0}, 1e-6F);
  }
}

class AttentionGradientTest : public ::testing::TestWithParam<GradientCase> {};

TEST_P(AttentionGradientTest, AgreesWithFiniteDifferences) {
  expect_gradients_of_differences(GetParam());
}

std::vector<GradientCase> gradient_cases() {
  const Shape steps = {4, 2};
  const std::string heads = R"("num_heads":2,"key_dim":3)";
  return {
      {"attention", self_attention(steps, "Attention", R"("use_scale":true)")},
      {"attention_concat", self_attention(steps, "Attention", R"("use_scale":true,"score_mode":"concat")")},
      {"attention_dropout", self_attention(steps, "Attention", R"("dropout":0.4)")},
      {"attention_causal", self_attention(steps, "Attention", "", R"({"use_causal_mask":true})")},
      {"additive_attention", self_attention(steps, "AdditiveAttention", "")},
      {"multi_head", self_attention(steps, "MultiHeadAttention", heads)},
      {"multi_head_value_dim",
       self_attention(steps, "MultiHeadAttention", heads + R"(,"value_dim":2,"output_shape":[2,2])")},
      {"multi_head_dropout", self_attention(steps, "MultiHeadAttention", heads + R"(,"dropout":0.4)")},
      {"multi_head_causal", self_attention(steps, "MultiHeadAttention", heads, R"({"use_causal_mask":true})")},
      {"multi_head_one_axis", self_attention({2, 3, 2}, "MultiHeadAttention", heads + R"(,"attention_axes":[2])")},
      {"multi_head_two_axes", self_attention({2, 3, 2}, "MultiHeadAttention", heads)},
      {"group_query",
       self_attention(steps, "GroupQueryAttention", R"("num_query_heads":4,"num_key_value_heads":2,"head_dim":2)", "{}",
                      "Dense", R"("units":3)", SemanticsProfile::kKeras3)},
  };
}

INSTANTIATE_TEST_SUITE_P(Layers, AttentionGradientTest, ::testing::ValuesIn(gradient_cases()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace modelhop::engine
