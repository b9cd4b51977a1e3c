// SPDX-License-Identifier: Apache-2.0
// Embedding, recurrent layers, their wrappers and attention: shapes, weights, defaults by generation, errors.
#include <algorithm>

#include "samples.hpp"
#include "spec/keras_json.hpp"

namespace modelhop {
namespace {

/// `layers`: class names and configs without braces, of a model whose input has this shape.
ModelSpec parsed(const Shape& input, const std::vector<std::pair<std::string, std::string>>& layers,
                 SemanticsProfile profile = SemanticsProfile::kTf2Legacy) {
  std::string text = R"({"class_name":"Sequential","keras_version":"2.10.0","config":{"name":"m","layers":[)";
  for (std::size_t index = 0; index < layers.size(); ++index) {
    const auto& [class_name, config] = layers[index];
    text += (index > 0 ? "," : "") + std::string(R"({"class_name":")") + class_name + R"(","config":{"name":"layer_)" +
            std::to_string(index) + "\"," + config + "}}";
  }
  return parse_keras_json(text + "]}}", {input}, profile);
}

const LayerSpec& last_layer(const ModelSpec& model) {
  return model.layers.back();
}

std::vector<std::string> weight_names(const LayerSpec& layer) {
  std::vector<std::string> names;
  for (const WeightSpec& weight : layer.weights) names.push_back(weight.name);
  return names;
}

std::vector<Shape> weight_shapes(const LayerSpec& layer) {
  std::vector<Shape> shapes;
  for (const WeightSpec& weight : layer.weights) shapes.push_back(weight.shape);
  return shapes;
}

using Names = std::vector<std::string>;
using Shapes = std::vector<Shape>;

std::string cell(const std::string& class_name, int units) {
  return R"({"class_name":")" + class_name + R"(","config":{"name":"c","units":)" + std::to_string(units) + "}}";
}

TEST(EmbeddingSpecTest, AddsAnAxis) {
  const ModelSpec model = parsed({7}, {{"Embedding", R"("input_dim":5,"output_dim":3)"}});
  EXPECT_EQ(model.output_shape(0), Shape({7, 3}));
  EXPECT_EQ(weight_shapes(last_layer(model)), Shapes({{5, 3}}));
  EXPECT_EQ(last_layer(model).weights.front().initializer.class_name, "RandomUniform");
}

TEST(EmbeddingSpecTest, RefusesAnotherLength) {
  expect_error(ErrorCode::kInvalidArgument, "\"input_length\" (6)", [] {
    parsed({7}, {{"Embedding", R"("input_dim":5,"output_dim":3,"input_length":6)"}});
  });
  EXPECT_NO_THROW(parsed({7}, {{"Embedding", R"("input_dim":5,"output_dim":3,"input_length":7)"}}));
}

TEST(RecurrentSpecTest, WeightsAreKernelRecurrentKernelBias) {
  const ModelSpec lstm = parsed({4, 3}, {{"LSTM", R"("units":2)"}});
  EXPECT_EQ(weight_names(last_layer(lstm)), Names({"kernel", "recurrent_kernel", "bias"}));
  EXPECT_EQ(weight_shapes(last_layer(lstm)), Shapes({{3, 8}, {2, 8}, {8}}));
  EXPECT_EQ(last_layer(lstm).weights[1].initializer.class_name, "Orthogonal");
  EXPECT_EQ(last_layer(lstm).weights[2].initializer.unit_forget_parts, 4);
  EXPECT_EQ(lstm.output_shape(0), Shape({2}));
  EXPECT_EQ(weight_shapes(last_layer(parsed({4, 3}, {{"SimpleRNN", R"("units":2,"use_bias":false)"}}))),
            Shapes({{3, 2}, {2, 2}}));
}

TEST(RecurrentSpecTest, DefaultsFollowTheGeneration) {
  const auto gates = [](SemanticsProfile profile) {
    return string_attribute(last_layer(parsed({4, 3}, {{"LSTM", R"("units":2)"}}, profile)), "recurrent_activation");
  };
  EXPECT_EQ(gates(SemanticsProfile::kKeras22), "hard_sigmoid");
  EXPECT_EQ(gates(SemanticsProfile::kTf1), "hard_sigmoid");
  EXPECT_EQ(gates(SemanticsProfile::kTf2), "sigmoid");
  EXPECT_EQ(gates(SemanticsProfile::kKeras3), "sigmoid");
  const auto bias = [](SemanticsProfile profile) {
    return last_layer(parsed({4, 3}, {{"GRU", R"("units":2)"}}, profile)).weights[2].shape;
  };
  EXPECT_EQ(bias(SemanticsProfile::kKeras22), Shape({6}));
  EXPECT_EQ(bias(SemanticsProfile::kTf2Legacy), Shape({2, 6}));
}

TEST(RecurrentSpecTest, ANullActivationIsLinear) {
  const ModelSpec model = parsed({4, 3}, {{"SimpleRNN", R"("units":2,"activation":null)"}});
  EXPECT_EQ(string_attribute(last_layer(model), "activation"), "linear");
}

TEST(RecurrentSpecTest, CuDnnHasTwoBiases) {
  EXPECT_EQ(last_layer(parsed({4, 3}, {{"CuDNNLSTM", R"("units":2)"}})).weights[2].shape, Shape({16}));
  EXPECT_EQ(last_layer(parsed({4, 3}, {{"CuDNNGRU", R"("units":2)"}})).weights[2].shape, Shape({12}));
}

TEST(RecurrentSpecTest, SequencesAndStatesAreOutputs) {
  const ModelSpec model = parsed({4, 3}, {{"LSTM", R"("units":2,"return_sequences":true,"return_state":true)"}});
  EXPECT_EQ(model.nodes.back().output_shapes, Shapes({{4, 2}, {2}, {2}}));
}

TEST(RecurrentSpecTest, RefusesWhatItCannotCarry) {
  expect_error(ErrorCode::kNotSupported, "\"stateful\"", [] {
    parsed({4, 3}, {{"GRU", R"("units":2,"stateful":true)"}});
  });
  expect_error(ErrorCode::kNotSupported, "\"time_major\"", [] {
    parsed({4, 3}, {{"GRU", R"("units":2,"time_major":true)"}});
  });
  expect_error(ErrorCode::kInvalidArgument, "layer \"layer_0\"", [] { parsed({4}, {{"LSTM", R"("units":2)"}}); });
  expect_error(ErrorCode::kInvalidArgument, "\"dropout\"", [] {
    parsed({4, 3}, {{"LSTM", R"("units":2,"dropout":1.0)"}});
  });
  expect_error(ErrorCode::kInvalidArgument, "\"units\"", [] { parsed({4, 3}, {{"LSTM", R"("dropout":0.5)"}}); });
}

TEST(RecurrentSpecTest, CellsGiveTheirWeightsToTheLayer) {
  const ModelSpec one = parsed({4, 3}, {{"RNN", R"("cell":)" + cell("GRUCell", 2)}});
  EXPECT_EQ(weight_names(last_layer(one)), Names({"cell/kernel", "cell/recurrent_kernel", "cell/bias"}));
  const std::string two = "[" + cell("LSTMCell", 5) + "," + cell("SimpleRNNCell", 2) + "]";
  const ModelSpec stacked = parsed({4, 3}, {{"RNN", R"("return_state":true,"cell":)" + two}});
  EXPECT_EQ(weight_shapes(last_layer(stacked)), Shapes({{3, 20}, {5, 20}, {20}, {5, 2}, {2, 2}, {2}}));
  EXPECT_EQ(stacked.nodes.back().output_shapes, Shapes({{2}, {5}, {5}, {2}}));
  expect_error(ErrorCode::kNotSupported, "as a cell", [] {
    parsed({4, 3}, {{"RNN", R"("cell":)" + cell("Dense", 2)}});
  });
}

TEST(RecurrentSpecTest, ConvolutionalCellsKeepSpace) {
  const ModelSpec model = parsed({6, 5, 4, 3}, {{"ConvLSTM2D", R"("filters":2,"kernel_size":[2,3],"strides":[2,1])"}});
  EXPECT_EQ(model.output_shape(0), Shape({2, 2, 2}));
  EXPECT_EQ(weight_shapes(last_layer(model)), Shapes({{2, 3, 3, 8}, {2, 3, 2, 8}, {8}}));
  const ModelSpec first = parsed({6, 3, 5, 4}, {{"ConvLSTM2D", R"("filters":2,"kernel_size":2,"return_sequences":true,
                                                                   "data_format":"channels_first")"}});
  EXPECT_EQ(first.output_shape(0), Shape({6, 2, 4, 3}));
  EXPECT_EQ(parsed({6, 5, 3}, {{"ConvLSTM1D", R"("filters":2,"kernel_size":2,"padding":"same")"}}).output_shape(0),
            Shape({5, 2}));
  expect_error(ErrorCode::kInvalidArgument, "does not fit", [] {
    parsed({6, 1, 1, 3}, {{"ConvLSTM2D", R"("filters":2,"kernel_size":2)"}});
  });
}

std::string bidirectional(const std::string& inner, const std::string& more = "") {
  return R"("layer":{"class_name":"LSTM","config":{"name":"l","units":2)" + inner + "}}" + more;
}

TEST(WrapperSpecTest, BidirectionalTurnsItsLayerAround) {
  const ModelSpec model = parsed({4, 3}, {{"Bidirectional", bidirectional(R"(,"return_sequences":true)")}});
  EXPECT_EQ(model.output_shape(0), Shape({4, 4}));
  const LayerSpec& layer = last_layer(model);
  ASSERT_EQ(layer.children.size(), 2U);
  EXPECT_FALSE(boolean_attribute(layer.children[0], "go_backwards"));
  EXPECT_TRUE(boolean_attribute(layer.children[1], "go_backwards"));
  EXPECT_EQ(weight_names(layer), Names({"forward/kernel", "forward/recurrent_kernel", "forward/bias", "backward/kernel",
                                        "backward/recurrent_kernel", "backward/bias"}));
}

TEST(WrapperSpecTest, BidirectionalMergesByItsMode) {
  const auto outputs = [](const std::string& mode, const std::string& inner = "") {
    return parsed({4, 3}, {{"Bidirectional", bidirectional(inner, R"(,"merge_mode":)" + mode)}})
        .nodes.back()
        .output_shapes;
  };
  EXPECT_EQ(outputs(R"("sum")"), Shapes({{2}}));
  EXPECT_EQ(outputs("null"), Shapes({{2}, {2}}));
  EXPECT_EQ(outputs(R"("concat")", R"(,"return_state":true)"), Shapes({{4}, {2}, {2}, {2}, {2}}));
  expect_error(ErrorCode::kInvalidArgument, "\"merge_mode\"", [&] { outputs(R"("max")"); });
}

TEST(WrapperSpecTest, BidirectionalRefusesWhatDoesNotFit) {
  expect_error(ErrorCode::kInvalidArgument, "same direction", [] {
    parsed({4, 3}, {{"Bidirectional", bidirectional("", R"(,"backward_layer":)" + cell("GRU", 2))}});
  });
  expect_error(ErrorCode::kNotSupported, "Bidirectional around \"Dense\"", [] {
    parsed({4, 3}, {{"Bidirectional", R"("layer":)" + cell("Dense", 2)}});
  });
}

TEST(WrapperSpecTest, NestedWrappersAreRefusedBeforeTheyAreRead) {
  std::string inner = cell("LSTM", 2);
  for (int depth = 0; depth < 20; ++depth) {
    inner = R"({"class_name":"Bidirectional","config":{"name":"b","layer":)" + inner + "}}";
  }
  expect_error(ErrorCode::kNotSupported, "Bidirectional around", [&] {
    parsed({4, 3}, {{"Bidirectional", R"("layer":)" + inner}});
  });
}

TEST(WrapperSpecTest, TimeDistributedKeepsTheSteps) {
  const ModelSpec model = parsed({4, 3}, {{"TimeDistributed", R"("layer":)" + cell("Dense", 2)}});
  EXPECT_EQ(model.output_shape(0), Shape({4, 2}));
  EXPECT_EQ(weight_names(last_layer(model)), Names({"layer/kernel", "layer/bias"}));
  EXPECT_EQ(model.nodes.back().forward_flops, 4 * 2 * (2 * 3 + 1));
}

TEST(WrapperSpecTest, TimeDistributedTakesModels) {
  const std::string model = R"({"class_name":"Sequential","config":{"name":"s","layers":[)" + cell("Dense", 5) + "," +
                            R"({"class_name":"Dense","config":{"name":"d","units":2}})" + "]}}";
  const ModelSpec spec = parsed({4, 3}, {{"TimeDistributed", R"("layer":)" + model}});
  EXPECT_EQ(spec.output_shape(0), Shape({4, 2}));
  EXPECT_EQ(weight_names(last_layer(spec)),
            Names({"layer/c/kernel", "layer/c/bias", "layer/d/kernel", "layer/d/bias"}));
}

/// A functional model of one attention layer on two inputs.
ModelSpec attention(const std::string& class_name, const std::string& config, const Shape& query, const Shape& value) {
  const auto input = [](const std::string& name, const Shape& shape) {
    std::string extents;
    for (const std::int64_t extent : shape) extents += "," + std::to_string(extent);
    return R"({"class_name":"InputLayer","name":")" + name + R"(","config":{"name":")" + name +
           R"(","batch_input_shape":[null)" + extents + R"(]},"inbound_nodes":[]},)";
  };
  return parse_keras_json(R"({"class_name":"Functional","keras_version":"2.10.0","config":{"name":"m","layers":[)" +
                          input("q", query) + input("v", value) + R"({"class_name":")" + class_name +
                          R"(","name":"a","config":{"name":"a")" + config +
                          R"(},"inbound_nodes":[[["q",0,0,{}],["v",0,0,{}]]]}],
                          "input_layers":[["q",0,0],["v",0,0]],"output_layers":[["a",0,0]]}})");
}

TEST(AttentionSpecTest, ScalesAreWeights) {
  EXPECT_EQ(attention("Attention", "", {3, 4}, {5, 4}).output_shape(0), Shape({3, 4}));
  EXPECT_EQ(
      weight_shapes(last_layer(attention("Attention", R"(,"use_scale":true,"score_mode":"concat")", {3, 4}, {5, 4}))),
      Shapes({{}, {}}));
  EXPECT_EQ(weight_shapes(last_layer(attention("AdditiveAttention", "", {3, 4}, {5, 4}))), Shapes({{4}}));
  expect_error(ErrorCode::kInvalidArgument, "do not fit together", [] { attention("Attention", "", {3, 4}, {5, 2}); });
}

TEST(AttentionSpecTest, HeadsHaveKernelsOfThreeAxes) {
  const ModelSpec model =
      attention("MultiHeadAttention", R"(,"num_heads":2,"key_dim":3,"value_dim":5)", {3, 4}, {6, 7});
  EXPECT_EQ(model.output_shape(0), Shape({3, 4}));
  EXPECT_EQ(weight_shapes(last_layer(model)),
            Shapes({{4, 2, 3}, {2, 3}, {7, 2, 3}, {2, 3}, {7, 2, 5}, {2, 5}, {2, 5, 4}, {4}}));
  EXPECT_EQ(
      attention("MultiHeadAttention", R"(,"num_heads":2,"key_dim":3,"output_shape":9)", {3, 4}, {6, 7}).output_shape(0),
      Shape({3, 9}));
  expect_error(ErrorCode::kInvalidArgument, "\"attention_axes\"", [] {
    attention("MultiHeadAttention", R"(,"num_heads":2,"key_dim":3,"attention_axes":[2])", {3, 4}, {6, 7});
  });
  expect_error(ErrorCode::kInvalidArgument, "does not divide", [] {
    attention("GroupQueryAttention", R"(,"num_query_heads":3,"num_key_value_heads":2,"head_dim":4)", {3, 4}, {6, 7});
  });
}

}  // namespace
}  // namespace modelhop
