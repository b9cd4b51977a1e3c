// SPDX-License-Identifier: Apache-2.0
// Searches of a given number of configurations, all trained for the same number of iterations: by TPE, or at random.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "modelhop/search_space.hpp"
#include "selection/proposer.hpp"
#include "selection/search.hpp"

namespace modelhop {

struct TpeOptions {
  std::int32_t startup = 10;     ///< so many random draws come first
  std::int32_t candidates = 24;  ///< compared for each choice of a proposal
  std::int32_t in_flight = 4;    ///< proposal k knows the losses of 1 to k - in_flight: so many may train at once
};

/// Distinct configurations; fewer where the space is finite and smaller. Of the losses that a proposal knows, the best
/// 15 % are the good ones (25 at most); what is named but not yet known counts as not good, so that those in flight at
/// the same time do not crowd. hyperopt takes a quarter of the square root and starts with 20: docs/decisions.md has
/// the numbers.
class TpeSearch : public Search {
 public:
  /// Throws kInvalidArgument where a number is below 1 or num_configs above kMaxConfigurations.
  TpeSearch(const std::vector<std::int32_t>& model_ids, const SearchSpace& space, std::int32_t num_configs,
            std::int32_t num_iterations, std::uint64_t seed, const TpeOptions& options = {});

  std::vector<Trial> ask() override;
  void tell(ConfigurationKey key, double loss) override;
  bool is_done() const override { return told_prefix_ == proposer_.size(); }
  std::int32_t planned_configurations() const override { return static_cast<std::int32_t>(proposer_.size()); }
  std::int64_t planned_iterations() const override { return std::int64_t{num_iterations_} * planned_configurations(); }

 private:
  bool can_name(std::size_t number) const;
  Draw draw(std::size_t number);

  std::int32_t num_iterations_;
  TpeOptions options_;
  Proposer proposer_;
  std::vector<Observation> observations_;  ///< by key, with the losses of those told
  std::vector<bool> is_told_;              ///< by key
  std::size_t told_prefix_ = 0;            ///< trials 1 to this one are told
};

/// Random draws, all asked at once.
class RandomSearch final : public TpeSearch {
 public:
  RandomSearch(const std::vector<std::int32_t>& model_ids, const SearchSpace& space, std::int32_t num_configs,
               std::int32_t num_iterations, std::uint64_t seed)
      : TpeSearch(model_ids, space, num_configs, num_iterations, seed,
                  {.startup = std::numeric_limits<std::int32_t>::max()}) {}
};

}  // namespace modelhop
