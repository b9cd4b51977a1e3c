// SPDX-License-Identifier: Apache-2.0
// A checked run as plain values: everything that was asked, read and decided before the first unit.
#pragma once

#include "server/postgres.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "modelhop/model_spec.hpp"
#include "modelhop/train_spec.hpp"
#include "selection/schedule.hpp"
#include "selection/search.hpp"
#include "server/packed_table.hpp"
#include "spec/automl_params.hpp"
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
  /// Ascending: the iterations after which it was, or will be, at the end of what it owed; the last one is what it owes
  /// now. Only a search asks for more than one end.
  std::vector<std::int32_t> ends;
  int bracket = 0;  ///< Hyperband's s
  int rung = 0;     ///< Hyperband's i, the last one that it was asked for

  std::int32_t iterations() const { return ends.back(); }
  std::int64_t lasting_bytes() const;  ///< of the state and what is laid aside
};

/// Where the outputs go; all three lie in one schema.
struct OutputTables {
  TableName model;
  TableName info;  ///< not used by fit
  TableName summary;
};

/// A run whose configurations a search names, while others train.
struct SearchPlan {
  AutomlParams params;
  std::string method_text;  ///< as the summary tells them
  std::string params_text;
  std::optional<std::int32_t> random_state;
  std::unique_ptr<Search> search;   ///< was asked once: those are the plan's first configurations
  std::int64_t most_lasting = 0;    ///< bytes: no configuration of the space needs more until the end,
  std::int64_t most_workspace = 0;  ///< nor more in a slot
  bool is_monitored = false;        ///< one of them may have callbacks that look at its scores
  TableName selection;              ///< where the winner goes
  TableName selection_summary;

  bool is_hyperband() const { return std::holds_alternative<HyperbandParams>(params); }
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
  std::vector<ConfigurationPlan> configurations;  ///< by ascending key; a search appends to them
  std::optional<SearchPlan> search;

  int iterations = 1;       ///< of each configuration; with a search the most that any may have
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

  /// Counted from 1 within this run: those after which losses and metrics are computed for the output tables, for a
  /// configuration that ends with the run.
  std::vector<std::int32_t> reported_iterations() const;
  /// The same for this configuration, as far as it goes.
  std::vector<std::int32_t> reported_iterations(const ConfigurationPlan& configuration) const;
  /// Those after which they are computed for it: all where callbacks look at them.
  std::vector<std::int32_t> evaluated_iterations(const ConfigurationPlan& configuration) const;
  /// Whether this one of a configuration's iterations is among them.
  bool is_evaluated(const ConfigurationPlan& configuration, std::int32_t iteration) const;
  const ArchitecturePlan& architecture_of(const ConfigurationPlan& configuration) const {
    return architectures[configuration.architecture];
  }
  /// Under which the trainer knows the state that visits a training segment, by its place in training.segments: one
  /// for all segments, or each segment's copy. The first is the configuration's own and is what is written.
  std::int32_t state_key(const ConfigurationPlan& configuration, std::size_t place) const;
  std::vector<std::int32_t> state_keys(const ConfigurationPlan& configuration) const;
  /// A unit counts the segments that hold rows.
  int segment_number(const Unit& unit) const;
  ConfigurationPlan& configuration(std::int32_t key);
  const ConfigurationPlan& configuration(std::int32_t key) const;
  std::size_t configuration_count() const;  ///< with those that a search will still name
  std::int64_t unit_count() const;          ///< trainings and evaluations, if nothing stops early
  std::int64_t unit_count(const ConfigurationPlan& configuration) const;
};

/// Estimates may be as large as a number can be.
std::int64_t saturated_sum(std::int64_t a, std::int64_t b);

const char* shuffle_name(Shuffle shuffle);  ///< 'segment', 'buffer', 'none'

}  // namespace modelhop::server
