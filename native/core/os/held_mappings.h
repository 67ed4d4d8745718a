// Mappings that an ending thread holds a robust mutex in.
//
// The kernel finds the mutexes of a thread in its memory, once the thread is gone. A worker that
// ends with a lock therefore leaves the mapping to this list, and whoever uses a lock next unmaps
// what the threads that are gone by then have left.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/os/mapping.h"

namespace zoo {

class HeldMappings {
 public:
  static HeldMappings& ofThisProcess() {
    static HeldMappings* all =
        new HeldMappings;  // lives as long as the process: threads may end later
    return *all;
  }

  // For as long as the calling thread lives.
  void keep(std::shared_ptr<Mapping> mapping) {
    letGoOfGone();
    const std::lock_guard<std::mutex> guard(mutex_);
    kept_.push_back({static_cast<pid_t>(syscall(SYS_gettid)), std::move(mapping)});
    any_.store(true, std::memory_order_relaxed);
  }

  // The kernel gives mutexes back before it forgets the thread. One that has its number by now is
  // taken for it, and the mapping stays that much longer.
  void letGoOfGone() {
    if (!any_.load(std::memory_order_relaxed)) return;
    const std::lock_guard<std::mutex> guard(mutex_);
    kept_.erase(std::remove_if(kept_.begin(), kept_.end(),
                               [](const Kept& one) { return isGone(one.thread); }),
                kept_.end());
    any_.store(!kept_.empty(), std::memory_order_relaxed);
  }

 private:
  struct Kept {
    pid_t thread;
    std::shared_ptr<Mapping> mapping;
  };

  static bool isGone(pid_t thread) {
    return syscall(SYS_tgkill, getpid(), thread, 0) != 0 && errno == ESRCH;
  }

  std::mutex mutex_;
  std::vector<Kept> kept_;
  std::atomic<bool> any_{false};
};

}  // namespace zoo
