// SPDX-License-Identifier: Apache-2.0
// A trained model as fit or fit_multiple_model left it in its output tables.
#pragma once

#include "server/postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "modelhop/model_spec.hpp"
#include "modelhop/train_spec.hpp"
#include "server/query.hpp"
#include "server/trainer_client.hpp"

namespace modelhop::server {

struct StoredModel {
  std::string text;  ///< model_table as the caller wrote it
  TableName table;
  std::int32_t key = 1;  ///< mst_key, 1 for a single model
  bool is_single = false;
  std::string json;
  ModelSpec model;
  std::string compile_params;
  std::string fit_params;
  TrainSpec train;
  std::string dependent_name;
  double normalizing_const = 1.0;
  std::vector<std::optional<std::string>> class_values;  ///< empty: not classes

  Shape input_shape() const { return model.nodes.at(model.inputs.at(0)).output_shapes.at(0); }
  std::int64_t output_elements() const { return element_count(model.shape_of(model.outputs.at(0))); }
};

/// Throws SqlError naming model_table or mst_key: not a model table, a key that is missing, unknown or not wanted,
/// weights that do not fit the architecture.
StoredModel read_stored_model(const std::optional<std::string>& model_table, std::optional<std::int32_t> mst_key);

/// Opens a run for this model alone and gives it its weights. `dependent_row_elements` 0: it only predicts.
void open_stored_model(TrainerClient& trainer, const StoredModel& model, const std::string& purpose,
                       std::int64_t dependent_row_elements, std::int64_t units);

}  // namespace modelhop::server
