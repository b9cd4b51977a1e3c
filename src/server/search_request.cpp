// SPDX-License-Identifier: Apache-2.0
// Arguments of automl -> a checked space, and the search that names configurations of it.
#include <algorithm>
#include <set>

#include "selection/hyperband.hpp"
#include "selection/space_samples.hpp"
#include "selection/tpe.hpp"
#include "server/bridge.hpp"
#include "server/callback_run.hpp"
#include "server/custom_functions.hpp"
#include "server/run_input.hpp"
#include "spec/search_space.hpp"

namespace modelhop::server {
namespace {

/// Ascending, each once.
std::vector<std::int32_t> checked_ids(const SearchRequest& request) {
  std::set<std::int32_t> ids;
  const auto refuse = [](int sqlstate, const std::string& what) {
    throw SqlError(sqlstate, "argument model_id_list " + what, "Give the ids of architectures, such as ARRAY[1, 2].");
  };
  if (!request.model_id_list) refuse(ERRCODE_NULL_VALUE_NOT_ALLOWED, "must not be NULL");
  for (const std::optional<std::int32_t>& id : *request.model_id_list) {
    if (!id) refuse(ERRCODE_NULL_VALUE_NOT_ALLOWED, "has a NULL in it");
    ids.insert(*id);
  }
  if (ids.empty()) refuse(ERRCODE_INVALID_PARAMETER_VALUE, "is empty");
  return {ids.begin(), ids.end()};
}

/// MADlib's hyperopt has no such distribution; scripts that run there and here mean one thing.
void refuse_log_near_one(const std::vector<Parameter>& parameters) {
  for (const Parameter& parameter : parameters) {
    if (!parameter.distribution || parameter.distribution->kind != Distribution::Kind::kLogNearOne) continue;
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                   "parameter \"" + parameter.name + "\": automl_method 'hyperopt' does not know 'log_near_one'",
                   "Use 'linear' or 'log', a list of values, or automl_method 'hyperband'.");
  }
}

/// What can be drawn must train, so that no run fails in its middle: every value in a configuration that is checked.
void check_space(const std::vector<std::int32_t>& model_ids, const SearchSpace& space, RunPlan& plan) {
  for (const ConfigurationText& text : space_samples(model_ids, space)) {
    check_interrupts();
    const std::string subject = "model_id " + std::to_string(text.model_id) + " with compile_params \"" +
                                text.compile_params + "\" and fit_params \"" + text.fit_params + "\"";
    const ConfigurationPlan sample = naming(subject, [&] { return checked_configuration(0, text, plan); });
    naming(subject, [&] { check_first_rate(sample.train, plan.first_iteration); });
    SearchPlan& search = *plan.search;
    search.most_lasting = std::max(search.most_lasting, sample.lasting_bytes());
    search.most_workspace = std::max(search.most_workspace, sample.memory.workspace);
    search.is_monitored = search.is_monitored || sample.is_monitored;
  }
}

/// As many as there are segments may train at once: a number that belongs to the data, not to the machine, so that a
/// search is the same everywhere.
TpeOptions tpe_options(const RunPlan& plan) {
  TpeOptions options;
  options.in_flight = std::max(options.in_flight, static_cast<std::int32_t>(plan.training.num_segments));
  return options;
}

/// Without a random_state the run's seed decides, so that the seed alone repeats a search.
std::uint64_t draw_seed(const RunPlan& plan) {
  constexpr std::int32_t kNoKey = 0;
  if (plan.search->random_state) return static_cast<std::uint32_t>(*plan.search->random_state);
  return configuration_seed(static_cast<std::uint64_t>(plan.seed), kNoKey);
}

std::unique_ptr<Search> make_search(const RunPlan& plan, const std::vector<std::int32_t>& model_ids,
                                    const SearchSpace& space) {
  const AutomlParams& params = plan.search->params;
  const std::uint64_t seed = draw_seed(plan);
  if (const auto* hyperband = std::get_if<HyperbandParams>(&params)) {
    return std::make_unique<HyperbandSearch>(model_ids, space, hyperband->r, hyperband->eta, hyperband->skip_last,
                                             seed);
  }
  const auto& hyperopt = std::get<HyperoptParams>(params);
  if (hyperopt.is_tpe) {
    return std::make_unique<TpeSearch>(model_ids, space, hyperopt.num_configs, hyperopt.num_iterations, seed,
                                       tpe_options(plan));
  }
  return std::make_unique<RandomSearch>(model_ids, space, hyperopt.num_configs, hyperopt.num_iterations, seed);
}

}  // namespace

void begin_search(const RunRequest& request, RunPlan& plan) {
  const SearchRequest& asked = *request.search;
  SearchPlan& search = plan.search.emplace();
  search.method_text = asked.method.value_or("hyperband");
  search.params = parse_automl_params(search.method_text, asked.params.value_or(""));
  search.params_text = asked.params.value_or(to_string(search.params));
  search.random_state = asked.random_state;
  if (const auto* hyperband = std::get_if<HyperbandParams>(&search.params)) {
    naming("argument automl_params", [&] { hyperband_schedule(hyperband->r, hyperband->eta, hyperband->skip_last); });
  }
  plan.iterations = most_iterations(search.params);
}

void read_search(const RunRequest& request, RunPlan& plan) {
  plan.model_arch_text = required(request.model_arch_table, "model_arch_table");
  plan.model_selection_text = required(request.model_selection_table, "model_selection_table");
  plan.object_text = request.object_table;
  plan.custom_functions = read_object_table(plan.object_text);
  const std::vector<std::int32_t> model_ids = checked_ids(*request.search);
  read_architectures(model_ids, plan);
  const SearchSpace space = parse_search_space(required(request.search->compile_params_grid, "compile_params_grid"),
                                               required(request.search->fit_params_grid, "fit_params_grid"));
  SearchPlan& search = *plan.search;
  if (!search.is_hyperband()) {
    for (const auto& optimizer : space.optimizers) refuse_log_near_one(optimizer);
    refuse_log_near_one(space.compile);
    refuse_log_near_one(space.fit);
  }
  check_space(model_ids, space, plan);
  search.search = naming("argument automl_params", [&] { return make_search(plan, model_ids, space); });
  for (const Trial& trial : search.search->ask()) plan.configurations.push_back(trial_configuration(trial, plan));
}

ConfigurationPlan trial_configuration(const Trial& trial, const RunPlan& plan) {
  check(trial.configuration.has_value(), "a search begins with a configuration that it does not name");
  const ConfigurationText& text = *trial.configuration;
  ConfigurationPlan configuration =
      naming("mst_key " + std::to_string(trial.key), [&] { return checked_configuration(trial.key, text, plan); });
  configuration.ends = {trial.iterations};
  configuration.bracket = trial.bracket;
  configuration.rung = trial.rung;
  return configuration;
}

}  // namespace modelhop::server
