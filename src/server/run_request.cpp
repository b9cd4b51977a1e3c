// SPDX-License-Identifier: Apache-2.0
// Checks the arguments of a fit in the order in which a reader would: scalars, data, configurations, outputs, memory.
#include "server/run_request.hpp"

#include <algorithm>

#include "server/bridge.hpp"
#include "server/callback_run.hpp"
#include "server/query.hpp"
#include "server/run_input.hpp"
#include "server/segment_feed.hpp"
#include "server/settings.hpp"
#include "server/value_text.hpp"

namespace modelhop::server {
namespace {

// Each is an element of the curves in the output tables, and is kept in memory until then.
constexpr int kMaxEvaluations = 1'000'000;

void check_iterations(const RunRequest& request, RunPlan& plan) {
  if (!request.num_iterations || *request.num_iterations < 1) {
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                   "argument num_iterations must be at least 1, got " +
                       (request.num_iterations ? std::to_string(*request.num_iterations) : std::string("NULL")));
  }
  plan.iterations = *request.num_iterations;
}

void check_frequency(const RunRequest& request, RunPlan& plan) {
  plan.frequency = request.metrics_compute_frequency.value_or(plan.iterations);
  if (plan.frequency >= 1 && plan.frequency <= plan.iterations) return;
  const char* most = !plan.search ? "num_iterations" : plan.search->is_hyperband() ? "R" : "num_iterations";
  throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "argument metrics_compute_frequency must be from 1 to " +
                                                      std::to_string(plan.iterations) + " (" + most + "), got " +
                                                      std::to_string(plan.frequency));
}

/// Who watches losses or metrics wants to see them in the output: unless the call says otherwise, each iteration is
/// evaluated then.
void resolve_frequency(const RunRequest& request, RunPlan& plan) {
  const bool is_monitored =
      std::any_of(plan.configurations.begin(), plan.configurations.end(),
                  [](const ConfigurationPlan& configuration) { return configuration.is_monitored; }) ||
      (plan.search && plan.search->is_monitored);
  if (is_monitored && !request.metrics_compute_frequency) plan.frequency = 1;
  const int every = is_monitored ? 1 : plan.frequency;
  if (plan.iterations / every <= kMaxEvaluations) return;
  throw SqlError(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                 "argument metrics_compute_frequency: every " + std::to_string(every) + " of " +
                     std::to_string(plan.iterations) + " iterations makes more than " +
                     std::to_string(kMaxEvaluations) + " evaluations",
                 "Evaluate less often, and leave out callbacks that monitor.");
}

std::optional<Shuffle> parse_shuffle(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  for (Shuffle shuffle : {Shuffle::kSegment, Shuffle::kBuffer, Shuffle::kNone}) {
    if (*text == shuffle_name(shuffle)) return shuffle;
  }
  throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "argument shuffle: unknown value \"" + *text + "\"",
                 "Use 'segment', 'buffer' or 'none'.");
}

bool parse_optimizer_state(const std::optional<std::string>& text) {
  if (!text || *text == "carry") return false;
  if (*text == "reset") return true;
  throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "argument optimizer_state: unknown value \"" + *text + "\"",
                 "Use 'carry' or 'reset'.");
}

bool parse_parallel(const std::optional<std::string>& text) {
  if (!text || *text == "hop") return false;
  if (*text == "average") return true;
  throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "argument parallel: unknown value \"" + *text + "\"",
                 "Use 'hop' or 'average'.");
}

/// From the session's random(), so that setseed() makes scripts without seeds repeat.
std::int64_t drawn_seed() {
  return std::stoll(*query("SELECT floor(random() * 9007199254740992)::bigint")[0][0]);
}

[[noreturn]] void refuse_validation(const PackedTable& training, const PackedTable& validation, const std::string& what,
                                    const std::string& hint) {
  throw SqlError(
      ERRCODE_INVALID_PARAMETER_VALUE,
      "argument validation_table: \"" + validation.text + "\" " + what + " source_table \"" + training.text + "\"",
      hint);
}

constexpr const char* kPreprocess = "Make it by validation_preprocessor_dl with this training table.";

/// The dependent variables are encoded by position, so both tables must have the same classes in the same places.
void check_validation_variables(const PackedTable& training, const PackedTable& validation) {
  for (std::size_t place = 0; place < training.independent.size(); ++place) {
    const PackedVariable& own = validation.independent[place];
    if (own.shape == training.independent[place].shape) continue;
    refuse_validation(training, validation,
                      "has examples of shape " + array_text(own.shape) + ", not " +
                          array_text(training.independent[place].shape) + " as in",
                      "Both tables must hold examples of one shape.");
  }
  for (std::size_t place = 0; place < training.dependent.size(); ++place) {
    const PackedVariable& own = validation.dependent[place];
    const PackedVariable& other = training.dependent[place];
    if (!own.class_values.empty() && !other.class_values.empty() && own.class_values != other.class_values) {
      refuse_validation(training, validation, "has other classes than", kPreprocess);
    }
    if (own.shape == other.shape) continue;
    refuse_validation(
        training, validation,
        "has a dependent variable of shape " + array_text(own.shape) + ", not " + array_text(other.shape) + " as in",
        kPreprocess);
  }
}

void check_validation(const PackedTable& training, const PackedTable& validation) {
  const auto counts = [](const PackedTable& table) {
    return std::to_string(table.independent.size()) + " independent and " + std::to_string(table.dependent.size()) +
           " dependent variables";
  };
  if (validation.independent.size() != training.independent.size() ||
      validation.dependent.size() != training.dependent.size()) {
    refuse_validation(training, validation, "has " + counts(validation) + ", not " + counts(training) + " as in",
                      kPreprocess);
  }
  check_validation_variables(training, validation);
  if (validation.normalizing_consts != training.normalizing_consts) {
    refuse_validation(training, validation, "has another normalizing_const than", kPreprocess);
  }
}

void read_data(const RunRequest& request, RunPlan& plan) {
  plan.training =
      read_packed_table("source_table", given_name("source_table", request.source_table, TableRole::kInput));
  for (const PackedVariable& variable : plan.training.dependent) {
    if (variable.class_values.size() != 1) continue;
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                   "argument source_table: \"" + plan.training.text + "\" has one class only, which nothing can learn",
                   "Give data of at least two classes, or a larger num_classes to training_preprocessor_dl.");
  }
  plan.segment_bytes = plan.training.decoded_bytes();
  if (!request.validation_table) return;
  plan.validation = read_packed_table("validation_table", *request.validation_table);
  check_validation(plan.training, *plan.validation);
  plan.segment_bytes += plan.validation->decoded_bytes();
}

std::string megabytes(std::int64_t bytes) {
  return std::to_string(saturated_sum(bytes, (1 << 20) - 1) >> 20) + " MB";
}

/// Streaming is chosen only where the data does not fit the cache and nobody asked for an order that needs it.
void resolve_caching(const RunRequest& request, const Settings& settings, RunPlan& plan) {
  const auto shuffle = parse_shuffle(request.shuffle);
  const bool fits = plan.segment_bytes <= std::min(settings.cache_memory, plan.memory_limit);
  if (request.use_caching.value_or(false) && !fits) {
    throw Error(ErrorCode::kOutOfMemory,
                "argument use_caching: the decoded data takes " + megabytes(plan.segment_bytes) +
                    ", modelhop.cache_memory allows " + megabytes(std::min(settings.cache_memory, plan.memory_limit)),
                "Raise modelhop.cache_memory, or let the data stream with use_caching => false.");
  }
  plan.is_cached = request.use_caching.value_or(fits);
  plan.shuffle = shuffle.value_or(plan.is_cached ? Shuffle::kSegment : Shuffle::kBuffer);
  if (!plan.is_cached && plan.shuffle == Shuffle::kSegment) {
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                   "argument shuffle: 'segment' needs the whole segment in memory, and this run streams",
                   "Use shuffle => 'buffer', or make the data fit modelhop.cache_memory.");
  }
}

}  // namespace

void check_memory(RunPlan& plan, int slots) {
  plan.slots = plan.run_slots > 0 ? std::min(slots, plan.run_slots) : slots;
  std::int64_t states = 0;
  std::int64_t state_count = 0;
  std::int64_t workspace = 0;
  const auto total = [](const ConfigurationPlan& one) {
    return saturated_sum(one.lasting_bytes(), one.memory.workspace);
  };
  const ConfigurationPlan* largest = &plan.configurations.front();
  for (const ConfigurationPlan& configuration : plan.configurations) {
    const auto copies = static_cast<std::int64_t>(plan.state_keys(configuration).size());
    states = saturated_sum(states, configuration.lasting_bytes());
    // A copy that is given the mean has its old state beside the new one.
    const std::int64_t held = copies > 1 ? copies + 1 : copies;
    for (std::int64_t more = 1; more < held; ++more) states = saturated_sum(states, configuration.memory.state);
    state_count += copies;
    workspace = std::max(workspace, configuration.memory.workspace);
    if (total(configuration) > total(*largest)) largest = &configuration;
  }
  // What a search has not named yet may be as large as anything in its space.
  for (std::size_t named = plan.configurations.size(); named < plan.configuration_count(); ++named) {
    states = saturated_sum(states, plan.search->most_lasting);
    workspace = std::max(workspace, plan.search->most_workspace);
    ++state_count;
  }
  const std::int64_t busy = std::min<std::int64_t>(plan.slots, state_count);
  const std::int64_t segments = plan.is_cached ? plan.segment_bytes : 0;
  plan.needed_memory = saturated_sum(states, segments);
  for (std::int64_t slot = 0; slot < busy; ++slot) plan.needed_memory = saturated_sum(plan.needed_memory, workspace);
  if (plan.needed_memory <= plan.memory_limit) return;
  throw Error(ErrorCode::kOutOfMemory,
              "the run needs " + megabytes(plan.needed_memory) + " in the trainer, its limit is " +
                  megabytes(plan.memory_limit) + ": " + megabytes(states) + " for " + std::to_string(state_count) +
                  " states, " + megabytes(workspace) + " for each of " + std::to_string(busy) + " slots, " +
                  megabytes(segments) + " of data (mst_key " + std::to_string(largest->key) + " is the largest with " +
                  std::to_string(plan.architecture_of(*largest).parameters) + " parameters)",
              "Use smaller models or batches, fewer configurations, or raise modelhop.memory_limit (or "
              "run_memory_limit, where it is set).");
}

RunPlan make_run_plan(const RunRequest& request) {
  RunPlan plan;
  plan.is_single = request.is_single;
  plan.use_gpus = request.use_gpus.value_or(false);
  plan.is_warm_start = request.warm_start.value_or(false);
  plan.name = request.name;
  plan.description = request.description;
  plan.reset_optimizer = parse_optimizer_state(request.optimizer_state);
  plan.is_averaged = parse_parallel(request.parallel);
  if (request.search) {
    begin_search(request, plan);
  } else {
    check_iterations(request, plan);
  }
  check_frequency(request, plan);

  const Settings settings = current_settings();
  plan.run_slots = settings.run_slots;
  plan.memory_limit = settings.run_memory_limit > 0 ? std::min(settings.run_memory_limit, settings.memory_limit)
                                                    : settings.memory_limit;
  plan.madlib_columns = settings.madlib_columns;
  read_data(request, plan);
  resolve_caching(request, settings, plan);
  plan.seed = request.seed ? *request.seed : drawn_seed();
  read_configurations(request, plan);
  resolve_frequency(request, plan);
  resolve_output(request, plan);
  for (const ConfigurationPlan& configuration : plan.configurations) {
    const auto check = [&] { check_first_rate(configuration.train, plan.first_iteration); };
    plan.is_single ? check() : naming("mst_key " + std::to_string(configuration.key), check);
  }
  check_memory(plan, settings.slots);
  return plan;
}

}  // namespace modelhop::server
