// SPDX-License-Identifier: Apache-2.0
// Time of one training step (gather, forward, backward, update) of the networks of bench/run, one thread.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "modelhop/engine.hpp"
#include "spec/keras_json.hpp"
#include "spec/train_params.hpp"

namespace {

using namespace modelhop;

std::string dense(int units, const char* activation, const std::string& input = "") {
  return R"({"class_name":"Dense","config":{"units":)" + std::to_string(units) + R"(,"activation":")" + activation +
         "\"" + input + "}}";
}

std::string sequential(const std::vector<std::string>& layers) {
  std::string json = R"({"class_name":"Sequential","keras_version":"2.10.0","config":[)";
  for (std::size_t i = 0; i < layers.size(); ++i) {
    std::string layer = layers[i];
    layer.insert(layer.find("\"config\":{") + 10, "\"name\":\"layer_" + std::to_string(i) + "\",");
    json += (i == 0 ? "" : ",") + layer;
  }
  return json + "]}";
}

std::string convolution(int filters, const char* padding, const std::string& input = "") {
  return R"({"class_name":"Conv2D","config":{"filters":)" + std::to_string(filters) +
         R"(,"kernel_size":[3,3],"activation":"relu","padding":")" + padding + "\"" + input + "}}";
}

std::string tabular() {
  return sequential({dense(64, "relu", R"(,"batch_input_shape":[null,108])"), dense(32, "relu"), dense(1, "sigmoid")});
}

std::string cifar10_mlp() {
  return sequential(
      {dense(1024, "relu", R"(,"batch_input_shape":[null,3072])"), dense(512, "relu"), dense(10, "softmax")});
}

std::string cifar10_cnn() {
  const std::string pool = R"({"class_name":"MaxPooling2D","config":{"pool_size":[2,2]}})";
  const auto dropout = [](const char* rate) {
    return std::string(R"({"class_name":"Dropout","config":{"rate":)") + rate + "}}";
  };
  return sequential({convolution(32, "same", R"(,"batch_input_shape":[null,32,32,3])"), convolution(32, "valid"), pool,
                     dropout("0.25"), convolution(64, "same"), convolution(64, "valid"), pool, dropout("0.25"),
                     R"({"class_name":"Flatten","config":{"data_format":"channels_last"}})", dense(512, "relu"),
                     dropout("0.5"), dense(10, "softmax")});
}

/// Texts of 100 words, of which there are 256.
std::string text_lstm() {
  return sequential(
      {R"({"class_name":"Embedding","config":{"input_dim":256,"output_dim":64,"batch_input_shape":[null,100]}})",
       R"({"class_name":"LSTM","config":{"units":64}})", dense(1, "sigmoid")});
}

void train(benchmark::State& bench, const std::string& json, const char* optimizer, const char* loss,
           std::int64_t columns, float scale = 1.0F / 255.0F) {
  constexpr std::int64_t kSteps = 8;
  const std::int64_t batch = bench.range(0);
  const ModelSpec architecture = parse_keras_json(json);
  const TrainSpec spec = parse_train_params(std::string("optimizer='") + optimizer + "', loss='" + loss + "'",
                                            "batch_size=" + std::to_string(batch));
  const auto model = compile_model(architecture, spec, Device{}, {columns});
  const auto state = model->initial_state(1);
  const auto executor = make_executor(Device{});

  const std::int64_t rows = batch * kSteps;
  const std::int64_t inputs = element_count(architecture.shape_of({architecture.inputs[0], 0}));
  std::vector<std::byte> x(static_cast<std::size_t>(rows * inputs));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::byte>(i * 2654435761U >> 24);
  std::vector<std::int16_t> y(static_cast<std::size_t>(rows * columns));
  for (std::int64_t row = 0; row < rows; ++row) y[row * columns + row % columns] = columns > 1 ? 1 : row % 2;
  const std::int64_t start = 0;
  Segment segment;
  segment.examples.rows = rows;
  segment.examples.independent = {{x.data(), ElementType::kUint8, inputs, scale}};
  segment.examples.dependent = {{reinterpret_cast<const std::byte*>(y.data()), ElementType::kInt16, columns}};
  segment.buffer_starts = {&start, 1};
  TrainUnit unit;
  for (auto _ : bench) {
    ++unit.iteration;
    executor->train(*model, *state, segment, unit, {});
  }
  bench.counters["steps/s"] =
      benchmark::Counter(static_cast<double>(bench.iterations() * kSteps), benchmark::Counter::kIsRate);
  bench.counters["examples/s"] =
      benchmark::Counter(static_cast<double>(bench.iterations() * rows), benchmark::Counter::kIsRate);
}

void tabular_sgd(benchmark::State& bench) {
  train(bench, tabular(), "SGD(lr=0.01, momentum=0.9)", "binary_crossentropy", 1);
}
void tabular_adam(benchmark::State& bench) {
  train(bench, tabular(), "Adam(lr=0.001)", "binary_crossentropy", 1);
}
void mlp_adam(benchmark::State& bench) {
  train(bench, cifar10_mlp(), "Adam(lr=0.001)", "categorical_crossentropy", 10);
}
void cnn_sgd(benchmark::State& bench) {
  train(bench, cifar10_cnn(), "SGD(lr=0.01, momentum=0.9)", "categorical_crossentropy", 10);
}
void lstm_adam(benchmark::State& bench) {
  train(bench, text_lstm(), "Adam(lr=0.001)", "binary_crossentropy", 1, 1.0F);
}
BENCHMARK(tabular_sgd)->Arg(64)->Arg(256);
BENCHMARK(tabular_adam)->Arg(64)->Arg(256);
BENCHMARK(mlp_adam)->Arg(32)->Arg(128)->Unit(benchmark::kMillisecond);
BENCHMARK(cnn_sgd)->Arg(32)->Arg(128)->Unit(benchmark::kMillisecond);
BENCHMARK(lstm_adam)->Arg(32)->Arg(128)->Unit(benchmark::kMillisecond);

}  // namespace

int main(int argc, char** argv) {
  initialize_engine({});
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
