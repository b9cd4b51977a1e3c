// SPDX-License-Identifier: Apache-2.0
// Dropout and its kin: layers that draw random numbers in training and do nothing in inference.
#include "spec/grammar_text.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::spec {
namespace {

bool is_standalone(SemanticsProfile profile) {
  return profile == SemanticsProfile::kKeras22;
}

/// A seed gives the layer a stream of its own; without one the attribute is missing.
void read_seed(LayerConfig& config, Attributes& attributes) {
  const Json* seed = config.find("seed");
  // Keras 3 may write a seed generator as an object: a stream like any other.
  if (seed == nullptr || seed->is_object()) return;
  attributes["seed"] = config.integer_value(
      "seed", *seed, {std::numeric_limits<std::int64_t>::min() / 2, std::numeric_limits<std::int64_t>::max() / 2});
}

/// What a rate of 1 means differs: nothing in standalone Keras 2, zeros in Keras 3, and tf.keras refuses it.
void read_rate(LayerConfig& config, Attributes& attributes) {
  const bool is_closed = is_standalone(config.profile()) || config.profile() == SemanticsProfile::kKeras3;
  double rate = config.number("rate", {}, {0.0, 1.0, !is_closed});
  if (rate == 1.0 && is_standalone(config.profile())) rate = 0.0;
  attributes["rate"] = rate;
  read_seed(config, attributes);
}

/// Rates whose noise is infinite at 1.
void read_open_rate(LayerConfig& config, Attributes& attributes) {
  const bool is_idle_at_one = config.profile() != SemanticsProfile::kKeras3;
  double rate = config.number("rate", {}, {0.0, 1.0, !is_idle_at_one});
  if (rate == 1.0) rate = 0.0;
  attributes["rate"] = rate;
  read_seed(config, attributes);
}

/// -1 where Keras has null; an empty list where there is no noise shape.
void read_noise_shape(LayerConfig& config, Attributes& attributes) {
  const Json* value = config.find("noise_shape");
  std::vector<std::int64_t> shape;
  if (value != nullptr) {
    if (!value->is_array() || value->empty() || value->size() > 32) {
      config.refuse_value("noise_shape", "a list with the batch axis first");
    }
    for (const Json& extent : *value) {
      shape.push_back(extent.is_null() ? -1 : config.integer_value("noise_shape", extent, {1, kMaxExtent}));
    }
  }
  attributes["noise_shape"] = shape;
}

void read_dropout(LayerConfig& config, Attributes& attributes) {
  read_rate(config, attributes);
  read_noise_shape(config, attributes);
}

void read_alpha_dropout(LayerConfig& config, Attributes& attributes) {
  read_open_rate(config, attributes);
  read_noise_shape(config, attributes);
}

void read_gaussian_noise(LayerConfig& config, Attributes& attributes) {
  attributes["stddev"] = config.number("stddev", {}, {0.0});
  read_seed(config, attributes);
}

Shape dropout_shape(const LayerCall& call) {
  std::vector<std::int64_t> noise = list_attribute(call.layer, "noise_shape");
  if (noise.empty()) return call.input();
  const auto failure = [&] {
    refuse(call.where() + ": \"noise_shape\" " + to_text(list_attribute(call.layer, "noise_shape")) +
           " does not fit an input of shape " + to_text(call.input()) + " behind the batch axis");
  };
  if (noise.size() != call.input().size() + 1) failure();
  if (noise[0] > 1) {
    unsupported(call.where() + ": \"noise_shape\" fixes the batch size",
                "Use null (each example its own noise) or 1 (one noise for the batch) as its first entry.");
  }
  for (std::size_t axis = 1; axis < noise.size(); ++axis) {
    const std::int64_t extent = call.input()[axis - 1];
    if (noise[axis] == -1) noise[axis] = extent;
    if (noise[axis] != 1 && noise[axis] != extent) failure();
  }
  call.layer.attributes["noise_shape"] = noise;
  return call.input();
}

void read_spatial_dropout1d(LayerConfig& config, Attributes& attributes) {
  read_rate(config, attributes);
  attributes["noise_shape"] = std::vector<std::int64_t>{};
}

void read_spatial_dropout(LayerConfig& config, Attributes& attributes) {
  read_spatial_dropout1d(config, attributes);
  attributes["data_format"] = config.choice("data_format", "channels_last", {"channels_last", "channels_first"});
}

/// Whole channels are dropped.
Shape spatial_dropout_shape(const LayerCall& call, std::size_t spatial_axes, bool is_channels_first) {
  call.require_rank(spatial_axes + 1);
  std::vector<std::int64_t> noise(spatial_axes + 2, 1);
  noise[0] = -1;
  noise[is_channels_first ? 1 : spatial_axes + 1] = call.input()[is_channels_first ? 0 : spatial_axes];
  call.layer.attributes["noise_shape"] = noise;
  return call.input();
}

template <std::size_t kAxes>
Shape spatial_dropout_shape(const LayerCall& call) {
  const bool is_channels_first = kAxes > 1 && string_attribute(call.layer, "data_format") == "channels_first";
  return spatial_dropout_shape(call, kAxes, is_channels_first);
}

LayerKind noise(std::string_view class_name, void (*read)(LayerConfig&, Attributes&),
                Shape (*output_shape)(const LayerCall&)) {
  return {.class_name = class_name,
          .read = read,
          .output_shape = output_shape,
          .flops = one_flop_each,
          .mask_rule = MaskRule::kPassed};
}

}  // namespace

const std::vector<LayerKind>& noise_layers() {
  static const std::vector<LayerKind> kinds = {
      noise("Dropout", read_dropout, dropout_shape),
      noise("SpatialDropout1D", read_spatial_dropout1d, spatial_dropout_shape<1>),
      noise("SpatialDropout2D", read_spatial_dropout, spatial_dropout_shape<2>),
      noise("SpatialDropout3D", read_spatial_dropout, spatial_dropout_shape<3>),
      noise("GaussianNoise", read_gaussian_noise, same_shape),
      noise("GaussianDropout", read_open_rate, same_shape),
      noise("AlphaDropout", read_alpha_dropout, dropout_shape),
  };
  return kinds;
}

}  // namespace modelhop::spec
