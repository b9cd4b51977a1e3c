// SPDX-License-Identifier: Apache-2.0
// Connecting, starting and waiting. The only place where a backend waits for the trainer.
#include "server/trainer_client.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "server/bridge.hpp"
#include "server/trainer_worker.hpp"
#include "wire/build_id.hpp"
#include "wire/text.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {
namespace {

constexpr std::chrono::seconds kStartTimeout{60};
constexpr long kStartPollMs = 20;
constexpr auto kNever = std::chrono::steady_clock::time_point::max();

long milliseconds_until(std::chrono::steady_clock::time_point deadline) {
  const auto left = deadline - std::chrono::steady_clock::now();
  return std::max<long>(0, std::chrono::duration_cast<std::chrono::milliseconds>(left).count() + 1);
}

/// Empty where nobody listens.
wire::FileDescriptor connect_socket() {
  wire::FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) throw Error(ErrorCode::kInternal, std::string("could not make a socket: ") + std::strerror(errno));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  strlcpy(address.sun_path, kTrainerSocket, sizeof address.sun_path);
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return socket;
  // EAGAIN: its queue of new connections is full for the moment.
  if (errno == ENOENT || errno == ECONNREFUSED || errno == EAGAIN) return {};
  throw Error(ErrorCode::kInternal,
              std::string("could not connect to ") + kTrainerSocket + ": " + std::strerror(errno));
}

void wait_for_latch(long timeout_ms) {
  call_pg([timeout_ms] {
    WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, timeout_ms, PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
  });
  check_interrupts();
}

bool has_ended(BackgroundWorkerHandle* worker) {
  const BgwHandleStatus status = call_pg([worker] {
    pid_t process = 0;
    return GetBackgroundWorkerPid(worker, &process);
  });
  return status == BGWH_STOPPED || status == BGWH_POSTMASTER_DIED;
}

BackgroundWorkerHandle* start_trainer() {
  if (!is_trainer_program_present()) {
    throw SqlError(ERRCODE_UNDEFINED_FILE, "the program " + trainer_program() + " is missing or cannot be executed",
                   "Install modelhop with its trainer program.");
  }
  return launch_trainer_worker();
}

[[noreturn]] void throw_failure(const wire::Failure& failure) {
  throw Error(static_cast<ErrorCode>(failure.code()), failure.message() ? failure.message()->str() : "trainer failed",
              wire::text_of(failure.hint()));
}

bool is_event(const wire::Frame& frame) {
  const wire::Body body = frame.message().body_type();
  return body == wire::Body_UnitFinished || body == wire::Body_UnitFailed || body == wire::Body_WindowFree;
}

}  // namespace

TrainerClient TrainerClient::connect() {
  const auto deadline = Clock::now() + kStartTimeout;
  BackgroundWorkerHandle* worker = nullptr;
  for (;;) {
    if (auto client = try_connect(deadline)) return std::move(*client);
    // While a worker owns a trainer that does not answer, the trainer is starting or ending: wait for it.
    if (!is_trainer_owned()) {
      if (worker == nullptr) {
        worker = start_trainer();
      } else if (has_ended(worker)) {
        throw SqlError(ERRCODE_CANNOT_CONNECT_NOW, "modelhop-trainer ended while it was starting",
                       "The server log says why.");
      }
    }
    if (Clock::now() >= deadline) {
      throw SqlError(ERRCODE_CANNOT_CONNECT_NOW,
                     "modelhop-trainer did not start within " + std::to_string(kStartTimeout.count()) + " s",
                     "See the server log.");
    }
    wait_for_latch(kStartPollMs);
  }
}

std::optional<TrainerClient> TrainerClient::connect_if_running() {
  return try_connect(Clock::now() + kStartTimeout);
}

std::optional<TrainerClient> TrainerClient::try_connect(Clock::time_point deadline) {
  wire::FileDescriptor socket = connect_socket();
  if (!socket) return std::nullopt;
  TrainerClient client(std::move(socket));
  if (!client.shake_hands(deadline)) return std::nullopt;
  return client;
}

bool TrainerClient::shake_hands(Clock::time_point deadline) {
  flatbuffers::FlatBufferBuilder builder;
  const auto build = builder.CreateString(wire::build_id());
  channel_.send(builder, wire::CreateHello(builder, wire::kProtocol, build, MyProcPid, GetUserId(), MyDatabaseId));
  // A trainer that is about to end by its idle timeout closes the connection: as if there had been none.
  std::optional<wire::Frame> frame;
  try {
    channel_.flush();
    frame = receive(deadline);
  } catch (const SqlError&) {
    throw;
  } catch (const Error&) {
    return false;
  }
  if (!frame) return false;
  if (const auto* failure = frame->message().body_as_Failure()) throw_failure(*failure);
  const auto* welcome = frame->message().body_as_Welcome();
  check(welcome != nullptr, "the trainer did not welcome the connection");
  info_ = {welcome->process_id(),
           welcome->slots(),
           welcome->memory_limit(),
           wire::text_of(welcome->device()),
           wire::text_of(welcome->engine()),
           wire::text_of(welcome->build()),
           {}};
  if (welcome->gpus() == nullptr) return true;
  for (const auto* gpu : *welcome->gpus()) info_.gpus.push_back(wire::text_of(gpu));
  return true;
}

void TrainerClient::transmit() {
  try {
    channel_.flush();
  } catch (const Error&) {
    throw_ended(std::string("it was sent ") + wire::EnumNameBody(last_request_));
  }
}

std::optional<wire::Frame> TrainerClient::receive(Clock::time_point deadline) {
  for (;;) {
    if (auto frame = channel_.next()) return frame;
    const bool is_open = channel_.fill();
    if (auto frame = channel_.next()) return frame;
    if (!is_open) return std::nullopt;
    wait_for_socket(deadline);
    transmit();
  }
}

void TrainerClient::wait_for_socket(Clock::time_point deadline) {
  const bool has_deadline = deadline != kNever;
  const long timeout_ms = has_deadline ? milliseconds_until(deadline) : -1;
  if (has_deadline && Clock::now() >= deadline) {
    throw SqlError(ERRCODE_CANNOT_CONNECT_NOW, "modelhop-trainer does not answer", "See the server log.");
  }
  const int events = WL_LATCH_SET | WL_SOCKET_READABLE | WL_EXIT_ON_PM_DEATH | (has_deadline ? WL_TIMEOUT : 0) |
                     (channel_.has_unsent() ? WL_SOCKET_WRITEABLE : 0);
  const int socket = channel_.descriptor();
  call_pg([=] {
    const int woken = WaitLatchOrSocket(MyLatch, events, socket, timeout_ms, PG_WAIT_EXTENSION);
    if ((woken & WL_LATCH_SET) != 0) ResetLatch(MyLatch);
  });
  check_interrupts();
}

void TrainerClient::accept_event(const wire::Frame& frame) const {
  if (const auto* failure = frame.message().body_as_Failure()) throw_failure(*failure);
  check(is_event(frame), "the trainer sent an answer that nobody asked for");
}

wire::Frame TrainerClient::receive_event() {
  auto frame = receive(kNever);
  if (!frame) throw_ended("it worked for this statement");
  accept_event(*frame);
  return std::move(*frame);
}

std::optional<wire::Frame> TrainerClient::take_kept_event() {
  if (events_.empty()) return std::nullopt;
  wire::Frame frame = std::move(events_.front());
  events_.pop_front();
  return frame;
}

wire::Frame TrainerClient::wait_event() {
  if (auto kept = take_kept_event()) return std::move(*kept);
  return receive_event();
}

wire::Frame TrainerClient::wait_event(wire::Body kind) {
  const auto kept = std::find_if(events_.begin(), events_.end(),
                                 [kind](const wire::Frame& frame) { return frame.message().body_type() == kind; });
  if (kept != events_.end()) {
    wire::Frame frame = std::move(*kept);
    events_.erase(kept);
    return frame;
  }
  for (;;) {
    wire::Frame frame = receive_event();
    if (frame.message().body_type() == kind) return frame;
    events_.push_back(std::move(frame));
  }
}

std::optional<wire::Frame> TrainerClient::poll_event() {
  if (auto kept = take_kept_event()) return kept;
  check_interrupts();
  transmit();
  const bool is_open = channel_.fill();
  auto frame = channel_.next();
  if (frame) {
    accept_event(*frame);
  } else if (!is_open) {
    throw_ended("it worked for this statement");
  }
  return frame;
}

wire::Frame TrainerClient::wait_answer() {
  for (;;) {
    auto frame = receive(kNever);
    if (!frame) throw_ended(std::string("it answered ") + wire::EnumNameBody(last_request_));
    if (const auto* failure = frame->message().body_as_Failure()) throw_failure(*failure);
    if (!is_event(*frame)) return std::move(*frame);
    events_.push_back(std::move(*frame));
  }
}

void TrainerClient::throw_ended(const std::string& activity) const {
  throw SqlError(ERRCODE_CONNECTION_FAILURE,
                 "modelhop-trainer (PID " + std::to_string(info_.process_id) + ") ended while " + activity,
                 "The server log says how it ended. The next statement that needs it starts a new one.");
}

}  // namespace modelhop::server
