// SPDX-License-Identifier: Apache-2.0
#include "server/prediction_output.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "server/bridge.hpp"
#include "server/value_text.hpp"

namespace modelhop::server {
namespace {

// Rows of one INSERT: enough to make its fixed cost vanish, few enough to stay far from a value's limit.
constexpr std::size_t kRowsPerInsert = 32768;

}  // namespace

PredictionOutput::PredictionOutput(const StoredModel& model, const PredictionKind& kind, TableName table)
    : model_(model), kind_(kind), table_(std::move(table)), class_names_(model.class_values) {
  const auto outputs = static_cast<std::size_t>(model.output_elements());
  is_binary_ = outputs == 1 && class_names_.size() == 2;
  if (class_names_.empty()) {
    for (std::size_t i = 0; i < outputs; ++i) class_names_.push_back(std::to_string(i));
  }
  if (!is_binary_ && class_names_.size() != outputs) {
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "argument model_table: \"" + model.text + "\" has " +
                                                        std::to_string(class_names_.size()) + " classes and " +
                                                        std::to_string(outputs) + " outputs");
  }
}

void PredictionOutput::create_table(const ExampleSource& source) {
  id_column_ = source.id_column;
  id_type_ = source.id_type;
  execute("CREATE TABLE " + table_.quoted() + " (" + quote_identifier(id_column_) + " " + id_type_ +
          ", class_name text, class_value text, prob double precision" + (has_rank() ? ", rank integer" : "") + ")");
}

void PredictionOutput::add(const std::vector<std::optional<std::string>>& ids, std::span<const float> outputs) {
  const std::size_t width = ids.empty() ? 0 : outputs.size() / ids.size();
  for (std::size_t row = 0; row < ids.size(); ++row) {
    add_row(ids[row], outputs.subspan(row * width, width));
    if (ids_.size() >= kRowsPerInsert) flush();
  }
}

void PredictionOutput::add_row(const std::optional<std::string>& id, std::span<const float> outputs) {
  std::vector<double> probabilities(outputs.begin(), outputs.end());
  if (is_binary_) probabilities.insert(probabilities.begin(), 1.0 - probabilities[0]);
  std::vector<std::size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto weight = [&](std::size_t place) {
    return std::isnan(probabilities[place]) ? -HUGE_VAL : probabilities[place];
  };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return weight(a) > weight(b); });

  std::size_t count = order.size();
  if (kind_.kind == PredictionKind::Kind::kResponse) count = std::min<std::size_t>(count, 1);
  if (kind_.kind == PredictionKind::Kind::kTopK) count = std::min<std::size_t>(count, kind_.k);
  for (std::size_t rank = 0; rank < count; ++rank) {
    const double probability = probabilities[order[rank]];
    if (kind_.kind == PredictionKind::Kind::kThreshold && !(probability > kind_.threshold)) continue;
    add_class(id, order[rank], probability, static_cast<std::int32_t>(rank) + 1);
  }
}

void PredictionOutput::add_class(const std::optional<std::string>& id, std::size_t place, double probability,
                                 std::int32_t rank) {
  ids_.push_back(id);
  classes_.push_back(class_names_[place]);
  probabilities_.push_back(probability);
  ranks_.push_back(rank);
}

void PredictionOutput::flush() {
  if (ids_.empty()) return;
  const std::string ranked = has_rank() ? ", r" : "";
  execute(
      "INSERT INTO " + table_.quoted() + " SELECT i::" + id_type_ + ", $2, c, p" + ranked +
          " FROM unnest($1::text[], $3::text[], $4::double precision[], $5::integer[]) AS u(i, c, p, r)",
      {array_text(ids_), model_.dependent_name, array_text(classes_), array_text(probabilities_), array_text(ranks_)});
  ids_.clear();
  classes_.clear();
  probabilities_.clear();
  ranks_.clear();
}

}  // namespace modelhop::server
