// SPDX-License-Identifier: Apache-2.0
// Bidirectional, TimeDistributed and models that it wraps: wrapped layers lowered in place, and what joins their
// results.
#include <ATen/ops/add.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/stack.h>

#include <algorithm>

#include "engine/lowering.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::engine {
namespace {

/// The same numbers with the axis of steps among the rows, or back.
class StepsOperation final : public Operation {
 public:
  void prepare(std::int64_t rows, const at::TensorOptions&) override {
    const std::int64_t batch = rows / output().steps;
    output_sizes_ = sizes_of(rows, output().shape);
    input_sizes_ = sizes_of(batch * input().steps, input().shape);
    output().is_preallocated = input().is_preallocated;
    if (output().is_preallocated) output().data = input().data.view(output_sizes_);
  }
  void forward(const Step&) override {
    if (!output().is_preallocated) output().data = input().data.view(output_sizes_);
  }
  void backward(const Step&) override { inputs[0]->gradient = output().gradient.view(input_sizes_); }
  bool keeps_output() const override { return !input().may_overwrite; }

 private:
  std::vector<std::int64_t> output_sizes_, input_sizes_;
};

Value* steps_to_rows(Lowering& lowering, Value* value) {
  Value* rows = lowering.emit<StepsOperation>({value}, Shape(value->shape.begin() + 1, value->shape.end()), {});
  rows->steps = value->steps * value->shape.front();
  rows->needs_gradient = value->needs_gradient;
  return rows;
}

Value* rows_to_steps(Lowering& lowering, Value* value, std::int64_t steps) {
  Shape shape = value->shape;
  shape.insert(shape.begin(), steps);
  Value* result = lowering.emit<StepsOperation>({value}, shape, {});
  result->steps = value->steps / steps;
  return result;
}

// ---- TimeDistributed

/// The call's data, without the mask that Keras 3 may name among the inputs.
std::vector<Value*> distributed_inputs(const Lowering& lowering) {
  std::vector<Value*> values;
  const std::vector<std::string> roles = lowering.roles();
  for (std::size_t index = 0; index < lowering.inputs.size(); ++index) {
    if (roles[index] != "mask") values.push_back(lowering.inputs[index]);
  }
  return values;
}

/// A step counts where anything in it does.
Value* mask_of_steps(Lowering& lowering, Value* mask) {
  if (mask == nullptr || mask->shape.size() < 2) return mask;
  Value* result = lowering.emit<AutogradOperation>({mask}, {mask->shape.front()}, {}, [](const ForwardInputs& given) {
    return given.inputs[0].flatten(2).amax(-1);
  });
  return result;
}

Value* lower_merged(Lowering& lowering, const std::vector<Value*>& values, std::int64_t steps) {
  std::vector<Value*> rows, masks;
  for (std::size_t index = 0; index < values.size(); ++index) {
    rows.push_back(steps_to_rows(lowering, values[index]));
    Value* mask = lowering.masks[index];
    masks.push_back(mask != nullptr && mask->shape.size() > 1 ? steps_to_rows(lowering, mask) : nullptr);
  }
  lowering.output_masks.clear();
  Value* result = lowering.lower_child(0, rows, masks).list.front();
  Value* inner_mask = lowering.output_masks.empty() ? nullptr : lowering.output_masks.front();
  lowering.output_masks.clear();
  const MaskRule rule = spec::find_layer_kind(lowering.layer().children.front().class_name)->mask_rule;
  if (inner_mask != nullptr) {
    lowering.output_masks = {rows_to_steps(lowering, inner_mask, steps)};
  } else if (lowering.masks.front() != nullptr) {
    const bool is_passed = rule == MaskRule::kPassed;
    lowering.output_masks = {is_passed ? lowering.masks.front() : mask_of_steps(lowering, lowering.masks.front())};
  }
  return rows_to_steps(lowering, result, steps);
}

/// Keras 3 calls the layer for one step after the other, which statistics of batches tell apart.
Value* lower_step_by_step(Lowering& lowering, Value* value, std::int64_t steps) {
  std::vector<Value*> results;
  for (std::int64_t step = 0; step < steps; ++step) {
    const auto pick = [step](const ForwardInputs& given) { return given.inputs[0].select(1, step).contiguous(); };
    Value* slice =
        lowering.emit<AutogradOperation>({value}, Shape(value->shape.begin() + 1, value->shape.end()), {}, pick);
    results.push_back(lowering.lower_child(0, {slice}).list.front());
  }
  Shape shape = results.front()->shape;
  shape.insert(shape.begin(), steps);
  lowering.output_masks = {lowering.masks.front()};
  return lowering.emit<AutogradOperation>(results, shape, {}, [](const ForwardInputs& given) {
    return at::stack(at::TensorList(given.inputs.data(), given.inputs.size()), 1);
  });
}

/// Something in it normalizes by the batch, so that it matters which rows are called together.
bool has_batch_statistics(const LayerSpec& layer) {
  if (layer.class_name == "BatchNormalization") return layer.is_trainable;
  return std::any_of(layer.children.begin(), layer.children.end(), has_batch_statistics);
}

// ---- Bidirectional

at::Tensor merged(const std::string& mode, const at::Tensor& forward, const at::Tensor& backward) {
  if (mode == "concat") return at::cat({forward, backward}, -1);
  if (mode == "mul") return forward.mul(backward);
  const at::Tensor sum = forward.add(backward);
  return mode == "ave" ? sum.mul(0.5) : sum;
}

std::vector<Value*> inputs_of_direction(const Lowering& lowering, std::size_t direction) {
  std::vector<Value*> states;
  const std::vector<std::string> roles = lowering.roles();
  for (std::size_t index = 1; index < lowering.inputs.size(); ++index) {
    if (roles[index] != "mask") states.push_back(lowering.inputs[index]);
  }
  const auto half = static_cast<std::ptrdiff_t>(states.size() / 2);
  std::vector<Value*> values = {lowering.inputs.front()};
  values.insert(values.end(), states.begin() + (direction == 0 ? 0 : half),
                direction == 0 ? states.begin() + half : states.end());
  return values;
}

std::vector<Value*> lower_direction(Lowering& lowering, std::size_t direction, Value* mask) {
  std::vector<Value*> values = inputs_of_direction(lowering, direction);
  std::vector<Value*> masks(values.size(), nullptr);
  masks.front() = mask;
  return lowering.lower_child(direction, values, masks).list;
}

}  // namespace

static Values lower_time_distributed(Lowering& lowering) {
  const std::vector<Value*> values = distributed_inputs(lowering);
  const std::int64_t steps = values.front()->shape.front();
  const bool is_keras3 = lowering.model.profile == SemanticsProfile::kKeras3;
  if (is_keras3 && lowering.is_training() && has_batch_statistics(lowering.layer().children.front())) {
    return lower_step_by_step(lowering, values.front(), steps);
  }
  return lower_merged(lowering, values, steps);
}

/// A model that TimeDistributed wraps.
static Values lower_wrapped_model(Lowering& lowering) {
  const std::vector<std::int64_t>& wiring = list_attribute(lowering.layer(), "wiring");
  std::vector<Value*> results;
  const auto value_at = [&](std::int64_t source) {
    return source < 0 ? lowering.inputs[static_cast<std::size_t>(-1 - source)]
                      : results[static_cast<std::size_t>(source)];
  };
  for (std::size_t at = 0; at < wiring.size();) {
    const auto count = static_cast<std::size_t>(wiring[at + 1]);
    std::vector<Value*> values;
    for (std::size_t input = 0; input < count; ++input) values.push_back(value_at(wiring[at + 2 + input]));
    results.push_back(lowering.lower_child(static_cast<std::size_t>(wiring[at]), values).list.front());
    at += 2 + count;
  }
  lowering.output_masks.clear();
  return value_at(integer_attribute(lowering.layer(), "output"));
}

static Values lower_bidirectional(Lowering& lowering) {
  const LayerSpec& layer = lowering.layer();
  Value* given_mask = lowering.input_of("mask");
  Value* mask = given_mask != nullptr ? given_mask : lowering.masks.front();
  const std::vector<Value*> forward = lower_direction(lowering, 0, mask);
  const std::vector<Value*> backward = lower_direction(lowering, 1, mask);
  const bool is_sequence = boolean_attribute(layer.children[0], "return_sequences");
  const std::string& mode = string_attribute(layer, "merge_mode");
  const std::vector<Shape>& shapes = lowering.output_shapes();
  const auto turned = [is_sequence](const at::Tensor& x) { return is_sequence ? x.flip(1) : x; };

  std::vector<Value*> outputs;
  if (mode == "none") {
    Value* back = backward.front();
    const auto turn = [turned](const ForwardInputs& given) { return turned(given.inputs[0]); };
    if (is_sequence) back = lowering.emit<AutogradOperation>({back}, shapes[1], {}, turn);
    outputs = {forward.front(), back};
  } else {
    const auto merge = [mode, turned](const ForwardInputs& given) {
      return merged(mode, given.inputs[0], turned(given.inputs[1]));
    };
    outputs = {lowering.emit<AutogradOperation>({forward.front(), backward.front()}, shapes[0], {}, merge)};
  }
  lowering.output_masks.assign(outputs.size(), is_sequence ? mask : nullptr);
  outputs.insert(outputs.end(), forward.begin() + 1, forward.end());
  outputs.insert(outputs.end(), backward.begin() + 1, backward.end());
  lowering.output_masks.resize(outputs.size(), nullptr);
  return outputs;
}

std::span<const LayerLowering> wrapper_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"Bidirectional", lower_bidirectional},
      {"Functional", lower_wrapped_model},
      {"TimeDistributed", lower_time_distributed},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
