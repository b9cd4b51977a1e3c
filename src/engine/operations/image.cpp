// SPDX-License-Identifier: Apache-2.0
// Rescaling, and layers that vary images while training: what is drawn for an example depends on the configuration's
// seed, the step, the call and the example's place in the batch alone.
#include <ATen/ops/arange.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/grid_sampler_2d.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

#include <cmath>

#include "engine/operations/resizing.hpp"
#include "engine/random.hpp"

namespace modelhop::engine {
namespace {

constexpr double kTwoPi = 6.283185307179586;

struct Range {
  double low = 0.0, high = 1.0;
  double at(double share) const { return low + (high - low) * share; }
};

Range range_attribute(const Lowering& lowering, const char* name) {
  const std::vector<double>& values = numbers_attribute(lowering.layer(), name);
  return {values.at(0), values.at(1)};
}

/// [rows, columns] on the device of x, each row made by `fill` from the example's draws.
template <typename Fill>
at::Tensor drawn(const ForwardInputs& given, std::uint32_t call, std::int64_t columns, const Fill& fill) {
  const at::Tensor& x = given.inputs[0];
  at::Tensor values = at::empty({x.size(0), columns}, x.options().device(at::kCPU));
  float* row = values.mutable_data_ptr<float>();
  for (std::int64_t example = 0; example < x.size(0); ++example, row += columns) {
    fill(example_draws(given.step.configuration_seed, given.step.number, call, example), row);
  }
  return values.to(x.device());
}

/// One number an example, to be used with all its cells.
at::Tensor drawn_in(const ForwardInputs& given, std::uint32_t call, std::size_t draw, const Range& range) {
  const auto fill = [&](const std::array<double, 4>& draws, float* value) {
    *value = static_cast<float>(range.at(draws[draw]));
  };
  return drawn(given, call, 1, fill).view({-1, 1, 1, 1});
}

template <typename Function>
Value* emit_random(Lowering& lowering, Function function) {
  return lowering.emit<AutogradOperation>({lowering.inputs[0]}, lowering.output_shape(), {}, std::move(function));
}

enum class Fill : std::uint8_t { kReflect, kConstant, kWrap, kNearest };

Fill fill_of(const Lowering& lowering) {
  const std::string& mode = string_attribute(lowering.layer(), "fill_mode");
  return mode == "reflect"    ? Fill::kReflect
         : mode == "constant" ? Fill::kConstant
         : mode == "wrap"     ? Fill::kWrap
                              : Fill::kNearest;
}

/// Where the cells of the output lie in the input: x' = a0 x + a1 y + a2, y' = b0 x + b1 y + b2 in cells, with the six
/// numbers drawn for each example.
struct Geometry {
  Fill fill = Fill::kReflect;
  double fill_value = 0.0;
  bool is_nearest = false;
  std::int64_t height_axis = 1;  ///< counts the batch axis
};

Geometry geometry_of(const Lowering& lowering) {
  return {fill_of(lowering), number_attribute(lowering.layer(), "fill_value"),
          string_attribute(lowering.layer(), "interpolation") == "nearest", height_axis(lowering) + 1};
}

/// TensorFlow's continuation of the axis, which comes round again after `extent` cells but counts in steps of one less.
at::Tensor wrapped(const at::Tensor& place, std::int64_t extent) {
  if (extent <= 1) return place.mul(0);
  const auto cells = static_cast<double>(extent);
  const at::Tensor below = place.add(place.neg().div(cells - 1).trunc().add(1).mul(cells));
  const at::Tensor above = place.sub(place.div(cells - 1).trunc().mul(cells));
  return at::where(place.lt(0), below, at::where(place.gt(cells - 1), above, place));
}

at::Tensor transformed(const Geometry& geometry, const at::Tensor& x, const at::Tensor& numbers) {
  const std::int64_t height = x.size(geometry.height_axis), width = x.size(geometry.height_axis + 1);
  const at::Tensor columns = at::arange(width, x.options()).view({1, 1, width});
  const at::Tensor rows = at::arange(height, x.options()).view({1, height, 1});
  const auto number = [&](std::int64_t index) { return numbers.select(1, index).view({-1, 1, 1}); };
  const auto place = [&](std::int64_t first, std::int64_t extent) {
    at::Tensor cells = columns.mul(number(first)).add(rows.mul(number(first + 1))).add(number(first + 2));
    if (geometry.fill == Fill::kWrap) cells = wrapped(cells, extent);
    // ATen counts from -1 at the outer edge of the first cell to 1 at that of the last.
    return cells.mul(2).add(1).div(static_cast<double>(extent)).sub(1);
  };
  const at::Tensor grid = at::stack({place(0, width), place(3, height)}, -1);
  constexpr std::int64_t kZeros = 0, kBorder = 1, kReflection = 2;
  const std::int64_t padding = geometry.fill == Fill::kReflect    ? kReflection
                               : geometry.fill == Fill::kConstant ? kZeros
                                                                  : kBorder;
  const bool is_channels_last = geometry.height_axis == 1;
  at::Tensor images = is_channels_last ? x.permute({0, 3, 1, 2}) : x;
  images = at::grid_sampler_2d(images.sub(geometry.fill_value), grid, geometry.is_nearest ? 1 : 0, padding, false)
               .add(geometry.fill_value);
  return is_channels_last ? images.permute({0, 2, 3, 1}) : images;
}

/// `fill` writes the six numbers from the example's draws and the last cells' numbers of height and width.
template <typename Numbers>
Value* emit_geometry(Lowering& lowering, Numbers fill) {
  const Geometry geometry = geometry_of(lowering);
  const std::uint32_t call = lowering.stream_number();
  return emit_random(lowering, [geometry, call, fill](const ForwardInputs& given) {
    const at::Tensor& x = given.inputs[0];
    const auto height = static_cast<double>(x.size(geometry.height_axis));
    const auto width = static_cast<double>(x.size(geometry.height_axis + 1));
    const at::Tensor numbers = drawn(given, call, 6, [&](const std::array<double, 4>& draws, float* row) {
      const std::array<double, 6> values = fill(draws, height, width);
      std::copy(values.begin(), values.end(), row);
    });
    return transformed(geometry, x, numbers);
  });
}

at::Tensor clamped(const at::Tensor& x, const Range& range) {
  return at::clamp(x, range.low, range.high);
}

}  // namespace

static Values lower_rescaling(Lowering& lowering) {
  const auto floats_of = [&](const char* name) {
    const std::vector<double>& numbers = numbers_attribute(lowering.layer(), name);
    return std::vector<float>(numbers.begin(), numbers.end());
  };
  const auto rescale = [scale = floats_of("scale"), offset = floats_of("offset")](const ForwardInputs& given) {
    const at::Tensor& x = given.inputs[0];
    const auto tensor_of = [&](const std::vector<float>& numbers) {
      return at::from_blob(const_cast<float*>(numbers.data()), {static_cast<std::int64_t>(numbers.size())},
                           x.options().device(at::kCPU).requires_grad(false))
          .to(x.device());
    };
    if (scale.size() == 1 && offset.size() == 1) return x.mul(scale[0]).add(offset[0]);
    return x.mul(tensor_of(scale)).add(tensor_of(offset));
  };
  return lowering.emit<AutogradOperation>({lowering.inputs[0]}, lowering.output_shape(), {}, rescale);
}

static Values lower_random_flip(Lowering& lowering) {
  if (!lowering.is_training()) return lowering.inputs[0];
  const std::string& mode = string_attribute(lowering.layer(), "mode");
  const bool is_horizontal = mode != "vertical", is_vertical = mode != "horizontal";
  const std::int64_t axis = height_axis(lowering) + 1;
  const std::uint32_t call = lowering.stream_number();
  return emit_random(lowering, [=](const ForwardInputs& given) {
    at::Tensor x = given.inputs[0];
    if (is_horizontal) x = at::where(drawn_in(given, call, 0, {}).lt(0.5), x.flip({axis + 1}), x);
    if (is_vertical) x = at::where(drawn_in(given, call, 1, {}).lt(0.5), x.flip({axis}), x);
    return x;
  });
}

static Values lower_random_rotation(Lowering& lowering) {
  if (!lowering.is_training()) return lowering.inputs[0];
  const Range factor = range_attribute(lowering, "factor");
  return emit_geometry(lowering, [factor](const std::array<double, 4>& draws, double height, double width) {
    const double cosine = std::cos(kTwoPi * factor.at(draws[0])), sine = std::sin(kTwoPi * factor.at(draws[0]));
    const double x = (width - 1) / 2, y = (height - 1) / 2;
    return std::array<double, 6>{cosine, -sine, x - cosine * x + sine * y, sine, cosine, y - sine * x - cosine * y};
  });
}

static Values lower_random_translation(Lowering& lowering) {
  if (!lowering.is_training()) return lowering.inputs[0];
  const Range vertical = range_attribute(lowering, "height_factor");
  const Range horizontal = range_attribute(lowering, "width_factor");
  return emit_geometry(lowering, [=](const std::array<double, 4>& draws, double height, double width) {
    return std::array<double, 6>{1, 0, -width * horizontal.at(draws[1]), 0, 1, -height * vertical.at(draws[0])};
  });
}

static Values lower_random_zoom(Lowering& lowering) {
  if (!lowering.is_training()) return lowering.inputs[0];
  const Range vertical = range_attribute(lowering, "height_factor");
  const bool is_uniform = numbers_attribute(lowering.layer(), "width_factor").empty();
  const Range horizontal = is_uniform ? vertical : range_attribute(lowering, "width_factor");
  return emit_geometry(lowering, [=](const std::array<double, 4>& draws, double height, double width) {
    const double y = 1 + vertical.at(draws[0]), x = is_uniform ? y : 1 + horizontal.at(draws[1]);
    return std::array<double, 6>{x, 0, (width - 1) / 2 * (1 - x), 0, y, (height - 1) / 2 * (1 - y)};
  });
}

/// In inference, and where the image is too small, Keras resizes the middle of it.
static Values lower_random_crop(Lowering& lowering) {
  const std::int64_t axis = height_axis(lowering);
  const Shape &from = lowering.input_shape(), &to = lowering.output_shape();
  const auto place = static_cast<std::size_t>(axis);
  const std::int64_t rows = from[place] - to[place], columns = from[place + 1] - to[place + 1];
  if (!lowering.is_training() || rows < 0 || columns < 0) return lower_smart_resize(lowering, {});
  const std::uint32_t call = lowering.stream_number();
  return emit_random(lowering, [=](const ForwardInputs& given) {
    const at::Tensor& x = given.inputs[0];
    std::vector<at::Tensor> parts;
    for (std::int64_t example = 0; example < x.size(0); ++example) {
      const auto draws = example_draws(given.step.configuration_seed, given.step.number, call, example);
      const auto start = [](double draw, std::int64_t free) {
        return static_cast<std::int64_t>(draw * static_cast<double>(free + 1));
      };
      parts.push_back(x.select(0, example)
                          .narrow(axis, start(draws[0], rows), to[place])
                          .narrow(axis + 1, start(draws[1], columns), to[place + 1]));
    }
    return at::stack(parts);
  });
}

static Values lower_random_contrast(Lowering& lowering) {
  if (!lowering.is_training()) return lowering.inputs[0];
  const Range given_factor = range_attribute(lowering, "factor"), values = range_attribute(lowering, "value_range");
  const Range factor = {1 - given_factor.low, 1 + given_factor.high};
  const std::int64_t axis = height_axis(lowering) + 1;
  const std::uint32_t call = lowering.stream_number();
  return emit_random(lowering, [=](const ForwardInputs& given) {
    const at::Tensor& x = given.inputs[0];
    const at::Tensor mean = x.mean({axis, axis + 1}, true);
    return clamped(x.sub(mean).mul(drawn_in(given, call, 0, factor)).add(mean), values);
  });
}

static Values lower_random_brightness(Lowering& lowering) {
  if (!lowering.is_training()) return lowering.inputs[0];
  const Range factor = range_attribute(lowering, "factor"), values = range_attribute(lowering, "value_range");
  const double span = values.high - values.low;
  const std::uint32_t call = lowering.stream_number();
  return emit_random(lowering, [=](const ForwardInputs& given) {
    const at::Tensor delta = drawn_in(given, call, 0, {factor.low * span, factor.high * span});
    return clamped(given.inputs[0].add(delta), values);
  });
}

std::span<const LayerLowering> image_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"RandomBrightness", lower_random_brightness},
      {"RandomContrast", lower_random_contrast},
      {"RandomCrop", lower_random_crop},
      {"RandomFlip", lower_random_flip},
      {"RandomRotation", lower_random_rotation},
      {"RandomTranslation", lower_random_translation},
      {"RandomZoom", lower_random_zoom},
      {"Rescaling", lower_rescaling},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
