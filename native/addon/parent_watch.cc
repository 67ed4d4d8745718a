#include "addon/parent_watch.h"

#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "addon/leftovers.h"
#include "core/os/doorbell.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

namespace zoo::addon {

namespace {

constexpr size_t kStackBytes = 64 * 1024;

[[noreturn]] void endNow() {
  removeRememberedNames(Ending::proper);
  Doorbell::removeOrphans();  // the parent's
  for (;;) kill(getpid(), SIGKILL);
}

void* waitForEnd(void* argument) {
  const int parent = static_cast<int>(reinterpret_cast<intptr_t>(argument));
  pollfd ended = {parent, POLLIN, 0};
  while (poll(&ended, 1, -1) < 0 && errno == EINTR) {
  }
  endNow();
}

// A thread of its own, since a signal handler may not look through a directory, and the event loop
// may be busy for ever.
bool startWatcher(int parent) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  // The program's signals are not for this thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, waitForEnd,
                                   reinterpret_cast<void*>(static_cast<intptr_t>(parent)));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  return error == 0;
}

}  // namespace

bool endWithParent(pid_t parent, bool also_with_thread) {
  const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, parent, 0));
  const bool watched = descriptor >= 0 && startWatcher(descriptor);
  if (!watched && descriptor >= 0) close(descriptor);
  // The kernel means the thread by this. Names may stay behind then, and the next pool removes
  // them; so it is also what is left where no such descriptors are known (before Linux 5.3).
  const bool needs_signal = !watched || also_with_thread;
  if (needs_signal && prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return false;
  // It may have ended before: then somebody else is the parent by now, and nothing will tell.
  if (getppid() != parent) endNow();
  return true;
}

}  // namespace zoo::addon
