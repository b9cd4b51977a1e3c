// SPDX-License-Identifier: Apache-2.0
#include "trainer/confinement.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "modelhop/error.hpp"

namespace modelhop::trainer {
namespace {

constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;
/// A thread's stack and the address space (not memory) that malloc reserves for it.
constexpr std::int64_t kPerSlotBytes = 256 * kMebibyte;
/// Plans, frames, outputs of predictions, and what libraries allocate past the engine's accounting.
constexpr std::int64_t kFixedBytes = 1024 * kMebibyte;

void become_first_victim() {
  // 500 of 1000: before the server's processes (PostgreSQL protects its own with -900), after nothing of importance.
  const int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  if (write(file, "500", 3) != 3) spdlog::warn("could not set oom_score_adj: {}", std::strerror(errno));
  close(file);
}

#ifdef MODELHOP_NO_ADDRESS_SPACE_LIMIT
void limit_address_space(const Options&) {}
#else
std::int64_t current_address_space() {
  long pages = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr || std::fscanf(file, "%ld", &pages) != 1) pages = 0;
  if (file != nullptr) std::fclose(file);
  return std::int64_t{pages} * sysconf(_SC_PAGESIZE);
}

void limit_address_space(const Options& options) {
  const std::int64_t margin = address_space_margin(options);
  if (margin == 0) return;
  const auto limit = static_cast<rlim_t>(current_address_space() + margin);
  const rlimit value{limit, limit};
  if (setrlimit(RLIMIT_AS, &value) != 0) spdlog::warn("could not limit the address space: {}", std::strerror(errno));
}
#endif

void raise_descriptor_limit() {
  rlimit value{};
  if (getrlimit(RLIMIT_NOFILE, &value) != 0) return;
  value.rlim_cur = value.rlim_max;
  setrlimit(RLIMIT_NOFILE, &value);
}

}  // namespace

std::int64_t address_space_margin(const Options& options) {
  if (options.memory_limit == 0) return 0;
  return options.memory_limit + options.cache_memory + options.slots * kPerSlotBytes + kFixedBytes;
}

void confine_process(const Options& options) {
  if (options.parent != 0) {
    // SIGKILL, because it cannot be late: nothing here is worth an orderly end once the server is gone, a mini-batch
    // may take seconds, and the next worker removes the socket that stays behind.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != options.parent) {
      throw Error(ErrorCode::kCancelled, "parent process " + std::to_string(options.parent) + " has gone");
    }
  }
  become_first_victim();
  umask(077);
  if (options.nice != 0 && setpriority(PRIO_PROCESS, 0, options.nice) != 0) {
    spdlog::warn("could not set nice {}: {}", options.nice, std::strerror(errno));
  }
  raise_descriptor_limit();
  limit_address_space(options);
}

}  // namespace modelhop::trainer
