// A process-shared, robust mutex: when its owner is killed the kernel hands it on and says so.
//
// Whoever gets `owner_died` holds the lock, repairs what it protects and calls `consistent()`.
// Held for well under a microsecond, locked and unlocked by one thread, never while JavaScript
// runs. A thread that unmaps a segment while it holds its mutex would lose the recovery of every
// other robust mutex it holds: handles never do.
#pragma once

#include <pthread.h>

#include <cerrno>
#include <cstdint>
#include <ctime>

#include "core/layout/shared_mutex.h"
#include "core/os/clock.h"

namespace zoo {

enum class LockResult { locked, owner_died, busy, broken };

inline void pauseProcessor() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

class RobustMutex {
 public:
  explicit RobustMutex(SharedMutex& shared) : mutex_(&shared.native) {}

  void initialise() {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(mutex_, &attributes);
    pthread_mutexattr_destroy(&attributes);
  }

  LockResult tryLock() { return resultOf(pthread_mutex_trylock(mutex_)); }

  // Sections are shorter than falling asleep and being woken, so watch for a moment first.
  LockResult lock() {
    for (int attempt = 0; attempt < 40; ++attempt) {
      const LockResult result = tryLock();
      if (result != LockResult::busy) return result;
      for (int pause = 0; pause < 16; ++pause) pauseProcessor();
    }
    // A section never lasts a second unless its owner is stopped; a mutex whose bytes were damaged
    // is never free. Both are told apart by asking again, for as long as a caller can bear.
    for (int second = 0; second < kPatienceSeconds; ++second) {
      const LockResult result = lockFor(1'000'000'000u);
      if (result != LockResult::busy) return result;
    }
    return LockResult::broken;
  }

  LockResult lockFor(uint64_t nanoseconds_from_now) {
    const uint64_t deadline = nanoseconds(CLOCK_REALTIME) + nanoseconds_from_now;
    timespec until;
    until.tv_sec = static_cast<time_t>(deadline / 1'000'000'000u);
    until.tv_nsec = static_cast<long>(deadline % 1'000'000'000u);
    return resultOf(pthread_mutex_timedlock(mutex_, &until));
  }

  void consistent() { pthread_mutex_consistent(mutex_); }
  bool unlock() { return pthread_mutex_unlock(mutex_) == 0; }

 private:
  static constexpr int kPatienceSeconds = 30;

  static LockResult resultOf(int error) {
    switch (error) {
      case 0:
        return LockResult::locked;
      case EOWNERDEAD:
        return LockResult::owner_died;
      case EBUSY:
      case ETIMEDOUT:
        return LockResult::busy;
      default:
        return LockResult::broken;
    }
  }

  pthread_mutex_t* mutex_;
};

}  // namespace zoo
