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

/// The lowest loss seen so far, by the validation data where there is some.
std::string best_so_far(const RunRecord& record) {
  const Score* best = nullptr;
  ConfigurationKey best_key = 0;
  bool is_validation = false;
  for (const auto& [key, configuration] : record.configurations()) {
    is_validation = is_validation || !configuration.validation.empty();
    const auto& scores = configuration.validation.empty() ? configuration.training : configuration.validation;
    if (configuration.has_diverged || scores.empty() || !std::isfinite(scores.back().loss)) continue;
    if (best != nullptr && best->loss <= scores.back().loss) continue;
    best = &scores.back();
    best_key = key;
  }
  if (best == nullptr) return "";
  std::string text = "; best so far: ";
  if (record.configurations().size() > 1) text += "mst_key " + std::to_string(best_key) + ", ";
  text += std::string(is_validation ? "validation" : "training") + " loss " + decimals(best->loss, 4);
  if (!best->metrics.empty()) text += ", metric " + decimals(best->metrics.front(), 4);
  return text;
}

}  // namespace

void RunNotice::retired(const RunRecord& record, ConfigurationKey key) const {
  const Unit& unit = record.of(key).units.back().unit;
  const std::string subject = plan_.is_single ? "the configuration" : "mst_key " + std::to_string(key);
  report_notice(subject + " has diverged in iteration " + std::to_string(unit.iteration + plan_.first_iteration - 1) +
                " and is retired");
}

void RunNotice::progressed(const RunRecord& record) {
  const std::int32_t done = record.completed_iterations();
  if (done <= told_iteration_) return;
  const auto now = Clock::now();
  if (now - told_ < kInterval && done < plan_.iterations) return;
  told_ = now;
  told_iteration_ = done;
  const double elapsed = std::chrono::duration<double>(now - started_).count();
  const auto& all = record.configurations();
  const auto active =
      std::count_if(all.begin(), all.end(), [](const auto& entry) { return !entry.second.has_diverged; });
  const std::string who = plan_.is_single ? "" : " by " + std::to_string(active) + " configurations";
  report_notice("iteration " + std::to_string(done) + " of " + std::to_string(plan_.iterations) + " finished" + who +
                " after " + decimals(elapsed, 1) + " s" + best_so_far(record));
}

}  // namespace modelhop::server
