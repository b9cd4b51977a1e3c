// SPDX-License-Identifier: Apache-2.0
// predict and predict_byom: rows of an unpacked table through a stored model into an output table, a batch at a time,
// several in flight.
#pragma once

#include "server/postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>

#include "server/stored_model.hpp"

namespace modelhop::server {

/// Which classes of each row are written.
struct PredictionKind {
  enum class Kind : std::uint8_t { kProbabilities, kResponse, kTopK, kThreshold };
  Kind kind = Kind::kProbabilities;
  std::int32_t k = 0;
  double threshold = 0.0;
};

struct PredictionRequest {
  std::optional<std::string> test_table;
  std::optional<std::string> id_col;
  std::optional<std::string> independent_varname;
  std::optional<std::string> output_table;
  PredictionKind kind;
  bool use_gpus = false;
};

/// `purpose` is the function that was called, for the view progress.
void predict(const StoredModel& model, const PredictionRequest& request, const std::string& purpose);

}  // namespace modelhop::server
