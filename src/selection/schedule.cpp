// SPDX-License-Identifier: Apache-2.0
#include "selection/schedule.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

#include "modelhop/error.hpp"

namespace modelhop {
namespace {

double cost_of(const Work& work, const Unit& unit) {
  switch (unit.kind) {
    case UnitKind::kTrain:
      return work.train_cost[unit.segment];
    case UnitKind::kEvaluateTraining:
      return work.evaluate_training_cost[unit.segment];
    case UnitKind::kEvaluateValidation:
      return work.evaluate_validation_cost[unit.segment];
  }
  return 0.0;
}

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

double cost_of_iterations(const Work& work, std::int32_t trained, std::size_t evaluated) {
  return sum(work.train_cost) * trained +
         (sum(work.evaluate_training_cost) + sum(work.evaluate_validation_cost)) * static_cast<double>(evaluated);
}

}  // namespace

Scheduler::Scheduler(const ScheduleOptions& options, Holds holds) : options_(options), holds_(std::move(holds)) {}

void Scheduler::add(ConfigurationKey key, Work work) {
  check(!work.train_cost.empty() && work.iterations > 0, "a configuration needs a segment and an iteration");
  Configuration configuration;
  configuration.owed_cost = cost_of_iterations(work, work.iterations, work.evaluated_iterations.size());
  configuration.work = std::move(work);
  const auto [position, is_new] = configurations_.try_emplace(key, std::move(configuration));
  check(is_new && resting_.count(key) == 0, "a configuration is scheduled twice");
  begin_iteration(key, position->second);
}

void Scheduler::extend(ConfigurationKey key, std::int32_t iterations, const std::vector<std::int32_t>& evaluated) {
  auto resting = resting_.extract(key);
  const bool rested = !resting.empty();
  if (rested) configurations_.insert(std::move(resting));
  const auto position = configurations_.find(key);
  check(position != configurations_.end() && !position->second.is_removed, "a configuration goes on that is gone");
  Configuration& configuration = position->second;
  Work& work = configuration.work;
  check(iterations > work.iterations, "a configuration goes on for no iteration");
  check(evaluated.empty() || work.evaluated_iterations.empty() || evaluated.front() > work.evaluated_iterations.back(),
        "a configuration goes on with evaluations that it has had");
  configuration.owed_cost += cost_of_iterations(work, iterations - work.iterations, evaluated.size());
  work.iterations = iterations;
  work.evaluated_iterations.insert(work.evaluated_iterations.end(), evaluated.begin(), evaluated.end());
  if (rested) advance(key, configuration);
}

void Scheduler::remove(ConfigurationKey key) {
  resting_.erase(key);
  const auto position = configurations_.find(key);
  if (position == configurations_.end()) return;
  position->second.is_removed = true;
  if (position->second.running == 0) configurations_.erase(position);
}

void Scheduler::begin_iteration(ConfigurationKey key, Configuration& configuration) {
  const auto segments = static_cast<std::int32_t>(configuration.work.train_cost.size());
  configuration.unvisited.assign(segments, true);
  configuration.visit_order.resize(segments);
  std::iota(configuration.visit_order.begin(), configuration.visit_order.end(), 0);
  if (holds_) return;
  // Only the raw generator is the same in every standard library; its distributions and std::shuffle are not.
  std::mt19937_64 generator(options_.seed ^ (static_cast<std::uint64_t>(static_cast<std::uint32_t>(key)) << 32) ^
                            static_cast<std::uint32_t>(configuration.iteration + options_.first_iteration - 1));
  for (std::int32_t i = segments - 1; i > 0; --i) {
    std::swap(configuration.visit_order[i], configuration.visit_order[generator() % (i + 1)]);
  }
}

void Scheduler::begin_evaluations(ConfigurationKey key, Configuration& configuration) {
  const Work& work = configuration.work;
  if (!std::ranges::binary_search(work.evaluated_iterations, configuration.iteration)) return;
  const auto push = [&](UnitKind kind, std::size_t segments) {
    for (std::size_t segment = 0; segment < segments; ++segment) {
      configuration.pending_evaluations.push_back(
          {key, kind, static_cast<std::int32_t>(segment), configuration.iteration});
    }
  };
  push(UnitKind::kEvaluateTraining, work.evaluate_training_cost.size());
  push(UnitKind::kEvaluateValidation, work.evaluate_validation_cost.size());
}

bool Scheduler::holds(int worker, UnitKind kind, std::int32_t segment) const {
  return !holds_ || holds_(worker, kind, segment);
}

double Scheduler::seconds_per_cost(const Configuration& configuration) const {
  if (configuration.seconds_per_cost) return *configuration.seconds_per_cost;
  return measured_cost_ > 0.0 ? measured_seconds_ / measured_cost_ : 1.0;
}

/// As remaining(), with what may still be asked for and less the part of a running training unit that has passed.
double Scheduler::time_left(const Configuration& configuration) const {
  const Work& work = configuration.work;
  const double prospect = cost_of_iterations(work, std::max(0, work.horizon - work.iterations), 0);
  const double owed = (configuration.owed_cost + prospect) * seconds_per_cost(configuration);
  return configuration.training ? owed - (now_ - configuration.began) : owed;
}

std::optional<std::int32_t> Scheduler::unvisited_segment(int worker, const Configuration& configuration) const {
  for (const std::int32_t segment : configuration.visit_order) {
    if (configuration.unvisited[segment] && holds(worker, UnitKind::kTrain, segment)) return segment;
  }
  return std::nullopt;
}

std::optional<Unit> Scheduler::unit_for(int worker, ConfigurationKey key, const Configuration& configuration) const {
  if (configuration.is_removed || configuration.training) return std::nullopt;
  for (const Unit& unit : configuration.pending_evaluations) {
    if (holds(worker, unit.kind, unit.segment) && is_there(unit)) return unit;
  }
  if (configuration.running > 0) return std::nullopt;  // evaluations of this iteration still run
  const auto segment = unvisited_segment(worker, configuration);
  if (!segment) return std::nullopt;
  const Unit unit{key, UnitKind::kTrain, *segment, configuration.iteration};
  return is_there(unit) ? std::optional(unit) : std::nullopt;
}

double Scheduler::time_to_end(const Configuration& configuration) const {
  const double cost = cost_of(configuration.work, *configuration.training);
  return std::max(0.0, configuration.began + cost * seconds_per_cost(configuration) - now_);
}

/// A unit in the way of the longest configuration makes the whole run longer; a worker's idle time does not, as long as
/// its load and the wait together fit in what that configuration needs.
bool Scheduler::is_worth_waiting(int worker, double unit_seconds) const {
  if (!holds_) return false;  // the worker that the longest is on can go on with it
  const auto left = [this](const auto& item) { return item.second.is_removed ? 0.0 : time_left(item.second); };
  const Configuration& longest = std::ranges::max_element(configurations_, {}, left)->second;
  const auto is_owed = [&](int place) { return unvisited_segment(place, longest).has_value(); };
  if (!longest.training || !is_owed(worker)) return false;
  const double wait = time_to_end(longest);
  if (wait >= unit_seconds || wait + remaining_load(worker) > time_left(longest)) return false;
  // One worker is enough: where another one will be free for it by then, this one need not be.
  return std::ranges::none_of(idle_, [&](int other) { return other != worker && is_owed(other); }) &&
         std::ranges::none_of(configurations_, [&](const auto& item) {
           const Configuration& other = item.second;
           return other.training && is_owed(other.worker) && time_to_end(other) <= wait;
         });
}

std::optional<Unit> Scheduler::next(int worker) {
  std::optional<Unit> best;
  double most = 0.0;
  for (const auto& [key, configuration] : configurations_) {
    const double seconds = time_left(configuration);
    if (best && seconds <= most) continue;
    if (auto unit = unit_for(worker, key, configuration)) {
      best = unit;
      most = seconds;
    }
  }
  idle_.insert(worker);
  if (!best) return best;
  Configuration& chosen = configurations_.at(best->configuration);
  if (is_worth_waiting(worker, cost_of(chosen.work, *best) * seconds_per_cost(chosen))) return std::nullopt;
  idle_.erase(worker);
  ++chosen.running;
  if (best->kind == UnitKind::kTrain) {
    chosen.training = best;
    chosen.worker = worker;
    chosen.began = now_;
    chosen.unvisited[best->segment] = false;
  } else {
    std::erase(chosen.pending_evaluations, *best);
  }
  return best;
}

void Scheduler::finished(const Unit& unit, double seconds) {
  const auto position = configurations_.find(unit.configuration);
  check(position != configurations_.end() && position->second.running > 0, "a unit ended that was not running");
  Configuration& configuration = position->second;
  --configuration.running;
  const double cost = cost_of(configuration.work, unit);
  configuration.owed_cost = std::max(0.0, configuration.owed_cost - cost);
  if (cost > 0.0) {
    measured_seconds_ += seconds;
    measured_cost_ += cost;
    const double measured = seconds / cost;
    const double weight = configuration.seconds_per_cost ? options_.measured_weight : 1.0;
    configuration.seconds_per_cost =
        weight * measured + (1.0 - weight) * configuration.seconds_per_cost.value_or(measured);
  }
  if (unit.kind == UnitKind::kTrain) {
    configuration.training.reset();
    now_ = std::max(now_, configuration.began + seconds);
  }
  if (configuration.is_removed) {
    if (configuration.running == 0) configurations_.erase(position);
    return;
  }
  if (unit.kind == UnitKind::kTrain && std::ranges::none_of(configuration.unvisited, std::identity{})) {
    begin_evaluations(unit.configuration, configuration);
  }
  advance(unit.configuration, configuration);
}

void Scheduler::advance(ConfigurationKey key, Configuration& configuration) {
  const bool iteration_is_over = configuration.running == 0 && configuration.pending_evaluations.empty() &&
                                 std::ranges::none_of(configuration.unvisited, std::identity{});
  if (!iteration_is_over) return;
  if (configuration.iteration == configuration.work.iterations) {
    configuration.owed_cost = 0.0;
    resting_.insert(configurations_.extract(key));
    return;
  }
  ++configuration.iteration;
  begin_iteration(key, configuration);
}

bool Scheduler::is_done() const {
  return configurations_.empty();
}

double Scheduler::remaining(ConfigurationKey key) const {
  const auto position = configurations_.find(key);
  if (position == configurations_.end()) return 0.0;
  return position->second.owed_cost * seconds_per_cost(position->second);
}

double Scheduler::remaining_load(int worker) const {
  double load = 0.0;
  for (const auto& [key, configuration] : configurations_) {
    double cost = 0.0;
    for (std::size_t segment = 0; segment < configuration.unvisited.size(); ++segment) {
      if (!holds(worker, UnitKind::kTrain, static_cast<std::int32_t>(segment))) continue;
      const int visits =
          configuration.work.iterations - configuration.iteration + (configuration.unvisited[segment] ? 1 : 0);
      cost += visits * configuration.work.train_cost[segment];
    }
    load += cost * seconds_per_cost(configuration);
  }
  return load;
}

double makespan_lower_bound(const std::vector<std::vector<double>>& seconds) {
  std::vector<double> load;
  double bound = 0.0;
  for (const auto& row : seconds) {
    load.resize(std::max(load.size(), row.size()));
    for (std::size_t machine = 0; machine < row.size(); ++machine) load[machine] += row[machine];
    bound = std::max(bound, sum(row));
  }
  return load.empty() ? bound : std::max(bound, *std::ranges::max_element(load));
}

double makespan_lower_bound(const std::vector<double>& configuration_seconds, int workers) {
  if (configuration_seconds.empty()) return 0.0;
  return std::max(sum(configuration_seconds) / workers, *std::ranges::max_element(configuration_seconds));
}

}  // namespace modelhop
