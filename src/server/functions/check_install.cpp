// SPDX-License-Identifier: Apache-2.0
// check_install(): each part of the installation, whether it works, and what to do where it does not.
#include <sys/sysinfo.h>

#include <string>

#include "server/bridge.hpp"
#include "server/row_writer.hpp"
#include "server/settings.hpp"
#include "server/trainer_client.hpp"
#include "server/trainer_worker.hpp"
#include "wire/build_id.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "miscadmin.h"
MODELHOP_SERVER_HEADERS_END

namespace {

using namespace modelhop::server;

constexpr std::int64_t kMegabyte = std::int64_t{1} << 20;

void add(RowWriter& rows, const std::string& component, bool is_ok, const std::string& detail) {
  rows.add({component, is_ok ? "t" : "f", detail});
}

std::string megabytes(std::int64_t bytes) {
  return std::to_string(bytes / kMegabyte) + " MB";
}

std::string explanation(const modelhop::Error& error) {
  return error.hint().empty() ? error.what() : std::string(error.what()) + ". " + error.hint();
}

void check_program(RowWriter& rows) {
  const bool is_present = is_trainer_program_present();
  add(rows, "trainer program", is_present, trainer_program() + (is_present ? "" : " is missing or not executable"));
}

/// A refusal is what this function is there to report.
void check_trainer(RowWriter& rows) {
  bool has_slot = true;
  try {
    const TrainerClient client = TrainerClient::connect();
    const TrainerInfo& trainer = client.info();
    add(rows, "trainer", true,
        "PID " + std::to_string(trainer.process_id) + ", " + trainer.engine + ", device " + trainer.device + ", " +
            std::to_string(trainer.slots) + " slots, memory limit " + megabytes(trainer.memory_limit));
  } catch (const SqlError& error) {
    has_slot = error.sqlstate() != ERRCODE_CONFIGURATION_LIMIT_EXCEEDED;
    add(rows, "trainer", false, explanation(error));
  } catch (const modelhop::Error& error) {
    add(rows, "trainer", false, explanation(error));
  }
  add(rows, "background worker", has_slot,
      "max_worker_processes = " + std::to_string(max_worker_processes) + "; the trainer needs one");
}

void check_memory(RowWriter& rows) {
  const Settings settings = current_settings();
  struct sysinfo machine = {};
  const bool is_known = sysinfo(&machine) == 0;
  const std::int64_t total = is_known ? static_cast<std::int64_t>(machine.totalram) * machine.mem_unit : 0;
  add(rows, "memory", is_known && settings.memory_limit <= total,
      "modelhop.memory_limit " + megabytes(settings.memory_limit) + ", modelhop.cache_memory " +
          megabytes(settings.cache_memory) + ", the machine has " + megabytes(total));
}

}  // namespace

MODELHOP_FUNCTION(check_install) {
  RowWriter rows(fcinfo);
  add(rows, "module", true,
      std::string("modelhop " MODELHOP_VERSION " (build ") + modelhop::wire::build_id() + "), PostgreSQL " PG_VERSION);
  check_program(rows);
  check_trainer(rows);
  check_memory(rows);
  return 0;
}
