// SPDX-License-Identifier: Apache-2.0
#include "server/run_notice.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "server/bridge.hpp"

namespace modelhop::server {
namespace {

constexpr std::chrono::seconds kInterval{1};

std::string decimals(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

const Score& shown(const ScoredIteration& scored) {
  return scored.validation ? *scored.validation : scored.training;
}

/// The lowest loss seen so far, by the validation data where there is some.
std::string best_so_far(const RunRecord& record) {
  const ScoredIteration* best = nullptr;
  ConfigurationKey best_key = 0;
  for (const auto& [key, configuration] : record.configurations()) {
    if (configuration.has_diverged || configuration.scores.empty()) continue;
    const ScoredIteration& last = configuration.scores.back();
    if (!std::isfinite(shown(last).loss) || (best != nullptr && shown(*best).loss <= shown(last).loss)) continue;
    best = &last;
    best_key = key;
  }
  if (best == nullptr) return "";
  std::string text = "; best so far: ";
  if (record.configurations().size() > 1) text += "mst_key " + std::to_string(best_key) + ", ";
  text += std::string(best->validation ? "validation" : "training") + " loss " + decimals(shown(*best).loss, 4);
  if (!shown(*best).metrics.empty()) text += ", metric " + decimals(shown(*best).metrics.front(), 4);
  return text;
}

}  // namespace

void RunNotice::retired(const RunRecord& record, ConfigurationKey key) const {
  const ConfigurationRecord& configuration = record.of(key);
  if (!configuration.is_retired()) return;
  const std::string subject = plan_.is_single ? "the configuration" : "mst_key " + std::to_string(key);
  const std::int32_t iteration = configuration.units.back().unit.iteration + plan_.first_iteration - 1;
  report_notice(subject + (configuration.has_diverged
                               ? " has diverged in iteration " + std::to_string(iteration) + " and is retired"
                               : " was stopped by " + configuration.events.back().callback + " after iteration " +
                                     std::to_string(iteration)));
}

void RunNotice::searched(const RunRecord& record) const {
  const double elapsed = std::chrono::duration<double>(Clock::now() - started_).count();
  report_notice(std::to_string(record.total_iterations()) + " iterations of " +
                std::to_string(plan_.search->search->planned_iterations()) + " finished, " +
                std::to_string(record.configurations().size()) + " configurations of " +
                std::to_string(plan_.configuration_count()) + " begun after " + decimals(elapsed, 1) + " s" +
                best_so_far(record));
}

void RunNotice::progressed(const RunRecord& record) {
  if (plan_.search) {
    if (Clock::now() - told_ < kInterval) return;
    told_ = Clock::now();
    return searched(record);
  }
  const std::int32_t done = record.completed_iterations();
  if (done <= told_iteration_) return;
  const auto now = Clock::now();
  if (now - told_ < kInterval && done < plan_.iterations) return;
  told_ = now;
  told_iteration_ = done;
  const double elapsed = std::chrono::duration<double>(now - started_).count();
  const auto& all = record.configurations();
  const auto active =
      std::count_if(all.begin(), all.end(), [](const auto& entry) { return !entry.second.is_retired(); });
  const std::string who = plan_.is_single ? "" : " by " + std::to_string(active) + " configurations";
  report_notice("iteration " + std::to_string(done) + " of " + std::to_string(plan_.iterations) + " finished" + who +
                " after " + decimals(elapsed, 1) + " s" + best_so_far(record));
}

}  // namespace modelhop::server
