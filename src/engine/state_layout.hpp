// SPDX-License-Identifier: Apache-2.0
// Where each weight of an architecture lies in the flat buffers of a state.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "modelhop/model_spec.hpp"
#include "modelhop/train_spec.hpp"

namespace modelhop::engine {

/// How a weight is stored, against Keras's layout in get_weights().
enum class Storage : std::uint8_t {
  kAsKeras,
  kConvolutionKernel,  ///< Keras (extents, in, out) kept as (out, extents, in): ATen's channels-last (out, in, extents)
  kDepthwiseKernel,  ///< Keras (extents, in, multiplier) kept as (in, multiplier, extents): ATen's (in * m, 1, extents)
};

struct WeightPlace {
  std::string name;  ///< "layer/weight", for messages
  Shape keras_shape;
  Storage storage = Storage::kAsKeras;
  bool is_trainable = true;
  std::int64_t offset = 0;  ///< floats into `parameters` or `statistics`; a multiple of 16 (64 bytes)
  std::int64_t count = 0;
  InitializerSpec initializer;
  RegularizerSpec regularizer;
  ConstraintSpec constraint;
};

/// Trainable weights lie in one flat buffer (`parameters`), the others in another (`statistics`). Gradients and every
/// optimizer slot have the layout of `parameters`. Padding floats are 0 and stay 0.
struct StateLayout {
  std::vector<WeightPlace> weights;             ///< in get_weights() order
  std::vector<std::vector<int>> layer_weights;  ///< per ModelSpec layer and its weight: index into `weights`
  std::int64_t parameter_floats = 0;
  std::int64_t statistics_floats = 0;
  std::vector<float> initial_slot_values;  ///< one per slot
  int slot_count = 0;                      ///< optimizer slots: SGD with momentum 1, Adam 2, Adam with amsgrad 3, ...
  double learning_rate = 0.0;              ///< the optimizer's own, while no callback has set another
  bool has_average = false;                ///< the last slot is the weights' moving average (use_ema)
  std::uint64_t hash = 0;                  ///< of everything that decides whether training state fits
};

StateLayout make_state_layout(const ModelSpec& model, const OptimizerSpec& optimizer);

}  // namespace modelhop::engine
