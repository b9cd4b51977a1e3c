// SPDX-License-Identifier: Apache-2.0
// The engine's face: train, evaluate and predict one configuration on one segment. Nothing of libtorch shows here.
//
// The contract (docs/architecture.md, "What training means"): a configuration's state after a list of units is a
// function of its specs, its seed, and that list alone, bit for bit, in whatever Executor and process each unit ran
// (same build, same device kind). Every function throws modelhop::Error and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "modelhop/model_spec.hpp"
#include "modelhop/segment.hpp"
#include "modelhop/train_spec.hpp"

namespace modelhop {

/// Where a network computes. A value: the same code runs on every kind.
struct Device {
  enum class Kind : std::uint8_t { kCpu, kCuda };
  Kind kind = Kind::kCpu;
  int index = 0;
  bool operator==(const Device&) const = default;
};

/// "cpu", "cuda" (first device) or "cuda:N"; "auto" is a CUDA device where there is one. Throws kNotSupported.
Device parse_device(const std::string& text);
std::string to_string(Device device);

struct EngineOptions {
  std::int64_t memory_limit = 0;  ///< bytes that tensors may take in this process; 0: no limit
};

/// Call once, before anything else, in the main thread: allocator with accounting, one compute thread per caller,
/// denormals flushed. A limit that is hit later is an Error(kOutOfMemory) of the call that hit it.
void initialize_engine(const EngineOptions& options);

struct EngineMemory {
  std::int64_t used = 0;  ///< bytes of live tensors
  std::int64_t held = 0;  ///< used plus what the allocator keeps for reuse
  std::int64_t peak = 0;  ///< highest `held` so far
};
EngineMemory engine_memory();
std::string engine_version();  ///< libtorch's version and CPU capability, for version()

/// Everything that travels with a configuration: weights, optimizer slots, step counter, batch-norm statistics, seed.
/// Not thread-safe: one unit at a time, except that evaluations and predictions may share it.
class State {
 public:
  virtual ~State() = default;

  /// Keras get_weights() order and layouts, flat float32; `weights.size()` must equal the parameter count.
  virtual void get_weights(std::span<float> weights) const = 0;
  virtual void set_weights(std::span<const float> weights) = 0;

  /// The rest of the state (optimizer slots, step counter, seed), so that weights + this continue bit for bit.
  /// Little-endian, begins with a format version and a hash of the specs it fits.
  virtual std::vector<std::byte> get_training_state() const = 0;
  /// Throws kInvalidArgument where the bytes are of another architecture, optimizer or format, or damaged.
  virtual void set_training_state(std::span<const std::byte> bytes) = 0;

  /// Replaces the optimizer's base learning rate, as Keras's callbacks do; a schedule object ends with it. Travels with
  /// the training state.
  virtual void set_learning_rate(double rate) = 0;
  virtual double learning_rate() const = 0;

  virtual std::int64_t size_bytes() const = 0;
};

/// An architecture with compile and fit parameters, ready to run. Immutable and shared by all slots.
class Model {
 public:
  virtual ~Model() = default;

  /// Weights by the initializers: stream (configuration_seed, index in get_weights()), or the initializer's own seed.
  virtual std::unique_ptr<State> initial_state(std::uint64_t configuration_seed) const = 0;
  /// As new but for these weights, which State::set_weights() would take: no initializer runs.
  virtual std::unique_ptr<State> initial_state(std::uint64_t configuration_seed,
                                               std::span<const float> weights) const = 0;

  virtual std::int64_t parameter_count() const = 0;
  virtual std::int64_t output_elements() const = 0;  ///< per example, of all outputs together
  virtual const TrainSpec& train_spec() const = 0;   ///< resolved against the architecture
};

/// `dependent_row_elements`: columns of each dependent variable, one per output; empty where the model only predicts.
/// Throws kInvalidArgument where a loss, a metric or a target does not fit its output's shape.
std::shared_ptr<const Model> compile_model(const ModelSpec& model, const TrainSpec& train, Device device,
                                           const std::vector<std::int64_t>& dependent_row_elements);

/// What Keras does when fit ends: with use_ema the weights become their moving average. Once, after the last unit.
void finish_training(const Model& model, State& state);

/// Names the order of examples and the random streams of one unit.
/// Shuffle::kSegment permutes the whole segment; kBuffer takes the buffers in order and permutes inside each; kNone
/// keeps the stored order. A permutation is a function of (run_seed, iteration, segment, pass, buffer) alone.
struct TrainUnit {
  std::uint64_t run_seed = 0;
  std::int32_t iteration = 0;  ///< counted from 1
  std::int32_t segment = 0;    ///< counted from 0
  Shuffle shuffle = Shuffle::kSegment;
  bool reset_optimizer = false;  ///< drop slots and step counter first (MADlib's behaviour at each hop)
};

struct TrainResult {
  std::int64_t steps = 0;
  std::int64_t examples = 0;
  double mean_loss = 0.0;     ///< in training mode, before each update, averaged over examples
  bool has_diverged = false;  ///< the loss was not finite
};

/// Sums over examples, so that results of several segments add up.
struct EvaluationSums {
  std::int64_t examples = 0;
  double loss = 0.0;     ///< sum of per-example losses times loss weights, without penalties
  double penalty = 0.0;  ///< regularization penalty of the weights: to be added once to the mean loss
  /// Where the network has several outputs: sum of per-example losses of each, without its loss weight.
  std::vector<double> output_losses;
  /// Accumulators of all metrics one after the other, in the order of TrainSpec::metrics: metric.hpp makes values of
  /// them.
  std::vector<double> metrics;
};

/// A unit whose examples arrive block by block (streaming). Blocks come in buffer order; with kBuffer each block is
/// permuted by itself; kSegment is refused. Mini-batches cross blocks; the last one of a pass may be short. A block may
/// be freed after `consume`. Feeding a segment's buffers one by one gives the bits that Executor::train gives on the
/// whole segment.
class StreamedUnit {
 public:
  virtual ~StreamedUnit() = default;
  virtual void consume(const Examples& block, const std::stop_token& stop) = 0;
  virtual void end_pass(const std::stop_token& stop) = 0;  ///< trains the short last batch; the next pass may begin
  virtual TrainResult finish() = 0;
};

/// One compute thread's workspace: compiled plans with their preallocated buffers, kept per (architecture, batch
/// size). Use it from one thread at a time. Checks `stop` between two mini-batches and throws kCancelled; the state is
/// then between two steps and its run is over.
class Executor {
 public:
  virtual ~Executor() = default;

  virtual TrainResult train(const Model& model, State& state, const Segment& segment, const TrainUnit& unit,
                            const std::stop_token& stop) = 0;
  virtual std::unique_ptr<StreamedUnit> begin_streamed(std::shared_ptr<const Model> model, State& state,
                                                       const TrainUnit& unit) = 0;
  virtual EvaluationSums evaluate(const Model& model, const State& state, const Examples& examples,
                                  const std::stop_token& stop) = 0;
  /// Writes rows × output_elements() values: per example all outputs one after the other, as Keras predict() gives
  /// them.
  virtual void predict(const Model& model, const State& state, const Examples& examples, std::span<float> outputs,
                       const std::stop_token& stop) = 0;
  /// Frees plans, which are compiled again when needed, and gives memory that no tensor uses back to the system.
  virtual void trim() = 0;
};

std::unique_ptr<Executor> make_executor(Device device);

/// What is not zero in an array that many units read, so that not every mini-batch has to look for it. Results do not
/// depend on it, and executors share it. It is made whole when the first network asks that can leave zeros out, of up
/// to two fifths of the array's bytes, counted as tensors; where the array has too few zeros, or memory is short, it is
/// none.
class SparseIndex {
 public:
  virtual ~SparseIndex() = default;
};

/// For `rows` rows, which stay as they are from the first unit on.
std::unique_ptr<SparseIndex> make_sparse_index(const ArrayView& array, std::int64_t rows);

}  // namespace modelhop
