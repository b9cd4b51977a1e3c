// SPDX-License-Identifier: Apache-2.0
// plan(): what fit_multiple_model would run. Writes nothing and starts no trainer.
#include <algorithm>
#include <numeric>

#include "server/bridge.hpp"
#include "server/coordinator.hpp"
#include "server/row_writer.hpp"
#include "server/selection_arguments.hpp"
#include "server/value_text.hpp"

namespace modelhop::server {
namespace {

// What one core sustains on a convolutional network, in floating-point operations a second: an estimate of minutes or
// hours, no promise.
constexpr double kOperationsPerSecond = 3e10;
constexpr double kMegabyte = 1 << 20;

struct PlanRow {
  std::optional<std::int32_t> key;
  std::optional<std::int32_t> model_id;
  std::int64_t parameters = 0;
  double forward_mflops = 0.0;
  std::int64_t units = 0;
  double state_mb = 0.0;
  double workspace_mb = 0.0;
  double seconds = 0.0;
  std::string warning;
};

double total(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

double estimated_seconds(const RunPlan& plan, const ConfigurationPlan& configuration) {
  const Work work = estimated_work(plan, configuration);
  const double evaluation = total(work.evaluate_training_cost) + total(work.evaluate_validation_cost);
  return (total(work.train_cost) * work.iterations +
          evaluation * static_cast<double>(work.evaluated_iterations.size())) /
         kOperationsPerSecond;
}

void add_warning(std::string& text, const std::string& warning) {
  text += (text.empty() ? "" : "; ") + warning;
}

PlanRow row_of(const RunPlan& plan, const ConfigurationPlan& configuration) {
  const ArchitecturePlan& architecture = plan.architecture_of(configuration);
  PlanRow row;
  row.key = configuration.key;
  row.model_id = architecture.model_id;
  row.parameters = architecture.parameters;
  row.forward_mflops = static_cast<double>(architecture.forward_flops) * 1e-6;
  row.units = plan.unit_count(configuration);
  row.state_mb = static_cast<double>(configuration.memory.state + configuration.kept_bytes) / kMegabyte;
  row.workspace_mb = static_cast<double>(configuration.memory.workspace) / kMegabyte;
  row.seconds = estimated_seconds(plan, configuration);
  const std::vector<std::int64_t> segment_rows = plan.training.segment_rows();
  const std::int64_t smallest = *std::min_element(segment_rows.begin(), segment_rows.end());
  if (configuration.train.batch_size > smallest) {
    add_warning(row.warning, "batch_size " + std::to_string(configuration.train.batch_size) +
                                 " is larger than the smallest segment of " + std::to_string(smallest) + " rows");
  }
  if (plan.is_warm_start && configuration.origin != Origin::kFormerRun) {
    add_warning(row.warning, "new in this run: does not continue from a former one");
  }
  return row;
}

PlanRow total_row(const RunPlan& plan, const std::vector<PlanRow>& rows) {
  PlanRow all;
  std::vector<double> seconds;
  for (const PlanRow& row : rows) {
    all.parameters += row.parameters;
    all.units += row.units;
    all.state_mb += row.state_mb;
    all.workspace_mb = std::max(all.workspace_mb, row.workspace_mb);
    seconds.push_back(row.seconds);
  }
  const auto busy = std::min<std::size_t>(plan.slots, rows.size());
  all.workspace_mb *= static_cast<double>(busy);
  all.seconds = makespan_lower_bound(seconds, plan.slots);
  for (const ArchitecturePlan& architecture : plan.architectures) {
    all.forward_mflops += static_cast<double>(architecture.forward_flops) * 1e-6;
  }
  const std::size_t held = plan.training.segments.size();
  const auto all_segments = static_cast<std::size_t>(plan.training.num_segments);
  add_warning(all.warning, std::string(plan.is_cached ? "cached" : "streamed") + ", shuffle '" +
                               shuffle_name(plan.shuffle) + "', " + std::to_string(held) +
                               (held < all_segments ? " of " + std::to_string(all_segments) : std::string()) +
                               " segments on " + std::to_string(plan.slots) + (plan.slots == 1 ? " slot" : " slots") +
                               (plan.run_slots == plan.slots ? " (modelhop.run_slots)" : ""));
  if (rows.size() < static_cast<std::size_t>(plan.slots)) {
    add_warning(all.warning, "fewer configurations than slots: some slots stay idle");
  }
  if (!plan.is_warm_start && !plan.model_output_text.empty()) {
    const TableName output = TableName::parse("model_output_table", plan.model_output_text);
    for (const char* suffix : {"", "_info", "_summary"}) {
      const TableName table = output.with_suffix("model_output_table", suffix);
      if (find_table(table)) add_warning(all.warning, "output table " + table.quoted() + " already exists");
    }
  }
  return all;
}

std::optional<std::string> key_text(const std::optional<std::int32_t>& key) {
  return key ? std::optional(std::to_string(*key)) : std::nullopt;
}

void add_row(RowWriter& writer, const PlanRow& row) {
  writer.add({key_text(row.key), key_text(row.model_id), std::to_string(row.parameters),
              number_text(row.forward_mflops), std::to_string(row.units), number_text(row.state_mb),
              number_text(row.workspace_mb), number_text(row.seconds),
              row.warning.empty() ? std::nullopt : std::optional(row.warning)});
}

}  // namespace
}  // namespace modelhop::server

MODELHOP_FUNCTION(plan) {
  using namespace modelhop::server;
  RowWriter writer(fcinfo);
  RunRequest request = selection_request(fcinfo);
  request.is_plan_only = true;
  const RunPlan plan = make_run_plan(request);
  std::vector<PlanRow> rows;
  for (const ConfigurationPlan& configuration : plan.configurations) rows.push_back(row_of(plan, configuration));
  rows.push_back(total_row(plan, rows));
  for (const PlanRow& row : rows) add_row(writer, row);
  return 0;
}
