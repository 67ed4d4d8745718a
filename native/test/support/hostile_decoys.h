// What a neighbour would like us to touch: files of others under names that look like bells, and
// processes whose numbers stand in the segment.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "core/os/descriptor.h"
#include "core/os/doorbell.h"
#include "support/messages.h"
#include "support/processes.h"

namespace zoo::test {

class HostileDecoys {
 public:
  explicit HostileDecoys(uint64_t seed) {
    for (uint64_t index = 0; index < 6; ++index) {
      bells_.push_back(mixed(seed * 64 + index) | 1);
    }
    outside_ = shmPath("zoosync-test-" + std::to_string(getpid()) + "-outside");
    writeFile(outside_);
    writeFile(path(0));
    if (symlink(outside_.c_str(), path(1).c_str()) != 0) std::perror("symlink");
    if (mkfifo(path(2).c_str(), 0600) != 0) std::perror("mkfifo");
    reader_ = Descriptor(open(path(2).c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (mkdir(path(3).c_str(), 0700) != 0) std::perror("mkdir");
    makeSocket(path(4));
    if (link(outside_.c_str(), path(5).c_str()) != 0) std::perror("link");
  }
  HostileDecoys(const HostileDecoys&) = delete;
  HostileDecoys& operator=(const HostileDecoys&) = delete;
  ~HostileDecoys() {
    for (uint64_t index = 0; index < bells_.size(); ++index) {
      if (unlink(path(index).c_str()) != 0) rmdir(path(index).c_str());
    }
    unlink(outside_.c_str());
  }

  const std::vector<uint64_t>& bells() const { return bells_; }

  // How many are not any more what they were.
  int harmed() const {
    int count = 0;
    const auto check = [&](bool good, const char* what) {
      if (good) return;
      ++count;
      std::fprintf(stderr, "VIOLATION: %s was touched\n", what);
    };
    check(holdsText(outside_), "a file of another, through a link");
    check(holdsText(path(0)), "a file under the name of a bell");
    check(isA(path(1), S_IFLNK), "a symbolic link under the name of a bell");
    check(isA(path(2), S_IFIFO), "somebody's FIFO that is read from");
    check(isA(path(3), S_IFDIR), "a directory under the name of a bell");
    check(isA(path(4), S_IFSOCK), "a socket under the name of a bell");
    check(holdsText(path(5)), "a second name of a file, under the name of a bell");
    return count;
  }

 private:
  static constexpr const char* kText = "a file of somebody else\n";

  std::string path(uint64_t index) const {
    return detail::bellPath(detail::kBellPrefix, bells_[index]);
  }
  static void writeFile(const std::string& where) {
    std::FILE* file = std::fopen(where.c_str(), "w");
    if (file == nullptr) return std::perror("fopen");
    std::fputs(kText, file);
    std::fclose(file);
  }
  static bool holdsText(const std::string& where) {
    char text[64] = {};
    std::FILE* file = std::fopen(where.c_str(), "r");
    if (file == nullptr) return false;
    const size_t length = std::fread(text, 1, sizeof text - 1, file);
    std::fclose(file);
    return std::string(text, length) == kText;
  }
  static bool isA(const std::string& where, mode_t kind) {
    struct stat facts = {};
    return lstat(where.c_str(), &facts) == 0 && (facts.st_mode & S_IFMT) == kind;
  }
  void makeSocket(const std::string& where) {
    listener_ = Descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, where.c_str(), sizeof address.sun_path - 1);
    if (bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      std::perror("bind");
    }
  }

  std::vector<uint64_t> bells_;
  std::string outside_;
  Descriptor reader_, listener_;
};

// A process that has nothing to do with any of this, and must not hear of it.
class HostileStranger {
 public:
  HostileStranger() {
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid_ = startChild([&] {
      int signal = 0;
      sigwait(&all, &signal);
      _exit(signal == SIGTERM ? 0 : 1);
    });
    sigprocmask(SIG_SETMASK, &before, nullptr);
  }
  HostileStranger(const HostileStranger&) = delete;
  HostileStranger& operator=(const HostileStranger&) = delete;
  ~HostileStranger() = default;

  pid_t pid() const { return pid_; }

  // Whether our own signal, at the end, was the first that it got.
  bool wasLeftAlone() const {
    kill(pid_, SIGTERM);
    return waitForEnd(pid_).exit_code == 0;
  }

 private:
  pid_t pid_ = -1;
};

// The number of a thread that is gone.
inline uint32_t deadThread() {
  const pid_t child = startChild([] {});
  waitForEnd(child);
  return static_cast<uint32_t>(child);
}

}  // namespace zoo::test
