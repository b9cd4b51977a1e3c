// SPDX-License-Identifier: Apache-2.0
// Weights in and out in Keras's layouts, and the training state as checked bytes.
#include "engine/flat_state.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "engine/checksum.hpp"
#include "engine/device.hpp"
#include "engine/guard.hpp"
#include "engine/initializer.hpp"
#include "engine/optimizer.hpp"
#include "spec/optimizers.hpp"

namespace modelhop::engine {
namespace {

static_assert(std::endian::native == std::endian::little, "the training state is written as it lies in memory");

struct TrainingStateHeader {
  std::array<char, 4> magic = {'M', 'H', 'T', 'S'};
  std::uint32_t version = 2;
  std::uint64_t layout_hash = 0;
  std::int64_t step = 0;
  std::uint64_t configuration_seed = 0;
  std::uint64_t slot_count = 0;
  double momentum_product = 1.0;
  double base_rate = std::numeric_limits<double>::quiet_NaN();
};
static_assert(sizeof(TrainingStateHeader) == 56);

std::uint64_t checksum_of(std::span<const std::byte> bytes) {
  Checksum checksum;
  checksum.add_bytes(bytes);
  return checksum.value();
}

at::TensorOptions floats_on(Device device) {
  return at::TensorOptions().dtype(at::kFloat).device(torch_device(device));
}

/// Copies between Keras's (positions, in, out) and the stored (out, positions, in) of a convolution kernel.
struct KernelExtents {
  std::int64_t positions, inputs, outputs;
};

KernelExtents kernel_extents(const WeightPlace& place) {
  const Shape& shape = place.keras_shape;
  check(shape.size() >= 3, "a convolution kernel has fewer than three axes");
  const std::int64_t before_last = shape[shape.size() - 2], last = shape.back();
  if (place.storage == Storage::kDepthwiseKernel) return {place.count / (before_last * last), 1, before_last * last};
  return {place.count / (before_last * last), before_last, last};
}

void copy_to_keras(const WeightPlace& place, const float* stored, float* keras) {
  if (place.storage == Storage::kAsKeras) {
    std::memcpy(keras, stored, static_cast<std::size_t>(place.count) * sizeof(float));
    return;
  }
  const auto [positions, inputs, outputs] = kernel_extents(place);
  for (std::int64_t row = 0; row < positions * inputs; ++row) {
    for (std::int64_t output = 0; output < outputs; ++output) {
      keras[row * outputs + output] = stored[output * positions * inputs + row];
    }
  }
}

void copy_from_keras(const WeightPlace& place, const float* keras, float* stored) {
  if (place.storage == Storage::kAsKeras) {
    std::memcpy(stored, keras, static_cast<std::size_t>(place.count) * sizeof(float));
    return;
  }
  const auto [positions, inputs, outputs] = kernel_extents(place);
  for (std::int64_t row = 0; row < positions * inputs; ++row) {
    for (std::int64_t output = 0; output < outputs; ++output) {
      stored[output * positions * inputs + row] = keras[row * outputs + output];
    }
  }
}

std::int64_t weight_floats(const StateLayout& layout) {
  std::int64_t floats = 0;
  for (const WeightPlace& place : layout.weights) floats += place.count;
  return floats;
}

void check_weight_count(const StateLayout& layout, std::size_t given) {
  const std::int64_t floats = weight_floats(layout);
  if (static_cast<std::int64_t>(given) == floats) return;
  throw Error(ErrorCode::kInvalidArgument, "model weights hold " + std::to_string(given) +
                                               " numbers, the architecture has " + std::to_string(floats));
}

[[noreturn]] void refuse_training_state(const std::string& why) {
  throw Error(ErrorCode::kInvalidArgument, "training state " + why);
}

TrainingStateHeader read_header(std::span<const std::byte> bytes) {
  TrainingStateHeader header;
  const TrainingStateHeader expected;
  if (bytes.size() < sizeof(header) + sizeof(std::uint64_t)) refuse_training_state("is cut short");
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.magic != expected.magic) refuse_training_state("has no valid beginning");
  if (header.version != expected.version) {
    refuse_training_state("has format version " + std::to_string(header.version) + ", this build reads version " +
                          std::to_string(expected.version));
  }
  std::uint64_t stored = 0;
  const auto body = bytes.first(bytes.size() - sizeof(stored));
  std::memcpy(&stored, bytes.data() + body.size(), sizeof(stored));
  if (stored != checksum_of(body)) refuse_training_state("is damaged: its checksum does not match");
  return header;
}

}  // namespace

FlatState::FlatState(std::shared_ptr<const StateLayout> layout, Device device, std::uint64_t seed)
    : configuration_seed(seed), layout_(std::move(layout)) {
  parameters = at::zeros({layout_->parameter_floats}, floats_on(device));
  statistics = at::zeros({layout_->statistics_floats}, floats_on(device));
  for (int slot = 0; slot < layout_->slot_count; ++slot) {
    slots.push_back(at::empty({layout_->parameter_floats}, floats_on(device)));
  }
  fill_slots(layout_->initial_slot_values);
}

void FlatState::get_weights(std::span<float> weights) const {
  guarded([&] {
    check_weight_count(*layout_, weights.size());
    const at::Tensor host_parameters = parameters.to(at::kCPU), host_statistics = statistics.to(at::kCPU);
    float* keras = weights.data();
    for (const WeightPlace& place : layout_->weights) {
      const at::Tensor& source = place.is_trainable ? host_parameters : host_statistics;
      copy_to_keras(place, source.const_data_ptr<float>() + place.offset, keras);
      keras += place.count;
    }
  });
}

void FlatState::set_weights(std::span<const float> weights) {
  guarded([&] {
    check_weight_count(*layout_, weights.size());
    at::Tensor host_parameters = parameters.to(at::kCPU), host_statistics = statistics.to(at::kCPU);
    const float* keras = weights.data();
    for (const WeightPlace& place : layout_->weights) {
      const at::Tensor& target = place.is_trainable ? host_parameters : host_statistics;
      copy_from_keras(place, keras, target.mutable_data_ptr<float>() + place.offset);
      keras += place.count;
    }
    if (!parameters.is_cpu()) {
      parameters.copy_(host_parameters);
      statistics.copy_(host_statistics);
    }
    if (layout_->has_average) slots.back().copy_(parameters);
  });
}

std::vector<std::byte> FlatState::get_training_state() const {
  return guarded([&] {
    TrainingStateHeader header;
    header.layout_hash = layout_->hash;
    header.step = step;
    header.configuration_seed = configuration_seed;
    header.slot_count = slots.size();
    header.momentum_product = momentum_product;
    if (base_rate) header.base_rate = *base_rate;
    const std::size_t slot_bytes = static_cast<std::size_t>(layout_->parameter_floats) * sizeof(float);
    const std::size_t body = sizeof(header) + slots.size() * slot_bytes;
    std::vector<std::byte> bytes(body + sizeof(std::uint64_t));
    std::memcpy(bytes.data(), &header, sizeof(header));
    std::byte* out = bytes.data() + sizeof(header);
    for (const at::Tensor& slot : slots) {
      const at::Tensor host = slot.to(at::kCPU);
      if (slot_bytes > 0) std::memcpy(out, host.const_data_ptr<float>(), slot_bytes);
      out += slot_bytes;
    }
    const std::uint64_t checksum = checksum_of(std::span(bytes).first(body));
    std::memcpy(out, &checksum, sizeof(checksum));
    return bytes;
  });
}

void FlatState::set_training_state(std::span<const std::byte> bytes) {
  guarded([&] {
    const TrainingStateHeader header = read_header(bytes);
    const std::size_t slot_bytes = static_cast<std::size_t>(layout_->parameter_floats) * sizeof(float);
    if (header.layout_hash != layout_->hash || header.slot_count != slots.size() ||
        bytes.size() != sizeof(header) + slots.size() * slot_bytes + sizeof(std::uint64_t)) {
      refuse_training_state("belongs to another architecture or optimizer");
    }
    const std::byte* in = bytes.data() + sizeof(header);
    for (at::Tensor& slot : slots) {
      at::Tensor host = slot.is_cpu() ? slot : at::empty({slot.numel()}, at::TensorOptions().dtype(at::kFloat));
      if (slot_bytes > 0) std::memcpy(host.mutable_data_ptr<float>(), in, slot_bytes);
      if (!slot.is_cpu()) slot.copy_(host);
      in += slot_bytes;
    }
    step = header.step;
    configuration_seed = header.configuration_seed;
    momentum_product = header.momentum_product;
    base_rate = std::isnan(header.base_rate) ? std::nullopt : std::optional(header.base_rate);
  });
}

std::int64_t FlatState::size_bytes() const {
  return static_cast<std::int64_t>(parameters.nbytes() + statistics.nbytes() + slots.size() * parameters.nbytes());
}

void FlatState::initialize() {
  std::vector<float> weights(static_cast<std::size_t>(weight_floats(*layout_)));
  std::span<float> rest(weights);
  for (std::size_t index = 0; index < layout_->weights.size(); ++index) {
    const WeightPlace& place = layout_->weights[index];
    const auto values = rest.first(static_cast<std::size_t>(place.count));
    initialize_weight(place.initializer, place.keras_shape, configuration_seed, index, values);
    rest = rest.subspan(values.size());
  }
  set_weights(weights);
}

void FlatState::reset_optimizer(const OptimizerSpec& optimizer) {
  check(spec::slot_count(optimizer) == layout_->slot_count, "optimizer does not fit the state's slots");
  std::vector<float> values;
  for (int slot = 0; slot < layout_->slot_count; ++slot) values.push_back(initial_slot_value(optimizer, slot));
  fill_slots(values);
  step = 0;
  momentum_product = 1.0;
}

void FlatState::fill_slots(const std::vector<float>& values) {
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    slots[slot].zero_();
    if (values[slot] == 0.0F) continue;
    for (const WeightPlace& place : layout_->weights) {
      if (place.is_trainable) slots[slot].narrow(0, place.offset, place.count).fill_(values[slot]);
    }
  }
}

at::Tensor FlatState::weight(int index) const {
  const WeightPlace& place = layout_->weights[static_cast<std::size_t>(index)];
  const at::Tensor& buffer = place.is_trainable ? parameters : statistics;
  return weight_view(place, buffer);
}

namespace {

/// Sizes and strides of a view of the flat buffer, an axis at a time.
struct StridedView {
  std::vector<std::int64_t> sizes, strides;

  void add(std::int64_t size, std::int64_t stride) {
    sizes.push_back(size);
    strides.push_back(stride);
  }
  /// The axes over which the kernel slides.
  void add_extents(const WeightPlace& place, std::int64_t cell) {
    const std::size_t rank = place.keras_shape.size() - 2;
    std::vector<std::int64_t> steps(rank, cell);
    for (std::size_t axis = rank - 1; axis-- > 0;) steps[axis] = steps[axis + 1] * place.keras_shape[axis + 1];
    for (std::size_t axis = 0; axis < rank; ++axis) add(place.keras_shape[axis], steps[axis]);
  }
  at::Tensor of(const WeightPlace& place, const at::Tensor& buffer) const {
    return buffer.as_strided(sizes, strides, buffer.storage_offset() + place.offset);
  }
};

}  // namespace

at::Tensor keras_view(const WeightPlace& place, const at::Tensor& buffer) {
  if (place.storage == Storage::kAsKeras) return weight_view(place, buffer);
  const auto [positions, inputs, outputs] = kernel_extents(place);
  StridedView view;
  view.add_extents(place, inputs);
  if (place.storage == Storage::kDepthwiseKernel) {
    const std::int64_t multiplier = place.keras_shape.back();
    view.add(outputs / multiplier, multiplier * positions);
    view.add(multiplier, positions);
  } else {
    view.add(inputs, 1);
    view.add(outputs, positions * inputs);
  }
  return view.of(place, buffer);
}

at::Tensor weight_view(const WeightPlace& place, const at::Tensor& buffer) {
  if (place.storage == Storage::kAsKeras) return buffer.narrow(0, place.offset, place.count).view(place.keras_shape);
  const auto [positions, inputs, outputs] = kernel_extents(place);
  StridedView view;
  view.add(outputs, positions * inputs);
  view.add(inputs, 1);
  if (place.keras_shape.size() == 3) view.add(1, positions * inputs);  // sequences are images of height 1
  view.add_extents(place, inputs);
  return view.of(place, buffer);
}

}  // namespace modelhop::engine
