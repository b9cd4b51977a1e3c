// SPDX-License-Identifier: Apache-2.0
// A search for good configurations as asks and tells: it names what to train next, who trains tells the losses.
// Pure decisions: no clock, no threads, no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "selection/configurations.hpp"
#include "selection/schedule.hpp"

namespace modelhop {

/// A configuration to be trained until it has had `iterations` iterations in all, and then to be told about.
struct Trial {
  ConfigurationKey key = 0;                        ///< counts from 1 in the order in which trials are named
  std::optional<ConfigurationText> configuration;  ///< empty: the key is known and goes on from where it stands
  std::int32_t iterations = 1;
  int bracket = 0;  ///< Hyperband's s; 0 elsewhere
  int rung = 0;     ///< Hyperband's i; 0 elsewhere
};

/// What is asked depends on the seed and on the losses told, not on the order or the time in which they come, so that
/// a search gives the same trials on every machine and at every number of slots.
class Search {
 public:
  virtual ~Search() = default;

  /// Everything that can be named now and was not yet: at first, and again after each tell(). Empty: nothing until the
  /// next tell().
  virtual std::vector<Trial> ask() = 0;

  /// The loss of a trial after the iterations that were asked for, the lower the better. What is not finite has
  /// diverged: it counts as worse than every number and is not asked for again.
  virtual void tell(ConfigurationKey key, double loss) = 0;

  virtual bool is_done() const = 0;  ///< everything asked was told, and nothing is left to ask

  /// Configurations and iterations that will have been asked in the end, where none diverges.
  virtual std::int32_t planned_configurations() const = 0;
  virtual std::int64_t planned_iterations() const = 0;
};

}  // namespace modelhop
