// SPDX-License-Identifier: Apache-2.0
// Allocates a graph's tensors for one number of rows and runs it forward and backward.
#include "engine/plan.hpp"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "engine/device.hpp"
#include "engine/gather.hpp"
#include "engine/sparse_rows.hpp"

namespace modelhop::engine {

struct ComputeScope::Guards {
  at::AutoDispatchBelowADInplaceOrView below_autograd;
  at::NoGradGuard no_grad;
};

ComputeScope::ComputeScope() {
  thread_local const bool is_prepared = (prepare_compute_thread(), true);
  static_cast<void>(is_prepared);
  guards_ = std::make_unique<Guards>();
}

ComputeScope::~ComputeScope() = default;

Plan::HostFilled::HostFilled(const std::vector<std::int64_t>& sizes, const at::TensorOptions& options)
    : host(at::empty(sizes, options.device(at::kCPU))),
      device(options.device().is_cpu() ? host : at::empty(sizes, options)) {}

void Plan::HostFilled::upload() {
  if (!host.is_same(device)) device.copy_(host);
}

Plan::Plan(const Network& network, Purpose purpose, std::int64_t rows)
    : purpose_(purpose),
      rows_(rows),
      objective_(network.objective()),
      profile_(network.spec().profile),
      layout_(network.layout()) {
  std::vector<bool> drops(network.spec().outputs.size(), false);
  for (std::size_t index = 0; index < objective_.outputs.size(); ++index) {
    const bool is_fused = objective_.outputs[index].fused != FinalActivation::kNone;
    drops[index] = purpose == Purpose::kTraining && is_fused;
  }
  graph_ = lower(network.spec(), layout_, purpose, drops);
  const at::TensorOptions options = at::TensorOptions().dtype(at::kFloat).device(torch_device(network.device()));
  allocate_inputs(options);
  for (const auto& operation : graph_.operations) operation->prepare(rows * operation->output().steps, options);
  for (std::size_t index = 0; index < graph_.outputs.size(); ++index) {
    GraphOutput& end = graph_.outputs[index];
    const bool takes_logits = network.has_objective() && objective_.outputs[index].fused != FinalActivation::kNone;
    if (!takes_logits) end.logits = end.output;
  }
  if (purpose == Purpose::kTraining) link_weights(options);
}

std::int64_t Plan::retained_bytes() const {
  std::int64_t floats = 0;
  for (const auto& value : graph_.values) floats += rows_ * value->steps * element_count(value->shape);
  if (purpose_ == Purpose::kTraining) floats = 2 * floats + layout_.parameter_floats;
  return floats * static_cast<std::int64_t>(sizeof(float));
}

void Plan::allocate_inputs(const at::TensorOptions& options) {
  for (Value* input : graph_.inputs) {
    inputs_.emplace_back(sizes_of(rows_, input->shape), options);
    input->data = inputs_.back().device;
    input->is_preallocated = true;
  }
  for (const OutputLoss& output : objective_.outputs) {
    const at::TensorOptions of_target = options.dtype(output.target_is_class_id ? at::kLong : at::kFloat);
    targets_.emplace_back(std::vector{rows_, output.target_elements}, of_target);
  }
  if (!objective_.outputs.empty()) sample_weight_ = HostFilled({rows_, 1}, options);
}

void Plan::link_weights(const at::TensorOptions& options) {
  gradients_ = at::zeros({layout_.parameter_floats}, options);
  for (const GraphOutput& end : graph_.outputs) {
    loss_gradients_.push_back(at::empty(sizes_of(rows_ * end.logits->steps, end.logits->shape), options));
  }
  std::vector<bool> is_used(layout_.weights.size(), false);
  for (auto position = graph_.operations.rbegin(); position != graph_.operations.rend(); ++position) {
    Operation& operation = **position;
    for (WeightUse& use : operation.weights) {
      const WeightPlace& place = layout_.weights[use.index];
      if (!place.is_trainable) continue;
      use.gradient = weight_view(place, gradients_);
      if (is_used[use.index]) {
        const at::Tensor sum = use.gradient;
        use.gradient = at::zeros_like(sum);
        further_uses_.push_back({&operation, use.gradient, sum});
      }
      is_used[use.index] = true;
    }
  }
  for (std::size_t index = 0; index < is_used.size(); ++index) {
    has_idle_weights_ |= layout_.weights[index].is_trainable && !is_used[index];
  }
}

void Plan::load(const BatchRows& batch) {
  for (std::size_t index = 0; index < inputs_.size(); ++index) {
    const Value& input = *graph_.inputs[index];
    if (input.sparse != nullptr && input.sparse->read(batch.independent[index], input.shape.back())) continue;
    gather_floats(batch.independent[index], inputs_[index].host.mutable_data_ptr<float>());
    inputs_[index].upload();
  }
  if (batch.dependent.empty()) return;
  load_targets(batch);
  load_weights(batch);
}

void Plan::load_targets(const BatchRows& batch) {
  for (std::size_t index = 0; index < targets_.size(); ++index) {
    HostFilled& target = targets_[index];
    if (objective_.outputs[index].target_is_class_id) {
      const std::int64_t classes = graph_.outputs[index].logits->shape.back();
      gather_class_ids(batch.dependent[index], classes, objective_.outputs[index].loss.ignore_class,
                       target.host.mutable_data_ptr<std::int64_t>());
    } else {
      gather_floats(batch.dependent[index], target.host.mutable_data_ptr<float>());
    }
    target.upload();
  }
}

/// Sample weights, times class weights in training (Keras 2.2: sample weights alone, where there are some).
void Plan::load_weights(const BatchRows& batch) {
  const bool is_given = !batch.sample_weight.rows.empty();
  const bool by_class = purpose_ == Purpose::kTraining && !objective_.class_weights.empty() &&
                        !(is_given && profile_ == SemanticsProfile::kKeras22);
  has_sample_weight_ = is_given || by_class;
  if (!has_sample_weight_) return;
  const std::int64_t columns = is_given ? batch.sample_weight.view.row_elements : 1;
  if (sample_weight_.host.size(1) != columns) {
    sample_weight_ = HostFilled({rows_, columns}, sample_weight_.device.options());
  }
  float* weights = sample_weight_.host.mutable_data_ptr<float>();
  if (is_given) {
    gather_floats(batch.sample_weight, weights);
  } else {
    std::fill(weights, weights + rows_, 1.0F);
  }
  if (by_class) multiply_by_class(weights);
  sample_weight_.upload();
}

void Plan::multiply_by_class(float* weights) const {
  const at::Tensor& target = targets_.front().host;
  const std::int64_t columns = target.size(1);
  const at::Tensor classes = columns > 1 ? at::argmax(target, 1) : target.round().to(at::kLong).view({rows_});
  const std::int64_t* ids = classes.const_data_ptr<std::int64_t>();
  for (std::int64_t row = 0; row < rows_; ++row) {
    const auto found = objective_.class_weights.find(ids[row]);
    if (found == objective_.class_weights.end()) continue;
    const std::int64_t weight_columns = sample_weight_.host.size(1);
    for (std::int64_t column = 0; column < weight_columns; ++column) {
      weights[row * weight_columns + column] *= static_cast<float>(found->second);
    }
  }
}

void Plan::bind(const FlatState& state) {
  for (const auto& operation : graph_.operations) {
    for (WeightUse& use : operation->weights) use.data = state.weight(use.index);
    operation->bind();
  }
}

void Plan::release() {
  for (const auto& operation : graph_.operations) {
    for (WeightUse& use : operation->weights) use.data.reset();
    operation->unbind();
  }
}

void Plan::run_forward(const Step& step) {
  for (const auto& operation : graph_.operations) {
    operation->forward(step);
    if (purpose_ == Purpose::kTraining) continue;
    for (Value* value : operation->inputs) {
      if (!value->is_preallocated && !value->is_end) value->data.reset();
    }
  }
}

double Plan::loss_of(std::size_t output, at::Tensor* gradient) const {
  const GraphOutput& end = graph_.outputs[output];
  const at::Tensor weight = has_sample_weight_ ? sample_weight_.device : at::Tensor();
  const at::Tensor mask = end.mask != nullptr ? end.mask->data : at::Tensor();
  const OutputLoss& loss = objective_.outputs[output];
  const at::Tensor& values = end.logits->data;
  return loss_and_gradient(loss, values, targets_[output].device,
                           loss_factors(loss, values, targets_[output].device, weight, mask), gradient);
}

double Plan::layer_penalties() const {
  double penalty = 0.0;
  for (const auto& operation : graph_.operations) penalty += operation->penalty();
  return penalty * static_cast<double>(rows_);
}

double Plan::losses(std::span<double> output_losses) const {
  double sum = layer_penalties();
  for (std::size_t index = 0; index < objective_.outputs.size(); ++index) {
    const double loss = loss_of(index, nullptr);
    if (!output_losses.empty()) output_losses[index] += loss;
    sum += objective_.outputs[index].weight * loss;
  }
  return sum;
}

void Plan::add_metrics(const Objective& objective, std::span<double> accumulators) const {
  std::vector<PredictedOutput> predicted;
  for (std::size_t index = 0; index < objective_.outputs.size(); ++index) {
    const GraphOutput& end = graph_.outputs[index];
    predicted.push_back({end.output->data, targets_[index].device, objective_.outputs[index].target_is_class_id,
                         end.mask != nullptr ? end.mask->data : at::Tensor()});
  }
  engine::add_metrics(objective, predicted, profile_, has_sample_weight_ ? sample_weight_.device : at::Tensor(),
                      accumulators);
}

void Plan::copy_outputs(float* out) const {
  std::int64_t row_elements = 0, offset = 0;
  for (const GraphOutput& end : graph_.outputs) row_elements += element_count(end.output->shape);
  for (const GraphOutput& end : graph_.outputs) {
    const at::Tensor values = end.output->data.cpu().contiguous();
    const float* from = values.const_data_ptr<float>();
    const std::int64_t elements = element_count(end.output->shape);
    for (std::int64_t row = 0; row < rows_; ++row) {
      std::copy(from + row * elements, from + (row + 1) * elements, out + row * row_elements + offset);
    }
    offset += elements;
  }
}

double Plan::compute_gradients(const Step& step) {
  run_forward(step);
  if (has_idle_weights_) gradients_.zero_();
  double loss = layer_penalties();
  for (std::size_t index = 0; index < graph_.outputs.size(); ++index) {
    graph_.outputs[index].logits->gradient = loss_gradients_[index];
    loss += objective_.outputs[index].weight * loss_of(index, &loss_gradients_[index]);
  }
  auto further = further_uses_.begin();
  for (auto position = graph_.operations.rbegin(); position != graph_.operations.rend(); ++position) {
    Operation& operation = **position;
    const auto has_gradient = [](const Value* value) { return value->gradient.defined(); };
    const bool is_reached = std::any_of(operation.outputs.begin(), operation.outputs.end(), has_gradient);
    if (operation.needs_gradient() && is_reached) {
      operation.backward(step);
      for (Value* output : operation.outputs) {
        output->gradient.reset();
        if (!output->is_preallocated) output->data.reset();
      }
    } else if (operation.needs_gradient()) {
      for (WeightUse& weight : operation.weights) {
        if (weight.learns()) weight.gradient.zero_();
      }
    }
    for (; further != further_uses_.end() && further->operation == &operation; ++further) {
      further->sum.add_(further->gradient);
    }
  }
  return loss;
}

}  // namespace modelhop::engine
