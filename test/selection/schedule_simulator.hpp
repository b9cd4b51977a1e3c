// SPDX-License-Identifier: Apache-2.0
// Replays schedules on made-up costs: one worker a segment, as on a cluster. For tests and for the table that
// schedule_simulator prints; the scheduler under test is the real one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace modelhop {

enum class Policy {
  kLongestRemaining,  ///< Scheduler: LRPT, most loaded worker served first
  kRandom,            ///< an idle worker takes any idle configuration that it owes (Cerebro)
  kSynchronousRing,   ///< a barrier after every hop; configurations rotate (MADlib)
};

/// costs[i][j]: time of configuration i on segment j.
using Costs = std::vector<std::vector<double>>;

struct Simulation {
  double makespan = 0.0;
  double lower_bound = 0.0;
  double ratio() const { return makespan / lower_bound; }
};

Simulation simulate(Policy policy, const Costs& costs, std::uint64_t seed, int iterations = 1);

/// Rows of the published comparison, and one of our own.
Costs homogeneous_costs(int configurations, int workers);
Costs two_mode_costs(int configurations, int workers, double long_cost, std::uint64_t seed);  ///< 80 % cost 1
/// Per-configuration costs: log-normal with mean 5939 and standard deviation 5671, cut to 360..21000.
Costs log_normal_costs(int configurations, int workers, std::uint64_t seed);

}  // namespace modelhop
