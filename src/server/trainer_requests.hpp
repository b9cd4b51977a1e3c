// SPDX-License-Identifier: Apache-2.0
// The requests of a run as functions: open it, give and take states, run units. Each waits for its answer but run_unit.
#pragma once

#include "server/postgres.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "modelhop/model_spec.hpp"
#include "modelhop/train_spec.hpp"
#include "server/trainer_client.hpp"
#include "spec/custom_functions.hpp"
#include "wire/shared_memory.hpp"

namespace modelhop::server {

struct OpenArchitecture {
  std::string json;
  std::optional<SemanticsProfile> profile;  ///< instead of the one that the file's fingerprint gives
};

struct OpenConfiguration {
  std::int32_t key = 0;
  std::uint32_t architecture = 0;
  std::string compile_params;
  std::string fit_params;
};

struct OpenRequest {
  std::string name;     ///< the output table
  std::string purpose;  ///< the SQL function
  std::int64_t seed = 0;
  Shuffle shuffle = Shuffle::kSegment;
  bool reset_optimizer = false;
  int iterations = 0;
  std::int64_t units = 0;
  std::int64_t memory_limit = 0;
  int slots = 0;  ///< that it may use at one time; 0: all
  std::vector<OpenArchitecture> architectures;
  std::vector<Shape> independent_shapes;
  std::vector<std::int64_t> dependent_row_elements;  ///< empty: predict only
  std::vector<OpenConfiguration> configurations;
  CustomFunctions custom_functions;
};

void open_run(TrainerClient& trainer, const OpenRequest& request);
/// Its two halves, for who has something to do while the trainer opens the run.
void send_open_run(TrainerClient& trainer, const OpenRequest& request);
void await_run_opened(TrainerClient& trainer);
/// Adds configurations of the run's architectures; `seed` is the run's.
void add_configurations(TrainerClient& trainer, std::int64_t seed,
                        const std::vector<OpenConfiguration>& configurations);
void close_run(TrainerClient& trainer);

/// Where use_gpus asks for one: throws Error(kNotSupported) unless the trainer computes on a CUDA device.
void check_device(const TrainerClient& trainer, bool use_gpus);

using Bytes = std::span<const std::byte>;

/// Copies the state to the trainer. `training_state` may be empty.
void set_state(TrainerClient& trainer, std::int32_t configuration, Bytes weights, Bytes training_state);

/// A configuration's state in memory shared with the trainer.
struct FetchedState {
  wire::SharedMemory memory;
  std::int64_t weight_bytes = 0;
  std::int64_t training_state_bytes = 0;

  Bytes weights() const { return memory.bytes().first(weight_bytes); }
  Bytes training_state() const { return memory.bytes().subspan(weight_bytes, training_state_bytes); }
};
FetchedState get_state(TrainerClient& trainer, std::int32_t configuration, bool with_training_state);
/// Its two halves, for who has something to do while the trainer makes it ready.
void send_get_state(TrainerClient& trainer, std::int32_t configuration, bool with_training_state);
FetchedState await_state(TrainerClient& trainer);

/// What callbacks want between two iterations; no unit of the configuration may run.
void set_learning_rate(TrainerClient& trainer, std::int32_t configuration, double rate);
void keep_weights(TrainerClient& trainer, std::int32_t configuration, int place);
void restore_weights(TrainerClient& trainer, std::int32_t configuration, int place);

struct UnitRequest {
  std::uint64_t unit = 0;
  wire::UnitKind kind = wire::UnitKind_Train;
  std::int32_t configuration = 0;
  wire::TableKind table = wire::TableKind_Training;
  std::int32_t segment = 0;
  std::int32_t iteration = 0;
};
void run_unit(TrainerClient& trainer, const UnitRequest& request);

/// The UnitFinished of an event. A UnitFailed throws the trainer's code, message and hint, prefixed by what
/// `subject` says about the unit, so `subject` may be "mst_key 3" or empty.
const wire::UnitFinished& finished_unit(const wire::Frame& frame,
                                        const std::function<std::string(std::uint64_t unit)>& subject);

}  // namespace modelhop::server
