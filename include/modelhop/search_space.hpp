// SPDX-License-Identifier: Apache-2.0
// A grid of compile and fit parameters as plain values: read by src/spec, drawn from by src/selection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace modelhop {

/// A continuous range that random search draws from (MADlib's three spellings).
struct Distribution {
  enum class Kind : std::uint8_t {
    kLinear,      ///< uniform in [low, high)
    kLog,         ///< 10^U(log10 low, log10 high)
    kLogNearOne,  ///< 1 - 10^U(log10(1 - high), log10(1 - low)), for momentum-like parameters
  };
  Kind kind = Kind::kLinear;
  double low = 0.0;
  double high = 1.0;
};

/// One parameter: a list of values, each as the text that goes into the parameters, or a distribution.
struct Parameter {
  std::string name;
  std::vector<std::string> values;
  std::optional<Distribution> distribution;
};

struct SearchSpace {
  std::vector<Parameter> compile;  ///< without the optimizer, in the order of the grid
  /// One or more optimizers with their own parameters; the first parameter of each is named "optimizer".
  std::vector<std::vector<Parameter>> optimizers;
  std::vector<Parameter> fit;
};

}  // namespace modelhop
