// SPDX-License-Identifier: Apache-2.0
// What is written reads back; what is broken is refused.
#include "server/safetensors.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "modelhop/error.hpp"
#include "spec/keras_json.hpp"

namespace modelhop::server {
namespace {

using Bytes = std::vector<std::byte>;

Bytes numbers(std::size_t count) {
  Bytes data(count * 4);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i * 37);
  return data;
}

Bytes file_of(const std::string& header, const Bytes& data) {
  Bytes bytes(8);
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::byte>(header.size() >> (8 * i));
  for (const char character : header) bytes.push_back(static_cast<std::byte>(character));
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

std::string refusal_of(const Bytes& bytes) {
  try {
    read_safetensors(bytes);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.what();
  }
  return "nothing was refused";
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Safetensors, ReadsWhatItWrites) {
  const Bytes data = numbers(6 + 3 + 1);
  const Bytes file = write_safetensors({{"b", {2, 3}}, {"a", {3}}, {"scalar", {}}}, data);
  EXPECT_TRUE(looks_like_safetensors(file));
  const SafetensorsFile read = read_safetensors(file);
  ASSERT_EQ(read.arrays.size(), 3U);
  EXPECT_EQ(read.arrays[0].name, "b");
  EXPECT_EQ(read.arrays[0].shape, (Shape{2, 3}));
  EXPECT_EQ(read.arrays[2].shape, Shape{});
  EXPECT_EQ(Bytes(read.data.begin(), read.data.end()), data);
  EXPECT_EQ((file.size() - data.size()) % 8, 0U);
}

TEST(Safetensors, TakesAnEmptyFileAndMetadata) {
  EXPECT_TRUE(read_safetensors(file_of("{}", {})).arrays.empty());
  const auto read = read_safetensors(file_of(
      R"({"__metadata__": {"format": "pt"}, "x": {"dtype": "F32", "shape": [0, 5], "data_offsets": [0, 0]}})", {}));
  EXPECT_EQ(read.arrays.size(), 1U);
}

TEST(Safetensors, RefusesWhatIsBroken) {
  const Bytes four = numbers(1);
  EXPECT_TRUE(says(refusal_of({}), "too few"));
  EXPECT_TRUE(says(refusal_of(Bytes(8, std::byte{0xff})), "does not fit"));
  EXPECT_TRUE(says(refusal_of(file_of("[1]", {})), "not a JSON object"));
  EXPECT_TRUE(says(refusal_of(file_of("{\"a\": 1,}", {})), "header is not valid JSON"));
  EXPECT_TRUE(says(refusal_of(file_of(std::string(1000, '['), {})), "header JSON is nested deeper than 100 levels"));
  refusal_of(file_of("{", {}));
  const auto entry = [&](const std::string& type, const std::string& shape, const std::string& offsets) {
    return refusal_of(file_of(
        R"({"x": {"dtype": ")" + type + R"(", "shape": )" + shape + R"(, "data_offsets": )" + offsets + "}}", four));
  };
  EXPECT_TRUE(says(entry("F16", "[1]", "[0, 4]"), "F16"));
  EXPECT_TRUE(says(entry("F32", "[2]", "[0, 4]"), "does not fit"));
  EXPECT_TRUE(says(entry("F32", "[-1]", "[0, 4]"), "out of range"));
  EXPECT_TRUE(says(entry("F32", "[4294967296, 4294967296]", "[0, 4]"), "out of range"));
  EXPECT_TRUE(says(entry("F32", "[18446744073709551615]", "[0, 4]"), "18446744073709551615"));
  EXPECT_TRUE(says(entry("F32", "[1]", "[4, 8]"), "does not begin"));
  EXPECT_TRUE(says(entry("F32", "[1]", "[0, 4, 4]"), "does not fit"));
  EXPECT_TRUE(says(entry("F32", "[0.5]", "[0, 4]"), "0.5"));
  EXPECT_TRUE(says(entry("F32", "1", "[0, 4]"), "no list"));
  EXPECT_TRUE(says(entry("F32", "[0]", "[0, 0]"), "take 0 bytes of 4"));
}

TEST(Safetensors, SaysOnlyWhatAMessageCanHold) {
  for (const char* header : {"{\"\xff\": 1}", "\xc3\x28", "{\"a\": \xff}"}) {
    const std::string problem = refusal_of(file_of(header, {}));
    EXPECT_TRUE(std::all_of(problem.begin(), problem.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x80;
    })) << problem;
  }
  EXPECT_LT(refusal_of(file_of("{\"" + std::string(100'000, 'n') + "\": 1}", {})).size(), 200U);
}

TEST(Safetensors, SurvivesMutatedFiles) {
  const Bytes original = write_safetensors({{"kernel", {2, 2}}, {"bias", {2}}}, numbers(6));
  std::mt19937 random(7);
  int refused = 0;
  for (int trial = 0; trial < 5'000; ++trial) {
    Bytes bytes = original;
    for (std::size_t i = 0; i <= random() % 3; ++i)
      bytes[random() % (bytes.size() - 24)] = static_cast<std::byte>(random());
    if (trial % 4 == 0) bytes.resize(random() % bytes.size());
    try {
      const SafetensorsFile read = read_safetensors(bytes);
      EXPECT_LE(read.data.size(), bytes.size());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      ++refused;
    }
  }
  EXPECT_GT(refused, 2'000);
}

TEST(Safetensors, FitsAModelByTheShapesOfItsWeights) {
  const ModelSpec model = parse_keras_json(R"({"class_name": "Sequential", "config": {"name": "m", "layers": [
      {"class_name": "Dense", "config": {"name": "d", "units": 2, "batch_input_shape": [null, 3]}}]}})");
  const std::vector<NamedArray> arrays = weight_arrays(model);
  ASSERT_EQ(arrays.size(), 2U);
  EXPECT_EQ(arrays[0].name, "0000/d/kernel");
  EXPECT_EQ(arrays[1].shape, Shape{2});
  const Bytes data = numbers(8);
  const Bytes file = write_safetensors(arrays, data);
  const auto weights = weights_of(model, file);  // lies in the file
  EXPECT_EQ(Bytes(weights.begin(), weights.end()), data);
  EXPECT_THROW(weights_of(model, write_safetensors({{"k", {2, 3}}, {"b", {2}}}, data)), Error);
  EXPECT_THROW(weights_of(model, write_safetensors({{"k", {8}}}, data)), Error);
}

}  // namespace
}  // namespace modelhop::server
