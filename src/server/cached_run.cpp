// SPDX-License-Identifier: Apache-2.0
// The event loop of a cached run: a slot that falls idle gets the unit that the scheduler chooses; nobody waits for
// anybody else, nor for data that others need (but for a segment that another session is loading just now).
#include <map>
#include <vector>

#include "server/bridge.hpp"
#include "server/coordinator.hpp"

namespace modelhop::server {
namespace {

/// The slots of the trainer as this run fills them, and one place more: the unit in it waits in the trainer, so that a
/// slot that falls idle need not wait for this process to hear of it (of a millisecond's unit that wait was a tenth).
/// Units start as soon as their segment is there, and between the buffers of others this process hears of their ends.
class CachedRun {
 public:
  CachedRun(TrainerClient& trainer, const RunPlan& plan, RunDirector& director, RunRecord& record)
      : trainer_(trainer),
        plan_(plan),
        director_(director),
        record_(record),
        scheduler_({static_cast<std::uint64_t>(plan.seed), plan.first_iteration}),
        places_(plan.slots + 1) {
    for (const ConfigurationPlan& configuration : plan.configurations) {
      scheduler_.add(configuration.key, estimated_work(plan, configuration));
    }
    await(plan.training, false);
    if (plan.validation) await(*plan.validation, true);
  }

  void run() {
    feed(trainer_, plan_, record_, {[this] { hear_what_came(); }, [this](SegmentPlace segment) { arrived(segment); }});
    for (dispatch(); !scheduler_.is_done(); dispatch()) {
      check(!running_.empty(), "the schedule has work left and gives out none");
      hear(trainer_.wait_event());
    }
  }

 private:
  struct Running {
    Unit unit;
    int place;
  };

  void await(const PackedTable& table, bool is_validation) {
    const auto segments = static_cast<std::int32_t>(table.segments.size());
    for (std::int32_t segment = 0; segment < segments; ++segment) scheduler_.await({is_validation, segment});
  }

  void arrived(SegmentPlace segment) {
    scheduler_.arrived(segment);
    hear_what_came();
    dispatch();
  }

  void hear_what_came() {
    while (const auto frame = trainer_.poll_event()) {
      hear(*frame);
      dispatch();
    }
  }

  void dispatch() {
    for (int place = 0; place < static_cast<int>(places_.size()); ++place) {
      if (places_[place]) continue;
      const auto unit = scheduler_.next(place);
      if (!unit) continue;
      places_[place] = true;
      running_.emplace(++last_unit_, Running{*unit, place});
      run_unit(trainer_, unit_request(last_unit_, *unit, plan_));
    }
  }

  void hear(const wire::Frame& frame) {
    const wire::UnitFinished& finished = finished_unit(frame, [this](std::uint64_t number) {
      const auto failed = running_.find(number);
      return failed == running_.end() || plan_.is_single
                 ? std::string()
                 : "mst_key " + std::to_string(failed->second.unit.configuration);
    });
    const auto found = running_.find(finished.unit());
    check(found != running_.end(), "the trainer finished a unit that nobody asked for");
    const Unit unit = found->second.unit;
    places_[found->second.place] = false;
    running_.erase(found);

    const UnitRecord record = unit_record(unit, finished);
    scheduler_.finished(unit, record.seconds());
    const Changes changes = director_.finished(record);
    if (changes.retires) scheduler_.remove(unit.configuration);
    for (const ConfigurationKey key : changes.added) {
      scheduler_.add(key, estimated_work(plan_, plan_.configuration(key)));
    }
    for (const ConfigurationKey key : changes.extended) extend(plan_.configuration(key));
  }

  void extend(const ConfigurationPlan& configuration) {
    std::vector<std::int32_t> evaluated = plan_.evaluated_iterations(configuration);
    const std::int32_t had = configuration.ends[configuration.ends.size() - 2];
    std::erase_if(evaluated, [had](std::int32_t iteration) { return iteration <= had; });
    scheduler_.extend(configuration.key, configuration.iterations(), evaluated);
  }

  TrainerClient& trainer_;
  const RunPlan& plan_;
  RunDirector& director_;
  RunRecord& record_;
  Scheduler scheduler_;
  std::vector<bool> places_;
  std::map<std::uint64_t, Running> running_;
  std::uint64_t last_unit_ = 0;
};

}  // namespace

void run_cached(TrainerClient& trainer, const RunPlan& plan, RunDirector& director, RunRecord& record) {
  CachedRun(trainer, plan, director, record).run();
}

}  // namespace modelhop::server
