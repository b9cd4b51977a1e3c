// SPDX-License-Identifier: Apache-2.0
// A search space as the choices that lead to a configuration, one after the other: model id, optimizer, the parameters
// of that optimizer, compile, fit. Grids enumerate it, random search draws from it, TPE learns in it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "modelhop/search_space.hpp"
#include "selection/configurations.hpp"

namespace modelhop {

inline constexpr std::size_t kMaxConfigurations = 1'000'000;

/// One choice. Its coordinate is a place in the list, or a number on the scale on which the distribution is uniform.
struct Choice {
  std::string name;
  std::size_t count = 0;  ///< of listed values; 0: a distribution
  double low = 0.0;       ///< of a distribution
  double high = 0.0;
  std::optional<std::size_t> optimizer;  ///< is made only where this optimizer was chosen
};

/// A coordinate for each choice; empty where the choice is not made.
using Point = std::vector<std::optional<double>>;

class ChoiceTree {
 public:
  /// Throws kInvalidArgument where there are no model ids.
  ChoiceTree(std::vector<std::int32_t> model_ids, SearchSpace space);
  ChoiceTree(const ChoiceTree&) = delete;
  ChoiceTree& operator=(const ChoiceTree&) = delete;

  /// In the order in which they are made.
  const std::vector<Choice>& choices() const { return choices_; }

  /// Whether a choice is to be made, which those before it in the point decide.
  bool is_made(std::size_t choice, const Point& point) const;

  /// As MADlib 2.x spells it. Numbers are rounded, so that the last bits of a machine's mathematics library cannot
  /// show.
  ConfigurationText text(const Point& point) const;

  /// Whether there are lists only, so that every combination can be named.
  bool is_finite() const;

  /// Every combination, the first choice slowest. Throws kInvalidArgument where there is a distribution, or where there
  /// are more than kMaxConfigurations.
  void for_each_point(const std::function<void(const Point& point)>& visit) const;

 private:
  void add(const std::vector<Parameter>& parameters, std::optional<std::size_t> optimizer);
  double combinations() const;
  void visit_from(std::size_t choice, Point& point, const std::function<void(const Point& point)>& visit) const;

  std::vector<std::int32_t> model_ids_;
  SearchSpace space_;
  std::vector<Choice> choices_;
  std::vector<const Parameter*> parameters_;  ///< of each choice, in space_; none for model id and optimizer
};

}  // namespace modelhop
