// SPDX-License-Identifier: Apache-2.0
// Architectures of every Keras generation: structure, shapes, parameter counts, attributes.
#include "spec/keras_json.hpp"

#include <algorithm>
#include <cmath>

#include "samples.hpp"

namespace modelhop {
namespace {

const LayerSpec& layer_named(const ModelSpec& model, const std::string& name) {
  for (const LayerSpec& layer : model.layers) {
    if (layer.name == name) return layer;
  }
  ADD_FAILURE() << "no layer " << name;
  return model.layers.front();
}

const Shape& output_of(const ModelSpec& model, const std::string& name) {
  for (const NodeSpec& node : model.nodes) {
    if (model.layers[node.layer].name == name) return node.output_shapes.front();
  }
  ADD_FAILURE() << "no node " << name;
  return model.nodes.front().output_shapes.front();
}

/// A Sequential model of one layer on an input of the given shape.
ModelSpec one_layer(const std::string& class_name, const std::string& config, const std::string& input) {
  return parse_keras_json(R"({"class_name":"Sequential","keras_version":"2.2.4","config":{"name":"m","layers":[
    {"class_name":")" + class_name +
                          R"(","config":{"name":"a","batch_input_shape":[null,)" + input + "]" +
                          (config.empty() ? "" : ",") + config + "}}]}}");
}

Shape shape_after(const std::string& class_name, const std::string& config, const std::string& input) {
  const ModelSpec model = one_layer(class_name, config, input);
  return model.shape_of(model.outputs.front());
}

TEST(KerasJson, reads_every_sample) {
  for (const std::string& name : sample_names()) {
    const ModelSpec model = parse_keras_json(sample(name));
    EXPECT_EQ(model.inputs.size(), 1U) << name;
    EXPECT_EQ(model.outputs.size(), 1U) << name;
    const SemanticsProfile expected = name.starts_with("keras3")       ? SemanticsProfile::kKeras3
                                      : name.starts_with("tfkeras215") ? SemanticsProfile::kTf2
                                      : name == "keras2_shared"        ? SemanticsProfile::kTf1
                                                                       : SemanticsProfile::kKeras22;
    EXPECT_EQ(model.profile, expected) << name;
    for (std::size_t i = 0; i < model.nodes.size(); ++i) {
      for (const TensorRef& input : model.nodes[i].inputs) EXPECT_LT(input.node, static_cast<int>(i)) << name;
    }
  }
}

TEST(KerasJson, counts_parameters_as_keras_does) {
  for (const std::string family : {"tfkeras215", "keras3"}) {
    EXPECT_EQ(parameter_count(parse_keras_json(sample(family + "_cifar10_cnn"))), 1'250'858);
    EXPECT_EQ(parameter_count(parse_keras_json(sample(family + "_vgg3"))), 550'570);
    const ModelSpec normalized = parse_keras_json(sample(family + "_vgg3_bn"));
    EXPECT_EQ(parameter_count(normalized), 552'874);
    EXPECT_EQ(trainable_parameter_count(normalized), 552'874 - 2 * (2 * 32 + 2 * 64 + 2 * 128 + 128));
    EXPECT_EQ(parameter_count(parse_keras_json(sample(family + "_residual"))), 193);
  }
}

TEST(KerasJson, both_generations_give_one_model) {
  for (const std::string name : {"cifar10_cnn", "vgg3_bn", "residual"}) {
    const ModelSpec old = parse_keras_json(sample("tfkeras215_" + name));
    const ModelSpec now = parse_keras_json(sample("keras3_" + name));
    EXPECT_EQ(forward_flops(old), forward_flops(now));
    std::vector<std::string> old_classes;
    std::vector<std::string> new_classes;
    for (const LayerSpec& layer : old.layers) old_classes.push_back(layer.class_name);
    for (const LayerSpec& layer : now.layers) new_classes.push_back(layer.class_name);
    std::sort(old_classes.begin(), old_classes.end());
    std::sort(new_classes.begin(), new_classes.end());
    EXPECT_EQ(old_classes, new_classes);
    EXPECT_EQ(old.shape_of(old.outputs[0]), now.shape_of(now.outputs[0]));
  }
}

TEST(KerasJson, list_form_of_keras_2_1) {
  const ModelSpec model = parse_keras_json(sample("keras21_mlp"));
  ASSERT_EQ(model.layers.size(), 3U);
  EXPECT_EQ(model.layers[0].class_name, "InputLayer");
  EXPECT_EQ(model.layers[0].name, "dense_1_input");
  const LayerSpec& first = model.layers[1];
  EXPECT_EQ(first.weights[0].shape, (Shape{4, 10}));
  EXPECT_EQ(first.weights[0].name, "kernel");
  EXPECT_EQ(first.weights[1].name, "bias");
  EXPECT_NEAR(first.weights[0].regularizer.l2, 0.01, 1e-8);
  EXPECT_EQ(string_attribute(first, "activation"), "relu");
  const LayerSpec& frozen = model.layers[2];
  EXPECT_FALSE(frozen.is_trainable);
  EXPECT_FALSE(frozen.weights[0].is_trainable);
  EXPECT_EQ(frozen.weights[0].initializer.distribution, "truncated_normal");
  EXPECT_EQ(frozen.weights[0].initializer.scale, 2.0);
  EXPECT_EQ(frozen.weights[0].initializer.seed, 7);
  EXPECT_EQ(trainable_parameter_count(model), 50);
  EXPECT_EQ(parameter_count(model), 83);
}

TEST(KerasJson, object_form_of_keras_2_2) {
  const ModelSpec model = parse_keras_json(sample("keras22_cnn"));
  EXPECT_EQ(model.name, "sequential_1");
  const LayerSpec& normalization = layer_named(model, "batch_normalization_1");
  EXPECT_EQ(integer_attribute(normalization, "axis"), 2);
  ASSERT_EQ(normalization.weights.size(), 4U);
  EXPECT_EQ(normalization.weights[0].name, "gamma");
  EXPECT_EQ(normalization.weights[0].initializer.class_name, "Ones");
  EXPECT_EQ(normalization.weights[3].name, "moving_variance");
  EXPECT_FALSE(normalization.weights[3].is_trainable);
  EXPECT_EQ(output_of(model, "flatten_1"), (Shape{16 * 16 * 32}));
  // An unnamed initializer is Keras's default.
  const WeightSpec& kernel = layer_named(model, "dense_1").weights[0];
  EXPECT_EQ(kernel.initializer.class_name, "VarianceScaling");
  EXPECT_EQ(kernel.initializer.mode, "fan_avg");
  EXPECT_EQ(kernel.initializer.distribution, "uniform");
}

TEST(KerasJson, a_shared_layer_has_one_set_of_weights_and_two_nodes) {
  const ModelSpec model = parse_keras_json(sample("keras2_shared"));
  EXPECT_EQ(model.layers.size(), 5U);
  EXPECT_EQ(model.nodes.size(), 6U);
  EXPECT_EQ(parameter_count(model), 6 * 2 + 2);
  EXPECT_EQ(model.shape_of(model.outputs[0]), (Shape{4}));
  EXPECT_EQ(string_attribute(layer_named(model, "right"), "activation"), "hard_sigmoid");
}

TEST(KerasJson, functional_with_branches) {
  for (const std::string family : {"tfkeras215", "keras3"}) {
    const ModelSpec model = parse_keras_json(sample(family + "_residual"));
    EXPECT_EQ(output_of(model, "pad"), (Shape{9, 11, 4}));
    EXPECT_EQ(output_of(model, "pool"), (Shape{5, 6, 4}));
    EXPECT_EQ(output_of(model, "cat"), (Shape{5, 6, 8}));
    EXPECT_EQ(output_of(model, "gap"), (Shape{8}));
    EXPECT_EQ(list_attribute(layer_named(model, "pad"), "padding"), (std::vector<std::int64_t>{1, 0, 2, 1}));
    EXPECT_EQ(integer_attribute(layer_named(model, "cat"), "axis"), 2);
    EXPECT_EQ(integer_attribute(layer_named(model, "bn"), "axis"), 2);
    EXPECT_EQ(list_attribute(layer_named(model, "probabilities"), "axis"), (std::vector<std::int64_t>{0}));
    EXPECT_TRUE(std::isinf(number_attribute(layer_named(model, "relu"), "max_value")));
    EXPECT_NEAR(number_attribute(layer_named(model, "leaky"), "alpha"), 0.3, 1e-7);
    const WeightSpec& kernel = layer_named(model, "conv").weights[0];
    EXPECT_EQ(kernel.shape, (Shape{3, 3, 3, 4}));
    EXPECT_EQ(kernel.initializer.scale, 2.0);
    EXPECT_EQ(kernel.initializer.seed, 7);
    EXPECT_NEAR(kernel.regularizer.l2, 1e-3, 1e-9);
  }
}

TEST(KerasJson, infers_shapes) {
  EXPECT_EQ(shape_after("Conv2D", R"("filters":8,"kernel_size":[3,2],"strides":2)", "9,8,3"), (Shape{4, 4, 8}));
  EXPECT_EQ(shape_after("Conv2D", R"("filters":8,"kernel_size":7,"strides":[2,2],"padding":"same")", "224,224,3"),
            (Shape{112, 112, 8}));
  EXPECT_EQ(shape_after("Conv2D", R"("filters":4,"kernel_size":3,"dilation_rate":2)", "10,10,1"), (Shape{6, 6, 4}));
  EXPECT_EQ(shape_after("MaxPooling2D", "", "7,6,2"), (Shape{3, 3, 2}));
  EXPECT_EQ(shape_after("MaxPool2D", R"("pool_size":3,"strides":null,"padding":"same")", "7,6,2"), (Shape{3, 2, 2}));
  EXPECT_EQ(shape_after("AveragePooling2D", R"("pool_size":[2,2],"strides":[1,1])", "7,6,2"), (Shape{6, 5, 2}));
  EXPECT_EQ(shape_after("GlobalMaxPooling2D", R"("keepdims":true)", "7,6,2"), (Shape{1, 1, 2}));
  EXPECT_EQ(shape_after("ZeroPadding2D", R"("padding":[1,2])", "7,6,2"), (Shape{9, 10, 2}));
  EXPECT_EQ(shape_after("ZeroPadding2D", "", "7,6,2"), (Shape{9, 8, 2}));
  EXPECT_EQ(shape_after("Reshape", R"("target_shape":[4,-1,3])", "8,6"), (Shape{4, 4, 3}));
  EXPECT_EQ(shape_after("Dense", R"("units":5)", "8,6"), (Shape{8, 5}));
  EXPECT_EQ(shape_after("Dense", R"("units":6,"activation":"glu")", "8"), (Shape{3}));
  EXPECT_EQ(shape_after("Flatten", "", "2,3,4"), (Shape{24}));
}

TEST(KerasJson, counts_operations) {
  EXPECT_EQ(forward_flops(one_layer("Dense", R"("units":5)", "6")), 5 * (2 * 6 + 1));
  EXPECT_EQ(forward_flops(one_layer("Conv2D", R"("filters":8,"kernel_size":3,"use_bias":false)", "5,5,4")),
            3 * 3 * 8 * 2 * 3 * 3 * 4);
}

TEST(KerasJson, grouped_convolution) {
  const ModelSpec model = one_layer("Conv2D", R"("filters":8,"kernel_size":3,"groups":2)", "5,5,4");
  EXPECT_EQ(layer_named(model, "a").weights[0].shape, (Shape{3, 3, 2, 8}));
  expect_error(ErrorCode::kInvalidArgument, "\"groups\" 3 does not divide",
               [] { one_layer("Conv2D", R"("filters":8,"kernel_size":3,"groups":3)", "5,5,4"); });
}

TEST(KerasJson, batch_normalization_without_scale_or_center) {
  const ModelSpec model = one_layer("BatchNormalization", R"("axis":[3],"scale":false)", "5,6,4");
  ASSERT_EQ(layer_named(model, "a").weights.size(), 3U);
  EXPECT_EQ(layer_named(model, "a").weights[0].name, "beta");
  const ModelSpec other = one_layer("BatchNormalizationV2", R"("axis":1,"center":false)", "5,6,4");
  EXPECT_EQ(layer_named(other, "a").class_name, "BatchNormalization");
  EXPECT_EQ(layer_named(other, "a").weights[0].shape, (Shape{5}));
  EXPECT_EQ(integer_attribute(layer_named(other, "a"), "axis"), 0);
}

TEST(KerasJson, reads_activations_in_every_form) {
  const auto activation = [](const std::string& written) {
    return string_attribute(layer_named(one_layer("Activation", "\"activation\":" + written, "4"), "a"), "activation");
  };
  for (const char* name :
       {"relu", "tanh",        "sigmoid",     "hard_sigmoid", "softplus",    "softsign",   "exponential", "softmax",
        "elu",  "selu",        "gelu",        "mish",         "relu6",       "leaky_relu", "log_softmax", "hard_tanh",
        "celu", "log_sigmoid", "hard_shrink", "soft_shrink",  "tanh_shrink", "squareplus", "sparsemax",   "linear"}) {
    EXPECT_EQ(activation("\"" + std::string(name) + "\""), name);
  }
  EXPECT_EQ(activation("\"swish\""), "silu");
  EXPECT_EQ(activation("\"hard_swish\""), "hard_silu");
  EXPECT_EQ(activation(R"({"module":"builtins","class_name":"function","config":"relu","registered_name":"function"})"),
            "relu");
  EXPECT_EQ(activation(R"({"class_name":"ReLU","config":{"max_value":null,"negative_slope":0.0,"threshold":0.0}})"),
            "relu");
  expect_error(ErrorCode::kInvalidArgument, "unknown \"activation\" \"rleu\"", [&] { activation("\"rleu\""); });
}

TEST(KerasJson, resolves_initializers) {
  const auto initializer = [](const std::string& written) {
    const ModelSpec model = one_layer("Dense", "\"units\":3,\"kernel_initializer\":" + written, "4");
    return layer_named(model, "a").weights[0].initializer;
  };
  EXPECT_EQ(initializer("\"he_normal\"").scale, 2.0);
  EXPECT_EQ(initializer("\"he_normal\"").distribution, "truncated_normal");
  EXPECT_EQ(initializer("\"lecun_uniform\"").mode, "fan_in");
  EXPECT_EQ(initializer(R"({"class_name":"GlorotNormal","config":{"seed":3}})").seed, 3);
  EXPECT_EQ(initializer(R"({"class_name":"RandomNormal","config":{"mean":0.5,"stddev":0.1,"seed":null}})").mean, 0.5);
  EXPECT_EQ(initializer(R"({"class_name":"RandomUniform","config":{"minval":-1,"maxval":1}})").maxval, 1.0);
  EXPECT_EQ(initializer("\"orthogonal\"").class_name, "Orthogonal");
  EXPECT_EQ(initializer(R"({"class_name":"Constant","config":{"value":0.25}})").value, 0.25);
  expect_error(ErrorCode::kInvalidArgument, "unknown initializer \"magic\" of \"kernel_initializer\"",
               [&] { initializer("\"magic\""); });
  expect_error(ErrorCode::kInvalidArgument, "unknown \"mode\"",
               [&] { initializer(R"({"class_name":"VarianceScaling","config":{"mode":"fan_none"}})"); });
}

TEST(KerasJson, resolves_regularizers) {
  const auto regularizer = [](const std::string& written) {
    const ModelSpec model = one_layer("Dense", "\"units\":3,\"kernel_regularizer\":" + written, "4");
    return layer_named(model, "a").weights[0].regularizer;
  };
  EXPECT_EQ(regularizer("\"l2\"").l2, 0.01);
  EXPECT_EQ(regularizer("\"l1_l2\"").l1, 0.01);
  EXPECT_EQ(regularizer(R"({"class_name":"L1","config":{"l1":0.5}})").l1, 0.5);
  EXPECT_EQ(regularizer(R"({"class_name":"L1L2","config":{"l1":0.5}})").l2, 0.0);
  EXPECT_EQ(regularizer("null").l2, 0.0);
  EXPECT_GT(regularizer(R"({"class_name":"OrthogonalRegularizer","config":{}})").orthogonal, 0.0);
}

TEST(KerasJson, frozen_weights_have_a_penalty_before_keras_3_alone) {
  const auto penalty_of = [](const std::string& head, const std::string& trainable) {
    const ModelSpec model = parse_keras_json("{" + head + R"(,"class_name":"Sequential","config":{"name":"m","layers":[
        {"class_name":"InputLayer","config":{"name":"i","batch_shape":[null,4]}},
        {"class_name":"Dense","config":{"name":"a","units":3,"kernel_regularizer":"l2","trainable":)" +
                                             trainable + "}}]}}");
    return layer_named(model, "a").weights[0].regularizer.l2;
  };
  const std::string keras2 = R"("keras_version":"2.15.0")",
                    keras3 = R"("module":"keras","registered_name":"Sequential")";
  EXPECT_EQ(penalty_of(keras2, "true"), 0.01);
  EXPECT_EQ(penalty_of(keras2, "false"), 0.01);
  EXPECT_EQ(penalty_of(keras3, "true"), 0.01);
  EXPECT_EQ(penalty_of(keras3, "false"), 0.0);
}

TEST(KerasJson, input_shape_from_the_caller) {
  const std::string text = R"({"class_name":"Sequential","keras_version":"2.2.4","config":[
      {"class_name":"Dense","config":{"name":"d","units":2}}]})";
  EXPECT_EQ(parameter_count(parse_keras_json(text, {{3}})), 8);
  expect_error(ErrorCode::kInvalidArgument, "no input shape", [&] { parse_keras_json(text); });
  const std::string open = R"({"class_name":"Sequential","keras_version":"2.2.4","config":[
      {"class_name":"GlobalMaxPooling2D","config":{"name":"g","batch_input_shape":[null,null,null,3]}}]})";
  EXPECT_EQ(parse_keras_json(open, {{4, 5, 3}}).nodes[0].output_shapes[0], (Shape{4, 5, 3}));
  expect_error(ErrorCode::kNotSupported, "leaves extents open", [&] { parse_keras_json(open); });
}

TEST(KerasJson, lists_its_layers) {
  const std::vector<std::string> layers = supported_layers();
  EXPECT_TRUE(std::is_sorted(layers.begin(), layers.end()));
  EXPECT_NE(std::find(layers.begin(), layers.end(), "Conv2D"), layers.end());
  EXPECT_EQ(std::find(layers.begin(), layers.end(), "MaxPool2D"), layers.end());
  EXPECT_EQ(std::find(layers.begin(), layers.end(), "ops.add"), layers.end());
}

}  // namespace
}  // namespace modelhop
