// SPDX-License-Identifier: Apache-2.0
// The safetensors format: eight bytes with the length of a JSON header (little-endian), the header, the arrays. Float32
// arrays alone, in the order in which they lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "modelhop/model_spec.hpp"

namespace modelhop::server {

struct NamedArray {
  std::string name;
  Shape shape;
};

/// Whether the bytes begin as such a file does.
bool looks_like_safetensors(std::span<const std::byte> bytes);

/// `data` holds the arrays one after the other, their shapes say how many bytes each takes.
std::vector<std::byte> write_safetensors(const std::vector<NamedArray>& arrays, std::span<const std::byte> data);

struct SafetensorsFile {
  std::vector<NamedArray> arrays;   ///< in the order of their bytes
  std::span<const std::byte> data;  ///< all of them, without gaps
};

/// Safe on hostile bytes. Throws Error(kInvalidArgument), which says what is wrong, without an argument's name: a
/// header that is none, other types than F32, shapes that do not fit their bytes, gaps and overlaps.
SafetensorsFile read_safetensors(std::span<const std::byte> bytes);

/// The arrays of get_weights() with names that begin with their place: "0003/dense_1/bias".
std::vector<NamedArray> weight_arrays(const ModelSpec& model);

/// The float32 of get_weights() out of a file. Throws Error(kInvalidArgument) where its arrays are not those of the
/// model.
std::span<const std::byte> weights_of(const ModelSpec& model, std::span<const std::byte> bytes);

}  // namespace modelhop::server
