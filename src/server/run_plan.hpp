// SPDX-License-Identifier: Apache-2.0
// A checked run as plain values: everything that was asked, read and decided before the first unit.
#pragma once

#include "server/postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "modelhop/model_spec.hpp"
#include "modelhop/train_spec.hpp"
#include "selection/schedule.hpp"
#include "server/packed_table.hpp"
#include "spec/custom_functions.hpp"
#include "spec/keras_json.hpp"

namespace modelhop::server {

struct ArchitecturePlan {
  std::int32_t model_id = 0;
  std::string json;
  ModelSpec model;
  std::int64_t parameters = 0;
  std::int64_t forward_flops = 0;           ///< of one example
  bool has_weights = false;                 ///< the architecture table carries weights to begin with
  std::optional<SemanticsProfile> profile;  ///< the table says which generation is meant
};

/// Where a configuration's first weights come from.
enum class Origin : std::uint8_t { kInitializers, kArchitectureTable, kFormerRun };

struct ConfigurationPlan {
  std::int32_t key = 0;          ///< mst_key
  std::size_t architecture = 0;  ///< index into RunPlan::architectures
  std::string compile_params;    ///< as the user wrote them
  std::string fit_params;
  TrainSpec train;
  MemoryEstimate memory;
  std::int64_t kept_bytes = 0;  ///< copies of the weights that callbacks lay aside
  bool is_monitored = false;    ///< callbacks look at its scores: each iteration is evaluated
  Origin origin = Origin::kInitializers;
};

/// Where the outputs go; all three lie in one schema.
struct OutputTables {
  TableName model;
  TableName info;  ///< not used by fit
  TableName summary;
};

struct RunPlan {
  bool is_single = false;    ///< fit: one configuration and MADlib's tables for one model
  bool is_averaged = false;  ///< of fit: each segment trains a copy, and their weights are averaged (average_run.cpp)
  PackedTable training;
  std::optional<PackedTable> validation;

  std::string model_selection_text;  ///< names as the summary tells them
  std::string model_arch_text;
  std::string model_output_text;
  std::optional<std::string> object_text;
  CustomFunctions custom_functions;  ///< of the object table
  TableName model_arch_table;
  std::vector<ArchitecturePlan> architectures;
  std::vector<ConfigurationPlan> configurations;

  int iterations = 1;
  int frequency = 1;        ///< metrics_compute_frequency, resolved
  int first_iteration = 1;  ///< after a warm start iterations count on, so that examples come in new orders
  bool is_warm_start = false;
  bool use_gpus = false;
  bool is_cached = true;
  Shuffle shuffle = Shuffle::kSegment;
  bool reset_optimizer = false;
  std::int64_t seed = 0;
  std::optional<std::string> name;
  std::optional<std::string> description;

  std::int64_t memory_limit = 0;   ///< bytes this run may take in the trainer
  std::int64_t segment_bytes = 0;  ///< decoded, of all segments
  std::int64_t needed_memory = 0;  ///< states, workspaces of the slots, cached segments
  int run_slots = 0;               ///< slots that this run may use at one time; 0: all
  int slots = 1;                   ///< that it uses: by the settings at first, then by the trainer that runs
  OutputTables tables;
  bool madlib_columns = false;  ///< the output tables have MADlib's columns alone

  /// Counted from 1 within this run: those after which losses and metrics are computed for the output tables.
  std::vector<std::int32_t> evaluated_iterations() const;
  /// Those after which they are computed for this configuration: all where callbacks look at them.
  std::vector<std::int32_t> evaluated_iterations(const ConfigurationPlan& configuration) const;
  const ArchitecturePlan& architecture_of(const ConfigurationPlan& configuration) const {
    return architectures[configuration.architecture];
  }
  /// Under which the trainer knows the state that visits a training segment, by its place in training.segments: one
  /// for all segments, or each segment's copy. The first is the configuration's own and is what is written.
  std::int32_t state_key(const ConfigurationPlan& configuration, std::size_t place) const;
  std::vector<std::int32_t> state_keys(const ConfigurationPlan& configuration) const;
  /// A unit counts the segments that hold rows.
  int segment_number(const Unit& unit) const;
  std::int64_t unit_count() const;  ///< trainings and evaluations, if nothing stops early
  std::int64_t unit_count(const ConfigurationPlan& configuration) const;
};

const char* shuffle_name(Shuffle shuffle);  ///< 'segment', 'buffer', 'none'

}  // namespace modelhop::server
