// SPDX-License-Identifier: Apache-2.0
// Normalizations that look at one example alone: LayerNormalization, RMSNormalization, GroupNormalization,
// UnitNormalization, and Normalization by statistics that were adapted before.
#include <ATen/ops/empty.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/square.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/var_mean.h>

#include <algorithm>
#include <numeric>

#include "engine/lowering.hpp"
#include "engine/operations/unit_length.hpp"

namespace modelhop::engine {
namespace {

using Axes = std::vector<std::int64_t>;

/// Where an operation finds gamma and beta among its weights; -1: nowhere.
struct ScaleAndCenter {
  std::vector<int> weights;
  int gamma = -1, beta = -1;

  explicit ScaleAndCenter(const Lowering& lowering, const char* gamma_name = "gamma") {
    if (const int index = lowering.weight(gamma_name); index >= 0) gamma = take(index);
    if (const int index = lowering.weight("beta"); index >= 0) beta = take(index);
  }
  at::Tensor apply(at::Tensor x, const ForwardInputs& given, const Axes& shape) const {
    if (gamma >= 0) x = x.mul(given.weights[gamma].reshape(shape));
    return beta >= 0 ? x.add(given.weights[beta].reshape(shape)) : x;
  }
  std::optional<at::Tensor> weight(int position, const ForwardInputs& given) const {
    return position >= 0 ? std::optional(given.weights[position]) : std::nullopt;
  }

 private:
  int take(int index) {
    weights.push_back(index);
    return static_cast<int>(weights.size()) - 1;
  }
};

/// `axis` of the layer, counting the batch axis.
Axes axes_of(const Lowering& lowering) {
  Axes axes = list_attribute(lowering.layer(), "axis");
  for (std::int64_t& axis : axes) ++axis;
  return axes;
}

/// Extents of the axes, 1 elsewhere, with the batch axis.
Axes broadcast_shape(const Shape& shape, const Axes& axes) {
  Axes result(shape.size() + 1, 1);
  for (const std::int64_t axis : axes) result[axis] = shape[axis - 1];
  return result;
}

bool are_trailing(const Axes& axes, std::size_t rank) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] != static_cast<std::int64_t>(rank + 1 - axes.size() + i)) return false;
  }
  return true;
}

Values lower_layer_normalization(Lowering& lowering) {
  const Shape shape = lowering.input_shape();
  const Axes axes = axes_of(lowering);
  const double epsilon = number_attribute(lowering.layer(), "epsilon");
  const bool is_rms = boolean_attribute(lowering.layer(), "rms_scaling");
  const ScaleAndCenter scale(lowering);
  if (!is_rms && are_trailing(axes, shape.size())) {
    const Axes extents(shape.end() - static_cast<std::ptrdiff_t>(axes.size()), shape.end());
    const auto fused = [=](const ForwardInputs& given) {
      return at::layer_norm(given.inputs[0], extents, scale.weight(scale.gamma, given), scale.weight(scale.beta, given),
                            epsilon, false);
    };
    return lowering.emit<AutogradOperation>({lowering.inputs[0]}, shape, scale.weights, fused);
  }
  const auto normalize = [=, weight_shape = broadcast_shape(shape, axes)](const ForwardInputs& given) {
    const at::Tensor& x = given.inputs[0];
    const auto [variance, mean] = at::var_mean(x, axes, 0, true);
    // With rms_scaling Keras 3 divides by the deviation all the same, and leaves the mean in.
    const at::Tensor centered = is_rms ? x : x.sub(mean);
    return scale.apply(centered.mul(at::rsqrt(variance.add(epsilon))), given, weight_shape);
  };
  return lowering.emit<AutogradOperation>({lowering.inputs[0]}, shape, scale.weights, normalize);
}

Values lower_rms_normalization(Lowering& lowering) {
  const Shape shape = lowering.input_shape();
  const Axes axes = axes_of(lowering);
  const double epsilon = number_attribute(lowering.layer(), "epsilon");
  const ScaleAndCenter scale(lowering, "scale");
  const auto normalize = [=, weight_shape = broadcast_shape(shape, axes)](const ForwardInputs& given) {
    const at::Tensor& x = given.inputs[0];
    return scale.apply(x.mul(at::rsqrt(x.square().mean(axes, true).add(epsilon))), given, weight_shape);
  };
  return lowering.emit<AutogradOperation>({lowering.inputs[0]}, shape, scale.weights, normalize);
}

Values lower_group_normalization(Lowering& lowering) {
  const Shape shape = lowering.input_shape();
  const std::int64_t axis = integer_attribute(lowering.layer(), "axis") + 1;
  const std::int64_t groups = integer_attribute(lowering.layer(), "groups");
  const double epsilon = number_attribute(lowering.layer(), "epsilon");
  const ScaleAndCenter scale(lowering);
  Axes grouped(shape.begin(), shape.end());
  grouped.insert(grouped.begin(), -1);
  grouped[axis] /= groups;
  grouped.insert(grouped.begin() + axis, groups);
  Axes within;
  for (std::int64_t i = 1; i < static_cast<std::int64_t>(grouped.size()); ++i) {
    if (i != axis) within.push_back(i);
  }
  const auto normalize = [=, weight_shape = broadcast_shape(shape, {axis})](const ForwardInputs& given) {
    const at::Tensor x = given.inputs[0].reshape(grouped);
    const auto [variance, mean] = at::var_mean(x, within, 0, true);
    const at::Tensor result = x.sub(mean).mul(at::rsqrt(variance.add(epsilon)));
    return scale.apply(result.reshape(given.inputs[0].sizes()), given, weight_shape);
  };
  return lowering.emit<AutogradOperation>({lowering.inputs[0]}, shape, scale.weights, normalize);
}

Values lower_unit_normalization(Lowering& lowering) {
  // Keras 2 bounds the square of the length, Keras 3 the length itself.
  const double smallest_square = lowering.model.profile == SemanticsProfile::kKeras3 ? 1e-24 : 1e-12;
  const auto normalize = [=, axes = axes_of(lowering)](const ForwardInputs& given) {
    return unit_length(given.inputs[0], axes, smallest_square);
  };
  return lowering.emit<AutogradOperation>({lowering.inputs[0]}, lowering.input_shape(), {}, normalize);
}

/// Given constants as a tensor of the statistics' shape, of one number where one number was given.
at::Tensor constants(const std::vector<double>& numbers, const Axes& shape) {
  std::vector<float> values(numbers.begin(), numbers.end());
  const at::Tensor tensor = at::tensor(values);
  return values.size() == 1 ? tensor : tensor.reshape(shape);
}

Values lower_normalization(Lowering& lowering) {
  const LayerSpec& layer = lowering.layer();
  const Shape shape = lowering.input_shape();
  const Axes statistics_shape = broadcast_shape(shape, axes_of(lowering));
  const bool inverts = boolean_attribute(layer, "invert");
  const auto apply = [inverts](const at::Tensor& x, const at::Tensor& mean, const at::Tensor& variance) {
    const at::Tensor deviation = variance.sqrt().clamp_min(1e-7);
    return inverts ? x.mul(deviation).add(mean) : x.sub(mean).div(deviation);
  };
  if (lowering.model.profile == SemanticsProfile::kKeras3 && !lowering.masks.empty()) {
    lowering.output_masks = {lowering.masks.front()};
  }
  if (boolean_attribute(layer, "has_statistics")) {
    const auto by_weights = [=](const ForwardInputs& given) {
      return apply(given.inputs[0], given.weights[0].reshape(statistics_shape),
                   given.weights[1].reshape(statistics_shape));
    };
    return lowering.emit<AutogradOperation>({lowering.inputs[0]}, shape,
                                            {lowering.weight("mean"), lowering.weight("variance")}, by_weights);
  }
  const auto by_constants =
      [apply, mean = constants(numbers_attribute(layer, "mean"), statistics_shape),
       variance = constants(numbers_attribute(layer, "variance"), statistics_shape)](const ForwardInputs& given) {
        const at::Tensor& x = given.inputs[0];
        return apply(x, mean.to(x.device()), variance.to(x.device()));
      };
  return lowering.emit<AutogradOperation>({lowering.inputs[0]}, shape, {}, by_constants);
}

Values lower_layer_scale(Lowering& lowering) {
  const auto scale = [](const ForwardInputs& given) { return given.inputs[0].mul(given.weights[0]); };
  return lowering.emit<AutogradOperation>({lowering.inputs[0]}, lowering.output_shape(), {lowering.weight("gamma")},
                                          scale);
}

}  // namespace

at::Tensor unit_length(const at::Tensor& x, const std::vector<std::int64_t>& axes, double smallest_square) {
  return x.mul(at::rsqrt(at::sum(x.square(), axes, true).clamp_min(smallest_square)));
}

std::span<const LayerLowering> normalization_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"GroupNormalization", lower_group_normalization},
      {"LayerNormalization", lower_layer_normalization},
      {"LayerScale", lower_layer_scale},
      {"Normalization", lower_normalization},
      {"RMSNormalization", lower_rms_normalization},
      {"UnitNormalization", lower_unit_normalization},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
