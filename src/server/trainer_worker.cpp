// SPDX-License-Identifier: Apache-2.0
// Starts the trainer with a clean environment and waits for it on the latch.
#include "server/trainer_worker.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "server/bridge.hpp"
#include "server/settings.hpp"
#include "wire/file_descriptor.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "storage/latch.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {
namespace {

constexpr long kEndTimeoutMs = 5000;

volatile sig_atomic_t is_stop_requested = false;

void request_stop(int) {
  const int saved = errno;
  is_stop_requested = true;
  SetLatch(MyLatch);
  errno = saved;
}

void child_changed(int) {
  const int saved = errno;
  SetLatch(MyLatch);
  errno = saved;
}

[[noreturn]] void throw_errno(const std::string& action, int error) {
  throw Error(ErrorCode::kInternal, "could not " + action + ": " + std::strerror(error));
}

struct flock whole_file(short type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

void make_directory(const char* path) {
  if (mkdir(path, 0700) != 0 && errno != EEXIST) throw_errno(std::string("create directory ") + path, errno);
}

/// Empty where another worker owns the trainer.
wire::FileDescriptor take_ownership() {
  wire::FileDescriptor file(open(kTrainerLock, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) throw_errno(std::string("open ") + kTrainerLock, errno);
  struct flock lock = whole_file(F_WRLCK);
  if (fcntl(file.get(), F_OFD_SETLK, &lock) == 0) return file;
  if (errno != EAGAIN && errno != EACCES) throw_errno(std::string("lock ") + kTrainerLock, errno);
  return {};
}

std::vector<std::string> trainer_arguments() {
  const Settings settings = current_settings();
  return {trainer_program(),
          "--socket=" + std::string(kTrainerSocket),
          "--scratch=" + std::string(kTrainerScratch),
          "--parent=" + std::to_string(getpid()),
          "--memory-limit=" + std::to_string(settings.memory_limit),
          "--cache-memory=" + std::to_string(settings.cache_memory),
          "--slots=" + std::to_string(settings.slots),
          "--idle-timeout=" + std::to_string(settings.trainer_idle_timeout_s),
          "--nice=" + std::to_string(settings.trainer_nice),
          "--device=" + settings.device};
}

/// Nothing of the server's own environment but what finds a device's driver.
std::vector<std::string> trainer_environment() {
  std::vector<std::string> environment = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"};
  for (const char* name :
       {"LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"}) {
    if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
  }
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// How the trainer begins: no descriptor but the standard three, no signal blocked or ignored, a process group of its
/// own, so that the server's signals reach it by way of the worker only.
class SpawnPlan {
 public:
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, 2, 1);
    posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
    posix_spawnattr_init(&attributes_);
    sigset_t signals;
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  pid_t start(std::vector<std::string> arguments, std::vector<std::string> environment) {
    pid_t process = 0;
    const int error = posix_spawn(&process, arguments[0].c_str(), &actions_, &attributes_, pointers(arguments).data(),
                                  pointers(environment).data());
    if (error != 0) throw_errno("start " + arguments[0], error);
    return process;
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

void log_end(pid_t process, int status) {
  std::string how = "exit code " + std::to_string(WEXITSTATUS(status));
  if (WIFSIGNALED(status)) how = "signal " + std::to_string(WTERMSIG(status)) + ": " + strsignal(WTERMSIG(status));
  const char* text = how.c_str();
  call_pg([=] { ereport(LOG, errmsg_internal("modelhop-trainer (PID %d) ended with %s", process, text)); });
}

void wait_for_end(pid_t process) {
  int signals_sent = 0;
  int status = 0;
  while (waitpid(process, &status, WNOHANG) != process) {
    if (is_stop_requested && signals_sent == 0) {
      kill(process, SIGTERM);
      signals_sent = 1;
    }
    const int events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (signals_sent > 0 ? WL_TIMEOUT : 0);
    const int woken = call_pg([events] { return WaitLatch(MyLatch, events, kEndTimeoutMs, PG_WAIT_EXTENSION); });
    ResetLatch(MyLatch);
    if ((woken & WL_TIMEOUT) != 0) kill(process, SIGKILL);
  }
  log_end(process, status);
}

void own_trainer() {
  make_directory(kTrainerDirectory);
  const wire::FileDescriptor ownership = take_ownership();
  if (!ownership) return;
  make_directory(kTrainerScratch);
  unlink(kTrainerSocket);
  const pid_t process = SpawnPlan().start(trainer_arguments(), trainer_environment());
  wait_for_end(process);
  unlink(kTrainerSocket);
}

}  // namespace

std::string trainer_program() {
  return std::string(pkglib_path) + "/modelhop-trainer";
}

bool is_trainer_program_present() {
  return access(trainer_program().c_str(), X_OK) == 0;
}

bool is_trainer_owned() {
  const wire::FileDescriptor file(open(kTrainerLock, O_RDWR | O_CLOEXEC));
  if (!file) return false;
  struct flock lock = whole_file(F_WRLCK);
  return fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

BackgroundWorkerHandle* launch_trainer_worker() {
  BackgroundWorkerHandle* handle = call_pg([] {
    BackgroundWorker worker = {};
    strlcpy(worker.bgw_name, "modelhop trainer", BGW_MAXLEN);
    strlcpy(worker.bgw_type, "modelhop trainer", BGW_MAXLEN);
    strlcpy(worker.bgw_library_name, "$libdir/modelhop", sizeof worker.bgw_library_name);
    strlcpy(worker.bgw_function_name, "modelhop_trainer_main", sizeof worker.bgw_function_name);
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS;
    worker.bgw_start_time = BgWorkerStart_PostmasterStart;
    worker.bgw_restart_time = BGW_NEVER_RESTART;
    worker.bgw_notify_pid = MyProcPid;
    BackgroundWorkerHandle* handle = nullptr;
    return RegisterDynamicBackgroundWorker(&worker, &handle) ? handle : nullptr;
  });
  if (handle == nullptr) {
    throw SqlError(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, "no background worker slot is free to start modelhop-trainer",
                   "Raise max_worker_processes and restart the server, or wait until other workers have ended.");
  }
  return handle;
}

}  // namespace modelhop::server

extern "C" {
PGDLLEXPORT void modelhop_trainer_main(Datum argument);
void modelhop_trainer_main(Datum) {
  using namespace modelhop::server;
  pqsignal(SIGTERM, request_stop);
  pqsignal(SIGCHLD, child_changed);
  BackgroundWorkerUnblockSignals();
  enter_cpp([] { own_trainer(); });
}
}
