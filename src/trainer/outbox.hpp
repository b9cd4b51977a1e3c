// SPDX-License-Identifier: Apache-2.0
// How slots reach the thread that owns the connections: actions that it carries out in the order in which they were
// posted.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "wire/file_descriptor.hpp"

namespace modelhop::trainer {

class Connection;
using ConnectionId = std::uint64_t;

struct Posted {
  ConnectionId connection = 0;
  std::function<void(Connection&)> action;
};

class Outbox {
 public:
  Outbox();
  int descriptor() const { return event_.get(); }  ///< readable when something was posted

  /// From any thread. Dropped where the connection is gone by then.
  void post(ConnectionId connection, std::function<void(Connection&)> action);
  std::vector<Posted> take();

 private:
  wire::FileDescriptor event_;
  std::mutex mutex_;
  std::vector<Posted> posted_;
};

}  // namespace modelhop::trainer
