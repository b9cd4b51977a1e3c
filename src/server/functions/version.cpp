// SPDX-License-Identifier: Apache-2.0
// version(): what is installed, and what runs.
#include <string>

#include "server/bridge.hpp"
#include "server/trainer_client.hpp"
#include "wire/build_id.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "utils/builtins.h"
MODELHOP_SERVER_HEADERS_END

namespace {

using namespace modelhop::server;

std::string describe_trainer() {
  const auto client = TrainerClient::connect_if_running();
  if (!client) return "no trainer runs";
  const TrainerInfo& trainer = client->info();
  return "trainer PID " + std::to_string(trainer.process_id) + ": " + trainer.engine + ", device " + trainer.device +
         ", " + std::to_string(trainer.slots) + (trainer.slots == 1 ? " slot" : " slots");
}

}  // namespace

MODELHOP_FUNCTION(version) {
  const std::string text =
      std::string("modelhop " MODELHOP_VERSION " (build ") + modelhop::wire::build_id() + "); " + describe_trainer();
  return call_pg([&text] { return CStringGetTextDatum(text.c_str()); });
}
