// SPDX-License-Identifier: Apache-2.0
// Definitions, defaults and limits of the settings.
#include "server/settings.hpp"

#include "server/postgres.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <fstream>
#include <string>

#include "server/compat.hpp"

namespace modelhop::server {
namespace {

constexpr std::int64_t kMegabyte = std::int64_t{1} << 20;
constexpr int kMaxSlots = 1024;

int memory_limit_mb;
int cache_memory_mb;
int slots;
int trainer_idle_timeout_s;
int trainer_nice;
char* device;
int run_memory_limit_mb;
int run_slots;
bool madlib_columns;

/// What this machine has, or what its control group leaves of it.
std::int64_t machine_memory() {
  std::int64_t bytes = std::int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  std::ifstream limit("/sys/fs/cgroup/memory.max");
  std::int64_t group = 0;
  if (limit >> group && group > 0) bytes = std::min(bytes, group);
  return bytes;
}

int half_of_memory_mb() {
  return static_cast<int>(std::clamp<std::int64_t>(machine_memory() / 2 / kMegabyte, 256, INT_MAX));
}

int usable_processors() {
  cpu_set_t processors;
  if (sched_getaffinity(0, sizeof processors, &processors) != 0) return 1;
  return std::clamp(CPU_COUNT(&processors), 1, kMaxSlots);
}

bool is_device(const std::string& text) {
  if (text == "auto" || text == "cpu" || text == "cuda") return true;
  const std::string prefix = "cuda:";
  if (text.rfind(prefix, 0) != 0 || text.size() == prefix.size() || text.size() > prefix.size() + 3) return false;
  return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(prefix.size()), text.end(),
                     [](unsigned char c) { return c >= '0' && c <= '9'; });
}

bool check_device(char** value, void**, GucSource) {
  if (*value != nullptr && is_device(*value)) return true;
  GUC_check_errdetail("Valid values are \"auto\", \"cpu\", \"cuda\" and \"cuda:N\".");
  return false;
}

void define_trainer_settings() {
  DefineCustomIntVariable("modelhop.memory_limit", "Memory that the trainer may use.",
                          "Read when the trainer starts; half of the machine's memory unless set.", &memory_limit_mb,
                          half_of_memory_mb(), 256, INT_MAX, PGC_SIGHUP, GUC_UNIT_MB, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("modelhop.cache_memory", "Memory for decoded segments in the trainer.",
                          "Read when the trainer starts; -1 means half of modelhop.memory_limit.", &cache_memory_mb, -1,
                          -1, INT_MAX, PGC_SIGHUP, GUC_UNIT_MB, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("modelhop.slots", "How many units the trainer runs at one time.",
                          "Read when the trainer starts; the number of usable processors unless set.", &slots,
                          usable_processors(), 1, kMaxSlots, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("modelhop.trainer_idle_timeout", "Time after which a trainer without work ends.",
                          "Read when the trainer starts; 0 means never.", &trainer_idle_timeout_s, 600, 0,
                          INT_MAX / 1000, PGC_SIGHUP, GUC_UNIT_S, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("modelhop.trainer_nice", "Scheduling niceness of the trainer.",
                          "Read when the trainer starts; 0 runs it like any server process, 19 yields to all others.",
                          &trainer_nice, 0, 0, 19, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  DefineCustomStringVariable("modelhop.device", "Device that the trainer computes on: auto, cpu, cuda or cuda:N.",
                             "Read when the trainer starts.", &device, "auto", PGC_SIGHUP, 0, check_device, nullptr,
                             nullptr);
}

}  // namespace

void define_settings() {
  define_trainer_settings();
  DefineCustomIntVariable("modelhop.run_memory_limit", "Memory that a run of this session may use in the trainer.",
                          "It can only lower modelhop.memory_limit; 0 means no limit of its own.", &run_memory_limit_mb,
                          0, 0, INT_MAX, PGC_USERSET, GUC_UNIT_MB, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("modelhop.run_slots", "How many slots of the trainer a run of this session uses.",
                          "Read when the run starts; 0 means all of modelhop.slots.", &run_slots, 0, 0, kMaxSlots,
                          PGC_USERSET, 0, nullptr, nullptr, nullptr);
  DefineCustomBoolVariable("modelhop.madlib_columns", "Output tables have MADlib's columns alone.",
                           "For scripts that read all columns by their position. What needs the other columns, such as "
                           "the leaderboard, does not work with such tables.",
                           &madlib_columns, false, PGC_USERSET, 0, nullptr, nullptr, nullptr);
  reserve_setting_prefix("modelhop");
}

Settings current_settings() {
  Settings settings;
  settings.memory_limit = memory_limit_mb * kMegabyte;
  settings.cache_memory =
      cache_memory_mb < 0 ? settings.memory_limit / 2 : std::min(cache_memory_mb * kMegabyte, settings.memory_limit);
  settings.slots = slots;
  settings.trainer_idle_timeout_s = trainer_idle_timeout_s;
  settings.trainer_nice = trainer_nice;
  settings.device = device;
  settings.run_memory_limit = run_memory_limit_mb * kMegabyte;
  settings.run_slots = run_slots;
  settings.madlib_columns = madlib_columns;
  return settings;
}

}  // namespace modelhop::server
