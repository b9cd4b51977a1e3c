// SPDX-License-Identifier: Apache-2.0
#include "server/safetensors.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "modelhop/error.hpp"
#include "spec/grammar_text.hpp"
#include "spec/json_text.hpp"

namespace modelhop::server {
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kMaxAxes = 64;
constexpr std::int64_t kMaxBytes = std::int64_t{1} << 40;

[[noreturn]] void refuse(const std::string& problem) {
  throw Error(ErrorCode::kInvalidArgument, "safetensors: " + problem,
              "Give the bytes of a .safetensors file with the float32 arrays of get_weights().");
}

/// Names come from the file and may be of any length.
std::string array_text(const std::string& name) {
  return "array " + spec::in_quotes(name);
}

std::uint64_t header_length(std::span<const std::byte> bytes) {
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) length |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  return length;
}

std::int64_t byte_count(const Shape& shape) {
  std::int64_t bytes = 4;
  for (const std::int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(bytes, extent, &bytes) || bytes > kMaxBytes) {
      refuse("shape " + spec::to_text(shape) + " is out of range");
    }
  }
  return bytes;
}

struct Entry {
  NamedArray array;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

std::vector<std::int64_t> integers(const std::string& name, const spec::Json& entry, const char* key) {
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_array()) refuse(array_text(name) + " has no list \"" + key + "\"");
  if (found->size() > kMaxAxes) refuse(array_text(name) + " has " + std::to_string(found->size()) + " axes");
  std::vector<std::int64_t> values;
  for (const auto& value : *found) {
    const bool fits =
        value.is_number_integer() &&
        !(value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(kMaxBytes));
    if (!fits) refuse(array_text(name) + " has \"" + key + "\" " + spec::in_quotes(value.dump()));
    values.push_back(value.get<std::int64_t>());
  }
  return values;
}

Entry read_entry(const std::string& name, const spec::Json& value) {
  if (!value.is_object()) refuse(array_text(name) + " is not described");
  const auto type = value.find("dtype");
  if (type == value.end() || *type != "F32") {
    refuse(array_text(name) + " has type " +
           (type == value.end() ? std::string("none") : spec::in_quotes(type->dump())) + ", not F32");
  }
  Entry entry;
  entry.array = {name, integers(name, value, "shape")};
  const std::vector<std::int64_t> offsets = integers(name, value, "data_offsets");
  if (offsets.size() != 2 || offsets[0] < 0 || offsets[1] < offsets[0] ||
      offsets[1] - offsets[0] != byte_count(entry.array.shape)) {
    refuse(array_text(name) + " of shape " + spec::to_text(entry.array.shape) + " does not fit its data_offsets");
  }
  entry.begin = offsets[0];
  entry.end = offsets[1];
  return entry;
}

spec::Json read_header(std::string_view text) {
  try {
    return spec::read_json_text("header", text);
  } catch (const Error& error) {
    // What the reader shows of the text need not be UTF-8.
    const std::string problem = error.what();
    const bool is_plain =
        std::all_of(problem.begin(), problem.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    refuse(is_plain ? problem : "header is not valid JSON");
  }
}

}  // namespace

bool looks_like_safetensors(std::span<const std::byte> bytes) {
  return bytes.size() > kLengthBytes && bytes[kLengthBytes] == std::byte{'{'} &&
         header_length(bytes) <= bytes.size() - kLengthBytes;
}

std::vector<std::byte> write_safetensors(const std::vector<NamedArray>& arrays, std::span<const std::byte> data) {
  spec::Json header = spec::Json::object();
  std::int64_t offset = 0;
  for (const NamedArray& array : arrays) {
    const std::int64_t end = offset + byte_count(array.shape);
    header[array.name] = {{"dtype", "F32"}, {"shape", array.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  check(static_cast<std::size_t>(offset) == data.size(), "weights are not of their arrays");
  std::string text = header.dump();
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');
  std::vector<std::byte> bytes(kLengthBytes + text.size() + data.size());
  for (std::size_t i = 0; i < kLengthBytes; ++i) bytes[i] = static_cast<std::byte>(text.size() >> (8 * i));
  std::memcpy(bytes.data() + kLengthBytes, text.data(), text.size());
  std::copy(data.begin(), data.end(), bytes.begin() + static_cast<std::ptrdiff_t>(kLengthBytes + text.size()));
  return bytes;
}

SafetensorsFile read_safetensors(std::span<const std::byte> bytes) {
  if (bytes.size() < kLengthBytes) refuse(std::to_string(bytes.size()) + " bytes are too few");
  const std::uint64_t length = header_length(bytes);
  if (length > bytes.size() - kLengthBytes) {
    refuse("a header of " + std::to_string(length) + " bytes does not fit into " + std::to_string(bytes.size()));
  }
  const spec::Json header =
      read_header({reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, static_cast<std::size_t>(length)});
  if (!header.is_object()) refuse("the header is not a JSON object");
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != "__metadata__") entries.push_back(read_entry(name, value));
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  SafetensorsFile file;
  file.data = bytes.subspan(kLengthBytes + static_cast<std::size_t>(length));
  std::int64_t offset = 0;
  for (Entry& entry : entries) {
    if (entry.begin != offset) refuse(array_text(entry.array.name) + " does not begin where another one ends");
    offset = entry.end;
    file.arrays.push_back(std::move(entry.array));
  }
  if (static_cast<std::size_t>(offset) != file.data.size()) {
    refuse("the arrays take " + std::to_string(offset) + " bytes of " + std::to_string(file.data.size()));
  }
  return file;
}

std::vector<NamedArray> weight_arrays(const ModelSpec& model) {
  std::vector<NamedArray> arrays;
  for (const WeightRef& place : model.weight_order) {
    const LayerSpec& layer = model.layers[static_cast<std::size_t>(place.layer)];
    const WeightSpec& weight = layer.weights[static_cast<std::size_t>(place.weight)];
    std::string number = std::to_string(arrays.size());
    if (number.size() < 4) number.insert(0, 4 - number.size(), '0');
    arrays.push_back({number + "/" + layer.name + "/" + weight.name, weight.shape});
  }
  return arrays;
}

std::span<const std::byte> weights_of(const ModelSpec& model, std::span<const std::byte> bytes) {
  const SafetensorsFile file = read_safetensors(bytes);
  const std::vector<NamedArray> own = weight_arrays(model);
  if (file.arrays.size() != own.size()) {
    refuse(std::to_string(file.arrays.size()) + " arrays, but the architecture has " + std::to_string(own.size()));
  }
  for (std::size_t place = 0; place < own.size(); ++place) {
    if (file.arrays[place].shape == own[place].shape) continue;
    refuse(array_text(file.arrays[place].name) + " has shape " + spec::to_text(file.arrays[place].shape) +
           " where weight \"" + own[place].name + "\" of the architecture has " + spec::to_text(own[place].shape));
  }
  return file.data;
}

}  // namespace modelhop::server
