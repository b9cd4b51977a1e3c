// SPDX-License-Identifier: Apache-2.0
// data/curves.csv: real validation losses of a whole grid after each of 27 iterations (data/README.md).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "modelhop/search_space.hpp"
#include "selection/random_draws.hpp"

namespace modelhop {

class RecordedCurves {
 public:
  static constexpr std::int32_t kIterations = 27;

  explicit RecordedCurves(const std::string& path);

  static std::vector<std::int32_t> model_ids() { return {1, 2, 3}; }
  static SearchSpace space();

  std::size_t size() const { return curves_.size(); }
  /// Infinite where it had diverged by then.
  double loss(const ConfigurationText& configuration, std::int32_t iterations) const;
  double best_loss() const;  ///< of the grid, after all iterations

 private:
  std::map<ConfigurationIdentity, std::vector<double>> curves_;
};

}  // namespace modelhop
