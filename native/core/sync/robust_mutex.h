// A process-shared, robust mutex: when its owner is killed the kernel hands it on and says so.
//
// Whoever gets `owner_died` holds the lock, repairs what it protects and calls `consistent()`.
// Held for well under a microsecond, locked and unlocked by one thread, never while JavaScript
// runs. A thread that unmaps a segment while it holds its mutex would lose the recovery of every
// other robust mutex it holds: handles never do.
#pragma once

#include <linux/futex.h>
#include <pthread.h>
#include <sys/types.h>

#include <cerrno>
#include <csignal>
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

  LockResult tryLock() {
    return intact() ? resultOf(pthread_mutex_trylock(mutex_)) : LockResult::broken;
  }

  // Sections are shorter than falling asleep and being woken, so watch for a moment first.
  LockResult lock() {
    for (int attempt = 0; attempt < 40; ++attempt) {
      const LockResult result = tryLock();
      if (result != LockResult::busy) return result;
      for (int pause = 0; pause < 16; ++pause) pauseProcessor();
    }
    for (int wait = 0; wait < kMostWaits; ++wait) {
      const LockResult result = lockFor(kLongestSection);
      if (result != LockResult::busy) return result;
      // An owner that is stopped in a section holds it for long; without an owner its bytes were
      // damaged, and it will never be free.
      if (hasOwner()) continue;
      // It may have been given back just now.
      const LockResult last = tryLock();
      if (last != LockResult::busy) return last;
      if (!hasOwner()) return LockResult::broken;
    }
    return LockResult::broken;
  }

  LockResult lockFor(uint64_t nanoseconds_from_now) {
    const uint64_t deadline = nanoseconds(CLOCK_REALTIME) + nanoseconds_from_now;
    timespec until;
    until.tv_sec = static_cast<time_t>(deadline / 1'000'000'000u);
    until.tv_nsec = static_cast<long>(deadline % 1'000'000'000u);
    return intact() ? resultOf(pthread_mutex_timedlock(mutex_, &until)) : LockResult::broken;
  }

  void consistent() { pthread_mutex_consistent(mutex_); }
  bool unlock() { return pthread_mutex_unlock(mutex_) == 0; }

 private:
  static constexpr uint64_t kLongestSection = 500'000'000;
  static constexpr int kMostWaits = 60;

  // Whether the thread that the lock word names is there. The kernel works on the same word when
  // an owner dies, so its form is fixed: the thread id, and two flags.
  bool hasOwner() const {
    const auto* word = reinterpret_cast<const volatile uint32_t*>(mutex_);
#ifndef __GLIBC__
    ++word;  // musl keeps the kind in front of it
#endif
    const auto thread = static_cast<pid_t>(*word & FUTEX_TID_MASK);
    return thread != 0 && (kill(thread, 0) == 0 || errno == EPERM);
  }

  // A mutex of another kind would be waited for without end, or not at all.
  bool intact() const {
#ifdef __GLIBC__
    static const int kind = [] {
      SharedMutex sample;
      RobustMutex(sample).initialise();
      return sample.native.__data.__kind;
    }();
    return mutex_->__data.__kind == kind;
#else
    return true;
#endif
  }

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
