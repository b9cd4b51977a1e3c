// SPDX-License-Identifier: Apache-2.0
// Writes ModelSpecs for tests layer by layer, as the reader of Keras JSON would, and examples to train them on.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "modelhop/engine.hpp"

namespace modelhop::test {

using Extents = std::vector<std::int64_t>;

class NetworkBuilder {
 public:
  explicit NetworkBuilder(const Shape& input) {
    last_ = add(named("InputLayer", {}), {}, input);
    model_.inputs = {last_};
  }

  NetworkBuilder& profile(SemanticsProfile profile) {
    model_.profile = profile;
    return *this;
  }
  NetworkBuilder& dense(std::int64_t units, const std::string& activation = "linear", bool use_bias = true) {
    Shape shape = last_shape();
    const std::int64_t inputs = shape.back();
    shape.back() = units;
    LayerSpec layer = named("Dense", {{"units", units}, {"activation", activation}, {"use_bias", use_bias}});
    layer.weights.push_back(weight("kernel", {inputs, units}, glorot(), true));
    if (use_bias) layer.weights.push_back(weight("bias", {units}, {}, true));
    return append(layer, activated(shape, activation));
  }
  NetworkBuilder& conv2d(std::int64_t filters, std::int64_t size, const std::string& padding = "valid",
                         const std::string& activation = "linear", std::int64_t stride = 1, std::int64_t dilation = 1,
                         std::int64_t groups = 1) {
    const std::int64_t channels = last_shape()[2];
    LayerSpec layer = named("Conv2D", window("kernel_size", size, stride, padding));
    layer.attributes["filters"] = filters;
    layer.attributes["dilation_rate"] = Extents{dilation, dilation};
    layer.attributes["groups"] = groups;
    layer.attributes["activation"] = activation;
    layer.attributes["use_bias"] = true;
    layer.weights = {weight("kernel", {size, size, channels / groups, filters}, glorot(), true),
                     weight("bias", {filters}, {}, true)};
    return append(layer, activated(slide((size - 1) * dilation + 1, stride, padding, filters), activation));
  }
  NetworkBuilder& pool(const std::string& kind, std::int64_t size, std::int64_t stride,
                       const std::string& padding = "valid") {
    return append(named(kind + "Pooling2D", window("pool_size", size, stride, padding)),
                  slide(size, stride, padding, last_shape()[2]));
  }
  NetworkBuilder& global_pool(const std::string& kind) {
    return append(named("Global" + kind + "Pooling2D", {{"data_format", std::string("channels_last")}}),
                  {last_shape()[2]});
  }
  NetworkBuilder& batch_normalization(bool is_trainable = true,
                                      std::int64_t axis = -1) {  // axis without the batch axis
    if (axis < 0) axis = static_cast<std::int64_t>(last_shape().size()) - 1;
    const std::int64_t channels = last_shape()[axis];
    LayerSpec layer = named("BatchNormalization", {{"axis", axis}, {"momentum", 0.9}, {"epsilon", 1e-3}});
    layer.is_trainable = is_trainable;
    InitializerSpec ones;
    ones.class_name = "Ones";
    layer.weights = {weight("gamma", {channels}, ones, is_trainable), weight("beta", {channels}, {}, is_trainable),
                     weight("moving_mean", {channels}, {}, false), weight("moving_variance", {channels}, ones, false)};
    return append(layer, last_shape());
  }
  NetworkBuilder& activation(const std::string& name) {
    return append(named("Activation", {{"activation", name}}), activated(last_shape(), name));
  }
  NetworkBuilder& relu(double max_value, double negative_slope, double threshold) {
    return append(
        named("ReLU", {{"max_value", max_value}, {"negative_slope", negative_slope}, {"threshold", threshold}}),
        last_shape());
  }
  NetworkBuilder& leaky_relu(double alpha) { return append(named("LeakyReLU", {{"alpha", alpha}}), last_shape()); }
  NetworkBuilder& softmax(std::int64_t axis) {
    return append(named("Softmax", {{"axis", Extents{axis}}}), last_shape());
  }
  NetworkBuilder& dropout(double rate) {
    return append(named("Dropout", {{"rate", rate}, {"noise_shape", Extents{}}}), last_shape());
  }
  NetworkBuilder& flatten() { return append(named("Flatten", {}), {element_count(last_shape())}); }
  NetworkBuilder& reshape(const Shape& shape) { return append(named("Reshape", {{"target_shape", shape}}), shape); }
  NetworkBuilder& zero_padding(const Extents& pads) {
    const Shape shape = last_shape();
    return append(named("ZeroPadding2D", {{"padding", pads}, {"data_format", std::string("channels_last")}}),
                  {shape[0] + pads[0] + pads[1], shape[1] + pads[2] + pads[3], shape[2]});
  }
  NetworkBuilder& merge(const std::string& class_name, const std::vector<int>& nodes, std::int64_t axis = 2) {
    Shape shape = model_.nodes[nodes[0]].output_shapes[0];
    LayerSpec layer = named(class_name, {});
    if (class_name == "Concatenate") {
      layer.attributes["axis"] = axis;
      shape[axis] = 0;
      for (const int node : nodes) shape[axis] += model_.nodes[node].output_shapes[0][axis];
    }
    last_ = add(layer, nodes, shape);
    return *this;
  }
  /// Calls the layer of an earlier node again on the last node's output.
  NetworkBuilder& call_again(int node) {
    NodeSpec again = model_.nodes[node];
    again.inputs = {{last_, 0}};
    model_.nodes.push_back(again);
    last_ = static_cast<int>(model_.nodes.size()) - 1;
    return *this;
  }
  NetworkBuilder& from(int node) {
    last_ = node;
    return *this;
  }
  NetworkBuilder& regularize(double l1, double l2) {
    model_.layers.back().weights.front().regularizer = {l1, l2};
    return *this;
  }
  NetworkBuilder& freeze() {
    model_.layers.back().is_trainable = false;
    for (WeightSpec& weight : model_.layers.back().weights) weight.is_trainable = false;
    return *this;
  }
  int last() const { return last_; }
  ModelSpec build() {
    model_.name = "test";
    model_.outputs = {{last_, 0}};
    model_.output_names = {model_.layers[model_.nodes[last_].layer].name};
    model_.weight_order.clear();
    for (int layer = 0; layer < static_cast<int>(model_.layers.size()); ++layer) {
      const auto count = static_cast<int>(model_.layers[layer].weights.size());
      for (int weight = 0; weight < count; ++weight) model_.weight_order.push_back({layer, weight});
    }
    return model_;
  }

 private:
  const Shape& last_shape() const { return model_.nodes[last_].output_shapes[0]; }
  static Shape activated(Shape shape, const std::string& activation) {
    if (activation == "glu") shape.back() /= 2;
    return shape;
  }
  static InitializerSpec glorot() {
    InitializerSpec initializer;
    initializer.class_name = "VarianceScaling";
    initializer.mode = "fan_avg";
    return initializer;
  }
  LayerSpec named(const std::string& class_name, const Attributes& attributes) {
    LayerSpec layer;
    layer.name = class_name + std::to_string(model_.layers.size());
    layer.class_name = class_name;
    layer.attributes = attributes;
    return layer;
  }
  static WeightSpec weight(const std::string& name, const Shape& shape, const InitializerSpec& initializer,
                           bool is_trainable = true) {
    WeightSpec spec;
    spec.name = name;
    spec.shape = shape;
    spec.initializer = initializer;
    spec.is_trainable = is_trainable;
    return spec;
  }
  static Attributes window(const std::string& size_name, std::int64_t size, std::int64_t stride,
                           const std::string& padding) {
    return {{size_name, Extents{size, size}},
            {"strides", Extents{stride, stride}},
            {"padding", padding},
            {"data_format", std::string("channels_last")}};
  }
  Shape slide(std::int64_t reach, std::int64_t stride, const std::string& padding, std::int64_t channels) const {
    Shape shape = last_shape();
    for (int axis = 0; axis < 2; ++axis) {
      const std::int64_t positions = padding == "same" ? shape[axis] : shape[axis] - reach + 1;
      shape[axis] = (positions + stride - 1) / stride;
    }
    shape[2] = channels;
    return shape;
  }
  int add(const LayerSpec& layer, const std::vector<int>& inputs, const Shape& shape) {
    NodeSpec node;
    node.layer = static_cast<int>(model_.layers.size());
    node.output_shapes = {shape};
    for (const int input : inputs) node.inputs.push_back({input, 0});
    node.roles.resize(inputs.size());
    model_.layers.push_back(layer);
    model_.nodes.push_back(node);
    return static_cast<int>(model_.nodes.size()) - 1;
  }
  NetworkBuilder& append(const LayerSpec& layer, const Shape& shape) {
    last_ = add(layer, {last_}, shape);
    return *this;
  }

  ModelSpec model_;
  int last_ = 0;
};

inline TrainSpec train_spec(LossKind loss, OptimizerSpec optimizer, int batch_size) {
  TrainSpec train;
  train.losses.resize(1);
  train.losses.front().kind = loss;
  train.optimizer = optimizer;
  train.metrics = {{MetricKind::kAccuracy, "accuracy"}};
  train.batch_size = batch_size;
  return train;
}

inline OptimizerSpec sgd(double learning_rate, double momentum = 0.0) {
  OptimizerSpec optimizer;
  optimizer.kind = OptimizerKind::kSgd;
  optimizer.learning_rate = learning_rate;
  optimizer.momentum = momentum;
  return optimizer;
}

inline OptimizerSpec adam(double learning_rate) {
  OptimizerSpec optimizer;
  optimizer.kind = OptimizerKind::kAdam;
  optimizer.learning_rate = learning_rate;
  return optimizer;
}

/// Examples in memory of their own: float features in -1..1 and one-hot targets, with buffers of unequal sizes.
struct Dataset {
  std::vector<float> features, targets;
  std::vector<std::int64_t> buffer_starts;
  std::int64_t rows = 0, feature_elements = 0, target_elements = 0;

  Dataset(std::int64_t rows, std::int64_t feature_elements, std::int64_t target_elements)
      : rows(rows), feature_elements(feature_elements), target_elements(target_elements) {
    for (std::int64_t index = 0; index < rows * feature_elements; ++index) {
      features.push_back(static_cast<float>(std::cos(0.9 * static_cast<double>(index) + 1e-3 * (index % 17))));
    }
    targets.resize(rows * target_elements, 0.0F);
    for (std::int64_t row = 0; row < rows; ++row) targets[row * target_elements + (row * 7 / 3) % target_elements] = 1;
    for (std::int64_t start = 0; start < rows; start += rows / 3 + 1) buffer_starts.push_back(start);
  }

  Examples examples() const { return block(0, rows); }
  Examples block(std::int64_t first, std::int64_t count) const {
    Examples examples;
    examples.rows = count;
    examples.independent = {{reinterpret_cast<const std::byte*>(features.data() + first * feature_elements),
                             ElementType::kFloat32, feature_elements}};
    examples.dependent = {{reinterpret_cast<const std::byte*>(targets.data() + first * target_elements),
                           ElementType::kFloat32, target_elements}};
    return examples;
  }
  Segment segment() const { return {examples(), buffer_starts}; }
};

inline std::vector<float> weights_of(const Model& model, const State& state) {
  std::vector<float> weights(model.parameter_count());
  state.get_weights(weights);
  return weights;
}

}  // namespace modelhop::test
