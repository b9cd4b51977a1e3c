// SPDX-License-Identifier: Apache-2.0
// evaluate: loss and metrics of a stored model on a packed table.
#pragma once

#include "server/postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace modelhop::server {

struct EvaluationRequest {
  std::optional<std::string> model_table;
  std::optional<std::string> test_table;
  std::optional<std::string> output_table;
  bool use_gpus = false;
  std::optional<std::int32_t> mst_key;
};

void evaluate(const EvaluationRequest& request);

}  // namespace modelhop::server
