// SPDX-License-Identifier: Apache-2.0
// Core, noise, activation, normalization and merge layers: shapes, parameters, attributes and errors.
#include <cmath>
#include <limits>

#include "samples.hpp"
#include "spec/activation_names.hpp"
#include "spec/keras_json.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop {
namespace {

/// A Sequential model of one layer on an input of the given extents.
ModelSpec one_layer(const std::string& class_name, const std::string& config, const std::string& input,
                    SemanticsProfile profile = SemanticsProfile::kTf2Legacy) {
  return parse_keras_json(R"({"class_name":"Sequential","keras_version":"2.10.0","config":{"name":"m","layers":[
    {"class_name":")" + class_name +
                              R"(","config":{"name":"a","batch_input_shape":[null,)" + input + "]" +
                              (config.empty() ? "" : ",") + config + "}}]}}",
                          {}, profile);
}

const LayerSpec last_layer(const std::string& class_name, const std::string& config, const std::string& input,
                           SemanticsProfile profile = SemanticsProfile::kTf2Legacy) {
  return one_layer(class_name, config, input, profile).layers.back();
}

Shape shape_after(const std::string& class_name, const std::string& config, const std::string& input) {
  return one_layer(class_name, config, input).output_shape(0);
}

using Shapes = std::vector<Shape>;

Shapes weights_of(const std::string& class_name, const std::string& config, const std::string& input) {
  Shapes shapes;
  for (const WeightSpec& weight : last_layer(class_name, config, input).weights) shapes.push_back(weight.shape);
  return shapes;
}

void expect_refused(const std::string& text, const std::string& class_name, const std::string& config,
                    const std::string& input, ErrorCode code = ErrorCode::kInvalidArgument,
                    SemanticsProfile profile = SemanticsProfile::kTf2Legacy) {
  SCOPED_TRACE(class_name + " " + config);
  expect_error(code, "layer \"a\"", [&] { one_layer(class_name, config, input, profile); });
  expect_error(code, text, [&] { one_layer(class_name, config, input, profile); });
}

std::string activation_of(const std::string& json, SemanticsProfile profile = SemanticsProfile::kTf2Legacy) {
  return string_attribute(last_layer("Dense", R"("units":4,"activation":)" + json, "3", profile), "activation");
}

/// Two inputs into one merge layer.
ModelSpec merged(const std::string& class_name, const std::string& config, const std::string& left,
                 const std::string& right) {
  const auto input = [](const std::string& name, const std::string& shape) {
    return R"({"name":")" + name + R"(","class_name":"InputLayer","config":{"name":")" + name +
           R"(","batch_input_shape":[null)" + shape + R"(]},"inbound_nodes":[]},)";
  };
  return parse_keras_json(R"({"class_name":"Functional","keras_version":"2.10.0","config":{"name":"m","layers":[)" +
                          input("x", left) + input("y", right) + R"({"name":"a","class_name":")" + class_name +
                          R"(","config":{"name":"a")" + (config.empty() ? "" : ",") + config +
                          R"(},"inbound_nodes":[[["x",0,0,{}],["y",0,0,{}]]]}],
         "input_layers":[["x",0,0],["y",0,0]],"output_layers":[["a",0,0]]}})");
}

TEST(CoreLayers, arrange) {
  EXPECT_EQ(shape_after("Permute", R"("dims":[3,1,2])", "2,3,4"), Shape({4, 2, 3}));
  EXPECT_EQ(shape_after("RepeatVector", R"("n":5)", "3"), Shape({5, 3}));
  EXPECT_EQ(shape_after("Flatten", R"("data_format":"channels_first")", "2,3,4"), Shape({24}));
  EXPECT_EQ(shape_after("Identity", "", "2,3"), Shape({2, 3}));
  expect_refused("\"dims\"", "Permute", R"("dims":[1,3])", "2,3");
  expect_refused("2 axes", "Permute", R"("dims":[2,1])", "2,3,4");
  expect_refused("1 axes", "RepeatVector", R"("n":5)", "3,4");
}

TEST(CoreLayers, activations_may_be_layers_with_parameters) {
  EXPECT_EQ(activation_of(R"({"class_name":"LeakyReLU","config":{"name":"l","alpha":0.1}})"), "leaky_relu(0.1)");
  EXPECT_EQ(activation_of(R"({"module":"keras.layers","class_name":"LeakyReLU","config":{"negative_slope":0.25}})"),
            "leaky_relu(0.25)");
  EXPECT_EQ(activation_of(R"({"class_name":"ReLU","config":{"max_value":6,"negative_slope":0,"threshold":0.5}})"),
            "relu(6,0,0.5)");
  EXPECT_EQ(activation_of(R"({"class_name":"ReLU","config":{"max_value":null,"negative_slope":0.5}})"),
            "relu(inf,0.5,0)");
  EXPECT_EQ(activation_of(R"({"class_name":"ReLU","config":{"max_value":null}})"), "relu");
  EXPECT_EQ(activation_of(R"({"class_name":"ELU","config":{"alpha":0.5}})"), "elu(0.5)");
  EXPECT_EQ(activation_of(R"({"class_name":"Softmax","config":{"axis":-1}})"), "softmax");
  EXPECT_EQ(activation_of(R"({"class_name":"Activation","config":{"activation":"tanh"}})"), "tanh");
  EXPECT_EQ(activation_of(R"({"class_name":"function","config":"swish","module":"builtins"})"), "silu");
  expect_refused("PReLU", "Dense", R"("units":4,"activation":{"class_name":"PReLU","config":{}})", "3",
                 ErrorCode::kNotSupported);
  expect_refused("\"slope\"", "Dense", R"("units":4,"activation":{"class_name":"LeakyReLU","config":{"slope":0.1}})",
                 "3", ErrorCode::kNotSupported);
  expect_refused("axis", "Dense", R"("units":4,"activation":{"class_name":"Softmax","config":{"axis":2}})", "3");
}

TEST(CoreLayers, activation_texts_keep_their_parameters) {
  const spec::ActivationCall call = spec::split_activation("relu(inf,0.1,-2)");
  EXPECT_EQ(call.name, "relu");
  EXPECT_EQ(call.parameters, std::vector<double>({std::numeric_limits<double>::infinity(), 0.1, -2.0}));
  EXPECT_EQ(spec::split_activation("tanh").name, "tanh");
  EXPECT_TRUE(spec::split_activation("tanh").parameters.empty());
  EXPECT_EQ(spec::activation_text("elu", {1.0 / 3}), "elu(0.3333333333333333)");
}

TEST(CoreLayers, einsum_dense_takes_its_shapes_from_the_equation) {
  const std::string heads = R"("equation":"abc,cde->abde","output_shape":[null,2,3],"bias_axes":"de")";
  EXPECT_EQ(shape_after("EinsumDense", heads, "3,4"), Shape({3, 2, 3}));
  EXPECT_EQ(weights_of("EinsumDense", heads, "3,4"), Shapes({{4, 2, 3}, {2, 3}}));
  const std::string any = R"("equation":"...x,xy->...y","output_shape":5)";
  EXPECT_EQ(shape_after("EinsumDense", any, "2,3,4"), Shape({2, 3, 5}));
  EXPECT_EQ(weights_of("EinsumDense", any, "2,3,4"), Shapes({{4, 5}}));
  EXPECT_EQ(weights_of("EinsumDense", R"("equation":"abc,cd->abd","output_shape":[3,5],"bias_axes":"b")", "3,4"),
            Shapes({{4, 5}, {3, 1}}));
  expect_refused("\"equation\"", "EinsumDense", R"("equation":"ab->ac","output_shape":5)", "4");
  expect_refused("does not fit", "EinsumDense", R"("equation":"ab,bc->ac","output_shape":5)", "3,4");
  expect_refused("does not fit", "EinsumDense", R"("equation":"abc,cd->abd","output_shape":[2,5])", "3,4");
}

TEST(NoiseLayers, have_noise_shapes) {
  const auto noise = [](const std::string& class_name, const std::string& config, const std::string& input) {
    return list_attribute(last_layer(class_name, config, input), "noise_shape");
  };
  EXPECT_EQ(noise("Dropout", R"("rate":0.5)", "3,4"), Shape());
  EXPECT_EQ(noise("Dropout", R"("rate":0.5,"noise_shape":[null,1,null])", "3,4"), Shape({-1, 1, 4}));
  EXPECT_EQ(noise("SpatialDropout1D", R"("rate":0.5)", "3,4"), Shape({-1, 1, 4}));
  EXPECT_EQ(noise("SpatialDropout2D", R"("rate":0.5,"data_format":"channels_first")", "2,3,4"), Shape({-1, 2, 1, 1}));
  EXPECT_EQ(noise("SpatialDropout3D", R"("rate":0.5)", "2,3,4,5"), Shape({-1, 1, 1, 1, 5}));
  expect_refused("\"noise_shape\"", "Dropout", R"("rate":0.5,"noise_shape":[null,2,4])", "3,4");
  expect_refused("batch size", "Dropout", R"("rate":0.5,"noise_shape":[8,3,4])", "3,4", ErrorCode::kNotSupported);
}

TEST(NoiseLayers, take_rates_as_their_generation_does) {
  const auto rate = [](SemanticsProfile profile) {
    return number_attribute(last_layer("Dropout", R"("rate":1.0)", "3", profile), "rate");
  };
  EXPECT_EQ(rate(SemanticsProfile::kKeras22), 0.0);
  EXPECT_EQ(rate(SemanticsProfile::kKeras3), 1.0);
  expect_refused("\"rate\"", "Dropout", R"("rate":1.0)", "3");
  expect_refused("\"rate\"", "Dropout", R"("rate":1.5)", "3", ErrorCode::kInvalidArgument, SemanticsProfile::kKeras3);
  expect_refused("\"rate\"", "AlphaDropout", R"("rate":1.0)", "3", ErrorCode::kInvalidArgument,
                 SemanticsProfile::kKeras3);
  expect_refused("\"stddev\"", "GaussianNoise", R"("stddev":-0.1)", "3");
  EXPECT_EQ(integer_attribute(last_layer("Dropout", R"("rate":0.5,"seed":7)", "3"), "seed"), 7);
  EXPECT_EQ(last_layer("Dropout", R"("rate":0.5)", "3").attributes.count("seed"), 0U);
}

TEST(ActivationLayers, have_weights_and_axes) {
  EXPECT_EQ(weights_of("PReLU", "", "3,4,2"), Shapes({{3, 4, 2}}));
  EXPECT_EQ(weights_of("PReLU", R"("shared_axes":[1,2])", "3,4,2"), Shapes({{1, 1, 2}}));
  expect_refused("\"shared_axes\"", "PReLU", R"("shared_axes":[4])", "3,4,2");
  EXPECT_EQ(list_attribute(last_layer("Softmax", R"("axis":[1,-1])", "3,4,2"), "axis"), Shape({0, 2}));
  EXPECT_EQ(list_attribute(last_layer("Softmax", "", "3,4"), "axis"), Shape({1}));
  expect_refused("twice", "Softmax", R"("axis":[2,-1])", "3,4");
}

TEST(NormalizationLayers, have_keras_weights) {
  EXPECT_EQ(weights_of("LayerNormalization", R"("axis":[1,3])", "3,4,2"), Shapes({{3, 2}, {3, 2}}));
  EXPECT_EQ(weights_of("LayerNormalization", R"("scale":false)", "3,4"), Shapes({{4}}));
  EXPECT_EQ(weights_of("LayerNormalization", R"("rms_scaling":true)", "3,4"), Shapes({{4}}));
  EXPECT_EQ(weights_of("RMSNormalization", R"("axis":-1)", "3,4"), Shapes({{4}}));
  EXPECT_EQ(weights_of("GroupNormalization", R"("groups":2)", "3,4"), Shapes({{4}, {4}}));
  EXPECT_EQ(integer_attribute(last_layer("GroupNormalization", R"("groups":-1)", "3,4"), "groups"), 4);
  EXPECT_EQ(weights_of("SyncBatchNormalization", R"("axis":[1])", "3,4"), Shapes({{3}, {3}, {3}, {3}}));
  EXPECT_EQ(last_layer("SyncBatchNormalization", "", "3").class_name, "BatchNormalization");
  EXPECT_NO_THROW(last_layer("BatchNormalization", R"("synchronized":true)", "3"));
  EXPECT_EQ(weights_of("Normalization", R"("axis":[-1])", "3,4"), Shapes({{4}, {4}, {}}));
  EXPECT_EQ(weights_of("Normalization", R"("axis":[])", "3,4"), Shapes({{}, {}, {}}));
  EXPECT_EQ(weights_of("Normalization", R"("axis":[],"mean":0.5,"variance":2)", "3,4"), Shapes());
  expect_refused("renorm", "BatchNormalization", R"("renorm":true)", "3", ErrorCode::kNotSupported);
  expect_refused("virtual_batch_size", "BatchNormalization", R"("virtual_batch_size":4)", "3",
                 ErrorCode::kNotSupported);
  expect_refused("\"groups\"", "GroupNormalization", R"("groups":3)", "4");
  expect_refused("together", "Normalization", R"("mean":0.5)", "4");
  expect_refused("3 numbers", "Normalization", R"("mean":[1,2,3],"variance":[1,2,3])", "4");
  expect_refused("because", "SpectralNormalization", R"("layer":{})", "4", ErrorCode::kNotSupported);
}

TEST(MergeLayers, broadcast_and_contract) {
  EXPECT_EQ(merged("Multiply", "", ",3,4", ",3,1").output_shape(0), Shape({3, 4}));
  EXPECT_EQ(merged("Maximum", "", ",3,4", ",4").output_shape(0), Shape({3, 4}));
  EXPECT_EQ(merged("Dot", R"("axes":1)", ",4", ",4").output_shape(0), Shape({1}));
  EXPECT_EQ(merged("Dot", R"("axes":[2,1])", ",3,4", ",4,5").output_shape(0), Shape({3, 5}));
  EXPECT_EQ(merged("Dot", R"("axes":-1)", ",3,4", ",4").output_shape(0), Shape({3}));
  EXPECT_EQ(list_attribute(merged("Dot", R"("axes":-1)", ",3,4", ",4").layers.back(), "axes"), Shape({1, 0}));
  expect_error(ErrorCode::kInvalidArgument, "cannot be merged", [] { merged("Average", "", ",3", ",4"); });
  expect_error(ErrorCode::kInvalidArgument, "Dot cannot sum", [] { merged("Dot", R"("axes":1)", ",3", ",4"); });
  expect_error(ErrorCode::kInvalidArgument, "does not take 1", [] { one_layer("Subtract", "", "3"); });
}

TEST(MaskRules, are_kerass) {
  for (const char* name : {"Dense", "Activation", "Dropout", "SpatialDropout1D", "GaussianNoise", "BatchNormalization",
                           "LayerNormalization", "LeakyReLU", "PReLU", "Softmax", "ActivityRegularization"}) {
    EXPECT_EQ(spec::find_layer_kind(name)->mask_rule, MaskRule::kPassed) << name;
  }
  for (const char* name : {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"}) {
    EXPECT_EQ(spec::find_layer_kind(name)->mask_rule, MaskRule::kMerged) << name;
  }
  for (const char* name : {"Flatten", "Reshape", "Permute", "RepeatVector", "Dot"}) {
    EXPECT_EQ(spec::find_layer_kind(name)->mask_rule, MaskRule::kDropped) << name;
  }
  EXPECT_EQ(spec::find_layer_kind("Concatenate")->mask_rule, MaskRule::kOwn);
}

const WeightSpec kernel_with(const std::string& config, SemanticsProfile profile = SemanticsProfile::kTf2Legacy) {
  return last_layer("Dense", R"("units":4,)" + config, "8", profile).weights.front();
}

TEST(Constraints, are_read_in_every_spelling) {
  using Kind = ConstraintSpec::Kind;
  const auto constraint = [](const std::string& json) {
    return kernel_with(R"("kernel_constraint":)" + json).constraint;
  };
  EXPECT_EQ(constraint(R"({"class_name":"MaxNorm","config":{"max_value":3,"axis":-1}})").max_value, 3.0);
  EXPECT_EQ(constraint(R"({"class_name":"MaxNorm","config":{"max_value":3,"axis":-1}})").axes, Shape({1}));
  EXPECT_EQ(constraint(R"("max_norm")").max_value, 2.0);
  EXPECT_EQ(constraint(R"({"class_name":"NonNeg","config":{}})").kind, Kind::kNonNegative);
  EXPECT_EQ(constraint(R"({"class_name":"UnitNorm","config":{"axis":[0,1]}})").axes, Shape({0, 1}));
  const ConstraintSpec range =
      constraint(R"({"class_name":"MinMaxNorm","config":{"min_value":0.5,"max_value":2,"rate":0.25,"axis":0}})");
  EXPECT_EQ(range.kind, Kind::kMinMaxNorm);
  EXPECT_EQ(range.min_value, 0.5);
  EXPECT_EQ(range.rate, 0.25);
  expect_refused("RadialConstraint", "Dense",
                 R"("units":4,"kernel_constraint":{"class_name":"RadialConstraint","config":{}})", "8",
                 ErrorCode::kNotSupported);
  expect_refused("axis 2", "Dense", R"("units":4,"kernel_constraint":{"class_name":"UnitNorm","config":{"axis":2}})",
                 "8");
}

TEST(Regularizers, may_be_orthogonal) {
  const std::string orthogonal = R"({"class_name":"OrthogonalRegularizer","config":{"factor":0.1,"mode":"columns"}})";
  const RegularizerSpec read = kernel_with(R"("kernel_regularizer":)" + orthogonal).regularizer;
  EXPECT_EQ(read.orthogonal, 0.1);
  EXPECT_TRUE(read.orthogonal_of_columns);
  expect_refused("matrix", "Dense", R"("units":4,"bias_regularizer":)" + orthogonal, "8");
}

TEST(Initializers, are_settled_by_shape_and_generation) {
  const auto initializer = [](const std::string& key, const std::string& value, SemanticsProfile profile) {
    const LayerSpec layer =
        last_layer("Dense", R"("units":4,")" + key + R"(_initializer":")" + value + "\"", "8", profile);
    return layer.weights[key == "bias" ? 1 : 0].initializer;
  };
  EXPECT_TRUE(initializer("kernel", "Identity", SemanticsProfile::kKeras22).is_tiled);
  EXPECT_FALSE(initializer("kernel", "Identity", SemanticsProfile::kKeras3).is_tiled);
  const InitializerSpec bias = initializer("bias", "glorot_uniform", SemanticsProfile::kKeras22);
  EXPECT_EQ(bias.class_name, "RandomUniform");
  EXPECT_NEAR(bias.maxval, std::sqrt(3.0 / 2.0), 1e-12);
  EXPECT_EQ(initializer("bias", "glorot_uniform", SemanticsProfile::kTf2).class_name, "VarianceScaling");
  expect_refused("at least 2 axes", "Dense", R"("units":4,"bias_initializer":"orthogonal")", "8");
  expect_refused("needs a weight with 2 axes", "Dense", R"("units":4,"bias_initializer":"identity")", "8");
}

}  // namespace
}  // namespace modelhop
