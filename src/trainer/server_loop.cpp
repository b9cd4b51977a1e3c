// SPDX-License-Identifier: Apache-2.0
#include "trainer/server_loop.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "trainer/failure.hpp"

namespace modelhop::trainer {
namespace {

constexpr int kBacklog = 64;

/// Event numbers below this are not connections.
enum : std::uint64_t { kListener, kSignals, kOutbox, kFirstConnection };

[[noreturn]] void throw_errno(const std::string& action) {
  throw Error(ErrorCode::kInternal, "could not " + action + ": " + std::strerror(errno));
}

}  // namespace

Listener::Listener(std::string path) : reserve_(open("/dev/null", O_RDONLY | O_CLOEXEC)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    throw Error(ErrorCode::kInvalidArgument, "socket path \"" + path + "\" is longer than " +
                                                 std::to_string(sizeof address.sun_path - 1) + " bytes");
  }
  std::copy(path.begin(), path.end(), address.sun_path);
  socket_.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_ || bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw_errno("bind socket \"" + path + "\"");
  }
  path_ = std::move(path);
  if (listen(socket_.get(), kBacklog) != 0) throw_errno("listen on socket \"" + path_ + "\"");
}

Listener::~Listener() {
  unlink(path_.c_str());
}

wire::FileDescriptor Listener::accept() {
  wire::FileDescriptor client(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!client && (errno == EMFILE || errno == ENFILE)) {
    reserve_.reset();
    client.reset(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    client.reset();
    reserve_.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
    spdlog::warn("turned a client away: too many open files");
  }
  if (!client) return client;
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(client.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != geteuid()) {
    spdlog::warn("turned process {} of user {} away", peer.pid, peer.uid);
    client.reset();
  }
  return client;
}

ServerLoop::ServerLoop(Listener& listener, Services& services)
    : listener_(listener), services_(services), epoll_(epoll_create1(EPOLL_CLOEXEC)), last_id_(kFirstConnection) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  signals_.reset(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!epoll_ || !signals_) throw_errno("prepare for events");
  watch(listener_.descriptor(), kListener, EPOLLIN, EPOLL_CTL_ADD);
  watch(signals_.get(), kSignals, EPOLLIN, EPOLL_CTL_ADD);
  watch(services_.outbox.descriptor(), kOutbox, EPOLLIN, EPOLL_CTL_ADD);
}

void ServerLoop::watch(int descriptor, std::uint64_t id, std::uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  if (epoll_ctl(epoll_.get(), operation, descriptor, &event) != 0) throw_errno("watch a connection");
}

int ServerLoop::wait_timeout_ms() const {
  if (services_.options.idle_timeout_s == 0 || !connections_.empty()) return -1;
  const auto end = idle_since_ + std::chrono::seconds(services_.options.idle_timeout_s);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
  return static_cast<int>(std::clamp<long>(left, 0, 3'600'000));
}

void ServerLoop::run() {
  while (!is_stopping_) {
    const int timeout = wait_timeout_ms();
    std::array<epoll_event, 64> events{};
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout);
    if (count < 0 && errno != EINTR) throw_errno("wait for events");
    if (count == 0 && timeout >= 0 && wait_timeout_ms() == 0) {
      spdlog::info("idle for {} s, ending", services_.options.idle_timeout_s);
      return;
    }
    for (int i = 0; i < count; ++i) {
      const std::uint64_t id = events[static_cast<std::size_t>(i)].data.u64;
      if (id == kListener) {
        accept_all();
      } else if (id == kSignals) {
        is_stopping_ = true;
      } else if (id == kOutbox) {
        deliver();
      } else {
        serve(id);
      }
    }
    refresh();
  }
  spdlog::info("asked to end");
}

void ServerLoop::accept_all() {
  while (wire::FileDescriptor client = listener_.accept()) {
    const ConnectionId id = ++last_id_;
    const int descriptor = client.get();
    connections_[id] = {std::make_unique<Connection>(id, std::move(client), services_), EPOLLIN};
    watch(descriptor, id, EPOLLIN, EPOLL_CTL_ADD);
  }
}

void ServerLoop::serve(ConnectionId id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  bool is_open = false;
  try {
    is_open = found->second.connection->serve();
  } catch (...) {
    spdlog::info("connection {}: {}", id, current_error().what());
  }
  if (!is_open) close(id);
}

void ServerLoop::deliver() {
  for (Posted& posted : services_.outbox.take()) {
    const auto found = connections_.find(posted.connection);
    if (found == connections_.end()) continue;
    try {
      posted.action(*found->second.connection);
    } catch (...) {
      spdlog::error("connection {}: {}", posted.connection, current_error().what());
      close(posted.connection);
    }
  }
}

void ServerLoop::refresh() {
  // What one connection did may have made answers ready on others.
  std::vector<ConnectionId> unsent;
  for (const auto& [id, watched] : connections_) {
    if (watched.connection->wants_write()) unsent.push_back(id);
  }
  for (const ConnectionId id : unsent) serve(id);
  for (auto& [id, watched] : connections_) {
    const std::uint32_t events = watched.connection->wants_write() ? EPOLLOUT : EPOLLIN;
    if (events != watched.events) watch(watched.connection->descriptor(), id, events, EPOLL_CTL_MOD);
    watched.events = events;
  }
}

void ServerLoop::close(ConnectionId id) {
  connections_.erase(id);
  if (connections_.empty()) idle_since_ = Clock::now();
}

}  // namespace modelhop::trainer
