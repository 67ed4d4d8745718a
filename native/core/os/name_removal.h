// Taking the name of a file away.
//
// Between the look at where a name leads and the unlink another process could remove the name and
// make it anew; whoever was stopped in between would then remove the new one, and its users would
// never meet those who come later. So whoever removes a name holds a lock of the file it leads to
// (the byte behind those of the participants): the name cannot leave this file meanwhile.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <ctime>

#include "core/kill_step.h"
#include "core/os/shm_file.h"
#include "core/os/slot_lock.h"

namespace zoo {

namespace detail {
// A second, while another one is removing it.
inline bool waitForRemoval(int descriptor, uint32_t removal_byte) {
  for (int wait = 0; wait < 1000; ++wait) {
    if (lockSlot(descriptor, removal_byte) != LockAttempt::held_by_other) return true;
    const timespec millisecond = {0, 1'000'000};
    nanosleep(&millisecond, nullptr);
  }
  return false;
}
}  // namespace detail

// Whether `path` led to `file` and was taken away. Otherwise errno says why: ENOENT, it leads
// elsewhere; EAGAIN, somebody else is stopped while removing it; or the system's reason. Calls
// nothing that a signal handler may not call.
inline bool removeNameOf(const char* path, const FileIdentity& file, uint32_t removal_byte) {
  const int number = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (number < 0) return false;
  const auto leadsHere = [&] {
    struct stat facts = {};
    return lstat(path, &facts) == 0 && FileIdentity{facts.st_dev, facts.st_ino} == file;
  };
  bool removed = false;
  int reason = ENOENT;
  if (ZOO_MUTATED(25) || identityOf(number) == file) {
    if (!detail::waitForRemoval(number, removal_byte)) {
      reason = EAGAIN;
    } else if (ZOO_MUTATED(25) || leadsHere()) {
      removed = unlink(path) == 0;
      reason = errno;
    }
  }
  close(number);
  errno = reason;
  return removed;
}

}  // namespace zoo
