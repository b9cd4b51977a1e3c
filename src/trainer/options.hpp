// SPDX-License-Identifier: Apache-2.0
// What the server's worker tells the trainer at its start.
#pragma once

#include <cstdint>
#include <string>

namespace modelhop::trainer {

struct Options {
  std::string socket;             ///< relative to the working directory: socket paths end at 107 bytes
  std::string scratch;            ///< folder for temporary files; may be empty
  std::int64_t memory_limit = 0;  ///< bytes of tensors; 0: no limit
  std::int64_t cache_memory = 0;  ///< bytes of decoded segments; 0: no limit
  int slots = 0;                  ///< 0: one per processor
  int idle_timeout_s = 0;         ///< 0: never
  int nice = 0;
  int parent = 0;  ///< process to die with; 0: none
  std::string device = "auto";
};

/// Prints help or a complaint and ends the process where the arguments ask or are wrong.
Options parse_options(int argc, const char* const* argv);

}  // namespace modelhop::trainer
