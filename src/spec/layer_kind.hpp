// SPDX-License-Identifier: Apache-2.0
// What the reader knows of one Keras layer class. A new class is one LayerKind in a file of src/spec/layers, named in
// the list of its file; layer_table.cpp joins the lists.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "modelhop/model_spec.hpp"
#include "spec/layer_config.hpp"

namespace modelhop::spec {

/// One array of the layer. Keras keys follow from `key`: kernel_initializer, kernel_regularizer, kernel_constraint.
struct WeightRule {
  const char* name;
  const char* initializer;           ///< default
  const char* present_if = nullptr;  ///< boolean attribute that must hold
  bool is_statistic = false;         ///< never trained; no regularizer or constraint
  const char* key = nullptr;         ///< where it is not the name: "recurrent" of recurrent_kernel
};

/// One call of a layer: its attributes and the shapes it is given. Shape functions may complete the attributes.
struct LayerCall {
  LayerSpec& layer;
  const std::vector<Shape>& inputs;
  const std::vector<std::string>& roles;  ///< of each input: see NodeSpec::roles
  const Attributes& arguments;
  SemanticsProfile profile;
  std::int64_t& wrapped_flops;  ///< what call_child() has added up

  const Shape& input() const { return inputs.front(); }
  const Shape* input_of(std::string_view role) const;  ///< null where the call has none of that role
  std::string where() const;                           ///< `layer "name"`
  /// Throws unless the (only) input has this many axes beside the batch.
  void require_rank(std::size_t rank) const;
};

/// Reads a wrapped layer or cell, {"class_name": ..., "config": {...}}, under that name.
using ReadChild = std::function<LayerSpec(const std::string& name, const Json& layer)>;

struct LayerKind {
  std::string_view class_name;
  /// Fills LayerSpec::attributes from the JSON. Keys it does not read are refused unless they are null, false or empty.
  void (*read)(LayerConfig& config, Attributes& attributes) = nullptr;
  /// Also settles attributes that need the input's shape (axis, -1 in target_shape); finds them as read() left them.
  Shape (*output_shape)(const LayerCall& call) = nullptr;
  std::vector<Shape> (*output_shapes)(const LayerCall& call) = nullptr;  ///< instead, of a class with several outputs
  /// Without what wrapped layers take.
  std::int64_t (*flops)(const LayerCall& call, const Shape& output) = nullptr;
  std::vector<WeightRule> weights = {};
  Shape (*weight_shape)(const LayerCall& call, std::string_view weight) = nullptr;
  int min_inputs = 1;
  int max_inputs = 1;
  std::vector<std::string_view> aliases = {};
  MaskRule mask_rule = MaskRule::kDropped;
  /// Fills LayerSpec::children of a wrapper. Its output_shape must complete each of them by call_child().
  void (*read_children)(LayerConfig& config, LayerSpec& layer, const ReadChild& read_child) = nullptr;
  /// Keywords of the call that are no tensors -> NodeSpec::arguments. Null: none but "training" are accepted.
  void (*read_arguments)(LayerConfig& arguments, Attributes& attributes) = nullptr;
};

/// Null where no such class is known.
const LayerKind* find_layer_kind(std::string_view class_name);

/// Of core_layers(), in a file of its own.
LayerKind einsum_dense_layer();

// The lists that layer_table.cpp joins.
const std::vector<LayerKind>& core_layers();
const std::vector<LayerKind>& shape_layers();
const std::vector<LayerKind>& convolution_layers();
const std::vector<LayerKind>& depthwise_layers();
const std::vector<LayerKind>& pooling_layers();
const std::vector<LayerKind>& resampling_layers();
const std::vector<LayerKind>& image_layers();
const std::vector<LayerKind>& normalization_layers();
const std::vector<LayerKind>& activation_layers();
const std::vector<LayerKind>& merge_layers();
const std::vector<LayerKind>& embedding_layers();
const std::vector<LayerKind>& recurrent_layers();
const std::vector<LayerKind>& convolutional_recurrent_layers();
const std::vector<LayerKind>& wrapper_layers();
const std::vector<LayerKind>& wrapped_model_layers();
const std::vector<LayerKind>& attention_layers();
const std::vector<LayerKind>& noise_layers();
const std::vector<LayerKind>& input_statistics_layers();
const std::vector<LayerKind>& operation_layers();

/// Why a class of Keras is refused for good; empty for every other name.
std::string_view refusal_of(std::string_view class_name);

/// Completes wrapped layer number `child` of the call's layer for inputs of these shapes, in place, and gives the
/// shapes of its outputs. Once per child.
std::vector<Shape> call_child(const LayerCall& call, std::size_t child, const std::vector<Shape>& inputs);

// Parts that several kinds share.
void read_nothing(LayerConfig& config, Attributes& attributes);
Shape same_shape(const LayerCall& call);
std::int64_t no_flops(const LayerCall& call, const Shape& output);
std::int64_t flops_of(std::int64_t elements, std::int64_t each, const LayerCall& call);
std::int64_t one_flop_each(const LayerCall& call, const Shape& output);
std::int64_t five_flops_each(const LayerCall& call, const Shape& output);
/// `data_format` "channels_last" or "channels_first".
void read_data_format(LayerConfig& config, Attributes& attributes);
/// `padding` "valid" or "same".
void read_padding(LayerConfig& config, Attributes& attributes);
/// `axis` as Keras writes it (a number, or a list of one) -> stored counting the batch axis, settled by settle_axis.
void read_axis(LayerConfig& config, Attributes& attributes);
/// Makes `axis` positive and without the batch axis, for an input of `rank` axes. Returns it.
std::size_t settle_axis(const LayerCall& call, std::size_t rank);
/// `axis` as a list, for layers that take several: a number or a list -> stored counting the batch axis, settled by
/// settle_axes.
void read_axes(LayerConfig& config, Attributes& attributes);
/// Makes the axes of `axis` positive and without the batch axis. Throws where one appears twice.
const std::vector<std::int64_t>& settle_axes(const LayerCall& call, std::size_t rank);

}  // namespace modelhop::spec
