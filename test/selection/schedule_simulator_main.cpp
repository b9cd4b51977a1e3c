// SPDX-License-Identifier: Apache-2.0
// Prints makespan / lower bound of three policies for several cost models: mean over trials and 95th percentile.
#include <algorithm>
#include <cstdio>
#include <functional>

#include "schedule_simulator.hpp"

using namespace modelhop;

namespace {

struct Row {
  const char* costs;
  int configurations;
  int workers;
  int iterations;
  std::function<Costs(int, int, std::uint64_t)> make;
};

void print(const Row& row, int trials) {
  std::printf("%-16s %4d %3d %3d", row.costs, row.configurations, row.workers, row.iterations);
  for (const Policy policy : {Policy::kSynchronousRing, Policy::kRandom, Policy::kLongestRemaining}) {
    std::vector<double> ratios;
    double total = 0.0;
    for (int trial = 0; trial < trials; ++trial) {
      ratios.push_back(
          simulate(policy, row.make(row.configurations, row.workers, trial + 1), trial + 1, row.iterations).ratio());
      total += ratios.back();
    }
    std::ranges::sort(ratios);
    std::printf("   %6.3f (%.3f)", total / trials, ratios[ratios.size() * 95 / 100]);
  }
  std::printf("\n");
}

}  // namespace

int main() {
  const auto homogeneous = [](int n, int p, std::uint64_t) { return homogeneous_costs(n, p); };
  const auto two_mode_8 = [](int n, int p, std::uint64_t seed) { return two_mode_costs(n, p, 8.0, seed); };
  const auto two_mode_20 = [](int n, int p, std::uint64_t seed) { return two_mode_costs(n, p, 20.0, seed); };
  const Row rows[] = {{"two-mode 1:8", 96, 16, 1, two_mode_8},     {"two-mode 1:20", 96, 16, 1, two_mode_20},
                      {"two-mode 1:20", 32, 8, 1, two_mode_20},    {"homogeneous", 8, 8, 1, homogeneous},
                      {"homogeneous", 16, 16, 1, homogeneous},     {"homogeneous", 16, 8, 1, homogeneous},
                      {"homogeneous", 96, 16, 1, homogeneous},     {"log-normal", 16, 8, 1, log_normal_costs},
                      {"log-normal", 24, 8, 1, log_normal_costs},  {"log-normal", 32, 8, 1, log_normal_costs},
                      {"log-normal", 32, 16, 1, log_normal_costs}, {"log-normal", 96, 16, 1, log_normal_costs},
                      {"log-normal", 16, 8, 10, log_normal_costs}, {"log-normal", 32, 16, 10, log_normal_costs}};
  std::printf("%-16s %4s %3s %3s   %-14s   %-14s   %-14s\n", "costs", "|S|", "p", "it", "ring (p95)", "random (p95)",
              "LRPT (p95)");
  for (const Row& row : rows) print(row, 200);
}
