// SPDX-License-Identifier: Apache-2.0
// The thread that owns the socket and all connections: waits with epoll, serves whoever is ready.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "trainer/connection.hpp"
#include "wire/file_descriptor.hpp"

namespace modelhop::trainer {

/// A listening socket in the file system, removed at the end.
class Listener {
 public:
  /// Throws Error where the path is taken or too long.
  explicit Listener(std::string path);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int descriptor() const { return socket_.get(); }
  /// Empty where nobody waits, or where it was another user's process.
  wire::FileDescriptor accept();

 private:
  std::string path_;
  wire::FileDescriptor socket_;
  wire::FileDescriptor reserve_;  ///< given up for a moment when descriptors run out, to turn a client away
};

class ServerLoop {
 public:
  /// SIGTERM and SIGINT must be blocked in all threads: the loop takes them as events.
  ServerLoop(Listener& listener, Services& services);

  /// Returns when asked by a signal, or when no connection was there for the idle timeout.
  void run();

 private:
  using Clock = std::chrono::steady_clock;

  void watch(int descriptor, std::uint64_t id, std::uint32_t events, int operation);
  int wait_timeout_ms() const;
  void accept_all();
  void serve(ConnectionId id);
  void deliver();
  void refresh();
  void close(ConnectionId id);

  Listener& listener_;
  Services& services_;
  wire::FileDescriptor epoll_;
  wire::FileDescriptor signals_;
  struct Watched {
    std::unique_ptr<Connection> connection;
    std::uint32_t events = 0;  ///< that epoll waits for
  };
  std::map<ConnectionId, Watched> connections_;
  ConnectionId last_id_;
  Clock::time_point idle_since_ = Clock::now();
  bool is_stopping_ = false;
};

}  // namespace modelhop::trainer
