// SPDX-License-Identifier: Apache-2.0
// Arithmetic and functions on tensors, as tf.keras and Keras 3 write them: one canonical class, shapes, constants,
// refusals.
#include "samples.hpp"
#include "spec/keras_json.hpp"

namespace modelhop {
namespace {

/// A tf.keras model of one operation on inputs of these shapes.
ModelSpec tensorflow(const std::string& function, const std::string& node, const std::string& first = "6,4",
                     const std::string& second = "6,4") {
  const bool is_slice = function == "getitem";
  return parse_keras_json(
      R"({"class_name":"Functional","keras_version":"2.15.0","config":{"name":"m","layers":[
    {"class_name":"InputLayer","name":"x","config":{"name":"x","batch_input_shape":[null,)" +
      first + R"(]},"inbound_nodes":[]},
    {"class_name":"InputLayer","name":"z","config":{"name":"z","batch_input_shape":[null,)" +
      second + R"(]},"inbound_nodes":[]},
    {"class_name":")" +
      (is_slice ? "SlicingOpLambda" : "TFOpLambda") +
      R"(","name":"op","config":{"name":"op","dtype":"float32","function":")" + function + R"("},"inbound_nodes":[)" +
      node + R"(]}],"input_layers":[["x",0,0],["z",0,0]],"output_layers":[["op",0,0]]}})");
}

std::string tensor(const std::string& name) {
  return R"({"class_name":"__keras_tensor__","config":{"keras_history":[")" + name + R"(",0,0]}})";
}

ModelSpec keras3(const std::string& class_name, const std::string& arguments, const std::string& config = "",
                 const std::string& first = "6,4", const std::string& second = "6,4") {
  return parse_keras_json(
      R"({"module":"keras.src.models.functional","class_name":"Functional","registered_name":"Functional","config":{"name":"m","layers":[
    {"class_name":"InputLayer","name":"x","config":{"name":"x","batch_shape":[null,)" +
      first + R"(]},"inbound_nodes":[]},
    {"class_name":"InputLayer","name":"z","config":{"name":"z","batch_shape":[null,)" +
      second + R"(]},"inbound_nodes":[]},
    {"module":"keras.src.ops.numpy","class_name":")" +
      class_name + R"(","name":"op","config":{"name":"op")" + (config.empty() ? "" : ",") + config +
      R"(},"inbound_nodes":[{"args":[)" + arguments +
      R"(],"kwargs":{}}]}],"input_layers":[["x",0,0],["z",0,0]],"output_layers":["op",0,0]}})");
}

const LayerSpec& operation(const ModelSpec& model) {
  return model.layers.back();
}

TEST(OperationNodes, have_one_class_in_both_generations) {
  EXPECT_EQ(operation(tensorflow("math.truediv", R"(["x",0,0,{"y":["z",0,0],"name":null}])")).class_name, "ops.divide");
  EXPECT_EQ(operation(keras3("TrueDivide", tensor("x") + "," + tensor("z"))).class_name, "ops.divide");
  EXPECT_EQ(operation(tensorflow("__operators__.add", R"(["x",0,0,{"y":0.5}])")).class_name, "ops.add");
  EXPECT_EQ(operation(keras3("GetItem", tensor("x") + R"(,[{"class_name":"__ellipsis__","config":{}},0])")).class_name,
            "ops.getitem");
  EXPECT_EQ(operation(tensorflow("math.reduce_mean", R"(["x",0,0,{"axis":1}])")).class_name, "ops.mean");
  // The merge layer of the same name has one argument.
  const ModelSpec merged = parse_keras_json(sample("keras3_residual"));
  for (const LayerSpec& layer : merged.layers) EXPECT_FALSE(layer.class_name.starts_with("ops.")) << layer.name;
}

TEST(OperationNodes, keep_constants_on_their_side) {
  const ModelSpec left = tensorflow("math.subtract", R"(["_CONSTANT_VALUE",-1,1.0,{"y":["x",0,0],"name":null}])");
  EXPECT_EQ(number_attribute(operation(left), "x1"), 1.0);
  EXPECT_EQ(left.nodes.back().roles, std::vector<std::string>{"x2"});
  const ModelSpec right = keras3("Subtract", tensor("x") + ",2.0");
  EXPECT_EQ(number_attribute(operation(right), "x2"), 2.0);
  EXPECT_EQ(right.nodes.back().roles, std::vector<std::string>{"x1"});
  const ModelSpec array = keras3(
      "Multiply", tensor("x") + R"(,{"class_name":"__numpy__","config":{"value":[[1,2,3,4]],"dtype":"float32"}})");
  EXPECT_EQ(numbers_attribute(operation(array), "x2"), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(list_attribute(operation(array), "x2_shape"), (std::vector<std::int64_t>{1, 4}));
  expect_error(ErrorCode::kInvalidArgument, "\"x2\" must be nested lists",
               [] { keras3("Multiply", tensor("x") + ",[[1,2],[3]]"); });
}

TEST(OperationNodes, infer_shapes) {
  const auto shape = [](const ModelSpec& model) { return model.output_shape(0); };
  const std::string x = tensor("x");
  EXPECT_EQ(shape(keras3("Add", x + "," + tensor("z"), "", "6,4", "1,4")), (Shape{6, 4}));
  EXPECT_EQ(shape(keras3("Mean", x, R"("axis":[1],"keepdims":true)")), (Shape{1, 4}));
  EXPECT_EQ(shape(keras3("Max", x, R"("axis":-1,"keepdims":false,"initial":null)")), (Shape{6}));
  EXPECT_EQ(shape(keras3("Reshape", x, R"("newshape":[-1,3,8])")), (Shape{3, 8}));
  EXPECT_EQ(shape(keras3("Reshape", x, R"("newshape":[null,3,-1])")), (Shape{3, 8}));
  EXPECT_EQ(shape(keras3("Transpose", x, R"("axes":[0,2,1])")), (Shape{4, 6}));
  EXPECT_EQ(shape(keras3("ExpandDims", x, R"("axis":-1)")), (Shape{6, 4, 1}));
  EXPECT_EQ(shape(keras3("Squeeze", x, R"("axis":1)", "1,4")), (Shape{4}));
  EXPECT_EQ(shape(keras3("Matmul", x + "," + tensor("z"), "", "6,4", "4,2")), (Shape{6, 2}));
  EXPECT_EQ(shape(keras3("Matmul", x + ",[[1,2],[3,4],[5,6]]", "", "3")), (Shape{2}));
  EXPECT_EQ(shape(keras3("Stack", "[" + x + "," + tensor("z") + "]", R"("axis":1)")), (Shape{2, 6, 4}));
  EXPECT_EQ(shape(keras3("Concatenate", "[" + x + "," + tensor("z") + "]", R"("axis":-1)")), (Shape{6, 8}));
  EXPECT_EQ(shape(keras3("Pad", x, R"("pad_width":[[0,0],[1,0],[0,2]],"mode":"constant")")), (Shape{7, 6}));
  EXPECT_EQ(shape(tensorflow("where", R"(["x",0,0,{"x":["z",0,0],"y":0.0}])")), (Shape{6, 4}));
  EXPECT_EQ(forward_flops(keras3("Matmul", x + "," + tensor("z"), "", "6,4", "4,2")), 6 * 2 * 2 * 4);
}

TEST(OperationNodes, take_items_as_python_does) {
  const auto taken = [](const std::string& key) {
    return tensorflow("getitem", R"(["x",0,0,{"slice_spec":)" + key + "}]").output_shape(0);
  };
  const std::string all = R"({"start":null,"stop":null,"step":null})";
  EXPECT_EQ(taken("[" + all + R"(,{"start":1,"stop":null,"step":null}])"), (Shape{5, 4}));
  EXPECT_EQ(taken("[" + all + ",-1]"), (Shape{4}));
  EXPECT_EQ(taken("[" + all + ",null]"), (Shape{1, 6, 4}));
  EXPECT_EQ(taken("[" + all + R"(,{"start":4,"stop":1,"step":-2},0])"), (Shape{2}));
  EXPECT_EQ(taken(R"([{"class_name":"__ellipsis__"},{"start":1,"stop":3,"step":null}])"), (Shape{6, 2}));
  EXPECT_EQ(taken("[" + all + R"(,{"start":-100,"stop":100,"step":4}])"), (Shape{2, 4}));
  expect_error(ErrorCode::kInvalidArgument, "index 6 is outside of an axis of 6", [&] { taken("[" + all + ",6]"); });
  expect_error(ErrorCode::kInvalidArgument, "takes nothing",
               [&] { taken("[" + all + R"(,{"start":3,"stop":3,"step":null}])"); });
  expect_error(ErrorCode::kNotSupported, "batch axis", [&] { taken("[0]"); });
  expect_error(ErrorCode::kNotSupported, "batch axis", [&] { taken(R"([{"start":1,"stop":null,"step":null}])"); });
  const ModelSpec model =
      tensorflow("getitem", R"(["x",0,0,{"slice_spec":[)" + all + R"(,{"start":4,"stop":1,"step":-2}]}])");
  EXPECT_EQ(list_attribute(operation(model), "starts"), (std::vector<std::int64_t>{4, 0}));
  EXPECT_EQ(list_attribute(operation(model), "counts"), (std::vector<std::int64_t>{2, 4}));
  EXPECT_EQ(list_attribute(operation(model), "steps"), (std::vector<std::int64_t>{-2, 1}));
}

TEST(OperationNodes, leave_the_batch_axis_alone) {
  const std::string x = tensor("x");
  for (const auto& [class_name, config] :
       {std::pair("Mean", R"("axis":null)"), std::pair("Sum", R"("axis":0)"),
        std::pair("Reshape", R"("newshape":[24,-1])"), std::pair("Transpose", R"("axes":[2,1,0])"),
        std::pair("Pad", R"("pad_width":[[1,0],[0,0],[0,0]])")}) {
    expect_error(ErrorCode::kNotSupported, "batch axis", [&] { keras3(class_name, x, config); });
  }
  expect_error(ErrorCode::kInvalidArgument, "cannot combine shapes",
               [&] { keras3("Add", x + "," + tensor("z"), "", "6,4", "4"); });
  expect_error(ErrorCode::kInvalidArgument, "cannot combine shapes",
               [&] { keras3("Matmul", x + "," + tensor("z"), "", "6,4", "4"); });
}

TEST(OperationNodes, refuse_what_is_not_known) {
  const std::string x = tensor("x");
  expect_error(ErrorCode::kNotSupported, "unknown operation \"reduce_prod\"; nearest supported: ", [] {
    tensorflow("math.reduce_prod", R"(["x",0,0,{"axis":1}])");
  });
  expect_error(ErrorCode::kNotSupported, "unknown operation \"expand_dim\"; nearest supported: expand_dims",
               [&] { keras3("ExpandDim", x); });
  expect_error(ErrorCode::kNotSupported, "\"newshape\" of operation \"reshape\" is computed by the network",
               [] { tensorflow("reshape", R"(["x",0,0,{"newshape":[["z",0,0]]}])"); });
  expect_error(ErrorCode::kNotSupported, "\"max_value\" = 3",
               [] { tensorflow("keras.activations.relu", R"(["x",0,0,{"max_value":3}])"); });
  expect_error(ErrorCode::kInvalidArgument, "needs one \"x2\"", [&] { keras3("Add", x); });
  expect_error(ErrorCode::kNotSupported, "on constants alone", [] { keras3("Add", "1,2"); });
  expect_error(ErrorCode::kNotSupported, "__lambda__",
               [&] { keras3("Add", x + R"(,{"class_name":"__lambda__","config":{"value":"4wEAAAA="}})"); });
}

TEST(OperationNodes, of_tensorflow_2_1_bring_their_node) {
  const ModelSpec model =
      parse_keras_json(R"({"class_name":"Model","keras_version":"2.3.0-tf","config":{"name":"m","layers":[
    {"class_name":"InputLayer","name":"x","config":{"name":"x","batch_input_shape":[null,6,4]},"inbound_nodes":[]},
    {"class_name":"TensorFlowOpLayer","name":"tf_op_layer_Mean","config":{"name":"Mean","trainable":true,"dtype":"float32",
      "node_def":{"name":"Mean","op":"Mean","input":["x","Mean/axes"],"attr":{"keep_dims":{"b":true},"T":{"type":"DT_FLOAT"}}},
      "constants":{"1":[1]}},"inbound_nodes":[[["x",0,0,{}]]]},
    {"class_name":"TensorFlowOpLayer","name":"tf_op_layer_sub","config":{"name":"sub",
      "node_def":{"name":"sub","op":"Sub","input":["sub/x","Mean"],"attr":{}},"constants":{"0":1.0}},
      "inbound_nodes":[[["tf_op_layer_Mean",0,0,{}]]]}],
    "input_layers":[["x",0,0]],"output_layers":[["tf_op_layer_sub",0,0]]}})");
  EXPECT_EQ(model.output_shape(0), (Shape{1, 4}));
  EXPECT_EQ(number_attribute(operation(model), "x1"), 1.0);
}

}  // namespace
}  // namespace modelhop
