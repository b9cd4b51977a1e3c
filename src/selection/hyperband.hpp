// SPDX-License-Identifier: Apache-2.0
// Hyperband (Li et al. 2018): many configurations for a few iterations, the best of them for more. As there are
// several exchange rates of width against depth, there are several brackets; all run at once.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "modelhop/search_space.hpp"
#include "selection/proposer.hpp"
#include "selection/search.hpp"

namespace modelhop {

/// Rung `i` of bracket `s`: `n_i` configurations are trained until they have had `r_i` iterations.
struct HyperbandRow {
  std::int32_t s = 0;
  std::int32_t i = 0;
  std::int32_t n_i = 0;
  std::int32_t r_i = 0;
  bool operator==(const HyperbandRow&) const = default;
};

/// The widest bracket first. No configuration has more than `r` iterations, each rung keeps 1/eta of the one before,
/// and the last `skip_last` rungs of each bracket are left out. Throws kInvalidArgument unless eta > 1, r >= eta and
/// 0 <= skip_last <= the number of the widest bracket.
std::vector<HyperbandRow> hyperband_schedule(std::int32_t r, std::int32_t eta, std::int32_t skip_last);

/// Two things are added to the published algorithm, because both find better configurations in replays of real curves:
/// a rung is ranked by the losses that its members are heading for, and where the first rung of the widest bracket is
/// large enough to learn from, the other brackets wait for it and draw their configurations as TPE does.
///
/// Configurations are distinct; where a finite space has fewer than the schedule wants, the last brackets stay short or
/// empty. Keys go from bracket to bracket. A rung is promoted when all its members are told; ties go to the lower key,
/// and what diverged never goes on.
class HyperbandSearch final : public Search {
 public:
  HyperbandSearch(const std::vector<std::int32_t>& model_ids, const SearchSpace& space, std::int32_t r,
                  std::int32_t eta, std::int32_t skip_last, std::uint64_t seed);

  std::vector<Trial> ask() override;
  void tell(ConfigurationKey key, double loss) override;
  bool is_done() const override { return waiting_.empty(); }
  std::int32_t planned_configurations() const override { return static_cast<std::int32_t>(proposer_.size()); }
  std::int64_t planned_iterations() const override { return planned_iterations_; }

 private:
  struct Member {
    std::optional<double> loss;      ///< in this rung; empty: not told, or diverged
    std::optional<double> previous;  ///< in the rung before
  };
  struct Bracket {
    std::vector<HyperbandRow> rungs;  ///< n_i is what there is room for among the bracket's own members
    std::size_t rung = 0;             ///< the one that is trained now
    std::size_t untold = 0;
    std::map<ConfigurationKey, Member> members;  ///< of this rung
  };

  static std::vector<ConfigurationKey> ranking(const Bracket& bracket);
  void fill(std::size_t bracket);
  void fill_others();
  void promote(std::size_t bracket);

  std::vector<HyperbandRow> schedule_;
  Proposer proposer_;
  std::vector<Bracket> brackets_;
  std::vector<Observation> first_rung_;              ///< of the widest bracket, by key
  std::map<ConfigurationKey, std::size_t> waiting_;  ///< asked and not yet told, with their brackets
  std::vector<Trial> next_;                          ///< to be asked
  std::int32_t named_ = 0;
  std::int64_t planned_iterations_ = 0;
};

}  // namespace modelhop
