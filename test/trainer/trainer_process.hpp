// SPDX-License-Identifier: Apache-2.0
// The real program in a temporary folder.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "wire/file_descriptor.hpp"

namespace modelhop::trainer {

/// No test waits longer than this; what takes so long hangs.
inline constexpr int kHangLimitMs = 30'000;

class TrainerProcess {
 public:
  explicit TrainerProcess(std::vector<std::string> arguments = {});
  /// Kills it where it still runs.
  ~TrainerProcess();
  TrainerProcess(const TrainerProcess&) = delete;
  TrainerProcess& operator=(const TrainerProcess&) = delete;

  pid_t process() const { return process_; }
  std::string socket() const { return folder_ + "/socket"; }
  /// Connects, waiting for the program to listen. Throws where it ended instead.
  wire::FileDescriptor connect() const;
  void signal(int number) const;
  /// Exit status as of waitpid. Throws where it does not end.
  int wait();
  std::string log() const;
  /// A line of /proc/PID/NAME that begins with `prefix`, or the whole file.
  std::string proc(const std::string& name, const std::string& prefix = {}) const;

 private:
  std::string folder_;
  pid_t process_ = 0;
  wire::FileDescriptor handle_;
  bool is_reaped_ = false;
};

/// The path of the program under test.
std::string trainer_program();

/// True when the process behind a pidfd ended within the hang limit.
bool has_ended(int pidfd);

}  // namespace modelhop::trainer
