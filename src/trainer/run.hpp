// SPDX-License-Identifier: Apache-2.0
// One client's work: its compiled models and the states of its configurations. Held by the connection and by every job
// in work, so that a run whose client has gone is freed by the last of its jobs.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "modelhop/engine.hpp"
#include "spec/custom_functions.hpp"
#include "trainer/unit_queue.hpp"
#include "wire/message_generated.h"
#include "wire/segment_layout.hpp"

namespace modelhop::trainer {

/// A count of bytes against a limit, shared by the threads of a run.
class MemoryShare {
 public:
  explicit MemoryShare(std::int64_t limit) : limit_(limit) {}
  /// Throws kOutOfMemory naming both sizes.
  void claim(std::int64_t bytes, const std::string& what);
  void release(std::int64_t bytes) { used_.fetch_sub(bytes); }
  std::int64_t used() const { return used_.load(); }

 private:
  std::int64_t limit_;  ///< 0: no limit
  std::atomic<std::int64_t> used_{0};
};

/// Holds a share while it lives.
class MemoryClaim {
 public:
  MemoryClaim(MemoryShare& share, std::int64_t bytes, const std::string& what) : share_(share), bytes_(bytes) {
    share_.claim(bytes_, what);
  }
  ~MemoryClaim() { share_.release(bytes_); }
  MemoryClaim(const MemoryClaim&) = delete;
  MemoryClaim& operator=(const MemoryClaim&) = delete;

 private:
  MemoryShare& share_;
  std::int64_t bytes_;
};

/// One row of the model selection table while it is trained.
class Configuration {
 public:
  Configuration(std::shared_ptr<const Model> model, std::uint64_t seed, MemoryShare& memory)
      : model_(std::move(model)), seed_(seed), memory_(memory) {}
  ~Configuration() { drop_state(); }
  Configuration(const Configuration&) = delete;
  Configuration& operator=(const Configuration&) = delete;

  const std::shared_ptr<const Model>& model() const { return model_; }

  /// Made by the initializers at the first call. From any thread.
  State& state();
  /// Everything that SetState carries, or nothing: a state that does not fit leaves the old one. No unit may run.
  void set_state(std::span<const float> weights, std::span<const std::byte> training_state);
  /// Frees the state and what keep_weights() laid aside.
  void drop_state();
  void set_learning_rate(double rate);
  /// A copy of the weights under a number, over what lay there; counted in the run's memory. No unit may run.
  void keep_weights(int place);
  /// Throws kInternal where nothing lies there.
  void restore_weights(int place);

  // Who uses it, kept by the thread that owns the connections.
  bool is_in_use() const { return is_training_ || readers_ > 0; }
  /// Throws kInternal where the unit would not be alone with what it writes.
  void begin_unit(bool trains);
  void end_unit(bool trains);

 private:
  void install(std::unique_ptr<State> state);

  std::shared_ptr<const Model> model_;
  std::uint64_t seed_;
  MemoryShare& memory_;
  std::mutex mutex_;
  std::unique_ptr<State> state_;
  std::map<int, std::vector<float>> kept_;
  bool is_training_ = false;
  int readers_ = 0;
};

/// Who opened a run, as its Hello says.
struct Client {
  int process_id = 0;
  std::uint32_t role = 0;
  std::uint32_t database = 0;
};

class Run {
 public:
  /// Compiles all models. Throws kInvalidArgument, kNotSupported or kOutOfMemory.
  Run(RunId id, Client client, const wire::OpenRun& message, Device device);

  RunId id() const { return id_; }
  const Client& client() const { return client_; }
  const std::string& name() const { return name_; }
  const std::string& purpose() const { return purpose_; }
  std::uint64_t seed() const { return seed_; }
  bool reset_optimizer() const { return reset_optimizer_; }
  int iterations() const { return iterations_; }
  std::int64_t units_total() const { return units_total_; }
  std::int64_t started_us() const { return started_us_; }
  /// Throws kInvalidArgument where arrays are not those that the run was opened for. `what` begins the message.
  void check_columns(const wire::SegmentLayout& layout, const std::string& what) const;
  int configurations() const { return static_cast<int>(configurations_.size()); }

  /// Throws kInvalidArgument for a key that the run does not have.
  Configuration& configuration(int key);
  /// What fit parameters say wins over the call.
  TrainUnit train_unit(const Model& model, std::int32_t iteration, std::int32_t segment) const;

  MemoryShare& memory() { return memory_; }
  std::stop_token stop_token() const { return stop_.get_token(); }
  void stop() { stop_.request_stop(); }

  // For progress, kept by the thread that owns the connections.
  std::int64_t units_done = 0;
  std::int64_t examples_trained = 0;

 private:
  void compile(const wire::OpenRun& message, Device device);

  RunId id_;
  Client client_;
  std::string name_;
  std::string purpose_;
  std::uint64_t seed_;
  Shuffle shuffle_;
  bool reset_optimizer_;
  int iterations_;
  std::int64_t units_total_;
  std::int64_t started_us_;
  std::vector<std::int64_t> independent_row_elements_;
  std::vector<std::int64_t> dependent_row_elements_;
  CustomFunctions custom_functions_;  ///< that compile parameters may name
  MemoryShare memory_;
  std::stop_source stop_;
  std::map<int, Configuration> configurations_;  ///< after memory_, which they give back to
};

/// Microseconds since 1970-01-01 UTC.
std::int64_t wall_clock_us();

}  // namespace modelhop::trainer
