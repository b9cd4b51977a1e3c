// SPDX-License-Identifier: Apache-2.0
// Allocates a graph's tensors for one number of rows and runs it forward and backward.
#include "engine/plan.hpp"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "engine/device.hpp"
#include "engine/gather.hpp"

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

Plan::Plan(const Network& network, Purpose purpose, std::int64_t rows)
    : purpose_(purpose), rows_(rows), objective_(network.objective()), layout_(network.layout()) {
  const bool takes_logits = network.has_objective() && objective_.fused != FinalActivation::kNone;
  graph_ = lower(network.spec(), layout_, purpose, purpose == Purpose::kTraining && takes_logits);
  const at::TensorOptions options = at::TensorOptions().dtype(at::kFloat).device(torch_device(network.device()));
  allocate_inputs(network, options);
  for (const auto& operation : graph_.operations) operation->prepare(rows, options);
  if (purpose == Purpose::kTraining) link_weights(options);
  if (!takes_logits) graph_.logits = graph_.output;
}

std::int64_t Plan::retained_bytes() const {
  std::int64_t floats = 0;
  for (const auto& value : graph_.values) floats += rows_ * element_count(value->shape);
  if (purpose_ == Purpose::kTraining) floats = 2 * floats + layout_.parameter_floats;
  return floats * static_cast<std::int64_t>(sizeof(float));
}

void Plan::allocate_inputs(const Network& network, const at::TensorOptions& options) {
  Value& input = *graph_.input;
  input.data = at::empty(sizes_of(rows_, input.shape), options);
  input.is_preallocated = true;
  const bool on_host = options.device().is_cpu();
  host_input_ = on_host ? input.data : at::empty(sizes_of(rows_, input.shape), options.device(at::kCPU));
  if (!network.has_objective()) return;
  const at::TensorOptions target_options = options.dtype(objective_.target_is_class_id ? at::kLong : at::kFloat);
  std::vector<std::int64_t> sizes = {rows_};
  if (!objective_.target_is_class_id) sizes.push_back(network.dependent_row_elements());
  target_ = at::empty(sizes, target_options);
  host_target_ = on_host ? target_ : at::empty(sizes, target_options.device(at::kCPU));
  target_classes_ = graph_.logits->shape.empty() ? 1 : graph_.logits->shape.back();
}

void Plan::link_weights(const at::TensorOptions& options) {
  gradients_ = at::zeros({layout_.parameter_floats}, options);
  loss_gradient_ = at::empty(sizes_of(rows_, graph_.logits->shape), options);
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

void Plan::load(const RowList& independent, float scale, const RowList& dependent) {
  gather_floats(independent, scale, host_input_.mutable_data_ptr<float>());
  if (!host_input_.is_same(graph_.input->data)) graph_.input->data.copy_(host_input_);
  if (dependent.rows.empty()) return;
  if (objective_.target_is_class_id) {
    gather_class_ids(dependent, target_classes_, host_target_.mutable_data_ptr<std::int64_t>());
  } else {
    gather_floats(dependent, 1.0F, host_target_.mutable_data_ptr<float>());
  }
  if (!host_target_.is_same(target_)) target_.copy_(host_target_);
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
      if (!value->is_preallocated && value != graph_.logits) value->data.reset();
    }
  }
}

double Plan::compute_gradients(const Step& step) {
  run_forward(step);
  if (has_idle_weights_) gradients_.zero_();
  graph_.logits->gradient = loss_gradient_;
  const double loss = loss_and_gradient(objective_, graph_.logits->data, target_, &loss_gradient_);
  auto further = further_uses_.begin();
  for (auto position = graph_.operations.rbegin(); position != graph_.operations.rend(); ++position) {
    Operation& operation = **position;
    if (operation.output->needs_gradient) {
      operation.backward(step);
      operation.output->gradient.reset();
      if (!operation.output->is_preallocated) operation.output->data.reset();
    }
    for (; further != further_uses_.end() && further->operation == &operation; ++further) {
      further->sum.add_(further->gradient);
    }
  }
  return loss;
}

}  // namespace modelhop::engine
