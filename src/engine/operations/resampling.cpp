// SPDX-License-Identifier: Apache-2.0
// What changes the size of sequences, images and volumes: repeated cells, zeros added, cells taken off, interpolation.
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/matmul.h>

#include <algorithm>
#include <map>

#include "engine/operations/resizing.hpp"

namespace modelhop::engine {
namespace {

/// Zeros added to the sides of axes, or cells taken off where a number is below 0.
class SidesOperation final : public Operation {
 public:
  SidesOperation(std::int64_t first_axis, const std::vector<std::int64_t>& sides, std::size_t axes) {
    // ATen wants the last axis first.
    sides_.assign(2 * (axes - static_cast<std::size_t>(first_axis) - sides.size() / 2), 0);
    for (std::size_t axis = sides.size() / 2; axis-- > 0;) {
      sides_.insert(sides_.end(), {sides[2 * axis], sides[2 * axis + 1]});
    }
    std::transform(sides_.begin(), sides_.end(), std::back_inserter(undone_), std::negate<>());
  }

  void forward(const Step&) override {
    output().data.reset();
    output().data = at::constant_pad_nd(input().data, sides_, 0).contiguous();
  }
  void backward(const Step&) override {
    inputs[0]->gradient = at::constant_pad_nd(output().gradient, undone_, 0).contiguous();
  }
  bool keeps_output() const override { return false; }

 private:
  std::vector<std::int64_t> sides_, undone_;
};

/// Each output cell is a weighted sum of input cells along one axis after the other.
class ResizeOperation final : public Operation {
 public:
  ResizeOperation(std::vector<ResizedAxis> axes, const ResizeRule& rule) : axes_(std::move(axes)), rule_(rule) {}

  void prepare(std::int64_t, const at::TensorOptions& options) override {
    for (const ResizedAxis& axis : axes_) {
      const std::int64_t extent = input().shape[static_cast<std::size_t>(axis.axis)];
      std::vector<float> weights =
          interpolation_weights(extent, axis.span, axis.outputs, rule_.method, rule_.antialias);
      const auto host = options.device(at::kCPU);
      matrices_.push_back(at::from_blob(weights.data(), {axis.outputs, extent}, host).clone().to(options.device()));
    }
  }
  void forward(const Step&) override {
    at::Tensor x = input().data;
    // The weights of an output sum to 1, so padding is zero in what is left of x without its value.
    if (rule_.fill_value != 0.0) x = x.sub(rule_.fill_value);
    for (std::size_t index = 0; index < axes_.size(); ++index) x = along(axes_[index].axis + 1, matrices_[index], x);
    output().data = rule_.fill_value != 0.0 ? x.add(rule_.fill_value) : x;
  }
  void backward(const Step&) override {
    at::Tensor gradient = output().gradient;
    for (std::size_t index = axes_.size(); index-- > 0;) {
      gradient = along(axes_[index].axis + 1, matrices_[index].t(), gradient);
    }
    inputs[0]->gradient = gradient;
  }
  bool keeps_output() const override { return false; }

 private:
  static at::Tensor along(std::int64_t axis, const at::Tensor& matrix, const at::Tensor& x) {
    std::vector<std::int64_t> sizes = x.sizes().vec();
    std::int64_t before = 1;
    for (std::int64_t i = 0; i < axis; ++i) before *= sizes[static_cast<std::size_t>(i)];
    std::int64_t& extent = sizes[static_cast<std::size_t>(axis)];
    const at::Tensor result = at::matmul(matrix, x.view({before, extent, -1})).contiguous();
    extent = matrix.size(0);
    return result.view(sizes);
  }

  std::vector<ResizedAxis> axes_;
  ResizeRule rule_;
  std::vector<at::Tensor> matrices_;
};

bool is_channels_first(const Lowering& lowering) {
  return string_attribute(lowering.layer(), "data_format") == "channels_first";
}

Interpolation method_of(const Lowering& lowering) {
  static const std::map<std::string, Interpolation> kMethods = {{"nearest", Interpolation::kNearest},
                                                                {"bilinear", Interpolation::kBilinear},
                                                                {"bicubic", Interpolation::kBicubic},
                                                                {"lanczos3", Interpolation::kLanczos3},
                                                                {"lanczos5", Interpolation::kLanczos5}};
  const std::string& name = string_attribute(lowering.layer(), "interpolation");
  const auto found = kMethods.find(name);
  if (found == kMethods.end()) lowering.refuse("interpolation \"" + name + "\" is not supported");
  return found->second;
}

struct ImageSize {
  std::int64_t height, width;
};

ImageSize image_size(const Lowering& lowering, const Shape& shape) {
  const auto axis = static_cast<std::size_t>(height_axis(lowering));
  return {shape[axis], shape[axis + 1]};
}

/// The extent of one side that goes with `other` where the ratio is target : other_target, as Keras rounds it.
std::int64_t side_in_ratio(std::int64_t other, std::int64_t target, std::int64_t other_target) {
  return static_cast<std::int64_t>(static_cast<float>(other * target) / static_cast<float>(other_target));
}

/// `cells` in the middle of `extent`, or around it.
ResizedSpan middle(std::int64_t extent, std::int64_t cells) {
  return cells <= extent ? ResizedSpan{(extent - cells) / 2, cells}
                         : ResizedSpan{-((cells - extent) / 2), extent + 2 * ((cells - extent) / 2)};
}

std::vector<ResizedAxis> image_axes(const Lowering& lowering, ImageSize from, ImageSize to, ImageSize span) {
  const std::int64_t axis = height_axis(lowering);
  return {{axis, middle(from.height, span.height), to.height}, {axis + 1, middle(from.width, span.width), to.width}};
}

}  // namespace

std::int64_t height_axis(const Lowering& lowering) {
  return is_channels_first(lowering) ? 1 : 0;
}

Value* lower_sides(Lowering& lowering, std::int64_t first_axis, std::vector<std::int64_t> sides) {
  return lowering.emit<SidesOperation>({lowering.inputs[0]}, lowering.output_shape(), {}, first_axis, sides,
                                       lowering.input_shape().size());
}

Value* lower_resize(Lowering& lowering, Value* from, const std::vector<ResizedAxis>& axes, const ResizeRule& rule) {
  return lowering.emit<ResizeOperation>({from}, lowering.output_shape(), {}, axes, rule);
}

Value* lower_smart_resize(Lowering& lowering, const ResizeRule& rule) {
  const ImageSize from = image_size(lowering, lowering.input_shape()),
                  to = image_size(lowering, lowering.output_shape());
  const ImageSize span = {std::clamp<std::int64_t>(side_in_ratio(from.width, to.height, to.width), 1, from.height),
                          std::clamp<std::int64_t>(side_in_ratio(from.height, to.width, to.height), 1, from.width)};
  return lower_resize(lowering, lowering.inputs[0], image_axes(lowering, from, to, span), rule);
}

Value* lower_center_crop(Lowering& lowering) {
  const ImageSize from = image_size(lowering, lowering.input_shape()),
                  to = image_size(lowering, lowering.output_shape());
  const std::int64_t rows = from.height - to.height, columns = from.width - to.width;
  if (rows < 0 || columns < 0) return lower_smart_resize(lowering, {});
  return lower_sides(lowering, height_axis(lowering),
                     {-(rows / 2), rows / 2 - rows, -(columns / 2), columns / 2 - columns});
}

static Values lower_center_crop_layer(Lowering& lowering) {
  return lower_center_crop(lowering);
}

static Values lower_zero_padding(Lowering& lowering) {
  return lower_sides(lowering, height_axis(lowering), list_attribute(lowering.layer(), "padding"));
}

static Values lower_cropping(Lowering& lowering) {
  std::vector<std::int64_t> sides = list_attribute(lowering.layer(), "cropping");
  std::transform(sides.begin(), sides.end(), sides.begin(), std::negate<>());
  return lower_sides(lowering, height_axis(lowering), std::move(sides));
}

static Values lower_resizing(Lowering& lowering) {
  const LayerSpec& layer = lowering.layer();
  const ResizeRule rule = {method_of(lowering), boolean_attribute(layer, "antialias"),
                           number_attribute(layer, "fill_value")};
  const ImageSize from = image_size(lowering, lowering.input_shape()),
                  to = image_size(lowering, lowering.output_shape());
  if (boolean_attribute(layer, "crop_to_aspect_ratio")) return lower_smart_resize(lowering, rule);
  ImageSize span = from;
  if (boolean_attribute(layer, "pad_to_aspect_ratio")) {
    span = {std::max(from.height, side_in_ratio(from.width, to.height, to.width)),
            std::max(from.width, side_in_ratio(from.height, to.width, to.height))};
  }
  return lower_resize(lowering, lowering.inputs[0], image_axes(lowering, from, to, span), rule);
}

/// Repeats each cell. Sums of views, so that no device adds up in an order of its own.
static Values lower_upsampling(Lowering& lowering) {
  const std::vector<std::int64_t>& size = list_attribute(lowering.layer(), "size");
  const std::int64_t first = height_axis(lowering);
  const bool has_method = lowering.layer().attributes.count("interpolation") != 0;
  if (has_method && string_attribute(lowering.layer(), "interpolation") != "nearest") {
    ResizeRule rule = {method_of(lowering)};
    const bool is_of_tensorflow1 =
        lowering.model.profile == SemanticsProfile::kTf1 || lowering.model.profile == SemanticsProfile::kKeras22;
    if (rule.method == Interpolation::kBilinear && is_of_tensorflow1)
      rule.method = Interpolation::kBilinearOfTensorFlow1;
    const ImageSize from = image_size(lowering, lowering.input_shape());
    const ImageSize to = image_size(lowering, lowering.output_shape());
    return lower_resize(lowering, lowering.inputs[0], image_axes(lowering, from, to, from), rule);
  }
  const Shape shape = lowering.output_shape();
  const auto repeat = [size, first, shape](const ForwardInputs& given) {
    at::Tensor x = given.inputs[0];
    std::vector<std::int64_t> sizes = x.sizes().vec();
    for (std::size_t axis = size.size(); axis-- > 0;) {
      const std::int64_t place = first + static_cast<std::int64_t>(axis) + 2;
      x = x.unsqueeze(place);
      sizes.insert(sizes.begin() + place, size[axis]);
    }
    return x.expand(sizes).reshape(sizes_of(given.inputs[0].size(0), shape));
  };
  return lowering.emit<AutogradOperation>({lowering.inputs[0]}, shape, {}, repeat);
}

std::span<const LayerLowering> resampling_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"CenterCrop", lower_center_crop_layer},
      {"Cropping1D", lower_cropping},
      {"Cropping2D", lower_cropping},
      {"Cropping3D", lower_cropping},
      {"Resizing", lower_resizing},
      {"UpSampling1D", lower_upsampling},
      {"UpSampling2D", lower_upsampling},
      {"UpSampling3D", lower_upsampling},
      {"ZeroPadding1D", lower_zero_padding},
      {"ZeroPadding2D", lower_zero_padding},
      {"ZeroPadding3D", lower_zero_padding},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
