// SPDX-License-Identifier: Apache-2.0
#include "schedule_simulator.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>
#include <random>
#include <utility>

#include "selection/schedule.hpp"

namespace modelhop {
namespace {

struct Running {
  double end = 0.0;
  Unit unit;
};

/// Runs units as `choose(worker)` hands them out; all units that end at one time are reported before the next choice.
template <typename Choose, typename Report, typename Order>
double run_events(int workers, const Costs& costs, Choose choose, Report report, Order order_idle) {
  std::vector<std::optional<Running>> running(workers);
  double now = 0.0;
  for (;;) {
    for (const int worker : order_idle(running)) {
      if (const auto unit = choose(worker)) {
        running[worker] = Running{now + costs[unit->configuration][unit->segment], *unit};
      }
    }
    double next_end = INFINITY;
    for (const auto& slot : running) next_end = slot ? std::min(next_end, slot->end) : next_end;
    if (next_end == INFINITY) return now;
    now = next_end;
    for (auto& slot : running) {
      if (!slot || slot->end > now * (1 + 1e-12)) continue;
      report(slot->unit);
      slot.reset();
    }
  }
}

std::vector<int> idle_workers(const std::vector<std::optional<Running>>& running) {
  std::vector<int> idle;
  for (std::size_t worker = 0; worker < running.size(); ++worker) {
    if (!running[worker]) idle.push_back(static_cast<int>(worker));
  }
  return idle;
}

double longest_remaining(const Costs& costs, int workers, int iterations, std::uint64_t seed) {
  Scheduler scheduler({.seed = seed}, [](int worker, UnitKind, std::int32_t segment) { return worker == segment; });
  for (std::size_t i = 0; i < costs.size(); ++i) {
    Work work;
    work.iterations = iterations;
    work.train_cost = costs[i];
    scheduler.add(static_cast<ConfigurationKey>(i), std::move(work));
  }
  return run_events(
      workers, costs, [&](int worker) { return scheduler.next(worker); },
      [&](const Unit& unit) { scheduler.finished(unit, costs[unit.configuration][unit.segment]); },
      [&](const auto& running) {
        std::vector<int> idle = idle_workers(running);
        std::vector<double> load(workers);
        for (const int worker : idle) load[worker] = scheduler.remaining_load(worker);
        std::ranges::stable_sort(idle, [&](int a, int b) { return load[a] > load[b] * (1 + 1e-12); });
        return idle;
      });
}

double random_order(const Costs& costs, int workers, int iterations, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::vector<std::vector<bool>> owed(costs.size(), std::vector<bool>(workers, true));
  std::vector<bool> busy(costs.size(), false);
  std::vector<int> iteration(costs.size(), 1);
  return run_events(
      workers, costs,
      [&](int worker) -> std::optional<Unit> {
        std::vector<ConfigurationKey> candidates;
        for (std::size_t i = 0; i < costs.size(); ++i) {
          if (!busy[i] && owed[i][worker]) candidates.push_back(static_cast<ConfigurationKey>(i));
        }
        if (candidates.empty()) return std::nullopt;
        const ConfigurationKey chosen = candidates[generator() % candidates.size()];
        busy[chosen] = true;
        owed[chosen][worker] = false;
        return Unit{chosen, UnitKind::kTrain, worker, 1};
      },
      [&](const Unit& unit) {
        const ConfigurationKey key = unit.configuration;
        busy[key] = false;
        if (std::ranges::none_of(owed[key], std::identity{}) && iteration[key] < iterations) {
          ++iteration[key];
          owed[key].assign(workers, true);
        }
      },
      [&](const auto& running) {
        std::vector<int> idle = idle_workers(running);
        std::ranges::shuffle(idle, generator);
        return idle;
      });
}

double synchronous_ring(const Costs& costs, int workers, int iterations, std::uint64_t seed) {
  std::vector<int> ring(costs.size());
  std::iota(ring.begin(), ring.end(), 0);
  std::mt19937_64 generator(seed);
  std::ranges::shuffle(ring, generator);
  ring.resize(std::max(costs.size(), static_cast<std::size_t>(workers)), -1);
  double makespan = 0.0;
  for (std::size_t hop = 0; hop < ring.size(); ++hop) {
    double slowest = 0.0;
    for (int worker = 0; worker < workers; ++worker) {
      const int configuration = ring[(worker + hop) % ring.size()];
      if (configuration >= 0) slowest = std::max(slowest, costs[configuration][worker]);
    }
    makespan += slowest;
  }
  return makespan * iterations;
}

}  // namespace

Simulation simulate(Policy policy, const Costs& costs, std::uint64_t seed, int iterations) {
  const int workers = static_cast<int>(costs.front().size());
  Simulation result;
  result.lower_bound = makespan_lower_bound(costs) * iterations;
  switch (policy) {
    case Policy::kLongestRemaining:
      result.makespan = longest_remaining(costs, workers, iterations, seed);
      break;
    case Policy::kRandom:
      result.makespan = random_order(costs, workers, iterations, seed);
      break;
    case Policy::kSynchronousRing:
      result.makespan = synchronous_ring(costs, workers, iterations, seed);
      break;
  }
  return result;
}

Costs homogeneous_costs(int configurations, int workers) {
  return Costs(configurations, std::vector<double>(workers, 1.0));
}

Costs two_mode_costs(int configurations, int workers, double long_cost, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::bernoulli_distribution is_long(0.2);
  Costs costs;
  for (int i = 0; i < configurations; ++i) costs.emplace_back(workers, is_long(generator) ? long_cost : 1.0);
  return costs;
}

Costs log_normal_costs(int configurations, int workers, std::uint64_t seed) {
  constexpr double kMean = 5939.0;
  constexpr double kDeviation = 5671.0;
  const double variance = std::log(1.0 + (kDeviation / kMean) * (kDeviation / kMean));
  std::lognormal_distribution<double> cost(std::log(kMean) - variance / 2.0, std::sqrt(variance));
  std::mt19937_64 generator(seed);
  Costs costs;
  for (int i = 0; i < configurations; ++i) {
    costs.emplace_back(workers, std::clamp(cost(generator), 360.0, 21000.0));
  }
  return costs;
}

}  // namespace modelhop
