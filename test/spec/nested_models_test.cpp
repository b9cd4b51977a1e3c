// SPDX-License-Identifier: Apache-2.0
// Models inside a model: names, shared layers, freezing, order of weights, arguments of their calls.
#include "samples.hpp"
#include "spec/keras_json.hpp"

namespace modelhop {
namespace {

std::string layer(const std::string& class_name, const std::string& name, const std::string& config,
                  const std::string& inbound) {
  return R"({"class_name":")" + class_name + R"(","name":")" + name + R"(","config":{"name":")" + name + "\"" +
         (config.empty() ? "" : "," + config) + R"(},"inbound_nodes":)" + inbound + "}";
}

std::string input(const std::string& name, int size = 4) {
  return layer("InputLayer", name, R"("batch_input_shape":[null,)" + std::to_string(size) + "]", "[]");
}

std::string config(const std::string& layers, const std::string& inputs, const std::string& outputs,
                   const std::string& more = "") {
  return R"({"name":"m",)" + more + R"("layers":[)" + layers + R"(],"input_layers":)" + inputs +
         R"(,"output_layers":)" + outputs + "}";
}

std::string nested(const std::string& class_name, const std::string& name, const std::string& its_config,
                   const std::string& inbound) {
  return R"({"class_name":")" + class_name + R"(","name":")" + name + R"(","config":)" + its_config +
         R"(,"inbound_nodes":)" + inbound + "}";
}

ModelSpec read(const std::string& version, const std::string& its_config) {
  return parse_keras_json(R"({"class_name":"Model","keras_version":")" + version + R"(","config":)" + its_config + "}");
}

/// Dense (perhaps frozen), BatchNormalization, Dense.
std::string normalized(const std::string& first = "", const std::string& more = "") {
  return config(input("i") + "," + layer("Dense", "d1", R"("units":3)" + first, R"([[["i",0,0,{}]]])") + "," +
                    layer("BatchNormalization", "bn", "", R"([[["d1",0,0,{}]]])") + "," +
                    layer("Dense", "d2", R"("units":4)", R"([[["bn",0,0,{}]]])"),
                R"([["i",0,0]])", R"([["d2",0,0]])", more);
}

std::string around(const std::string& inner, const std::string& calls = R"([[["x",0,0,{}]]])", int last = 1) {
  return config(input("x") + "," + nested("Model", "in", inner, calls) + "," +
                    layer("Dense", "y", R"("units":2)", R"([[["in",)" + std::to_string(last) + ",0,{}]]]"),
                R"([["x",0,0]])", R"([["y",0,0]])");
}

std::vector<std::string> weight_names(const ModelSpec& model) {
  std::vector<std::string> names;
  for (const WeightRef& ref : model.weight_order) {
    names.push_back(model.layers[ref.layer].name + ":" + model.layers[ref.layer].weights[ref.weight].name);
  }
  return names;
}

using Names = std::vector<std::string>;

TEST(NestedModels, are_replaced_by_their_layers) {
  const ModelSpec model = read("2.10.0", around(normalized()));
  Names names;
  for (const LayerSpec& layer : model.layers) names.push_back(layer.name);
  EXPECT_EQ(names, (Names{"x", "in/d1", "in/bn", "in/d2", "y"}));
  EXPECT_EQ(model.output_names, Names{"y"});
  EXPECT_EQ(model.nodes.size(), 5U);
}

TEST(NestedModels, give_weights_in_the_order_of_their_profile) {
  EXPECT_EQ(weight_names(read("2.10.0", around(normalized()))),
            (Names{"in/d1:kernel", "in/d1:bias", "in/bn:gamma", "in/bn:beta", "in/bn:moving_mean",
                   "in/bn:moving_variance", "in/d2:kernel", "in/d2:bias", "y:kernel", "y:bias"}));
  EXPECT_EQ(weight_names(read("2.2.4", around(normalized()))),
            (Names{"in/d1:kernel", "in/d1:bias", "in/bn:gamma", "in/bn:beta", "in/d2:kernel", "in/d2:bias",
                   "in/bn:moving_mean", "in/bn:moving_variance", "y:kernel", "y:bias"}));
  EXPECT_EQ(weight_names(read("2.2.4", around(normalized(R"(,"trainable":false)")))),
            (Names{"in/bn:gamma", "in/bn:beta", "in/d2:kernel", "in/d2:bias", "in/d1:kernel", "in/d1:bias",
                   "in/bn:moving_mean", "in/bn:moving_variance", "y:kernel", "y:bias"}));
}

TEST(NestedModels, freeze_what_is_inside) {
  const ModelSpec model = read("2.10.0", around(normalized("", R"("trainable":false,)")));
  EXPECT_EQ(trainable_parameter_count(model), 4 * 2 + 2);
  EXPECT_FALSE(model.layers[2].is_trainable);
  EXPECT_TRUE(model.layers[4].is_trainable);
}

TEST(NestedModels, called_twice_share_their_layers) {
  for (const int first : {1, 0}) {  // Keras 2 counts the calls of a model from 1; some writers do not
    const std::string again = R"([[["x",0,0,{}]],[["in",)" + std::to_string(first) + ",0,{}]]]";
    const ModelSpec model = read("2.10.0", around(normalized(), again, first + 1));
    EXPECT_EQ(model.layers.size(), 5U);
    EXPECT_EQ(model.nodes.size(), 1U + 2 * 3 + 1);
    // The second call begins where the first one ends.
    const NodeSpec& second = model.nodes[4];
    EXPECT_EQ(model.layers[second.layer].name, "in/d1");
    EXPECT_EQ(model.layers[model.nodes[second.inputs[0].node].layer].name, "in/d2");
  }
}

TEST(NestedModels, of_keras_3_count_ends_from_1_and_calls_from_0) {
  const auto tensor = [](const std::string& name, int call) {
    return R"({"class_name":"__keras_tensor__","config":{"keras_history":[")" + name + "\"," + std::to_string(call) +
           ",0]}}";
  };
  const std::string inner =
      config(layer("InputLayer", "i", R"("batch_shape":[null,4])", "[]") + "," +
                 layer("Dense", "d", R"("units":4)", R"([{"args":[)" + tensor("i", 0) + R"(],"kwargs":{}}])"),
             R"(["i",0,0])", R"(["d",0,0])");
  const std::string outer =
      config(layer("InputLayer", "x", R"("batch_shape":[null,4])", "[]") + "," +
                 nested("Functional", "in", inner,
                        R"([{"args":[)" + tensor("x", 0) + R"(],"kwargs":{"mask":null,"training":false}},{"args":[)" +
                            tensor("in", 0) + R"(],"kwargs":{"mask":null}}])") +
                 "," + layer("Dense", "y", R"("units":2)", R"([{"args":[)" + tensor("in", 1) + R"(],"kwargs":{}}])"),
             R"(["x",0,0])", R"([["in",1,0],["y",0,0]])");
  const ModelSpec model = parse_keras_json(
      R"({"module":"keras.src.models.functional","class_name":"Functional","registered_name":"Functional","config":)" +
      outer + "}");
  ASSERT_EQ(model.nodes.size(), 4U);
  EXPECT_EQ(model.outputs[0], (TensorRef{1, 0}));
  EXPECT_EQ(model.nodes[3].inputs[0], (TensorRef{2, 0}));
  EXPECT_EQ(model.output_names, (Names{"in", "y"}));
  EXPECT_EQ(model.nodes[1].arguments.count("training"), 0U);
}

TEST(NestedModels, give_their_layers_the_mode_of_their_call) {
  const ModelSpec model = read("2.15.0", around(normalized(), R"([[["x",0,0,{"training":false}]]])"));
  EXPECT_EQ(std::get<bool>(model.nodes[2].arguments.at("training")), false);
  EXPECT_EQ(model.nodes.back().arguments.count("training"), 0U);
}

TEST(NestedModels, with_several_inputs_and_outputs_take_lists_and_dicts) {
  const std::string inner =
      config(input("a") + "," + input("b", 3) + "," + layer("Dense", "da", R"("units":2)", R"([[["a",0,0,{}]]])") +
                 "," + layer("Dense", "db", R"("units":5)", R"([[["b",0,0,{}]]])"),
             R"({"p":["a",0,0],"q":["b",0,0]})", R"([["da",0,0],["db",0,0],["a",0,0]])");
  for (const std::string call : {R"([[["x",0,0,{}],["z",0,0,{}]]])", R"([{"p":["x",0,0,{}],"q":["z",0,0,{}]}])",
                                 R"([{"a":["x",0,0,{}],"b":["z",0,0,{}]}])"}) {
    const ModelSpec model =
        read("2.15.0", config(input("x") + "," + input("z", 3) + "," + nested("Functional", "in", inner, call),
                              R"([["x",0,0],["z",0,0]])", R"([["in",1,1],["in",1,0],["in",1,2]])"));
    EXPECT_EQ(model.output_shape(0), (Shape{5}));
    EXPECT_EQ(model.output_shape(1), (Shape{2}));
    EXPECT_EQ(model.outputs[2], (TensorRef{model.inputs[0], 0}));
    EXPECT_EQ(model.output_names, (Names{"in", "in_1", "in_2"}));
  }
}

TEST(NestedModels, in_sequential_models) {
  const std::string inner = R"({"class_name":"Sequential","config":{"name":"s","layers":[
      {"class_name":"Dense","config":{"name":"d","units":3,"batch_input_shape":[null,4]}},
      {"class_name":"Dense","config":{"name":"e","units":5}}]}})";
  const ModelSpec model =
      parse_keras_json(R"({"class_name":"Sequential","keras_version":"2.2.4","config":{"name":"m","layers":[)" + inner +
                       R"(,{"class_name":"Dense","config":{"name":"d","units":2}}]}})");
  Names names;
  for (const LayerSpec& layer : model.layers) names.push_back(layer.name);
  EXPECT_EQ(names, (Names{"s_input", "s/d", "s/e", "d"}));
  EXPECT_EQ(model.input_shape(0), (Shape{4}));
  const ModelSpec old = parse_keras_json(R"({"class_name":"Sequential","keras_version":"2.1.6","config":[
      {"class_name":"Sequential","config":[{"class_name":"Dense","config":{"name":"d","units":3,"batch_input_shape":[null,4]}}]},
      {"class_name":"Dense","config":{"name":"e","units":2}}]})");
  EXPECT_EQ(parameter_count(old), 4 * 3 + 3 + 3 * 2 + 2);
}

TEST(NestedModels, names_must_stay_apart) {
  expect_error(ErrorCode::kNotSupported, "shared between models", [] {
    parse_keras_json(R"({"class_name":"Sequential","keras_version":"2.10.0","config":{"name":"m","layers":[
      {"class_name":"Dense","shared_object_id":3,"config":{"name":"d","units":4,"batch_input_shape":[null,4]}},
      {"class_name":"Sequential","config":{"name":"s","layers":[
        {"class_name":"Dense","shared_object_id":3,"config":{"name":"d","units":4}}]}}]}})");
  });
}

}  // namespace
}  // namespace modelhop
