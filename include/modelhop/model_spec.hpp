// SPDX-License-Identifier: Apache-2.0
// An architecture as plain values: what Keras JSON says after defaults, aliases and shapes are resolved.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace modelhop {

/// Extents without the batch axis, channels last unless the layer says otherwise.
using Shape = std::vector<std::int64_t>;

std::int64_t element_count(const Shape& shape);

/// Which Keras generation's numbers are meant, where they differ.
/// kKeras22: Keras 2.0 to 2.3; kTf1: tf.keras of TensorFlow 1; kTf2Legacy: tf.keras 2.0 to 2.10, and its optimizers
/// later; kTf2: tf.keras 2.11 to 2.15 and tf_keras; kKeras3: Keras 3.
enum class SemanticsProfile : std::uint8_t { kKeras22, kTf1, kTf2Legacy, kTf2, kKeras3 };

/// "k22", "tf1", "tf2l", "tf2n", "k3". parse_profile throws kInvalidArgument for any other text.
std::string to_string(SemanticsProfile profile);
SemanticsProfile parse_profile(std::string_view text);

/// One configuration value of a layer, under Keras's own name. Sizes are normalized: `kernel_size` is always a list.
using Attribute = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<double>>;
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
  bool is_tiled = false;                 ///< Identity of Keras 2.2: repeated along the longer side
  /// Bias of an LSTM: of so many parts the last but two, the forget gate's, is ones; 0: none is.
  int unit_forget_parts = 0;
  std::optional<std::int64_t> seed;  ///< from the JSON; empty: the configuration's own stream
};

/// Penalty l1 * sum|w| + l2 * sum w^2 (Keras L1L2) + orthogonal * sum of |cosines| between different rows (or columns)
/// of a matrix / (n (n - 1)) (Keras OrthogonalRegularizer), added to the loss in training and in evaluation.
struct RegularizerSpec {
  double l1 = 0.0;
  double l2 = 0.0;
  double orthogonal = 0.0;
  bool orthogonal_of_columns = false;

  bool is_active() const { return l1 != 0.0 || l2 != 0.0 || orthogonal != 0.0; }
};

/// What a weight is projected onto after each optimizer step (keras.constraints). Norms are over `axes` of Keras's
/// layout, which do not count a batch axis.
struct ConstraintSpec {
  enum class Kind : std::uint8_t { kNone, kMaxNorm, kNonNegative, kUnitNorm, kMinMaxNorm };
  Kind kind = Kind::kNone;
  double min_value = 0.0;
  double max_value = 1.0;
  double rate = 1.0;  ///< MinMaxNorm: share of the way to the allowed range
  std::vector<std::int64_t> axes = {0};
};

/// One array of Keras get_weights().
struct WeightSpec {
  /// "kernel", "bias", "gamma", "moving_mean", ...; of a wrapped layer or cell "forward/kernel", "cell_0/bias",
  /// "layer/..."
  std::string name;
  Shape shape;  ///< in Keras's layout: Conv2D kernels are (height, width, in, out), Dense kernels (in, out)
  InitializerSpec initializer;
  RegularizerSpec regularizer;
  ConstraintSpec constraint;
  bool is_trainable = true;  ///< false for statistics and for weights of frozen layers
};

struct LayerSpec {
  std::string name;  ///< layers of a nested model: "inner/dense_1"
  std::string
      class_name;  ///< canonical Keras class name; operation nodes: the operation's, "ops.add" (layer_attributes.hpp)
  bool is_trainable = true;
  Attributes attributes;  ///< every attribute of the class, defaults filled in
  /// Wrapped layers and cells, in weight order: TimeDistributed one, Bidirectional forward and backward, RNN its cell,
  /// StackedRNNCells the cells. Their weights are listed in `weights` of the outermost layer alone.
  std::vector<LayerSpec> children;
  std::vector<Shape> output_shapes;      ///< of a wrapped layer alone; calls of others say theirs (NodeSpec)
  RegularizerSpec activity_regularizer;  ///< of the layer's output
  std::vector<WeightSpec> weights;       ///< in the layer's own order
};

/// Output number `output` of node number `node`.
struct TensorRef {
  int node = 0;
  int output = 0;
  bool operator==(const TensorRef&) const = default;
};

/// What becomes of the masks of a call's inputs (Keras's compute_mask). A mask is [rows, steps], 1 where a step counts.
enum class MaskRule : std::uint8_t {
  kDropped,
  kPassed,  ///< the (first) input's mask is the outputs'
  kMerged,  ///< of all inputs: and in Keras 2, or in Keras 3
  kOwn,     ///< the layer makes or changes it
};

/// One call of a layer.
struct NodeSpec {
  int layer = 0;                  ///< index into ModelSpec::layers
  std::vector<TensorRef> inputs;  ///< always of earlier nodes
  /// What each input is to the call, one per input: "" for positional ones, else the keyword of Keras's call():
  /// "value", "key", "attention_mask", "initial_state", "mask", ... Operation nodes: which operand
  /// (layer_attributes.hpp).
  std::vector<std::string> roles;
  Attributes arguments;  ///< further keywords of the call: "training", "use_causal_mask", ...
  MaskRule mask_rule = MaskRule::kDropped;
  std::vector<Shape> output_shapes;  ///< one per output
  std::int64_t forward_flops = 0;    ///< per example; a multiply-add counts two
};

/// Weight number `weight` of layer number `layer`.
struct WeightRef {
  int layer = 0;
  int weight = 0;
  bool operator==(const WeightRef&) const = default;
};

struct ModelSpec {
  std::string name;
  SemanticsProfile profile = SemanticsProfile::kTf2Legacy;
  std::vector<LayerSpec> layers;        ///< in file order; nested models are replaced by their layers
  std::vector<WeightRef> weight_order;  ///< get_weights() order, by the rule of the profile
  std::vector<NodeSpec> nodes;          ///< in an order that respects dependencies
  std::vector<int> inputs;              ///< node indexes of the InputLayers, in the order of the model's inputs
  std::vector<TensorRef> outputs;
  /// Per output, the layer of the file (a nested model by its own name) that dicts of losses and metrics name.
  std::vector<std::string> output_names;

  const Shape& shape_of(TensorRef tensor) const { return nodes[tensor.node].output_shapes[tensor.output]; }
  const Shape& input_shape(std::size_t input) const { return nodes[inputs[input]].output_shapes.front(); }
  const Shape& output_shape(std::size_t output) const { return shape_of(outputs[output]); }
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
const std::vector<double>& numbers_attribute(const LayerSpec& layer, const std::string& name);

}  // namespace modelhop
