// SPDX-License-Identifier: Apache-2.0
// One client: its messages, its run, its segments. For the thread that owns the connections.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "trainer/options.hpp"
#include "trainer/outbox.hpp"
#include "trainer/run.hpp"
#include "trainer/segment_store.hpp"
#include "trainer/slot_pool.hpp"
#include "trainer/stream_scan.hpp"
#include "trainer/unit.hpp"
#include "wire/channel.hpp"

namespace modelhop::trainer {

/// What all connections share. `runs` names every run that still holds memory, also those whose client has gone.
struct Services {
  const Options& options;
  Device device;
  SlotPool& slots;
  SegmentStore& segments;
  Outbox& outbox;
  std::vector<std::weak_ptr<Run>> runs;
  RunId last_run = 0;
  std::vector<std::string> gpus = {};
};

class Connection {
 public:
  Connection(ConnectionId id, wire::FileDescriptor socket, Services& services);
  /// Stops the run: its units end after the mini-batch they are in, and the last of them frees the memory.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int descriptor() const { return channel_.descriptor(); }

  /// Reads, answers and writes what can be done without waiting. False where the connection is over. Throws Error where
  /// the client breaks the protocol of frames.
  bool serve();
  /// While answers wait to be written no further request is read.
  bool wants_write() const { return channel_.has_unsent(); }

 private:
  using SegmentId = std::pair<int, std::int32_t>;  ///< kind and number

  void handle(wire::Frame& frame);
  void greet(const wire::Message& message);
  bool handle_state(wire::Frame& frame);
  bool handle_segment(const wire::Message& message);
  bool handle_work(const wire::Message& message);
  void fail(const Error& error);

  Run& open_run();                                                  ///< throws kInternal where there is none
  Configuration& idle_configuration(int key, const char* request);  ///< throws kInternal where a unit holds it
  void begin_run(const wire::OpenRun& message);
  void close_run();
  void set_state(const wire::SetState& message, wire::FileDescriptor file);
  void get_state(const wire::GetState& message);
  void open_segment(const wire::OpenSegment& message);
  void segment_changed(SegmentId id, const Error* error);
  void announce_segment(SegmentId id, const SegmentClaim& claim);
  void fill_segment(const wire::SegmentFilled& message);
  void close_segment(SegmentId id);
  void close_segment_quietly(SegmentId id);
  void queue_unit(const wire::RunUnit& message);
  void unit_done(const UnitTask& task, UnitResult& result);
  void report(UnitResult& result);
  void send_progress();
  void send_done();

  void open_stream(const wire::OpenStream& message);
  void begin_scan(const wire::ScanStream& message);
  StreamScan::Item begin_streamed(const wire::StreamedUnit& unit, int pass);
  void forget_streamed(const StreamScan::Item& item);
  void dispatch(const StreamScan::Item& item, std::vector<Examples> blocks, bool is_end);
  void stream_step_done(const StreamTask& task, std::optional<UnitResult>& result);
  StreamScan& scan();  ///< throws kInternal where there is none
  void close_finished_scan();

  ConnectionId id_;
  wire::Channel channel_;
  Services& services_;
  Client client_;
  bool is_greeted_ = false;
  bool is_closing_ = false;
  std::shared_ptr<Run> run_;
  std::map<SegmentId, std::shared_ptr<SegmentClaim>> segments_;
  std::map<SegmentId, std::shared_ptr<Stream>> streams_;

  std::unique_ptr<StreamScan> scan_;
  std::shared_ptr<Stream> scanned_;
  std::int32_t scan_iteration_ = 0;
  std::map<std::uint64_t, std::shared_ptr<StreamedWork>> streamed_;  ///< by unit, until its last pass is over
};

}  // namespace modelhop::trainer
