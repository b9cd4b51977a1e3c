// SPDX-License-Identifier: Apache-2.0
// The plans of one executor, kept per (architecture, loss, rows, purpose) and compiled when first needed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "engine/plan.hpp"

namespace modelhop::engine {

class PlanStore {
 public:
  /// When memory runs out, plans that nobody holds are dropped and the plan is tried once more.
  std::shared_ptr<Plan> find(const Network& network, Purpose purpose, std::int64_t rows);
  /// Drops the plans that nobody holds.
  void trim();

 private:
  using Key = std::tuple<std::string, Purpose, std::int64_t>;
  struct Entry {
    std::shared_ptr<Plan> plan;
    std::uint64_t last_use = 0;
  };
  /// Drops unused plans, oldest first, until what is left is small in number and bytes.
  void make_room();
  bool drop_oldest();

  std::map<Key, Entry> plans_;
  std::uint64_t uses_ = 0;
};

/// A plan with a state's weights bound to it, for as long as this lives.
class BoundPlan {
 public:
  BoundPlan(Plan& plan, const FlatState& state) : plan_(plan) { plan_.bind(state); }
  ~BoundPlan() { plan_.release(); }
  BoundPlan(const BoundPlan&) = delete;
  BoundPlan& operator=(const BoundPlan&) = delete;

 private:
  Plan& plan_;
};

}  // namespace modelhop::engine
