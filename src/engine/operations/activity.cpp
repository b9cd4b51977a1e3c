// SPDX-License-Identifier: Apache-2.0
// Activity regularization: a penalty on what a layer gives, which itself goes on unchanged.
#include <ATen/core/Tensor.h>

#include "engine/lowering.hpp"
#include "engine/regularizer.hpp"

namespace modelhop::engine {
namespace {

class ActivityRegularizer final : public Operation {
 public:
  ActivityRegularizer(RegularizerSpec regularizer, bool is_per_batch)
      : regularizer_(regularizer), is_per_batch_(is_per_batch) {}

  void prepare(std::int64_t rows, const at::TensorOptions&) override {
    share_ = is_per_batch_ ? 1.0 : 1.0 / static_cast<double>(rows);
    output().is_preallocated = input().is_preallocated;
    output().data = input().data;
  }
  void forward(const Step&) override {
    output().data = input().data;
    penalty_ = penalty_of(regularizer_, input().data);
  }
  void backward(const Step&) override {
    inputs[0]->gradient = output().gradient;
    add_penalty_gradient(regularizer_, output().data, share_, inputs[0]->gradient);
  }
  double penalty() const override { return penalty_.defined() ? share_ * penalty_.item<double>() : 0.0; }

 private:
  RegularizerSpec regularizer_;
  bool is_per_batch_;  ///< the penalty of the whole batch counts, not its mean
  double share_ = 1.0;
  at::Tensor penalty_;
};

}  // namespace

Value* Lowering::regularize_activity(Value* value, const RegularizerSpec& regularizer) {
  if (!regularizer.is_active()) return value;
  if (regularizer.orthogonal != 0.0 && value->shape.size() != 1) {
    refuse("OrthogonalRegularizer of an output needs one axis beside the batch");
  }
  // Only standalone Keras 2 does not divide by the size of the batch (Keras 3 did not before 3.14).
  return emit<ActivityRegularizer>({value}, value->shape, {}, regularizer, model.profile == SemanticsProfile::kKeras22);
}

static Values lower_activity_regularization(Lowering& lowering) {
  RegularizerSpec regularizer;
  regularizer.l1 = number_attribute(lowering.layer(), "l1");
  regularizer.l2 = number_attribute(lowering.layer(), "l2");
  return lowering.regularize_activity(lowering.inputs[0], regularizer);
}

std::span<const LayerLowering> activity_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"ActivityRegularization", lower_activity_regularization},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
