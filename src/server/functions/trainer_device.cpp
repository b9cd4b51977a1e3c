// SPDX-License-Identifier: Apache-2.0
// trainer_device(): what the trainer computes on.
#include "server/bridge.hpp"
#include "server/trainer_client.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "utils/builtins.h"
MODELHOP_SERVER_HEADERS_END

MODELHOP_FUNCTION(trainer_device) {
  using namespace modelhop::server;
  (void)fcinfo;
  const std::string device = TrainerClient::connect().info().device;
  return call_pg([&device] { return CStringGetTextDatum(device.c_str()); });
}
