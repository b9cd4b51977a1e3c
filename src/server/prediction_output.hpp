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

class PredictionOutput {
 public:
  /// Throws SqlError where the classes of the model do not fit its output.
  PredictionOutput(const StoredModel& model, const PredictionKind& kind, TableName table);

  void create_table(const ExampleSource& source);
  /// `outputs`: ids.size() rows of the model's output_elements().
  void add(const std::vector<std::optional<std::string>>& ids, std::span<const float> outputs);
  void flush();

 private:
  void add_row(const std::optional<std::string>& id, std::span<const float> outputs);
  void add_class(const std::optional<std::string>& id, std::size_t place, double probability, std::int32_t rank);
  bool has_rank() const { return kind_.kind != PredictionKind::Kind::kResponse; }

  const StoredModel& model_;
  PredictionKind kind_;
  TableName table_;
  std::string id_column_;
  std::string id_type_;
  bool is_binary_ = false;  ///< one output that is the probability of the second of two classes

  std::vector<std::optional<std::string>> class_names_;
  std::vector<std::optional<std::string>> ids_;
  std::vector<std::optional<std::string>> classes_;
  std::vector<double> probabilities_;
  std::vector<std::int32_t> ranks_;
};

}  // namespace modelhop::server
