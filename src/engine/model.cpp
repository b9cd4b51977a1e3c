// SPDX-License-Identifier: Apache-2.0
// Resolves an architecture with its training parameters, and writes the key under which plans are shared.
#include <sstream>

#include "engine/flat_state.hpp"
#include "engine/guard.hpp"
#include "engine/lowering.hpp"
#include "engine/network.hpp"
#include "engine/plan.hpp"

namespace modelhop {
namespace engine {
namespace {

template <typename Numbers>
void write_numbers(std::ostream& out, const Numbers& numbers) {
  for (const auto number : numbers) out << number << ',';
}

struct WriteAttribute {
  std::ostream& out;
  void operator()(const std::string& text) const { out << text.size() << ':' << text; }
  void operator()(const std::vector<std::int64_t>& list) const { write_numbers(out, list); }
  template <typename Number>
  void operator()(Number number) const {
    out << number;
  }
};

/// Everything that lowering reads, without names.
std::string plan_key_of(const ModelSpec& model) {
  std::ostringstream out;
  out << std::hexfloat << static_cast<int>(model.profile);
  for (const LayerSpec& layer : model.layers) {
    out << "\nlayer " << layer.class_name << ' ' << layer.is_trainable;
    for (const auto& [name, value] : layer.attributes) {
      out << ' ' << name << '=';
      std::visit(WriteAttribute{out}, value);
    }
    for (const WeightSpec& weight : layer.weights) {
      out << " weight " << weight.name << ' ' << weight.is_trainable << ' ';
      write_numbers(out, weight.shape);
    }
  }
  for (const NodeSpec& node : model.nodes) {
    out << "\nnode " << node.layer;
    for (const TensorRef& input : node.inputs) out << ' ' << input.node << '.' << input.output;
    for (const Shape& shape : node.output_shapes) {
      out << ' ';
      write_numbers(out, shape);
    }
  }
  for (const TensorRef& output : model.outputs) out << "\noutput " << output.node << '.' << output.output;
  return out.str();
}

}  // namespace

Network::Network(ModelSpec spec, TrainSpec train, Device device, std::int64_t dependent_row_elements)
    : spec_(std::move(spec)),
      train_(std::move(train)),
      device_(device),
      dependent_row_elements_(dependent_row_elements),
      layout_(std::make_shared<const StateLayout>(make_state_layout(spec_, train_.optimizer))),
      parameter_count_(modelhop::parameter_count(spec_)) {
  if (train_.batch_size < 1) {
    throw Error(ErrorCode::kInvalidArgument, "batch_size " + std::to_string(train_.batch_size) + " is not positive");
  }
  if (train_.epochs < 1) {
    throw Error(ErrorCode::kInvalidArgument, "epochs " + std::to_string(train_.epochs) + " is not positive");
  }
  const Graph graph = lower(spec_, *layout_, Purpose::kTraining, false);
  input_elements_ = element_count(graph.input->shape);
  output_elements_ = element_count(graph.output->shape);
  if (has_objective()) {
    objective_ =
        resolve_objective(train_, spec_.profile, graph.output->shape, dependent_row_elements, graph.final_activation);
  }
  for (const WeightPlace& weight : layout_->weights) {
    has_penalties_ |= weight.regularizer.l1 != 0.0 || weight.regularizer.l2 != 0.0;
  }
  plan_key_ = plan_key_of(spec_) + loss_key();
}

std::string Network::loss_key() const {
  if (!has_objective()) return {};
  std::ostringstream out;
  const LossSpec& loss = objective_.loss;
  out << std::hexfloat << "\nloss " << static_cast<int>(loss.kind) << ' ' << loss.from_logits << ' '
      << loss.label_smoothing << ' ' << static_cast<int>(objective_.fused) << ' ' << objective_.target_is_class_id
      << ' ' << dependent_row_elements_;
  return out.str();
}

std::unique_ptr<State> Network::initial_state(std::uint64_t configuration_seed) const {
  return guarded([&] {
    const ComputeScope scope;
    auto state = std::make_unique<FlatState>(layout_, device_, configuration_seed);
    state->initialize();
    return state;
  });
}

const Network& network_of(const Model& model) {
  const auto* network = dynamic_cast<const Network*>(&model);
  check(network != nullptr, "the model was not made by compile_model");
  return *network;
}

}  // namespace engine

std::shared_ptr<const Model> compile_model(const ModelSpec& model, const TrainSpec& train, Device device,
                                           std::int64_t dependent_row_elements) {
  return engine::guarded(
      [&] { return std::make_shared<const engine::Network>(model, train, device, dependent_row_elements); });
}

}  // namespace modelhop
