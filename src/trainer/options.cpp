// SPDX-License-Identifier: Apache-2.0
#include "trainer/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <thread>

#include "wire/build_id.hpp"

namespace modelhop::trainer {

Options parse_options(int argc, const char* const* argv) {
  Options options;
  CLI::App app("Trains deep-learning models for the PostgreSQL extension modelhop. The server starts it.");
  app.set_version_flag("--version", wire::build_id());
  app.add_option("--socket", options.socket, "where to listen")->required();
  app.add_option("--scratch", options.scratch, "folder for temporary files");
  app.add_option("--memory-limit", options.memory_limit, "bytes of tensors; 0: no limit")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--cache-memory", options.cache_memory, "bytes of segments; 0: no limit")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--slots", options.slots, "units at a time; 0: one per processor")->check(CLI::Range(0, 1024));
  app.add_option("--idle-timeout", options.idle_timeout_s, "seconds without a connection before it ends; 0: never")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--nice", options.nice, "priority, as of nice(1)")->check(CLI::Range(-20, 19));
  app.add_option("--parent", options.parent, "process to die with")->check(CLI::NonNegativeNumber);
  app.add_option("--device", options.device, "cpu, cuda, cuda:N or auto");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  if (options.slots == 0) options.slots = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return options;
}

}  // namespace modelhop::trainer
