// SPDX-License-Identifier: Apache-2.0
// Embedding and Masking: rows of a table by id, and where masks come from.
#include <ATen/ops/any.h>
#include <ATen/ops/embedding_dense_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/ne.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "engine/lowering.hpp"
#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

/// Ids arrive as float32 and are truncated, as Keras casts them. Id 0 has a row like any other, masked or not.
class EmbeddingOperation final : public Operation {
 public:
  explicit EmbeddingOperation(const LayerSpec& layer)
      : layer_(layer.name), rows_of_table_(integer_attribute(layer, "input_dim")) {}

  void prepare(std::int64_t rows, const at::TensorOptions& options) override {
    allocate_output(rows, options);
    output_rows_ = output().data.view({-1, output().shape.back()});
    host_ids_ = at::empty({output_rows_.size(0)}, options.dtype(at::kLong).device(at::kCPU));
  }

  void forward(const Step&) override {
    read_ids(input().data.cpu().contiguous());
    ids_ = input().data.device().is_cpu() ? host_ids_ : host_ids_.to(input().data.device());
    at::index_select_out(output_rows_, weights[0].data, 0, ids_);
  }

  void backward(const Step&) override {
    if (inputs[0]->needs_gradient) inputs[0]->gradient.reset();
    if (!weights[0].learns()) return;
    const at::Tensor gradient = output().gradient.view(output_rows_.sizes());
    if (gradient.device().is_cpu()) {
      add_rows(gradient.contiguous());
    } else {
      weights[0].gradient.copy_(at::embedding_dense_backward(gradient, ids_, rows_of_table_, -1, false));
    }
  }
  bool keeps_output() const override { return false; }

 private:
  void read_ids(const at::Tensor& values) {
    const float* from = values.const_data_ptr<float>();
    auto* ids = host_ids_.mutable_data_ptr<std::int64_t>();
    for (std::int64_t index = 0; index < host_ids_.numel(); ++index) {
      const float value = std::trunc(from[index]);
      if (!(value >= 0.0F && value < static_cast<float>(rows_of_table_))) refuse_id(from[index]);
      ids[index] = static_cast<std::int64_t>(value);
    }
  }

  [[noreturn]] void refuse_id(float value) const {
    std::ostringstream text;
    text << "layer \"" << layer_ << "\": id " << value << " is outside the " << rows_of_table_
         << " rows of \"input_dim\"";
    throw Error(ErrorCode::kInvalidArgument, text.str(),
                "Ids are counted from 0; input_dim must be above the largest one.");
  }

  /// An id that occurs several times collects the gradients of all of its places, in their order.
  void add_rows(const at::Tensor& gradient) {
    weights[0].gradient.zero_();
    const std::int64_t width = gradient.size(1);
    const auto* ids = host_ids_.const_data_ptr<std::int64_t>();
    const float* from = gradient.const_data_ptr<float>();
    float* table = weights[0].gradient.mutable_data_ptr<float>();
    for (std::int64_t row = 0; row < gradient.size(0); ++row, from += width) {
      float* into = table + ids[row] * width;
      for (std::int64_t column = 0; column < width; ++column) into[column] += from[column];
    }
  }

  std::string layer_;
  std::int64_t rows_of_table_;
  at::Tensor output_rows_, host_ids_, ids_;
};

at::Tensor steps_with_values(const at::Tensor& x, double mask_value) {
  return at::any(x.ne(mask_value), -1, true).to(at::kFloat);
}

}  // namespace

static Values lower_embedding(Lowering& lowering) {
  Value* ids = lowering.inputs[0];
  if (boolean_attribute(lowering.layer(), "mask_zero")) {
    Value* mask = lowering.emit<AutogradOperation>(
        {ids}, ids->shape, {}, [](const ForwardInputs& given) { return given.inputs[0].ne(0).to(at::kFloat); });
    mask->needs_gradient = false;
    lowering.output_masks = {mask};
  }
  return lowering.emit<EmbeddingOperation>({ids}, lowering.output_shape(), {lowering.weight("embeddings")},
                                           lowering.layer());
}

static Values lower_masking(Lowering& lowering) {
  const double mask_value = number_attribute(lowering.layer(), "mask_value");
  Value* input = lowering.inputs[0];
  const auto masking = [mask_value](const ForwardInputs& given) {
    const at::Tensor mask = steps_with_values(given.inputs[0], mask_value);
    return std::vector<at::Tensor>{given.inputs[0].mul(mask), mask.squeeze(-1)};
  };
  const Shape of_mask(input->shape.begin(), input->shape.end() - 1);
  const auto outputs = lowering.emit_several<AutogradOperation>({input}, {input->shape, of_mask}, {}, masking);
  outputs[1]->needs_gradient = false;
  lowering.output_masks = {outputs[1]};
  return outputs[0];
}

std::span<const LayerLowering> embedding_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"Embedding", lower_embedding},
      {"Masking", lower_masking},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
