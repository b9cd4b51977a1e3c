// SPDX-License-Identifier: Apache-2.0
// Every setting (GUC) of modelhop.
#pragma once

#include <cstdint>
#include <string>

namespace modelhop::server {

struct Settings {
  // Of the trainer as a whole (PGC_SIGHUP), read when it starts.
  std::int64_t memory_limit;   ///< modelhop.memory_limit, bytes; default half of the machine's memory
  std::int64_t cache_memory;   ///< modelhop.cache_memory, bytes of decoded segments; default half of memory_limit
  int slots;                   ///< modelhop.slots; default: processors
  int trainer_idle_timeout_s;  ///< modelhop.trainer_idle_timeout; default 600, 0: never
  int trainer_nice;            ///< modelhop.trainer_nice; default 0
  std::string device;          ///< modelhop.device; default auto
  // Of a session (PGC_USERSET).
  std::int64_t run_memory_limit;  ///< modelhop.run_memory_limit; can only lower memory_limit; 0: no own limit
  int run_slots;                  ///< modelhop.run_slots; slots of the trainer that a run uses at one time; 0: all
  bool madlib_columns;            ///< modelhop.madlib_columns: new output tables have MADlib's columns alone
};

void define_settings();
Settings current_settings();

}  // namespace modelhop::server
