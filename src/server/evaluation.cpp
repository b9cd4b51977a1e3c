// SPDX-License-Identifier: Apache-2.0
#include "server/evaluation.hpp"

#include <algorithm>

#include "server/bridge.hpp"
#include "server/coordinator.hpp"
#include "server/packed_table.hpp"
#include "server/run_input.hpp"
#include "server/segment_feed.hpp"
#include "server/settings.hpp"
#include "server/stored_model.hpp"
#include "server/trainer_requests.hpp"
#include "server/value_text.hpp"
#include "spec/train_params.hpp"

namespace modelhop::server {
namespace {

/// As in training: positions of classes must mean the same, and so must the values of the examples.
void check_table(const PackedTable& table, const StoredModel& model) {
  const auto refuse = [&](const std::string& what) {
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                   "argument test_table: \"" + table.text + "\" " + what + " model_table \"" + model.text + "\"",
                   "Make it by validation_preprocessor_dl with the training table of the model.");
  };
  if (table.independent_shapes() != model.input_shapes()) refuse("has examples of another shape than the input of");
  if (table.dependent.size() != model.outputs.size()) refuse("has another number of dependent variables than");
  for (std::size_t place = 0; place < table.dependent.size(); ++place) {
    const auto& own = table.dependent[place].class_values;
    const auto& trained = model.outputs[place].class_values;
    if (!own.empty() && !trained.empty() && own != trained) refuse("has other classes than");
  }
  if (table.normalizing_consts != model.normalizing_consts) refuse("has another normalizing_const than");
  check_fits_data(model.model, model.train, table.independent_shapes(), table.dependent_variables());
}

UnitRecord hear(TrainerClient& trainer, const StoredModel& model) {
  const wire::Frame frame = trainer.wait_event();
  const auto& finished = finished_unit(frame, [](std::uint64_t) { return std::string(); });
  return unit_record({model.key, UnitKind::kEvaluateValidation, static_cast<std::int32_t>(finished.unit()), 1},
                     finished);
}

/// Every segment in the trainer, all of them evaluated side by side.
void evaluate_cached(TrainerClient& trainer, const StoredModel& model, const PackedTable& table, RunRecord& record) {
  for (const PackedSegment& segment : table.segments) {
    feed_segment(trainer, table, {wire::TableKind_Validation, segment.number, table.num_segments});
    run_unit(trainer, {static_cast<std::uint64_t>(segment.number), wire::UnitKind_Evaluate, model.key,
                       wire::TableKind_Validation, segment.number, 1});
  }
  for (std::size_t heard = 0; heard < table.segments.size(); ++heard) record.add(hear(trainer, model));
}

void evaluate_streamed(TrainerClient& trainer, const StoredModel& model, const PackedTable& table, RunRecord& record) {
  for (const PackedSegment& segment : table.segments) {
    SegmentStream stream(trainer, table, {wire::TableKind_Validation, segment.number, table.num_segments});
    stream.scan(0, {{static_cast<std::uint64_t>(segment.number), model.key, true}});
    record.add(hear(trainer, model));
  }
}

void write_score(const TableName& output, const StoredModel& model, const Score& score) {
  const Scoring scoring(model.model, model.train);
  std::vector<std::optional<std::string>> names;
  for (const std::string& name : scoring.metric_names()) names.push_back(name);
  const bool has_metrics = !names.empty();
  const auto where_metrics = [has_metrics](std::string text) {
    return has_metrics ? std::optional<std::string>(std::move(text)) : std::nullopt;
  };
  const bool madlib_columns = current_settings().madlib_columns;
  execute("CREATE TABLE " + output.quoted() +
          " (loss double precision, metric double precision, metrics_type text[], loss_type text" +
          (madlib_columns ? ")" : ", all_metrics double precision[], scores jsonb)"));
  Parameters values = {number_text(score.loss), where_metrics(has_metrics ? number_text(score.metrics.front()) : ""),
                       where_metrics(array_text(names)), loss_names_text(model.train)};
  std::string list = "$1::double precision, $2::double precision, $3::text[], $4";
  if (!madlib_columns) {
    values.push_back(where_metrics(array_text(score.metrics)));
    values.push_back(score_json(scoring, score));
    list += ", $5::double precision[], $6::jsonb";
  }
  execute("INSERT INTO " + output.quoted() + " VALUES (" + list + ")", values);
}

}  // namespace

void evaluate(const EvaluationRequest& request) {
  const StoredModel model = read_stored_model(request.model_table, request.mst_key);
  const PackedTable table =
      read_packed_table("test_table", given_name("test_table", request.test_table, TableRole::kInput));
  check_table(table, model);
  const TableName output =
      free_output_table("output_table", given_name("output_table", request.output_table, TableRole::kOutput));
  TrainerClient trainer = TrainerClient::connect();
  check_device(trainer, request.use_gpus);
  open_stored_model(trainer, model, "evaluate", table.dependent_row_elements(),
                    static_cast<std::int64_t>(table.segments.size()));

  RunShape shape;
  shape.training_segments = 0;
  shape.validation_segments = static_cast<int>(table.segments.size());
  shape.configurations.emplace(model.key, ConfigurationShape{Scoring(model.model, model.train), {1}});
  RunRecord record(shape, 0);
  const bool fits = table.decoded_bytes() <= current_settings().cache_memory;
  (fits ? evaluate_cached : evaluate_streamed)(trainer, model, table, record);
  record.finish(0, trainer.info().slots);
  close_run(trainer);
  const ScoredIteration* scored = record.of(model.key).scored(1);
  check(scored != nullptr && scored->validation, "an evaluation without a score");
  write_score(output, model, *scored->validation);
}

}  // namespace modelhop::server
