// SPDX-License-Identifier: Apache-2.0
// Microseconds of each part of a small network's training step, one thread: the tabular networks of bench/run, with
// the engine's own pieces in the order in which streamed_unit.cpp uses them.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/batch_builder.hpp"
#include "engine/network.hpp"
#include "engine/optimizer.hpp"
#include "engine/plan_store.hpp"
#include "engine/random.hpp"
#include "spec/keras_json.hpp"
#include "spec/train_params.hpp"

namespace {

using namespace modelhop;
using namespace modelhop::engine;

constexpr std::int64_t kColumns = 108, kRows = 4096;

std::string dense(int units, const char* activation, const char* input = "") {
  return R"({"class_name":"Dense","config":{"name":"layer_)" + std::to_string(units) + R"(","units":)" +
         std::to_string(units) + R"(,"activation":")" + activation + "\"" + input + "}}";
}

std::string tabular(int first, int second) {
  return R"({"class_name":"Sequential","keras_version":"2.10.0","config":[)" +
         dense(first, "relu", R"(,"batch_input_shape":[null,108])") + "," + dense(second, "relu") + "," +
         dense(1, "sigmoid") + "]}";
}

/// Best time of a call in microseconds: what other load adds is no part of a step.
template <typename Call>
double microseconds(Call&& call) {
  using Clock = std::chrono::steady_clock;
  constexpr int kCalls = 50;
  double best = 1e9;
  for (int round = 0; round < 60; ++round) {
    const auto began = Clock::now();
    for (int i = 0; i < kCalls; ++i) call();
    best = std::min(best, std::chrono::duration<double, std::micro>(Clock::now() - began).count() / kCalls);
  }
  return best;
}

/// A table's rows: values as they are, labels 0 and 1.
struct Table {
  std::vector<float> x = std::vector<float>(kRows * kColumns);
  std::vector<std::int16_t> y = std::vector<std::int16_t>(kRows);
  std::unique_ptr<SparseIndex> index;
  Examples examples;

  Table() {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>((i * 2654435761U >> 24) % 7 == 0);
    for (std::size_t row = 0; row < y.size(); ++row) y[row] = static_cast<std::int16_t>(row % 2);
    examples.rows = kRows;
    examples.independent = {{reinterpret_cast<const std::byte*>(x.data()), ElementType::kFloat32, kColumns, 1.0F}};
    index = make_sparse_index(examples.independent.front(), kRows);
    examples.independent.front().index = index.get();
    examples.dependent = {{reinterpret_cast<const std::byte*>(y.data()), ElementType::kInt16, 1}};
  }
};

void measure(const char* label, const std::string& json, const char* optimizer, std::int64_t batch,
             const Table& table) {
  const TrainSpec train = parse_train_params(std::string("optimizer='") + optimizer + "', loss='binary_crossentropy'",
                                             "batch_size=" + std::to_string(batch));
  const auto model = compile_model(parse_keras_json(json), train, Device{}, {1});
  const Network& network = network_of(*model);
  const auto owned = model->initial_state(1);
  auto& state = dynamic_cast<FlatState&>(*owned);

  const ComputeScope scope;
  PlanStore plans;
  const auto plan = plans.find(network, Purpose::kTraining, batch);
  const auto order = permutation({1, 1, 0, 0, -1}, kRows);
  BatchBuilder builder;
  std::int64_t position = 0;
  const auto build = [&] {
    builder.begin(table.examples);
    builder.add(table.examples, std::span(order).subspan(position, batch));
    position = (position + batch) % kRows;  // batches divide the rows
  };
  const auto step = [&] { return Step{state.configuration_seed, static_cast<std::uint64_t>(state.step)}; };
  const auto update = [&] {
    apply_optimizer(network.train_spec().optimizer, network.spec().profile, state, plan->gradients());
  };
  const double binding = microseconds([&] { const BoundPlan bound(*plan, state); });
  const BoundPlan bound(*plan, state);
  const double rows = microseconds(build);
  const double load = microseconds([&] { plan->load(builder.rows()); });
  const double forward = microseconds([&] { plan->run_forward(step()); });
  const double both = microseconds([&] { plan->compute_gradients(step()); });
  const double optimizing = microseconds(update);
  const double whole = microseconds([&] {
    build();
    plan->load(builder.rows());
    plan->compute_gradients(step());
    update();
  });
  std::printf("%-24s %6.1f %6.1f %8.1f %14.1f %7.1f %7.1f %14.1f\n", label, rows, load, forward, both - forward,
              optimizing, whole, binding);
}

}  // namespace

int main() {
  initialize_engine({});
  const Table table;
  std::printf("%-24s %6s %6s %8s %14s %7s %7s %14s\n", "microseconds a step", "rows", "gather", "forward",
              "loss+backward", "update", "whole", "binding a unit");
  for (const auto& [name, json] : {std::pair{"64-32-1", tabular(64, 32)}, std::pair{"128-64-1", tabular(128, 64)}}) {
    for (const std::int64_t batch : {64, 256}) {
      for (const char* optimizer : {"SGD(lr=0.01, momentum=0.9)", "Adam(lr=0.001)"}) {
        const std::string label = std::string(name) + ", " + std::to_string(batch) + ", " + std::string(optimizer, 3);
        measure(label.c_str(), json, optimizer, batch, table);
      }
    }
  }
  return 0;
}
