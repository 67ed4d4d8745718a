// Children of a test, and memory that they share with it privately: what the
// library under test is judged by must not go through the library.
#pragma once

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace zoo::test {

// One object, shared with all children forked later, never on a file system.
template <typename Shared>
Shared& sharedWithChildren() {
  void* place = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED) {
    std::perror("mmap");
    std::abort();
  }
  return *new (place) Shared;
}

// Runs `body` in a child, which never returns from it: destructors of what the
// parent has open must not run twice. A child does not outlive the process that
// started it.
template <typename Body>
pid_t startChild(Body body) {
  std::fflush(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) {
    std::perror("fork");
    std::abort();
  }
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // It was gone before we could ask. 0: it is in another pid namespace, where we cannot see it.
    if (getppid() != parent && getppid() != 0) _exit(1);
    body();
    _exit(0);
  }
  return child;
}

struct Ending {
  bool killed = false;  // by SIGKILL
  int exit_code = -1;   // -1: a signal, see `signal`
  int signal = 0;
};

// Waits until the child is gone; by then the kernel has dropped its locks.
inline Ending waitForEnd(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  Ending ending;
  if (WIFEXITED(status)) ending.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ending.signal = WTERMSIG(status);
  ending.killed = ending.signal == SIGKILL;
  return ending;
}

// Waits until the child is stopped (true) or about to be gone, which is left to
// `waitForEnd`.
inline bool waitForStop(pid_t child) {
  siginfo_t news = {};
  while (waitid(P_PID, static_cast<id_t>(child), &news, WSTOPPED | WEXITED | WNOWAIT) < 0) {
    if (errno != EINTR) return false;
  }
  return news.si_code == CLD_STOPPED;
}

[[noreturn]] inline void dieHere() {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

}  // namespace zoo::test
