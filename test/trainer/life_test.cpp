// SPDX-License-Identifier: Apache-2.0
// How the program begins and ends.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "test_client.hpp"

namespace modelhop::trainer {
namespace {

TEST(Life, EndsInOrderWhenAsked) {
  for (const int number : {SIGTERM, SIGINT}) {
    TrainerProcess trainer({"--slots=2"});
    TestClient client(trainer);
    RunText run;
    run.configurations[0].fit = "batch_size=1, epochs=1000000";
    client.open_run(run);
    client.load_segment(0, make_flowers(60), {60});
    client.queue_unit(1, wire::UnitKind_Train, 1, 0);
    EXPECT_TRUE(std::filesystem::exists(trainer.socket()));
    trainer.signal(number);
    const int status = trainer.wait();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status << trainer.log();
    EXPECT_FALSE(std::filesystem::exists(trainer.socket()));
  }
}

TEST(Life, EndsWhenNobodyComes) {
  TrainerProcess trainer({"--slots=1", "--idle-timeout=1"});
  const int status = trainer.wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_FALSE(std::filesystem::exists(trainer.socket()));
}

TEST(Life, CountsIdlenessFromTheLastConnection) {
  TrainerProcess trainer({"--slots=1", "--idle-timeout=1"});
  {
    TestClient client(trainer);
    pollfd event{client.descriptor(), POLLIN, 0};
    EXPECT_EQ(poll(&event, 1, 1500), 0) << "the trainer closed a connection in use";
    client.progress();
  }
  EXPECT_EQ(trainer.wait(), 0);
}

TEST(Life, ConfinesItself) {
  const TrainerProcess trainer({"--slots=1", "--memory-limit=1000000000", "--nice=3"});
  TestClient client(trainer);
  EXPECT_EQ(trainer.proc("oom_score_adj"), "500\n");
  EXPECT_EQ(trainer.proc("status", "Umask:"), "Umask:\t0077");
  struct stat status {};
  ASSERT_EQ(stat(trainer.socket().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
  EXPECT_NE(trainer.proc("stat").find(" 23 3 "), std::string::npos) << trainer.proc("stat");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_EQ(trainer.proc("status", "Threads:"), "Threads:\t2");
  EXPECT_EQ(trainer.proc("limits", "Max address space").find("unlimited"), std::string::npos);
#endif
}

TEST(Life, RefusesArgumentsItDoesNotKnow) {
  for (const char* wrong : {"--nonsense", "--slots=-1", "--device=abacus", "--parent=1"}) {
    TrainerProcess trainer({wrong});
    const int status = trainer.wait();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != 0) << wrong;
  }
}

TEST(Life, LeavesASocketAloneThatAnotherListensOn) {
  const TrainerProcess first;
  TestClient client(first);
  TrainerProcess second({"--socket=" + first.socket()});
  EXPECT_NE(second.wait(), 0);
  TestClient again(first);
  again.progress();
}

/// A parent of its own, so that it can be killed: the test's process must live.
TEST(Life, DiesWithItsParent) {
  std::string folder = (std::filesystem::temp_directory_path() / "modelhop-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    const std::string flag = "--parent=" + std::to_string(getpid());
    const std::string socket = "--socket=" + folder + "/socket";
    const pid_t child = fork();
    if (child == 0) {
      execl(trainer_program().c_str(), "modelhop-trainer", flag.c_str(), socket.c_str(), "--device=cpu", "--slots=1",
            static_cast<char*>(nullptr));
      _exit(127);
    }
    static_cast<void>(!write(ends[1], &child, sizeof child));
    pause();
    _exit(0);
  }
  pid_t child = 0;
  ASSERT_EQ(read(ends[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
  const wire::FileDescriptor handle(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  ASSERT_TRUE(handle);
  pollfd event{handle.get(), POLLIN, 0};
  for (int waited = 0; waited < kHangLimitMs && !std::filesystem::exists(folder + "/socket"); waited += 5) {
    ASSERT_EQ(poll(&event, 1, 5), 0) << "the trainer ended by itself";
  }
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  EXPECT_TRUE(has_ended(handle.get()));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace modelhop::trainer
