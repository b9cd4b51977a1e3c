// SPDX-License-Identifier: Apache-2.0
// Rows of the prediction table from the outputs of the network.
#pragma once

#include "server/postgres.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "server/prediction.hpp"
#include "server/prediction_input.hpp"
#include "server/stored_model.hpp"

namespace modelhop::server {

/// Of each example and output: rows of classes, or one row with the numbers of an output that is none of classes.
class PredictionOutput {
 public:
  /// Throws SqlError where the classes of the model do not fit its outputs.
  PredictionOutput(const StoredModel& model, const PredictionKind& kind, TableName table);

  void create_table(const ExampleSource& source);
  /// `outputs`: of each id all outputs one after the other.
  void add(const std::vector<std::optional<std::string>>& ids, std::span<const float> outputs);
  void flush();

 private:
  struct Part {
    std::string name;  ///< of the dependent variable
    Shape shape;
    bool is_numbers = false;  ///< no classes: written as an array
    bool is_binary = false;   ///< one number that is the probability of the second of two classes
    std::vector<std::optional<std::string>> class_names;
  };

  static Part part_of(const StoredModel& model, std::size_t output);
  void add_classes(const Part& part, const std::optional<std::string>& id, std::span<const float> outputs);
  void add_row(const std::optional<std::string>& id, const Part& part, std::optional<std::string> class_value,
               std::optional<double> probability, std::int32_t rank);
  bool has_rank() const { return kind_.kind != PredictionKind::Kind::kResponse; }

  PredictionKind kind_;
  TableName table_;
  std::string id_column_;
  std::string id_type_;
  std::vector<Part> parts_;
  bool has_numbers_ = false;

  // Rows that wait for their INSERT, column by column.
  std::vector<std::optional<std::string>> ids_;
  std::vector<std::optional<std::string>> names_;
  std::vector<std::optional<std::string>> classes_;
  std::vector<std::optional<std::string>> probabilities_;
  std::vector<std::int32_t> ranks_;
  std::vector<std::optional<std::string>> numbers_;
  std::size_t number_bytes_ = 0;  ///< of all numbers_
};

}  // namespace modelhop::server
