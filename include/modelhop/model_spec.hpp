// SPDX-License-Identifier: Apache-2.0
// An architecture as plain values: what Keras JSON says after defaults, aliases and shapes are resolved.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace modelhop {

/// Extents without the batch axis, channels last unless the layer says otherwise.
using Shape = std::vector<std::int64_t>;

std::int64_t element_count(const Shape& shape);

/// Which Keras generation's numbers are meant, where they differ.
enum class SemanticsProfile : std::uint8_t { kKeras22, kTf1, kTf2Legacy, kTf2, kKeras3 };

/// One configuration value of a layer, under Keras's own name. Sizes are normalized: `kernel_size` is always a list.
using Attribute = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>>;
using Attributes = std::map<std::string, Attribute>;

/// Aliases are resolved: glorot_uniform and its kin are VarianceScaling with their parameters filled in.
struct InitializerSpec {
  /// Zeros, Ones, Constant, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling, Orthogonal, Identity
  std::string class_name = "Zeros";
  double value = 0.0;                    ///< Constant
  double mean = 0.0, stddev = 0.05;      ///< RandomNormal, TruncatedNormal
  double minval = -0.05, maxval = 0.05;  ///< RandomUniform
  double scale = 1.0;                    ///< VarianceScaling
  std::string mode = "fan_in";           ///< VarianceScaling: fan_in, fan_out, fan_avg
  std::string distribution = "uniform";  ///< VarianceScaling: uniform, truncated_normal, untruncated_normal
  double gain = 1.0;                     ///< Orthogonal, Identity
  std::optional<std::int64_t> seed;      ///< from the JSON; empty: the configuration's own stream
};

/// Penalty l1 * sum|w| + l2 * sum w^2, added to the loss in training and in evaluation (Keras L1L2).
struct RegularizerSpec {
  double l1 = 0.0;
  double l2 = 0.0;
};

/// One array of Keras get_weights().
struct WeightSpec {
  std::string name;  ///< "kernel", "bias", "gamma", "moving_mean", ...
  Shape shape;       ///< in Keras's layout: Conv2D kernels are (height, width, in, out), Dense kernels (in, out)
  InitializerSpec initializer;
  RegularizerSpec regularizer;
  bool is_trainable = true;  ///< false for statistics and for weights of frozen layers
};

struct LayerSpec {
  std::string name;
  std::string class_name;  ///< canonical Keras class name
  bool is_trainable = true;
  Attributes attributes;            ///< every attribute of the class, defaults filled in
  std::vector<WeightSpec> weights;  ///< in get_weights() order
};

/// Output number `output` of node number `node`.
struct TensorRef {
  int node = 0;
  int output = 0;
  bool operator==(const TensorRef&) const = default;
};

/// One call of a layer.
struct NodeSpec {
  int layer = 0;                     ///< index into ModelSpec::layers
  std::vector<TensorRef> inputs;     ///< always of earlier nodes
  std::vector<Shape> output_shapes;  ///< one per output
  std::int64_t forward_flops = 0;    ///< per example; a multiply-add counts two
};

struct ModelSpec {
  std::string name;
  SemanticsProfile profile = SemanticsProfile::kTf2Legacy;
  std::vector<LayerSpec> layers;  ///< in file order, which is get_weights() order
  std::vector<NodeSpec> nodes;    ///< in an order that respects dependencies
  std::vector<int> inputs;        ///< node indexes of the InputLayers, in the order of the model's inputs
  std::vector<TensorRef> outputs;

  const Shape& shape_of(TensorRef tensor) const { return nodes[tensor.node].output_shapes[tensor.output]; }
};

std::int64_t parameter_count(const LayerSpec& layer);
std::int64_t parameter_count(const ModelSpec& model);
std::int64_t trainable_parameter_count(const ModelSpec& model);

/// Floating-point operations of one example's forward pass.
std::int64_t forward_flops(const ModelSpec& model);

/// Typed access; throws kInternal when the attribute is missing or of another type.
bool boolean_attribute(const LayerSpec& layer, const std::string& name);
std::int64_t integer_attribute(const LayerSpec& layer, const std::string& name);
double number_attribute(const LayerSpec& layer, const std::string& name);  ///< accepts an integer value too
const std::string& string_attribute(const LayerSpec& layer, const std::string& name);
const std::vector<std::int64_t>& list_attribute(const LayerSpec& layer, const std::string& name);

}  // namespace modelhop
