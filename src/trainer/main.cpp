// SPDX-License-Identifier: Apache-2.0
// modelhop-trainer: trains what the server's backends ask for. Its log is its standard error, which is the server's
// log.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdlib>

#include "trainer/confinement.hpp"
#include "trainer/failure.hpp"
#include "trainer/gpus.hpp"
#include "trainer/server_loop.hpp"

namespace {

using namespace modelhop;
using namespace modelhop::trainer;

void serve(const Options& options) {
  // Blocked before any thread starts, so that every thread inherits it and only the loop takes them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  initialize_engine({options.memory_limit});
  const Device device = parse_device(options.device);
  Outbox outbox;
  SegmentStore segments(options.cache_memory);
  SlotPool slots(options.slots, device);
  Services services{options, device, slots, segments, outbox, {}, 0, describe_gpus(options)};
  Listener listener(options.socket);
  ServerLoop loop(listener, services);
  spdlog::info("serves {} slots on {}", options.slots, to_string(device));
  loop.run();
}

}  // namespace

int main(int argc, char** argv) {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("trainer"));
  spdlog::set_pattern("%Y-%m-%d %H:%M:%S.%e modelhop-trainer[%P] %l: %v");
  try {
    const Options options = parse_options(argc, argv);
    confine_process(options);
    serve(options);
    return EXIT_SUCCESS;
  } catch (...) {
    const Error error = current_error();
    spdlog::critical("{}", error.what());
    return EXIT_FAILURE;
  }
}
