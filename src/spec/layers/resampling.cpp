// SPDX-License-Identifier: Apache-2.0
// Layers that change the size of sequences, images and volumes and learn nothing: UpSampling, ZeroPadding, Cropping,
// Resizing, CenterCrop.
#include "spec/grammar_text.hpp"
#include "spec/spatial.hpp"

namespace modelhop::spec {
namespace {

template <std::size_t kRank>
void read_upsampling(LayerConfig& config, Attributes& attributes) {
  attributes["size"] = config.extents("size", std::vector<std::int64_t>(kRank, 2), kRank, {});
  read_data_format(config, attributes);
  if (kRank == 2) {
    attributes["interpolation"] =
        config.choice("interpolation", "nearest", {"nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"});
  }
}

Shape upsampled_shape(const LayerCall& call) {
  const auto& size = list_attribute(call.layer, "size");
  std::vector<std::int64_t> extents = spatial_extents(call, size.size());
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    extents[axis] = product_within(extents[axis], size[axis], kMaxElements, call.where() + ": \"size\"");
  }
  return spatial_shape(call.layer, std::move(extents), channels_of(call, size.size()));
}

/// 1, [1, 2] (each side of rows, of columns) or [[top, bottom], [left, right]]; of sequences 1 or [before, after].
std::vector<std::int64_t> read_sides(LayerConfig& config, const std::string& key, std::size_t rank,
                                     std::int64_t fallback) {
  const IntegerRange range{0, kMaxExtent};
  const Json* value = config.find(key);
  if (value == nullptr) return std::vector<std::int64_t>(2 * rank, fallback);
  if (!value->is_array()) return std::vector<std::int64_t>(2 * rank, config.integer_value(key, *value, range));
  const std::string count = std::to_string(rank);
  const std::string expected = rank == 1 ? "an integer or a list of 2 integers"
                                         : "an integer, a list of " + count + ", or a list of " + count + " lists of 2";
  if (rank == 1) return config.extents(key, {}, 2, range);
  if (value->size() != rank) config.refuse_value(key, expected);
  std::vector<std::int64_t> sides;
  for (const Json& axis : *value) {
    if (axis.is_array() && axis.size() != 2) config.refuse_value(key, expected);
    sides.push_back(config.integer_value(key, axis.is_array() ? axis[0] : axis, range));
    sides.push_back(config.integer_value(key, axis.is_array() ? axis[1] : axis, range));
  }
  return sides;
}

template <std::size_t kRank>
void read_zero_padding(LayerConfig& config, Attributes& attributes) {
  attributes["padding"] = read_sides(config, "padding", kRank, 1);
  read_data_format(config, attributes);
}

template <std::size_t kRank>
void read_cropping(LayerConfig& config, Attributes& attributes) {
  attributes["cropping"] = read_sides(config, "cropping", kRank, kRank == 2 ? 0 : 1);
  read_data_format(config, attributes);
}

Shape padded_shape(const LayerCall& call) {
  const auto& sides = list_attribute(call.layer, "padding");
  std::vector<std::int64_t> extents = spatial_extents(call, sides.size() / 2);
  for (std::size_t axis = 0; axis < extents.size(); ++axis) extents[axis] += sides[2 * axis] + sides[2 * axis + 1];
  return spatial_shape(call.layer, std::move(extents), channels_of(call, sides.size() / 2));
}

Shape cropped_shape(const LayerCall& call) {
  const auto& sides = list_attribute(call.layer, "cropping");
  std::vector<std::int64_t> extents = spatial_extents(call, sides.size() / 2);
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    extents[axis] -= sides[2 * axis] + sides[2 * axis + 1];
    if (extents[axis] >= 1) continue;
    refuse(call.where() + ": \"cropping\" " + to_text(sides) + " leaves nothing of the input of shape " +
           to_text(call.input()));
  }
  return spatial_shape(call.layer, std::move(extents), channels_of(call, sides.size() / 2));
}

void read_image_size(LayerConfig& config, Attributes& attributes) {
  attributes["height"] = config.integer("height", {}, {});
  attributes["width"] = config.integer("width", {}, {});
  read_data_format(config, attributes);
}

void read_resizing(LayerConfig& config, Attributes& attributes) {
  read_image_size(config, attributes);
  attributes["interpolation"] =
      config.choice("interpolation", "bilinear", {"bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"});
  const bool crops = config.boolean("crop_to_aspect_ratio", false);
  const bool pads = config.boolean("pad_to_aspect_ratio", false);
  if (crops && pads) {
    refuse(config.where() + ": \"crop_to_aspect_ratio\" and \"pad_to_aspect_ratio\" cannot both be true");
  }
  attributes["crop_to_aspect_ratio"] = crops;
  attributes["pad_to_aspect_ratio"] = pads;
  attributes["antialias"] = config.boolean("antialias", false);
  attributes["fill_value"] = config.number("fill_value", 0.0, {});
  config.choice("fill_mode", "constant", {"constant"});
}

Shape resized_shape(const LayerCall& call) {
  return spatial_shape(call.layer, {integer_attribute(call.layer, "height"), integer_attribute(call.layer, "width")},
                       channels_of(call, 2));
}

/// A weighted sum over few input cells per output, along one axis after the other.
std::int64_t interpolation_flops(const LayerCall& call, const Shape& output) {
  const auto method = call.layer.attributes.find("interpolation");
  const bool is_copy = method == call.layer.attributes.end() || method->second == Attribute(std::string("nearest"));
  return flops_of(element_count(output), is_copy ? 0 : 8, call);
}

LayerKind kind(std::string_view class_name, void (*read)(LayerConfig&, Attributes&), Shape (*shape)(const LayerCall&)) {
  return {.class_name = class_name, .read = read, .output_shape = shape, .flops = interpolation_flops};
}

}  // namespace

const std::vector<LayerKind>& resampling_layers() {
  static const std::vector<LayerKind> kinds = {
      kind("UpSampling1D", read_upsampling<1>, upsampled_shape),
      kind("UpSampling2D", read_upsampling<2>, upsampled_shape),
      kind("UpSampling3D", read_upsampling<3>, upsampled_shape),
      kind("ZeroPadding1D", read_zero_padding<1>, padded_shape),
      kind("ZeroPadding2D", read_zero_padding<2>, padded_shape),
      kind("ZeroPadding3D", read_zero_padding<3>, padded_shape),
      kind("Cropping1D", read_cropping<1>, cropped_shape),
      kind("Cropping2D", read_cropping<2>, cropped_shape),
      kind("Cropping3D", read_cropping<3>, cropped_shape),
      kind("Resizing", read_resizing, resized_shape),
      kind("CenterCrop", read_image_size, resized_shape),
  };
  return kinds;
}

}  // namespace modelhop::spec
