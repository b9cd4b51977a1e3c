// SPDX-License-Identifier: Apache-2.0
// Every architecture that real Keras wrote for test/keras: read under its own profile, with Keras's order of weights.
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "samples.hpp"
#include "spec/keras_json.hpp"

namespace modelhop {
namespace {

using nlohmann::json;

const std::map<std::string, std::string> kProfiles = {
    {"keras22", "k22"}, {"tf1", "tf1"}, {"tf2_legacy", "tf2l"}, {"tf2", "tf2n"}, {"keras3", "k3"}};

struct Tally {
  int read = 0;
  int refused = 0;  ///< on purpose
};

std::vector<Shape> weight_shapes(const ModelSpec& model) {
  std::vector<Shape> shapes;
  for (const WeightRef& ref : model.weight_order) shapes.push_back(model.layers[ref.layer].weights[ref.weight].shape);
  return shapes;
}

/// Without the rows. Keras of TensorFlow 1 writes no shape where an InputLayer was added to a Sequential model.
std::vector<Shape> input_shapes(const json& example) {
  std::vector<Shape> shapes;
  if (example.contains("input_shape")) shapes = {example.at("input_shape").get<Shape>()};
  if (example.contains("inputs")) {
    for (const json& input : example.at("inputs")) shapes.push_back(input.at("shape").get<Shape>());
  }
  for (Shape& shape : shapes) shape.erase(shape.begin());
  return shapes;
}

void check_case(const json& example, const std::string& profile, Tally& tally) {
  try {
    const ModelSpec model = parse_keras_json(example.at("model").dump(), input_shapes(example));
    // Some fixtures of tf2_legacy are files of tf.keras 2.15 that were trained with the old optimizers.
    if (profile != "tf2l" || to_string(model.profile) != "tf2n") {
      EXPECT_EQ(to_string(model.profile), profile);
    }
    if (example.contains("weight_shapes")) {
      EXPECT_EQ(json(weight_shapes(model)), example.at("weight_shapes"));
    }
    EXPECT_EQ(model.output_names.size(), model.outputs.size());
    ++tally.read;
  } catch (const Error& error) {
    bool is_meant = false;
    for (const char* refusal : {"\"renorm\" of BatchNormalization", "unknown class \"EinsumDense\""}) {
      is_meant = is_meant || std::string(error.what()).find(refusal) != std::string::npos;
    }
    tally.refused += is_meant ? 1 : 0;
    EXPECT_TRUE(is_meant) << error.what();
  }
}

TEST(ArchitectureFixtures, are_read_as_keras_made_them) {
  Tally tally;
  for (const auto& entry : std::filesystem::directory_iterator("../keras/fixtures")) {
    const std::string stem = entry.path().stem();
    const auto profile = kProfiles.find(stem.substr(stem.rfind('.') + 1));
    if (entry.path().extension() != ".json" || profile == kProfiles.end()) continue;
    std::ifstream file(entry.path());
    for (const json& example : json::parse(file)) {
      if (!example.is_object() || !example.contains("model")) continue;
      SCOPED_TRACE(entry.path().filename().string() + ": " + example.value("name", ""));
      check_case(example, profile->second, tally);
    }
  }
  EXPECT_GT(tally.read, 500);
  RecordProperty("read", tally.read);
  RecordProperty("refused", tally.refused);
  std::cout << tally.read << " read, " << tally.refused << " refused on purpose\n";
}

}  // namespace
}  // namespace modelhop
