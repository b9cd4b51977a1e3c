// SPDX-License-Identifier: Apache-2.0
// Resolves an architecture with its training parameters, and writes the key under which plans are shared.
#include <sstream>

#include "engine/flat_state.hpp"
#include "engine/guard.hpp"
#include "engine/lowering.hpp"
#include "engine/network.hpp"
#include "engine/plan.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace engine {
namespace {

template <typename Numbers>
void write_numbers(std::ostream& out, const Numbers& numbers) {
  for (const auto number : numbers) out << number << ',';
}

/// With its length before it, so that no text can pass for what follows it.
void write_text(std::ostream& out, const std::string& text) {
  out << text.size() << ':' << text;
}

struct WriteAttribute {
  std::ostream& out;
  void operator()(const std::string& text) const { write_text(out, text); }
  void operator()(const std::vector<std::int64_t>& list) const { write_numbers(out, list); }
  void operator()(const std::vector<double>& list) const { write_numbers(out, list); }
  template <typename Number>
  void operator()(Number number) const {
    out << number;
  }
};

void write_attributes(std::ostream& out, const Attributes& attributes) {
  for (const auto& [name, value] : attributes) {
    out << ' ' << name << '=';
    std::visit(WriteAttribute{out}, value);
  }
}

void write_layer(std::ostream& out, const LayerSpec& layer) {
  const RegularizerSpec& activity = layer.activity_regularizer;
  out << "\nlayer " << layer.class_name << ' ' << layer.is_trainable << ' ' << activity.l1 << ' ' << activity.l2 << ' '
      << activity.orthogonal << ' ' << activity.orthogonal_of_columns;
  write_attributes(out, layer.attributes);
  for (const WeightSpec& weight : layer.weights) {
    write_text(out << " weight ", weight.name);
    out << ' ' << weight.is_trainable << ' ';
    write_numbers(out, weight.shape);
  }
  for (const LayerSpec& child : layer.children) {
    write_text(out << '(', child.name);
    write_layer(out, child);
  }
}

/// Everything that lowering reads, without the names of layers.
std::string plan_key_of(const ModelSpec& model) {
  std::ostringstream out;
  out << std::hexfloat << static_cast<int>(model.profile);
  for (const LayerSpec& layer : model.layers) write_layer(out, layer);
  for (const WeightRef& weight : model.weight_order) out << ' ' << weight.layer << '.' << weight.weight;
  for (const NodeSpec& node : model.nodes) {
    out << "\nnode " << node.layer << ' ' << static_cast<int>(node.mask_rule);
    for (const TensorRef& input : node.inputs) out << ' ' << input.node << '.' << input.output;
    for (const std::string& role : node.roles) write_text(out << ' ', role);
    write_attributes(out, node.arguments);
    for (const Shape& shape : node.output_shapes) {
      out << ' ';
      write_numbers(out, shape);
    }
  }
  for (const int input : model.inputs) out << "\ninput " << input;
  for (const TensorRef& output : model.outputs) out << "\noutput " << output.node << '.' << output.output;
  return out.str();
}

}  // namespace

Network::Network(ModelSpec spec, TrainSpec train, Device device, std::vector<std::int64_t> dependent_row_elements)
    : spec_(std::move(spec)),
      train_(dependent_row_elements.empty() ? std::move(train) : resolve_train_spec(std::move(train), spec_)),
      device_(device),
      layout_(std::make_shared<const StateLayout>(make_state_layout(spec_, train_.optimizer))),
      parameter_count_(modelhop::parameter_count(spec_)) {
  if (train_.batch_size < 1) {
    throw Error(ErrorCode::kInvalidArgument, "batch_size " + std::to_string(train_.batch_size) + " is not positive");
  }
  if (train_.epochs < 1) {
    throw Error(ErrorCode::kInvalidArgument, "epochs " + std::to_string(train_.epochs) + " is not positive");
  }
  const Graph graph = lower(spec_, *layout_, Purpose::kTraining, std::vector<bool>(spec_.outputs.size(), false));
  std::vector<Shape> output_shapes;
  std::vector<FinalActivation> final_activations;
  for (const Value* input : graph.inputs) input_elements_.push_back(element_count(input->shape));
  for (const GraphOutput& output : graph.outputs) {
    output_shapes.push_back(output.output->shape);
    output_elements_ += element_count(output.output->shape);
    final_activations.push_back(output.final_activation);
  }
  objective_ = resolve_objective(train_, spec_.profile, output_shapes, dependent_row_elements, final_activations);
  for (const WeightPlace& weight : layout_->weights) has_penalties_ |= weight.regularizer.is_active();
  plan_key_ = plan_key_of(spec_) + loss_key();
}

std::string Network::loss_key() const {
  std::ostringstream out;
  for (const OutputLoss& output : objective_.outputs) {
    const LossSpec& loss = output.loss;
    out << std::hexfloat << "\nloss " << static_cast<int>(loss.kind) << ' ' << loss.from_logits << ' '
        << loss.label_smoothing << ' ' << loss.delta << ' ' << loss.gamma << ' ' << loss.alpha << ' ' << loss.beta
        << ' ' << loss.apply_class_balancing << ' ' << loss.ignore_class.value_or(-1) << ' '
        << static_cast<int>(loss.reduction) << ' ' << output.weight << ' ' << static_cast<int>(output.fused) << ' '
        << output.target_is_class_id << ' ' << output.target_elements << ' ';
    write_text(out, loss.expression.text);
  }
  for (const auto& [id, weight] : objective_.class_weights) out << "\nclass " << id << ' ' << weight;
  return out.str();
}

void Network::check_examples(const Examples& examples, bool needs_target) const {
  const auto refuse_arrays = [](const char* what, std::size_t given, std::size_t wanted) {
    throw Error(ErrorCode::kInvalidArgument, std::to_string(given) + " " + what +
                                                 " variables were given, the network takes " + std::to_string(wanted));
  };
  if (examples.independent.size() != input_elements_.size()) {
    refuse_arrays("independent", examples.independent.size(), input_elements_.size());
  }
  for (std::size_t index = 0; index < input_elements_.size(); ++index) {
    if (examples.independent[index].row_elements == input_elements_[index]) continue;
    throw Error(ErrorCode::kInvalidArgument,
                "examples have " + std::to_string(examples.independent[index].row_elements) +
                    " elements, the network takes " + std::to_string(input_elements_[index]));
  }
  if (examples.dependent.empty() && !needs_target) return;
  if (examples.dependent.size() != objective_.outputs.size()) {
    refuse_arrays("dependent", examples.dependent.size(), objective_.outputs.size());
  }
  for (std::size_t index = 0; index < objective_.outputs.size(); ++index) {
    const std::int64_t wanted = objective_.outputs[index].target_elements;
    if (examples.dependent[index].row_elements == wanted) continue;
    throw Error(ErrorCode::kInvalidArgument, "the dependent variable has " +
                                                 std::to_string(examples.dependent[index].row_elements) +
                                                 " columns, the model was compiled for " + std::to_string(wanted));
  }
}

std::unique_ptr<State> Network::initial_state(std::uint64_t configuration_seed) const {
  return guarded([&] {
    const ComputeScope scope;
    auto state = std::make_unique<FlatState>(layout_, device_, configuration_seed);
    state->initialize();
    return state;
  });
}

std::unique_ptr<State> Network::initial_state(std::uint64_t configuration_seed, std::span<const float> weights) const {
  return guarded([&] {
    const ComputeScope scope;
    auto state = std::make_unique<FlatState>(layout_, device_, configuration_seed);
    state->set_weights(weights);
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
                                           const std::vector<std::int64_t>& dependent_row_elements) {
  return engine::guarded(
      [&] { return std::make_shared<const engine::Network>(model, train, device, dependent_row_elements); });
}

}  // namespace modelhop
