// SPDX-License-Identifier: Apache-2.0
// One compute thread's workspace: training through UnitRun, evaluation and prediction in batches of their own.
#include <algorithm>
#include <string>

#include "engine/allocator.hpp"
#include "engine/batch_builder.hpp"
#include "engine/guard.hpp"
#include "engine/plan_store.hpp"
#include "engine/regularizer.hpp"
#include "engine/unit_run.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace engine {
namespace {

FlatState& flat_state_of(const Network& network, State& state) {
  auto* flat = dynamic_cast<FlatState*>(&state);
  check(flat != nullptr, "the state was not made by a model");
  check(flat->layout().hash == network.layout().hash, "the state belongs to another architecture or optimizer");
  return *flat;
}

const FlatState& flat_state_of(const Network& network, const State& state) {
  return flat_state_of(network, const_cast<State&>(state));
}

class LocalExecutor final : public Executor {
 public:
  explicit LocalExecutor(Device device) : device_(device), plans_(std::make_shared<PlanStore>()) {}

  TrainResult train(const Model& model, State& state, const Segment& segment, const TrainUnit& unit,
                    const std::stop_token& stop) override {
    return guarded([&] {
      const ComputeScope scope;
      const Network& network = checked_network(model);
      UnitRun run(plans_, network, nullptr, flat_state_of(network, state), unit);
      for (int pass = 0; pass < network.train_spec().passes() && !run.has_diverged(); ++pass) {
        run.consume_segment(segment, stop);
        run.end_pass(stop);
      }
      return run.finish();
    });
  }

  std::unique_ptr<StreamedUnit> begin_streamed(std::shared_ptr<const Model> model, State& state,
                                               const TrainUnit& unit) override {
    return guarded([&] {
      const ComputeScope scope;
      const Network& network = checked_network(*model);
      return std::make_unique<UnitRun>(plans_, network, model, flat_state_of(network, state), unit);
    });
  }

  EvaluationSums evaluate(const Model& model, const State& state, const Examples& examples,
                          const std::stop_token& stop) override {
    return guarded([&] {
      const ComputeScope scope;
      const Network& network = checked_network(model);
      const FlatState& flat = flat_state_of(network, state);
      check(network.has_objective() && !examples.dependent.empty(),
            "evaluation needs a dependent variable in the model and in the examples");
      EvaluationSums sums;
      sums.examples = examples.rows;
      sums.metrics.resize(network.objective().accumulators(), 0.0);
      if (network.objective().outputs.size() > 1) sums.output_losses.resize(network.objective().outputs.size(), 0.0);
      run_inference(network, flat, examples, stop, [&](const Plan& plan, std::int64_t) {
        sums.loss += plan.losses(sums.output_losses);
        plan.add_metrics(network.objective(), sums.metrics);
      });
      sums.penalty = network.has_penalties() ? regularization_penalty(flat) : 0.0;
      return sums;
    });
  }

  void predict(const Model& model, const State& state, const Examples& examples, std::span<float> outputs,
               const std::stop_token& stop) override {
    guarded([&] {
      const ComputeScope scope;
      const Network& network = checked_network(model);
      const std::int64_t elements = network.output_elements();
      check(static_cast<std::int64_t>(outputs.size()) == examples.rows * elements,
            "the space for predictions has another size than the predictions");
      Examples features = examples;
      features.dependent.clear();
      features.sample_weight = {};
      run_inference(network, flat_state_of(network, state), features, stop, [&](const Plan& plan, std::int64_t first) {
        plan.copy_outputs(outputs.data() + first * elements);
      });
    });
  }

  void trim() override {
    guarded([&] {
      plans_->trim();
      trim_allocator();
    });
  }

 private:
  const Network& checked_network(const Model& model) const {
    const Network& network = network_of(model);
    check(network.device() == device_, "the model was compiled for another device than the executor's");
    return network;
  }

  /// Runs the network over the examples; calls `take(plan, first row)` after each batch.
  template <typename Take>
  void run_inference(const Network& network, const FlatState& state, const Examples& examples,
                     const std::stop_token& stop, Take&& take) {
    network.check_examples(examples, false);
    const Step step{state.configuration_seed, static_cast<std::uint64_t>(state.step)};
    const std::int64_t most =
        device_.kind == Device::Kind::kCpu ? cached_evaluation_rows(network.spec()) : kEvaluationRows;
    for (std::int64_t first = 0; first < examples.rows;) {
      const std::int64_t rows = std::min(most, examples.rows - first);
      const auto plan = plans_->find(network, Purpose::kInference, rows);
      const BoundPlan bound(*plan, state);
      for (; first + rows <= examples.rows; first += rows) {
        if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "evaluation was cancelled");
        load(*plan, examples, first);
        plan->run_forward(step);
        take(*plan, first);
      }
    }
  }

  void load(Plan& plan, const Examples& examples, std::int64_t first) {
    batch_.begin(examples);
    batch_.add(examples, first, plan.rows());
    plan.load(batch_.rows());
  }

  Device device_;
  std::shared_ptr<PlanStore> plans_;
  BatchBuilder batch_;
};

}  // namespace
}  // namespace engine

void finish_training(const Model& model, State& state) {
  engine::guarded([&] {
    const engine::ComputeScope scope;
    const engine::Network& network = engine::network_of(model);
    engine::FlatState& flat = engine::flat_state_of(network, state);
    if (network.train_spec().optimizer.use_ema && flat.step > 0) flat.parameters.copy_(flat.slots.back());
  });
}

std::unique_ptr<Executor> make_executor(Device device) {
  return engine::guarded([&] { return std::make_unique<engine::LocalExecutor>(device); });
}

}  // namespace modelhop
