// SPDX-License-Identifier: Apache-2.0
// Malformed and hostile architectures: every one is an Error that says what is wrong, never anything worse.
#include <random>

#include "samples.hpp"
#include "spec/keras_json.hpp"

namespace modelhop {
namespace {

std::string sequential(const std::string& layers) {
  return R"({"class_name":"Sequential","keras_version":"2.2.4","config":{"name":"m","layers":[)" + layers + "]}}";
}

std::string layer(const std::string& class_name, const std::string& config) {
  return R"({"class_name":")" + class_name + R"(","config":{"name":"a","batch_input_shape":[null,8,8,4],)" + config +
         "}}";
}

std::string functional(const std::string& layers,
                       const std::string& ends = R"("input_layers":[["x",0,0]],"output_layers":[["y",0,0]])") {
  return R"({"class_name":"Model","keras_version":"2.2.4","config":{"name":"m","layers":[
    {"class_name":"InputLayer","name":"x","config":{"name":"x","batch_input_shape":[null,3]},"inbound_nodes":[]},)" +
         layers + "]," + ends + "}}";
}

std::string dense(const std::string& name, const std::string& inbound) {
  return R"({"class_name":"Dense","name":")" + name + R"(","config":{"units":3},"inbound_nodes":)" + inbound + "}";
}

void expect_refused(ErrorCode code, const std::string& text, const std::string& json) {
  SCOPED_TRACE(json.substr(0, 300));
  expect_error(code, text, [&] { parse_keras_json(json); });
}

constexpr auto kInvalid = ErrorCode::kInvalidArgument;
constexpr auto kUnsupported = ErrorCode::kNotSupported;

TEST(HostileJson, not_a_model) {
  for (const char* text : {"", "{", "nonsense", "[1,2", "\"", "{\"a\":", "\"\\", "-Infinit"}) {
    expect_refused(kInvalid, "not valid JSON", text);
  }
  expect_refused(kInvalid, "must be a JSON object", "[]");
  expect_refused(kInvalid, "must be a JSON object", "NaN");
  expect_refused(kInvalid, "\"class_name\"", "{}");
  expect_refused(kInvalid, "\"config\"", R"({"class_name":"Sequential"})");
  expect_refused(kUnsupported, "\"Banana\"", R"({"class_name":"Banana","config":{}})");
  expect_refused(kInvalid, "no layers", sequential(""));
  expect_refused(kInvalid, "not valid JSON", "{\"class_name\":\"\xff\xfe\"}");
}

TEST(HostileJson, limits) {
  expect_refused(kInvalid, "nested deeper than 100", std::string(1'000'000, '['));
  expect_refused(kInvalid, "bytes, the limit is", std::string((std::size_t{64} << 20) + 1, ' '));
  expect_refused(kInvalid, "more than 4000000 values", "[" + std::string(5'000'000, ',') + "]");
  std::string many;
  for (int i = 0; i < 10'001; ++i) many += (i == 0 ? "" : ",") + std::string(R"({"class_name":"Flatten","config":{}})");
  expect_refused(kInvalid, "the limit is 10000", sequential(many));
}

TEST(HostileJson, ten_thousand_layers_in_reverse_order_are_quick) {
  std::string layers;
  const int count = 9'000;
  for (int i = count; i > 0; --i) {
    const std::string source = i == 1 ? "x" : "d" + std::to_string(i - 1);
    layers += (i == count ? "" : ",") + dense("d" + std::to_string(i), "[[[\"" + source + "\",0,0,{}]]]");
  }
  const std::string ends = R"("input_layers":[["x",0,0]],"output_layers":[["d9000",0,0]])";
  EXPECT_EQ(parse_keras_json(functional(layers, ends)).nodes.size(), 9'001U);
}

TEST(HostileJson, sizes) {
  expect_refused(kInvalid, "\"units\" must be an integer", sequential(layer("Dense", R"("units":0)")));
  expect_refused(kInvalid, "\"units\" must be an integer", sequential(layer("Dense", R"("units":-5)")));
  expect_refused(kInvalid, "\"units\" must be an integer", sequential(layer("Dense", R"("units":1e300)")));
  expect_refused(kInvalid, "\"units\" must be an integer",
                 sequential(layer("Dense", R"("units":18446744073709551615)")));
  expect_refused(kInvalid, "\"units\" must be an integer", sequential(layer("Dense", R"("units":2.5)")));
  expect_refused(kInvalid, "\"units\" must be an integer", sequential(layer("Dense", R"("units":"12")")));
  expect_refused(kInvalid, "\"units\" must be an integer", sequential(layer("Dense", R"("units":NaN)")));
  expect_refused(kInvalid, "but is missing", sequential(layer("Dense", R"("activation":"relu")")));
  expect_refused(
      kInvalid, "too large",
      sequential(layer("Dense", R"("units":2147483647)") + R"(,{"class_name":"Dense","config":{"units":2147483647}})"));
  expect_refused(kInvalid, "too large",
                 sequential(layer("Conv2D", R"("filters":2147483647,"kernel_size":[8,8],"padding":"same")") +
                            R"(,{"class_name":"Flatten","config":{}})"
                            R"(,{"class_name":"Dense","config":{"units":2147483647}})"));
  expect_refused(kInvalid, "does not fit", sequential(layer("Conv2D", R"("filters":2,"kernel_size":2147483647)")));
  expect_refused(kInvalid, "does not fit", sequential(layer("MaxPooling2D", R"("pool_size":9)")));
  expect_refused(kInvalid, "\"strides\" must be",
                 sequential(layer("Conv2D", R"("filters":2,"kernel_size":2,"strides":0)")));
  expect_refused(kInvalid, "cannot both",
                 sequential(layer("Conv2D", R"("filters":2,"kernel_size":2,"strides":2,"dilation_rate":2)")));
  expect_refused(kInvalid, "too large", sequential(layer("ZeroPadding2D", R"("padding":2147483647)")));
  expect_refused(kInvalid, "\"rate\" must be", sequential(layer("Dropout", R"("rate":1.5)")));
  expect_refused(kInvalid, "\"rate\" must be", sequential(layer("Dropout", R"("rate":NaN)")));
  expect_refused(kInvalid, "does not hold", sequential(layer("Reshape", R"("target_shape":[7,-1])")));
  expect_refused(kInvalid, "does not hold", sequential(layer("Reshape", R"("target_shape":[-1,-1])")));
  expect_refused(kInvalid, "does not hold", sequential(layer("Reshape", R"("target_shape":[0])")));
  expect_refused(kInvalid, "\"axis\"", sequential(layer("BatchNormalization", R"("axis":4)")));
  expect_refused(kInvalid, "\"axis\"", sequential(layer("BatchNormalization", R"("axis":0)")));
  expect_refused(kInvalid, "must hold positive integers",
                 sequential(R"({"class_name":"Flatten","config":{"batch_input_shape":[null,0]}})"));
  expect_refused(
      kInvalid, "too large",
      sequential(R"({"class_name":"Flatten","config":{"batch_input_shape":[null,2147483647,2147483647,2147483647]}})"));
}

TEST(HostileJson, names_layer_and_key) {
  expect_refused(kInvalid, "layer \"a\": \"kernel_size\" must be an integer or a list of 2 integers, not [1,2,3]",
                 sequential(layer("Conv2D", R"("filters":2,"kernel_size":[1,2,3])")));
  expect_refused(kUnsupported, "layer \"a\": unknown class \"Conv9D\"; nearest supported: Conv1D",
                 sequential(layer("Conv9D", R"("filters":2)")));
  expect_refused(kUnsupported, "layer \"a\": \"lora_rank\" = 4 is not supported in class \"Dense\"",
                 sequential(layer("Dense", R"("units":2,"lora_rank":4)")));
  expect_refused(kUnsupported, "\"renorm\"", sequential(layer("BatchNormalization", R"("renorm":true)")));
  expect_refused(kUnsupported, "\"virtual_batch_size\"",
                 sequential(layer("BatchNormalization", R"("virtual_batch_size":8)")));
  expect_refused(
      kUnsupported, "dtype \"mixed_float16\"",
      sequential(layer("Dense", R"("units":2,"dtype":{"class_name":"Policy","config":{"name":"mixed_float16"}})")));
  EXPECT_NO_THROW(parse_keras_json(
      sequential(layer("Dense", R"("units":2,"quantization_config":null,"lora_rank":null,"made_up":false)"))));
}

TEST(HostileJson, code_and_foreign_classes) {
  expect_refused(kUnsupported, "holds program code",
                 sequential(layer("Lambda", R"("function":["4wEAAAA=",null,null])")));
  expect_refused(kInvalid, "no layers",
                 sequential(R"({"class_name":"Sequential","config":{"name":"inner","layers":[]}})"));
  expect_refused(kInvalid, "no layers", sequential(R"({"class_name":"Sequential","config":[]})"));
  expect_refused(kUnsupported, "custom class",
                 sequential(R"({"class_name":"Dense","registered_name":"pkg>Dense","config":{"units":2}})"));
  expect_refused(kUnsupported, "custom class \"my.layers.Dense\"",
                 sequential(R"({"class_name":"Dense","module":"my.layers","config":{"units":2}})"));
  expect_refused(kUnsupported, "an operation as a layer of a Sequential model",
                 sequential(R"({"class_name":"Add","module":"keras.src.ops.numpy","config":{}})"));
  expect_refused(kUnsupported, "Keras 1", sequential(layer("Dense", R"("output_dim":3)")));
  expect_refused(kUnsupported, "Keras \"1.2.2\"", R"({"class_name":"Sequential","keras_version":"1.2.2","config":[]})");
}

TEST(HostileJson, graphs) {
  expect_refused(kInvalid, "refers to \"nowhere\"", functional(dense("y", R"([[["nowhere",0,0,{}]]])")));
  expect_refused(kInvalid, "is part of a loop",
                 functional(dense("y", R"([[["z",0,0,{}]]])") + "," + dense("z", R"([[["y",0,0,{}]]])")));
  expect_refused(kInvalid, "is part of a loop", functional(dense("y", R"([[["y",0,0,{}]]])")));
  expect_refused(kInvalid, "appears twice",
                 functional(dense("y", R"([[["x",0,0,{}]]])") + "," + dense("y", R"([[["x",0,0,{}]]])")));
  expect_refused(kInvalid, "does not take 2 inputs", functional(dense("y", R"([[["x",0,0,{}],["x",0,0,{}]]])")));
  expect_refused(kInvalid, "refers to output 3", functional(dense("y", R"([[["x",0,3,{}]]])")));
  expect_refused(kInvalid, "is never called", functional(dense("y", "[]")));
  expect_refused(kInvalid, "does not take 0 inputs", functional(dense("y", "[[]]")));
  expect_refused(kInvalid, "\"inbound_nodes\"", functional(dense("y", "7")));
  expect_refused(kInvalid, "\"inbound_nodes\"", functional(dense("y", "[7]")));
  expect_refused(kInvalid, "\"inbound_nodes\"", functional(dense("y", "[[7]]")));
  expect_refused(kInvalid, "needs integers", functional(dense("y", R"([[["x",0.5,0]]])")));
  expect_refused(kInvalid, "\"args\"", functional(dense("y", "[{}]")));
  expect_refused(kInvalid, "keras_history",
                 functional(dense("y", R"([{"args":[{"class_name":"__keras_tensor__"}],"kwargs":{}}])")));
  expect_refused(kUnsupported, "constant 3 as an input", functional(dense("y", R"([{"args":[3],"kwargs":{}}])")));
  const std::string good = dense("y", R"([[["x",0,0,{}]]])");
  expect_refused(kInvalid, "refers to \"w\"",
                 functional(good, R"("input_layers":[["x",0,0]],"output_layers":[["w",0,0]])"));
  expect_refused(kInvalid, "no \"output_layers\"", functional(good, R"("input_layers":[["x",0,0]])"));
  expect_refused(kInvalid, "\"output_layers\"", functional(good, R"("input_layers":[["x",0,0]],"output_layers":[])"));
  expect_refused(kInvalid, "not an InputLayer",
                 functional(good, R"("input_layers":[["y",0,0]],"output_layers":[["y",0,0]])"));
  EXPECT_NO_THROW(parse_keras_json(functional(good, R"("input_layers":["x",0,0],"output_layers":{"out":["y",0,0]})")));
  // Exporters that do not count the calls of a layer from 0.
  EXPECT_NO_THROW(parse_keras_json(
      functional(dense("y", R"([[["x",1,0,{}]]])"), R"("input_layers":[["x",1,0]],"output_layers":[["y",2,0]])")));
}

TEST(HostileJson, a_second_is_enough_for_anything) {
  const std::string name(10'000'000, 'n');
  expect_refused(kUnsupported, "unknown class \"nnn",
                 sequential(R"({"class_name":")" + name + R"(","config":{"batch_input_shape":[null,3]}})"));
  expect_refused(kInvalid, "refers to \"nnn", functional(dense("y", "[[[\"" + name + "\",0,0,{}]]]")));
  std::string deep = R"({"class_name":"Dense","config":{"units":)";
  expect_refused(kInvalid, "nested deeper than 100", sequential(deep + std::string(10'000, '[')));
  std::string refs;
  for (int i = 0; i < 200'000; ++i) refs += (i == 0 ? "" : ",") + std::string(R"(["x",0,0,{}])");
  expect_refused(kInvalid, "does not take 200000 inputs", functional(dense("y", "[[" + refs + "]]")));
}

/// A model that calls the model inside it twice, and so on: 2^depth calls of the innermost layer.
std::string doubling(int depth) {
  const std::string inner = depth == 0 ? dense("in", R"([[["x",0,0,{}]]])")
                                       : R"({"class_name":"Model","name":"in","config":)" + doubling(depth - 1) +
                                             R"(,"inbound_nodes":[[["x",0,0,{}]],[["in",1,0,{}]]]})";
  const int last = depth == 0 ? 0 : 2;
  return R"({"name":"m","layers":[{"class_name":"InputLayer","name":"x","config":{"name":"x",)"
         R"("batch_input_shape":[null,3]},"inbound_nodes":[]},)" +
         inner + R"(],"input_layers":[["x",0,0]],"output_layers":[["in",)" + std::to_string(last) + ",0]]}";
}

std::string whole(const std::string& config) {
  return R"({"class_name":"Model","keras_version":"2.2.4","config":)" + config + "}";
}

TEST(HostileJson, nested_models) {
  EXPECT_EQ(parse_keras_json(whole(doubling(3))).nodes.size(), 9U);
  expect_refused(kInvalid, "deeper than 16 levels", whole(doubling(20)));
  // 16 levels of one model called eight times each.
  std::string many = dense("in", R"([[["x",0,0,{}]]])");
  const std::string head = R"({"name":"m","layers":[{"class_name":"InputLayer","name":"x","config":{"name":"x",)"
                           R"("batch_input_shape":[null,3]},"inbound_nodes":[]},)";
  const std::string tail = R"(],"input_layers":[["x",0,0]],"output_layers":[["in",)";
  std::string config = head + many + tail + "0,0]]}";
  for (int level = 0; level < 15; ++level) {
    std::string calls;
    for (int call = 0; call < 8; ++call) calls += (call == 0 ? "" : ",") + std::string(R"([["x",0,0,{}]])");
    config = head + R"({"class_name":"Model","name":"in","config":)" + config + R"(,"inbound_nodes":[)" + calls + "]}" +
             tail + "8,0]]}";
  }
  expect_refused(kInvalid, "more than 100000 calls", whole(config));
  // The inner model hands its input on, and is given its own output.
  const std::string identity =
      head + dense("in", R"([[["x",0,0,{}]]])") + R"(],"input_layers":[["x",0,0]],"output_layers":[["x",0,0]]})";
  expect_refused(kInvalid, "loop",
                 whole(head + R"({"class_name":"Model","name":"in","config":)" + identity +
                       R"(,"inbound_nodes":[[["in",1,0,{}]]]})" + tail + "1,0]]}"));
  expect_refused(kInvalid, "has 1 inputs, but is given 2",
                 whole(head + R"({"class_name":"Model","name":"in","config":)" + doubling(0) +
                       R"(,"inbound_nodes":[[["x",0,0,{}],["x",0,0,{}]]]})" + tail + "1,0]]}"));
  expect_refused(kInvalid, "output 7 of \"in\"",
                 whole(head + R"({"class_name":"Model","name":"in","config":)" + doubling(0) +
                       R"(,"inbound_nodes":[[["x",0,0,{}]]]})" + tail + "1,7]]}"));
}

TEST(HostileJson, call_arguments) {
  const auto dropout = [](const std::string& arguments) {
    return functional(R"({"class_name":"Dropout","name":"y","config":{"rate":0.5},"inbound_nodes":[[["x",0,0,)" +
                      arguments + "]]]}");
  };
  const auto training = [](const ModelSpec& model) { return model.nodes.back().arguments.count("training"); };
  EXPECT_EQ(training(parse_keras_json(dropout(R"({"training":true})"))), 1U);
  EXPECT_EQ(training(parse_keras_json(dropout(R"({"training":false})"))), 1U);
  EXPECT_EQ(training(parse_keras_json(dropout(R"({"training":null})"))), 0U);
  expect_refused(kUnsupported, "\"causal\" = true", dropout(R"({"causal":true})"));
  const std::string keras3 = R"({"class_name":"Dropout","name":"y","config":{"rate":0.5},"inbound_nodes":[{"args":[
    {"class_name":"__keras_tensor__","config":{"keras_history":["x",0,0]}}],"kwargs":{"training":false,"mask":null}}]})";
  EXPECT_NO_THROW(parse_keras_json(functional(keras3)));
}

TEST(HostileJson, python_tokens) {
  EXPECT_NO_THROW(parse_keras_json(sequential(layer(
      "Dense", R"("units":2,"bias_initializer":{"class_name":"Zeros","config":{"value":NaN,"other":-Infinity}})"))));
}

TEST(HostileJson, messages_hide_control_characters_and_stay_short) {
  const Error error = error_of([] {
    parse_keras_json(
        sequential(R"({"class_name":"Bad","config":{"name":"a\u0000\n)" + std::string(5'000, 'b') + "\"}}"));
  });
  const std::string message = error.what();
  EXPECT_LT(message.size(), 250U);
  EXPECT_EQ(message.find('\n'), std::string::npos);
  EXPECT_EQ(message.find('\0'), std::string::npos);
}

/// Anything else than success or an Error fails the test.
void expect_only_errors(const std::string& text) {
  try {
    const ModelSpec model = parse_keras_json(text, {{4}});
    EXPECT_GE(parameter_count(model), 0);
  } catch (const Error& error) {
    EXPECT_NE(error.code(), ErrorCode::kInternal) << error.what() << "\n" << text;
  } catch (const std::exception& error) {
    FAIL() << error.what() << "\n" << text;
  }
}

TEST(HostileJson, truncated_samples) {
  for (const std::string& name : sample_names()) {
    const std::string text = sample(name);
    for (std::size_t length = 0; length + 4 < text.size(); length += 1 + text.size() / 200) {
      EXPECT_THROW(parse_keras_json(text.substr(0, length)), Error) << name << " " << length;
    }
  }
}

TEST(HostileJson, mutated_samples) {
  std::mt19937 random(20240521);  // NOLINT: the same mutations in every run
  const std::vector<std::string> tokens = {"null", "-1",   "0",    "1e400", "2147483648", "[]",
                                           "{}",   "\"\"", "true", "NaN",   "[[0]]",      "99999999999999999999"};
  for (const std::string& name : sample_names()) {
    const std::string original = sample(name);
    for (int round = 0; round < 400; ++round) {
      std::string text = original;
      for (std::uint32_t change = 0; change <= random() % 3; ++change) {
        const std::size_t at = random() % text.size();
        if (random() % 3 == 0) {
          text[at] = static_cast<char>(random() % 256);
        } else if (random() % 2 == 0) {
          text.erase(at, random() % 20);
        } else if (const std::size_t colon = text.find(": ", at); colon != std::string::npos) {
          const std::size_t end = text.find_first_of(",}", colon);
          text.replace(colon + 2, end == std::string::npos ? 0 : end - colon - 2, tokens[random() % tokens.size()]);
        }
        if (text.empty()) text = "0";
      }
      expect_only_errors(text);
    }
  }
}

}  // namespace
}  // namespace modelhop
