// SPDX-License-Identifier: Apache-2.0
// The course of a run: opened, begun with its first states, fed, carried out in one of three ways.
#include "server/coordinator.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>

#include "server/average_run.hpp"
#include "server/bridge.hpp"
#include "server/bytea_rows.hpp"
#include "server/run_output.hpp"
#include "server/segment_feed.hpp"

namespace modelhop::server {
namespace {

// A backward pass costs about two forward passes.
constexpr double kTrainingFactor = 3.0;

std::int64_t now_us() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

OpenRequest open_request(const RunPlan& plan) {
  OpenRequest request;
  request.name = plan.tables.model.quoted();
  request.purpose = plan.is_single ? "fit" : plan.search ? "automl" : "fit_multiple_model";
  request.seed = plan.seed;
  request.shuffle = plan.shuffle;
  request.reset_optimizer = plan.reset_optimizer;
  request.iterations = plan.iterations;
  request.units = plan.unit_count();
  request.memory_limit = plan.memory_limit;
  request.slots = plan.run_slots;
  for (const ArchitecturePlan& architecture : plan.architectures) {
    request.architectures.push_back({architecture.json, architecture.profile});
  }
  request.independent_shapes = plan.training.independent_shapes();
  request.dependent_row_elements = plan.training.dependent_row_elements();
  for (const ConfigurationPlan& configuration : plan.configurations) {
    for (const std::int32_t key : plan.state_keys(configuration)) {
      request.configurations.push_back(open_configuration(configuration, key));
    }
  }
  request.custom_functions = plan.custom_functions;
  return request;
}

void give_former_state(TrainerClient& trainer, const RunPlan& plan, const ConfigurationPlan& configuration) {
  const std::string where = plan.is_single ? std::string() : " WHERE mst_key = " + std::to_string(configuration.key);
  const std::string state = plan.reset_optimizer || plan.madlib_columns ? "NULL::bytea" : "training_state";
  read_bytea_row(
      "SELECT model_weights, " + state + " FROM " + plan.tables.model.quoted() + where, {},
      [&](const ByteaValues& values) {
        const Bytes weights = values[0].value_or(Bytes{});
        try {
          set_state(trainer, configuration.key, weights, values[1].value_or(Bytes{}));
        } catch (const SqlError&) {
          throw;
        } catch (const Error& error) {
          if (error.code() != ErrorCode::kInvalidArgument || !values[1]) throw;
          // Another optimizer than in the former run: its weights still serve.
          report_notice((plan.is_single ? std::string("the model") : "mst_key " + std::to_string(configuration.key)) +
                        " begins with a fresh optimizer: " + error.what());
          set_state(trainer, configuration.key, weights, {});
        }
      });
}

/// Returns the bytes that were read; a segment that the trainer held already moves none.
std::int64_t feed_table(TrainerClient& trainer, const PackedTable& table, wire::TableKind kind, RunRecord& record,
                        const WhileFeeding& meanwhile) {
  std::int64_t bytes = 0;
  SegmentPlace place{kind == wire::TableKind_Validation, 0};
  for (const PackedSegment& segment : table.segments) {
    const SegmentFacts facts =
        feed_segment(trainer, table, {kind, segment.number, table.num_segments}, meanwhile.between_buffers);
    if (!facts.was_shared) bytes += facts.bytes;
    record.arrived(place, now_us());
    if (meanwhile.arrived) meanwhile.arrived(place);
    ++place.segment;
  }
  return bytes;
}

RunShape run_shape(const RunPlan& plan) {
  RunShape shape;
  shape.training_segments = static_cast<int>(plan.training.segments.size());
  shape.validation_segments = plan.validation ? static_cast<int>(plan.validation->segments.size()) : 0;
  shape.trains_side_by_side = plan.is_averaged;
  for (const ConfigurationPlan& configuration : plan.configurations) {
    shape.configurations.emplace(configuration.key, configuration_shape(plan, configuration));
  }
  return shape;
}

}  // namespace

void feed(TrainerClient& trainer, const RunPlan& plan, RunRecord& record, const WhileFeeding& meanwhile) {
  const std::int64_t began_us = now_us();
  std::int64_t bytes = feed_table(trainer, plan.training, wire::TableKind_Training, record, meanwhile);
  if (plan.validation) bytes += feed_table(trainer, *plan.validation, wire::TableKind_Validation, record, meanwhile);
  record.fed(bytes, static_cast<double>(now_us() - began_us) * 1e-6);
}

Work estimated_work(const RunPlan& plan, const ConfigurationPlan& configuration) {
  const auto flops = static_cast<double>(plan.architecture_of(configuration).forward_flops);
  const auto costs = [flops](const std::vector<std::int64_t>& rows, double factor, double most_rows) {
    std::vector<double> list;
    for (std::int64_t count : rows) list.push_back(flops * factor * std::min(static_cast<double>(count), most_rows));
    return list;
  };
  const TrainSpec& train = configuration.train;
  const double all = std::numeric_limits<double>::infinity();
  const double of_pass = static_cast<double>(train.steps_of_pass()) * train.batch_size;
  Work work;
  work.iterations = configuration.iterations();
  work.horizon = plan.iterations;
  work.train_cost = costs(plan.training.segment_rows(), kTrainingFactor * train.passes(), of_pass);
  work.evaluate_training_cost = costs(plan.training.segment_rows(), 1.0, all);
  if (plan.validation) work.evaluate_validation_cost = costs(plan.validation->segment_rows(), 1.0, all);
  work.evaluated_iterations = plan.evaluated_iterations(configuration);
  return work;
}

UnitRequest unit_request(std::uint64_t number, const Unit& unit, const RunPlan& plan) {
  const bool is_training = unit.kind == UnitKind::kTrain;
  const bool is_validation = unit.kind == UnitKind::kEvaluateValidation;
  return {number,
          is_training ? wire::UnitKind_Train : wire::UnitKind_Evaluate,
          unit.configuration,
          is_validation ? wire::TableKind_Validation : wire::TableKind_Training,
          plan.segment_number(unit),
          unit.iteration + plan.first_iteration - 1};
}

OpenConfiguration open_configuration(const ConfigurationPlan& configuration, std::int32_t key) {
  return {key, static_cast<std::uint32_t>(configuration.architecture), configuration.compile_params,
          configuration.fit_params};
}

ConfigurationShape configuration_shape(const RunPlan& plan, const ConfigurationPlan& configuration) {
  return {Scoring(plan.architecture_of(configuration).model, configuration.train),
          plan.evaluated_iterations(configuration)};
}

void give_initial_state(TrainerClient& trainer, const RunPlan& plan, const ConfigurationPlan& configuration) {
  if (configuration.origin == Origin::kFormerRun) {
    give_former_state(trainer, plan, configuration);
  } else if (configuration.origin == Origin::kArchitectureTable) {
    const std::string id = std::to_string(plan.architecture_of(configuration).model_id);
    read_bytea_row(
        "SELECT model_weights FROM " + plan.model_arch_table.quoted() + " WHERE model_id = " + id, {},
        [&](const ByteaValues& values) { set_state(trainer, configuration.key, values[0].value_or(Bytes{}), {}); });
  }
}

UnitRecord unit_record(const Unit& unit, const wire::UnitFinished& finished) {
  UnitRecord record;
  record.unit = unit;
  record.slot = finished.slot();
  record.started_us = finished.started_us();
  record.ended_us = finished.ended_us();
  record.steps = finished.steps();
  record.examples = finished.examples();
  record.loss = finished.loss();
  if (unit.kind != UnitKind::kTrain && record.examples > 0) record.loss /= static_cast<double>(record.examples);
  record.sums.examples = finished.examples();
  record.sums.loss = finished.loss();
  record.sums.penalty = finished.penalty();
  if (const auto* losses = finished.output_losses()) record.sums.output_losses.assign(losses->begin(), losses->end());
  if (const auto* metrics = finished.metrics()) record.sums.metrics.assign(metrics->begin(), metrics->end());
  record.learning_rate = finished.learning_rate();
  record.has_diverged = finished.has_diverged();
  return record;
}

RunRecord coordinate(TrainerClient& trainer, RunPlan& plan) {
  send_open_run(trainer, open_request(plan));
  prepare_output(plan);  // while the trainer opens the run
  RunRecord record(run_shape(plan), now_us());
  await_run_opened(trainer);
  for (const ConfigurationPlan& configuration : plan.configurations) give_initial_state(trainer, plan, configuration);
  if (plan.is_averaged) begin_copies(trainer, plan);
  RunDirector director(trainer, plan, record);
  if (!plan.is_cached) {
    run_streamed(trainer, plan, director);
  } else if (plan.is_averaged) {
    feed(trainer, plan, record, {});
    run_averaged(trainer, plan, director);
  } else {
    run_cached(trainer, plan, director, record);
  }
  director.end();
  record.finish(now_us(), plan.slots);
  return record;
}

}  // namespace modelhop::server
