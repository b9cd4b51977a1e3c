// SPDX-License-Identifier: Apache-2.0
// Text of automl's automl_method and automl_params -> checked values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace modelhop {

/// Configurations are trained for r iterations at most, 1/eta of each rung go on; the last skip_last brackets are left
/// out.
struct HyperbandParams {
  std::int32_t r = 6;
  std::int32_t eta = 3;
  std::int32_t skip_last = 0;
};

struct HyperoptParams {
  std::int32_t num_configs = 20;
  std::int32_t num_iterations = 5;
  bool is_tpe = true;  ///< else configurations are drawn at random
};

using AutomlParams = std::variant<HyperbandParams, HyperoptParams>;

/// `method` is hyperband or hyperopt in any case, `params` such as 'R=6, eta=3' or empty; what it does not name keeps
/// its default. Throws kInvalidArgument naming the argument, the key and the value. Whether R, eta and skip_last go
/// together is the schedule's to say.
AutomlParams parse_automl_params(std::string_view method, std::string_view params);

/// All keys with their values, as MADlib spells its defaults: 'R=6, eta=3, skip_last=0'.
std::string to_string(const AutomlParams& params);

/// The iterations that a configuration is trained for at most.
std::int32_t most_iterations(const AutomlParams& params);

}  // namespace modelhop
