// A process-shared, robust mutex: when its owner is killed the kernel hands it on and says so.
//
// Whoever gets `owner_died` holds the lock, repairs what it protects and calls `consistent()`.
// Held for well under a microsecond, locked and unlocked by one thread, never while JavaScript
// runs. A thread that unmaps a segment while it holds its mutex would lose the recovery of every
// other robust mutex it holds: handles never do.
//
// The word is the kernel's, which works on it when an owner dies: the owner's thread id, whether
// somebody sleeps (FUTEX_WAITERS), and whether an owner died (FUTEX_OWNER_DIED; here it stays until
// `consistent()`). The C library's own mutex has the same word, but follows pointers that lie
// beside it in shared memory (sync/held_mutexes.h).
#pragma once

#include <linux/futex.h>

#include <atomic>
#include <cstdint>
#include <cstring>

#include "core/kill_step.h"
#include "core/layout/shared_mutex.h"
#include "core/os/clock.h"
#include "core/os/futex.h"
#include "core/os/thread_activity.h"
#include "core/sync/held_mutexes.h"

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
  explicit RobustMutex(SharedMutex& shared) : mutex_(&shared) {}

  void initialise() {
    std::memset(static_cast<void*>(mutex_), 0, sizeof *mutex_);
    mark().store(kMark, std::memory_order_relaxed);
  }

  LockResult tryLock() {
    const uint32_t seen = word().load(std::memory_order_relaxed);
    if (!intact()) return LockResult::broken;
    if ((seen & FUTEX_TID_MASK) != 0) return LockResult::busy;
    HeldMutexes& held = HeldMutexes::ofThisThread();
    if (!held.usable()) return LockResult::broken;
    return takeFree(held, seen, 0);
  }

  LockResult lock() {
    return lock([](uint32_t) { return false; });
  }

  // Sections are shorter than falling asleep and being woken, so watch for a moment first.
  // `lives_in(pid_namespace)`: whether an owner in a pid namespace that is not ours may be alive.
  // What it does cannot be seen from here.
  template <typename LivesIn>
  LockResult lock(LivesIn lives_in) {
    for (int attempt = 0; attempt < 40; ++attempt) {
      const LockResult result = tryLock();
      if (result != LockResult::busy) return result;
      for (int pause = 0; pause < 16; ++pause) pauseProcessor();
    }
    HeldMutexes& held = HeldMutexes::ofThisThread();
    const uint64_t begin = monotonicNow();
    const uint64_t patience = held.wasBroken(mutex_, begin) ? kLook : kPatience;
    uint64_t begin_of_look = begin, suspicion = 0;
    Contention contention;
    OwnerWatch owner(ownerThread());
    while (begin_of_look - begin < kLongestStop) {
      const LockResult result = lockFor(kLook, contention);
      if (result != LockResult::busy) return result;
      const uint64_t now = monotonicNow();
      // We may have been stopped ourselves.
      const uint64_t looked = now - begin_of_look < 2 * kLook ? now - begin_of_look : 2 * kLook;
      const uint64_t weight = owner.suspicion(ownerThread(), held.thread(), contention.moved);
      const bool unseen = ownerIsElsewhere(held) && lives_in(ownerNamespace());
      // Named still: it was not given back while we looked at what the owner does.
      if (ownerThread() == owner.thread() && !unseen) suspicion += looked * weight;
      const bool in_vain = contention.missed >= kMostMisses && now - begin >= patience;
      if (suspicion >= patience || in_vain) {
        held.noteBroken(mutex_, now);
        return LockResult::broken;
      }
      contention.moved = false;
      begin_of_look = now;
    }
    return LockResult::broken;
  }

  LockResult lockFor(uint64_t nanoseconds_from_now) {
    Contention contention;
    return lockFor(nanoseconds_from_now, contention);
  }

  // What the lock protects is in order again.
  void consistent() { word().fetch_and(~uint32_t{FUTEX_OWNER_DIED}, std::memory_order_relaxed); }

  // False: the word does not say any more that it is ours.
  bool unlock() {
    HeldMutexes& held = HeldMutexes::ofThisThread();
    held.announce(mutex_);
    held.remove(mutex_);
    ZOO_STEP("mutex.unlisted");
    uint32_t seen = word().load(std::memory_order_relaxed);
    bool ours = false;
    while (!ours && (seen & FUTEX_TID_MASK) == held.thread()) {
      ours = word().compare_exchange_weak(seen, seen & FUTEX_OWNER_DIED, std::memory_order_release,
                                          std::memory_order_relaxed);
    }
    ZOO_STEP("mutex.freed");
    held.settle();
    // if killed here: the next one wakes by himself, a little later.
    ZOO_STEP("mutex.settled");
    if (ours && (seen & FUTEX_WAITERS) != 0) futexWakeOne(word());
    return ours;
  }

  // Of the owner; 0: nobody has it.
  uint32_t ownerThread() const { return word().load(std::memory_order_relaxed) & FUTEX_TID_MASK; }

 private:
  static constexpr uint32_t kMark = 0x746f6f7au;  // anything that damage does not leave alone
  static constexpr uint64_t kLook = 50 * kMillisecond;
  static constexpr uint64_t kPatience = 600 * kMillisecond;
  static constexpr uint64_t kLongestStop = 30'000 * kMillisecond;
  static constexpr uint64_t kMostMisses = 2'000;

  struct Contention {
    bool moved = false;   // it went from hand to hand
    uint64_t missed = 0;  // times that we looked at it awake and it was taken
  };

  // Whether the wait for an owner is one that comes to an end. A section never sleeps, so whoever
  // sleeps while the word names him is not in one: somebody else wrote it. One that works all the
  // time may be, since a large queue takes a while to repair, but not for long. One that is
  // stopped, or waits for a processor, is. We ourselves are not: nobody enters a section twice.
  class OwnerWatch {
   public:
    explicit OwnerWatch(uint32_t thread) : thread_(thread), before_(activityOf(thread)) {}

    uint32_t thread() const { return thread_; }
    // 0: none; 1: after a while; 3: soon.
    uint64_t suspicion(uint32_t thread_now, uint32_t own, bool moved) {
      const ThreadActivity now = activityOf(thread_now);
      if (moved || thread_now != thread_) {
        thread_ = thread_now;
        before_ = now;
      }
      if (thread_now == 0 || now.state == ThreadState::stopped) return 0;
      if (thread_now == own || now.state != ThreadState::runnable) return 3;
      return now.ticks - before_.ticks >= kTicksOfWork ? 1 : 0;
    }

   private:
    static constexpr uint64_t kTicksOfWork = 2;  // 10 to 20 ms
    uint32_t thread_;
    ThreadActivity before_;
  };

  LockResult lockFor(uint64_t nanoseconds_from_now, Contention& contention) {
    const uint64_t deadline = monotonicNow() + nanoseconds_from_now;
    HeldMutexes& held = HeldMutexes::ofThisThread();
    if (!held.usable()) return LockResult::broken;
    LockResult result = LockResult::busy;
    while (result == LockResult::busy) {
      if (!intact()) {
        result = LockResult::broken;
        break;
      }
      const uint32_t seen = word().load(std::memory_order_relaxed);
      if ((seen & FUTEX_TID_MASK) == 0) {
        // We do not know who else sleeps.
        result = takeFree(held, seen, FUTEX_WAITERS);
        continue;
      }
      ++contention.missed;
      const uint64_t now = monotonicNow();
      if (now >= deadline) break;
      sleepWhile(seen, deadline - now, contention);
    }
    return result;
  }

  void sleepWhile(uint32_t seen, uint64_t nanoseconds, Contention& contention) {
    if ((seen & FUTEX_WAITERS) == 0) {
      const uint32_t with_waiters = seen | FUTEX_WAITERS;
      if (!word().compare_exchange_strong(seen, with_waiters, std::memory_order_relaxed)) {
        contention.moved = true;
        return;
      }
      seen = with_waiters;
    }
    if (futexWait(word(), seen, nanoseconds)) contention.moved = true;
  }

  // busy: somebody was faster.
  LockResult takeFree(HeldMutexes& held, uint32_t seen, uint32_t waiters) {
    const uint32_t died = seen & FUTEX_OWNER_DIED;
    const uint32_t mine = held.thread() | (seen & FUTEX_WAITERS) | waiters | died;
    held.announce(mutex_);
    const bool taken = word().compare_exchange_strong(seen, mine, std::memory_order_acquire,
                                                      std::memory_order_relaxed);
    if (taken) {
      ZOO_STEP("mutex.taken");
      held.add(mutex_);
      ZOO_STEP("mutex.listed");
      at(kMutexNamespace).store(held.pidNamespace(), std::memory_order_relaxed);
    }
    held.settle();
    if (!taken) return LockResult::busy;
    return died != 0 ? LockResult::owner_died : LockResult::locked;
  }

  uint32_t ownerNamespace() const { return at(kMutexNamespace).load(std::memory_order_relaxed); }
  bool ownerIsElsewhere(const HeldMutexes& held) const {
    const uint32_t where = ownerNamespace();
    return where != 0 && where != held.pidNamespace();
  }

  std::atomic<uint32_t>& at(uint64_t offset) const {
    return *reinterpret_cast<std::atomic<uint32_t>*>(reinterpret_cast<char*>(mutex_) + offset);
  }
  std::atomic<uint32_t>& word() const { return at(kMutexWord); }
  std::atomic<uint32_t>& mark() const { return at(kMutexMark); }
  bool intact() const { return mark().load(std::memory_order_relaxed) == kMark; }

  SharedMutex* mutex_;
};

}  // namespace zoo
