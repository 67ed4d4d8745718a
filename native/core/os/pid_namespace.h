// Process and thread ids count within a pid namespace: two containers that share /dev/shm both have
// a process 1.
#pragma once

#include <sys/stat.h>

#include <cstdint>

namespace zoo {

// A number for this thread's pid namespace, the same for all who are in it; 0: unknown.
inline uint32_t ownPidNamespace() {
  struct stat facts = {};
  return stat("/proc/self/ns/pid", &facts) == 0 ? static_cast<uint32_t>(facts.st_ino) : 0;
}

}  // namespace zoo
