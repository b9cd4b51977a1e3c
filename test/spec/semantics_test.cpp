// SPDX-License-Identifier: Apache-2.0
// What depends on the Keras that wrote a file: the profile, masks, names of outputs. And the table that describes a
// model.
#include "samples.hpp"
#include "spec/keras_json.hpp"
#include "spec/model_summary.hpp"

namespace modelhop {
namespace {

SemanticsProfile profile_of(const std::string& head, const std::string& initializer = "\"zeros\"") {
  return parse_keras_json("{" + head + R"("class_name":"Sequential","config":{"name":"m","layers":[
      {"class_name":"Dense","config":{"name":"d","units":2,"batch_input_shape":[null,4],"kernel_initializer":)" +
                          initializer + "}}]}}")
      .profile;
}

TEST(Semantics, follow_the_files_own_fingerprint) {
  const auto version = [](const std::string& text) { return R"("keras_version":")" + text + "\","; };
  for (const char* text : {"2.0.9", "2.1.6", "2.2.4", "2.3.1"}) {
    EXPECT_EQ(profile_of(version(text)), SemanticsProfile::kKeras22) << text;
  }
  for (const char* text : {"2.1.6-tf", "2.2.4-tf"})
    EXPECT_EQ(profile_of(version(text)), SemanticsProfile::kTf1) << text;
  for (const char* text : {"2.3.0-tf", "2.4.0", "2.4.3", "2.10.0"}) {
    EXPECT_EQ(profile_of(version(text)), SemanticsProfile::kTf2Legacy) << text;
  }
  for (const char* text : {"2.11.0", "2.15.0", "2.16.0"})
    EXPECT_EQ(profile_of(version(text)), SemanticsProfile::kTf2) << text;
  EXPECT_EQ(profile_of(version("3.5.0")), SemanticsProfile::kKeras3);
  EXPECT_EQ(profile_of(R"("module":"keras",)"), SemanticsProfile::kKeras3);
  EXPECT_EQ(profile_of(""), SemanticsProfile::kTf2Legacy);
  // TensorFlow 2.0 and 2.1 sign as 1.14 does, but write no dtype into initializers.
  EXPECT_EQ(profile_of(version("2.2.4-tf"), R"({"class_name":"GlorotUniform","config":{"seed":null}})"),
            SemanticsProfile::kTf2Legacy);
  EXPECT_EQ(
      profile_of(version("2.2.4-tf"), R"({"class_name":"GlorotUniform","config":{"seed":null,"dtype":"float32"}})"),
      SemanticsProfile::kTf1);
}

TEST(Semantics, may_be_chosen) {
  const ModelSpec model = parse_keras_json(sample("keras22_cnn"), {}, parse_profile("k3"));
  EXPECT_EQ(to_string(model.profile), "k3");
  for (const char* name : {"k22", "tf1", "tf2l", "tf2n", "k3"}) EXPECT_EQ(to_string(parse_profile(name)), name);
  expect_error(ErrorCode::kInvalidArgument, "unknown Keras semantics \"keras\"", [] { parse_profile("keras"); });
}

/// An Embedding with a mask, then this layer.
std::string masked(const std::string& version, const std::string& class_name, const std::string& config) {
  return R"({"class_name":"Sequential","keras_version":")" + version + R"(","config":{"name":"m","layers":[
      {"class_name":"Embedding","config":{"name":"e","input_dim":7,"output_dim":3,"mask_zero":true,"batch_input_shape":[null,5]}},
      {"class_name":"Dropout","config":{"name":"p","rate":0.1}},
      {"class_name":")" +
         class_name + R"(","config":{"name":"l")" + config + "}}]}}";
}

TEST(Semantics, of_old_keras_raise_where_a_mask_meets_a_layer_without_masks) {
  for (const char* version : {"2.2.4", "2.2.4-tf"}) {
    expect_error(ErrorCode::kNotSupported, "layer \"l\": Flatten does not support masks",
                 [&] { parse_keras_json(masked(version, "Flatten", "")); });
    EXPECT_NO_THROW(parse_keras_json(masked(version, "LSTM", ",\"units\":2")));
  }
  EXPECT_NO_THROW(parse_keras_json(masked("2.10.0", "Flatten", "")));
}

TEST(Semantics, of_keras_3_find_masks_themselves) {
  const auto tensor = [](const std::string& name) {
    return R"({"class_name":"__keras_tensor__","config":{"keras_history":[")" + name + R"(",0,0]}})";
  };
  const auto model = [&](const std::string& source, const std::string& mask) {
    return parse_keras_json(
        R"({"module":"keras.src.models.functional","class_name":"Functional","registered_name":"Functional","config":{"name":"m","layers":[
    {"class_name":"InputLayer","name":"x","config":{"name":"x","batch_shape":[null,5]},"inbound_nodes":[]},
    {"class_name":"InputLayer","name":"y","config":{"name":"y","batch_shape":[null,5,3]},"inbound_nodes":[]},
    {"class_name":"Embedding","name":"e","config":{"name":"e","input_dim":7,"output_dim":3,"mask_zero":true},"inbound_nodes":[{"args":[)" +
        tensor("x") + R"(],"kwargs":{}}]},
    {"module":"keras.src.ops.numpy","class_name":"NotEqual","name":"ne","config":{"name":"ne"},"inbound_nodes":[{"args":[)" +
        tensor("x") + R"(,0],"kwargs":{}}]},
    {"class_name":"LSTM","name":"l","config":{"name":"l","units":2},"inbound_nodes":[{"args":[)" +
        tensor(source) + R"(],"kwargs":{"training":false,"mask":)" + tensor(mask) + R"(}}]}],
    "input_layers":[["x",0,0],["y",0,0]],"output_layers":["l",0,0]}})");
  };
  const ModelSpec computed = model("e", "ne");
  EXPECT_EQ(computed.layers.size(), 4U);
  EXPECT_EQ(computed.nodes.back().roles, std::vector<std::string>{""});
  EXPECT_EQ(computed.nodes.back().arguments.count("training"), 0U);
  // Where the input carries no mask, or the mask is an input, the user gave it.
  EXPECT_EQ(model("y", "ne").nodes.back().roles, (std::vector<std::string>{"", "mask"}));
  EXPECT_EQ(model("e", "x").nodes.back().roles, (std::vector<std::string>{"", "mask"}));
}

TEST(Semantics, tell_outputs_of_one_layer_apart) {
  const auto names = [](const std::string& version, const std::string& outputs) {
    return parse_keras_json(R"({"class_name":"Model","keras_version":")" + version +
                            R"(","config":{"name":"m","layers":[
      {"class_name":"InputLayer","name":"x","config":{"name":"x","batch_input_shape":[null,3]},"inbound_nodes":[]},
      {"class_name":"Dense","name":"q","config":{"name":"q","units":3},"inbound_nodes":[[["x",0,0,{}]],[["q",0,0,{}]]]}],
      "input_layers":[["x",0,0]],"output_layers":)" +
                            outputs + "}}")
        .output_names;
  };
  EXPECT_EQ(names("2.10.0", R"([["q",1,0],["q",0,0]])"), (std::vector<std::string>{"q", "q_1"}));
  EXPECT_EQ(names("2.2.4", R"([["q",1,0],["q",0,0]])"), (std::vector<std::string>{"q", "q"}));
  EXPECT_EQ(names("2.15.0", R"({"u":["q",1,0],"v":["q",0,0]})"), (std::vector<std::string>{"u", "v"}));
}

TEST(ModelSummary, has_a_row_for_each_layer) {
  const ModelSpec model = parse_keras_json(sample("keras2_shared"));
  const std::vector<spec::LayerSummary> rows = spec::summarize(model);
  ASSERT_EQ(rows.size(), model.layers.size());
  std::int64_t parameters = 0, flops = 0;
  for (const spec::LayerSummary& row : rows) {
    parameters += row.parameter_count;
    flops += row.forward_flops;
    EXPECT_EQ(row.output_shapes.size(), 1U);
    EXPECT_EQ(row.connected_to.empty(), row.class_name == "InputLayer");
  }
  EXPECT_EQ(parameters, parameter_count(model));
  EXPECT_EQ(flops, forward_flops(model));
}

}  // namespace
}  // namespace modelhop
