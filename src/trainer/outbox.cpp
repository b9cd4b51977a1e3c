// SPDX-License-Identifier: Apache-2.0
#include "trainer/outbox.hpp"

#include <sys/eventfd.h>

#include <utility>

#include "modelhop/error.hpp"

namespace modelhop::trainer {

Outbox::Outbox() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  check(static_cast<bool>(event_), "could not make an eventfd");
}

void Outbox::post(ConnectionId connection, std::function<void(Connection&)> action) {
  {
    const std::scoped_lock lock(mutex_);
    posted_.push_back({connection, std::move(action)});
  }
  eventfd_write(event_.get(), 1);
}

std::vector<Posted> Outbox::take() {
  eventfd_t count = 0;
  eventfd_read(event_.get(), &count);
  const std::scoped_lock lock(mutex_);
  return std::exchange(posted_, {});
}

}  // namespace modelhop::trainer
