// SPDX-License-Identifier: Apache-2.0
// A model with weights, to evaluate or predict: as fit or fit_multiple_model left it in its output tables, or as
// load_keras_model stored it.
#pragma once

#include "server/postgres.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "modelhop/model_spec.hpp"
#include "modelhop/train_spec.hpp"
#include "server/query.hpp"
#include "server/trainer_requests.hpp"

namespace modelhop::server {

/// What an output of the model stands for.
struct StoredOutput {
  std::string name;                                      ///< of the dependent variable
  std::string encoding;                                  ///< one_hot, class_id or float
  std::vector<std::optional<std::string>> class_values;  ///< empty: not classes
};

struct StoredModel {
  std::string text;  ///< the table as the caller wrote it
  TableName table;
  std::string condition;  ///< the WHERE clause that finds its row in `table`
  std::int32_t key = 1;   ///< mst_key, 1 for a single model
  bool is_single = false;
  std::string json;
  ModelSpec model;
  std::string compile_params;
  std::string fit_params;
  TrainSpec train;
  CustomFunctions custom_functions;         ///< that the parameters name, as they were when it was trained
  std::vector<double> normalizing_consts;   ///< one for each input
  std::vector<StoredOutput> outputs;        ///< in the model's order
  std::optional<SemanticsProfile> profile;  ///< instead of the one that the architecture's fingerprint gives

  std::vector<Shape> input_shapes() const;
};

/// Throws SqlError naming model_table or mst_key: not a model table, a key that is missing, unknown or not wanted,
/// weights that do not fit the architecture.
StoredModel read_stored_model(const std::optional<std::string>& model_table, std::optional<std::int32_t> mst_key);

/// What the caller tells about a model whose training we did not see.
struct LoadedModelRequest {
  std::optional<std::string> model_arch_table;
  std::optional<std::int32_t> model_id;
  std::optional<std::vector<std::vector<std::optional<std::string>>>> class_values;  ///< one list for each output
  std::optional<double> normalizing_const;
  std::optional<std::int32_t> dependent_count;
};

/// Throws SqlError naming the argument: an unknown architecture, or one without weights; classes, a constant or a
/// number of outputs that do not fit.
StoredModel read_loaded_model(const LoadedModelRequest& request);

/// Hands the weights to `use`; they live until it returns.
void read_weights(const StoredModel& model, const std::function<void(Bytes weights)>& use);

/// Opens a run for this model alone and gives it its weights. `dependent_row_elements` empty: it only predicts.
void open_stored_model(TrainerClient& trainer, const StoredModel& model, const std::string& purpose,
                       const std::vector<std::int64_t>& dependent_row_elements, std::int64_t units);

}  // namespace modelhop::server
