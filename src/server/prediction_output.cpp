// SPDX-License-Identifier: Apache-2.0
#include "server/prediction_output.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "server/bridge.hpp"
#include "server/settings.hpp"
#include "server/value_text.hpp"

namespace modelhop::server {
namespace {

// Rows of one INSERT and their text: enough to make its fixed cost vanish, little enough that hardly any are left to
// insert after the last unit, and that an array stays far from a value's limit.
constexpr std::size_t kRowsPerInsert = 2048;
constexpr std::size_t kNumberBytesPerInsert = std::size_t{4} << 20;

/// Whether the loss compares scores of classes.
bool is_of_classes(LossKind kind) {
  switch (kind) {
    case LossKind::kCategoricalCrossentropy:
    case LossKind::kSparseCategoricalCrossentropy:
    case LossKind::kBinaryCrossentropy:
    case LossKind::kCategoricalHinge:
    case LossKind::kBinaryFocalCrossentropy:
    case LossKind::kCategoricalFocalCrossentropy:
      return true;
    default:
      return false;
  }
}

/// {{1,2},{3,4}} of a shape (2, 2).
std::string nested_text(const Shape& shape, std::size_t axis, std::span<const float> values) {
  if (axis == shape.size()) return number_text(values.front());
  const std::size_t step = values.size() / static_cast<std::size_t>(shape[axis]);
  std::string text = "{";
  for (std::size_t first = 0; first < values.size(); first += step) {
    text += (first > 0 ? "," : "") + nested_text(shape, axis + 1, values.subspan(first, step));
  }
  return text + "}";
}

}  // namespace

PredictionOutput::Part PredictionOutput::part_of(const StoredModel& model, std::size_t output) {
  const StoredOutput& stored = model.outputs[output];
  Part part;
  part.name = stored.name;
  part.shape = model.model.output_shape(output);
  // MADlib numbers the elements of an output without classes, as if they were some.
  const bool is_measured = stored.class_values.empty() && stored.encoding == "float" &&
                           !is_of_classes(model.train.losses[output].kind) && !current_settings().madlib_columns;
  part.is_numbers = part.shape.size() != 1 || is_measured;
  if (part.is_numbers) return part;
  const auto elements = static_cast<std::size_t>(element_count(part.shape));
  part.class_names = stored.class_values;
  part.is_binary = elements == 1 && part.class_names.size() == 2;
  if (part.class_names.empty()) {
    for (std::size_t i = 0; i < elements; ++i) part.class_names.push_back(std::to_string(i));
  }
  if (!part.is_binary && part.class_names.size() != elements) {
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "argument model_table: \"" + model.text + "\" has " +
                                                        std::to_string(part.class_names.size()) + " classes and " +
                                                        std::to_string(elements) + " outputs");
  }
  return part;
}

PredictionOutput::PredictionOutput(const StoredModel& model, const PredictionKind& kind, TableName table)
    : kind_(kind), table_(std::move(table)) {
  for (std::size_t output = 0; output < model.outputs.size(); ++output) {
    parts_.push_back(part_of(model, output));
    has_numbers_ = has_numbers_ || parts_.back().is_numbers;
  }
}

void PredictionOutput::create_table(const ExampleSource& source) {
  id_column_ = source.id_column;
  id_type_ = source.id_type;
  execute("CREATE TABLE " + table_.quoted() + " (" + quote_identifier(id_column_) + " " + id_type_ +
          ", class_name text, class_value text, prob double precision" + (has_rank() ? ", rank integer" : "") +
          (has_numbers_ ? ", predicted real[]" : "") + ")");
}

void PredictionOutput::add(const std::vector<std::optional<std::string>>& ids, std::span<const float> outputs) {
  for (const auto& id : ids) {
    for (const Part& part : parts_) {
      const auto width = static_cast<std::size_t>(element_count(part.shape));
      if (part.is_numbers) {
        add_row(id, part, std::nullopt, std::nullopt, 1);
        numbers_.back() = nested_text(part.shape, 0, outputs.first(width));
        number_bytes_ += numbers_.back()->size();
      } else {
        add_classes(part, id, outputs.first(width));
      }
      outputs = outputs.subspan(width);
    }
    if (ids_.size() >= kRowsPerInsert || number_bytes_ >= kNumberBytesPerInsert) flush();
  }
}

void PredictionOutput::add_classes(const Part& part, const std::optional<std::string>& id,
                                   std::span<const float> outputs) {
  std::vector<double> probabilities(outputs.begin(), outputs.end());
  if (part.is_binary) probabilities.insert(probabilities.begin(), 1.0 - probabilities[0]);
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
    add_row(id, part, part.class_names[order[rank]], probability, static_cast<std::int32_t>(rank) + 1);
  }
}

void PredictionOutput::add_row(const std::optional<std::string>& id, const Part& part,
                               std::optional<std::string> class_value, std::optional<double> probability,
                               std::int32_t rank) {
  ids_.push_back(id);
  names_.push_back(part.name);
  classes_.push_back(std::move(class_value));
  probabilities_.push_back(probability ? std::optional(number_text(*probability)) : std::nullopt);
  ranks_.push_back(rank);
  numbers_.emplace_back();
}

void PredictionOutput::flush() {
  if (ids_.empty()) return;
  execute("INSERT INTO " + table_.quoted() + " SELECT i::" + id_type_ + ", n, c, p::double precision" +
              (has_rank() ? ", r" : "") + (has_numbers_ ? ", v::real[]" : "") +
              " FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::text[]) "
              "AS u(i, n, c, p, r, v)",
          {array_text(ids_), array_text(names_), array_text(classes_), array_text(probabilities_), array_text(ranks_),
           array_text(numbers_)});
  ids_.clear();
  names_.clear();
  classes_.clear();
  probabilities_.clear();
  ranks_.clear();
  numbers_.clear();
  number_bytes_ = 0;
}

}  // namespace modelhop::server
