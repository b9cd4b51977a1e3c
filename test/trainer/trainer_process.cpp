// SPDX-License-Identifier: Apache-2.0
#include "trainer_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace modelhop::trainer {
namespace {

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

std::string trainer_program() {
  return MODELHOP_TRAINER;
}

bool has_ended(int pidfd) {
  pollfd event{pidfd, POLLIN, 0};
  return poll(&event, 1, kHangLimitMs) == 1;
}

TrainerProcess::TrainerProcess(std::vector<std::string> arguments) {
  std::string pattern = (std::filesystem::temp_directory_path() / "modelhop-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = pattern;

  std::vector<std::string> words = {trainer_program(), "--socket=socket", "--device=cpu",
                                    "--parent=" + std::to_string(getpid())};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder_.c_str());
  posix_spawn_file_actions_addopen(&actions, 2, "log", O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int error = posix_spawn(&process_, words[0].c_str(), &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("could not start " + words[0]);
  handle_.reset(static_cast<int>(syscall(SYS_pidfd_open, process_, 0)));
}

TrainerProcess::~TrainerProcess() {
  if (!is_reaped_) {
    signal(SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  std::filesystem::remove_all(folder_);
}

wire::FileDescriptor TrainerProcess::connect() const {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::milliseconds(kHangLimitMs);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = socket();
  std::copy(path.begin(), path.end(), address.sun_path);
  while (std::chrono::steady_clock::now() < limit) {
    wire::FileDescriptor end(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(end.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return end;
    pollfd event{handle_.get(), POLLIN, 0};
    if (poll(&event, 1, 5) == 1) break;
  }
  throw std::runtime_error("the trainer does not listen: " + log());
}

void TrainerProcess::signal(int number) const {
  kill(process_, number);
}

int TrainerProcess::wait() {
  if (!has_ended(handle_.get())) throw std::runtime_error("the trainer does not end: " + log());
  int status = 0;
  waitpid(process_, &status, 0);
  is_reaped_ = true;
  return status;
}

std::string TrainerProcess::log() const {
  return read_all(folder_ + "/log");
}

std::string TrainerProcess::proc(const std::string& name, const std::string& prefix) const {
  const std::string text = read_all("/proc/" + std::to_string(process_) + "/" + name);
  if (prefix.empty()) return text;
  std::stringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(prefix, 0) == 0) return line;
  }
  return {};
}

}  // namespace modelhop::trainer
