// SPDX-License-Identifier: Apache-2.0
// Requests of streaming: one scan of a segment's rows feeds several units.
#include <string>
#include <utility>

#include "trainer/connection.hpp"

namespace modelhop::trainer {

void Connection::open_stream(const wire::OpenStream& message) {
  Run& run = open_run();
  const SegmentId id(message.kind(), message.segment());
  check(segments_.count(id) == 0 && streams_.count(id) == 0, "OpenStream for a segment that is open");
  auto stream = std::make_shared<Stream>(message, run_);
  run.check_columns(stream->layout(), "a stream");
  check(!stream->layout().dependent.empty(), "OpenStream without a dependent variable");
  streams_[id] = stream;
  flatbuffers::FlatBufferBuilder builder;
  channel_.send(builder, wire::CreateSegmentReady(builder, message.kind(), message.segment(), false, stream->size()),
                stream->file());
}

StreamScan& Connection::scan() {
  check(scan_ != nullptr, "no scan is open");
  return *scan_;
}

void Connection::begin_scan(const wire::ScanStream& message) {
  open_run();
  check(scan_ == nullptr, "ScanStream before the units of the scan before were answered");
  const auto found = streams_.find({message.kind(), message.segment()});
  check(found != streams_.end(), "ScanStream for a stream that is not open");
  std::vector<StreamScan::Item> items;
  check(message.units() != nullptr && message.units()->size() > 0, "ScanStream without units");
  try {
    for (const auto* unit : *message.units()) items.push_back(begin_streamed(*unit, message.pass()));
    scan_ = std::make_unique<StreamScan>(
        found->second, items,
        [this](const StreamScan::Item& item, std::vector<Examples> blocks, bool is_end) {
          dispatch(item, std::move(blocks), is_end);
        },
        [this](int window) {
          flatbuffers::FlatBufferBuilder builder;
          channel_.send(builder, wire::CreateWindowFree(builder, window));
        });
  } catch (...) {
    // Units that had begun before this scan stay as they were.
    for (const StreamScan::Item& item : items) {
      if (item.work->pass == 0) forget_streamed(item);
    }
    throw;
  }
  scanned_ = found->second;
}

StreamScan::Item Connection::begin_streamed(const wire::StreamedUnit& unit, int pass) {
  Configuration& configuration = run_->configuration(unit.configuration());
  const int passes = unit.evaluate() ? 1 : configuration.model()->train_spec().passes();
  const auto found = streamed_.find(unit.unit());
  if (pass == 0) {
    check(found == streamed_.end(), "ScanStream begins a unit that has begun");
    configuration.begin_unit(!unit.evaluate());
    auto work = std::make_shared<StreamedWork>();
    work->unit = unit.unit();
    work->configuration = unit.configuration();
    work->evaluates = unit.evaluate();
    work->iteration = unit.iteration();
    work->is_last_pass = passes == 1;
    streamed_[unit.unit()] = work;
    return {work, &configuration};
  }
  check(found != streamed_.end() && found->second->configuration == unit.configuration() &&
            found->second->iteration == unit.iteration() && found->second->pass == pass && pass < passes,
        "ScanStream out of the order of its unit's passes");
  found->second->is_last_pass = pass == passes - 1;
  return {found->second, &configuration};
}

void Connection::forget_streamed(const StreamScan::Item& item) {
  item.configuration->end_unit(!item.work->evaluates);
  streamed_.erase(item.work->unit);
}

void Connection::dispatch(const StreamScan::Item& item, std::vector<Examples> blocks, bool is_end) {
  StreamTask task{run_, scanned_, item.work, item.configuration, scanned_->segment(), std::move(blocks), is_end};
  Job job;
  job.slot = item.work->slot;
  job.work = [task = std::move(task), connection = id_, &outbox = services_.outbox](Executor& executor, int slot) {
    const std::uint64_t unit = task.work->unit;
    const auto consumed = [&] {
      outbox.post(connection, [run = task.run, unit](Connection& self) {
        if (run == self.run_) self.scan().consumed(unit);
      });
    };
    auto result = std::make_shared<std::optional<UnitResult>>(perform(task, executor, slot, consumed));
    outbox.post(connection, [task, result](Connection& self) { self.stream_step_done(task, *result); });
  };
  services_.slots.push(run_->id(), std::move(job));
}

void Connection::stream_step_done(const StreamTask& task, std::optional<UnitResult>& result) {
  if (task.run != run_) return;
  StreamedWork& work = *task.work;
  if (!result) return scan().idle(work.unit);
  scan().retire(work.unit);
  ++work.pass;
  if (work.is_last_pass || result->error) {
    if (!work.evaluates) run_->examples_trained += result->trained.examples;
    ++run_->units_done;
    forget_streamed({task.work, task.configuration});
  }
  close_finished_scan();
  report(*result);
}

void Connection::close_finished_scan() {
  if (!scan().is_over()) return;
  scan_.reset();
  scanned_.reset();
}

}  // namespace modelhop::trainer
