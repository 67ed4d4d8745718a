// The core as it is, with somebody watching: every access to an atomic, every copy of a payload,
// every question to the kernel about who is alive, and every sleep comes by here first, so that a
// test decides who goes on and who is killed. Nothing of the core is replaced but the robust mutex,
// the futex and the clock, which are the kernel's; the segments are real.
//
// Include it before any other header of the core. It works by giving names another meaning while
// the core's headers are read, for which all standard headers that they use must be known already.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace zoo::watched {

// Who is told. Null: nobody watches.
struct Watcher {
  virtual ~Watcher() = default;
  virtual void access(const void* address, bool store) = 0;
  virtual void payload(void* target, const void* source, size_t bytes) = 0;
  virtual void asksForLife(uint32_t slot) = 0;
  virtual void takesSlotLock(int descriptor) = 0;
  virtual void maps(void* base, size_t bytes) = 0;
  virtual void sleeps(const void* word, uint32_t expected, uint64_t nanoseconds) = 0;
  virtual void wakes(const void* word) = 0;
  virtual uint64_t now() = 0;
  virtual bool locks(uint32_t& word) = 0;  // true: its owner had died
  virtual void unlocks(uint32_t& word) = 0;
  virtual void callsConsistent(uint32_t& word) = 0;
};
inline Watcher* watcher = nullptr;

inline void access(const void* address, bool store) {
  if (watcher != nullptr) watcher->access(address, store);
}

inline void copy(void* target, const void* source, size_t bytes) {
  if (watcher != nullptr) return watcher->payload(target, source, bytes);
  std::memcpy(target, source, bytes);
}

inline void* map(void* address, size_t bytes, int protection, int flags, int file, off_t offset) {
  void* base = ::mmap(address, bytes, protection, flags, file, offset);
  if (watcher != nullptr && base != MAP_FAILED) watcher->maps(base, bytes);
  return base;
}

// One core, so that nobody watches a little before he sleeps.
inline long configuration(int name) { return name == _SC_NPROCESSORS_ONLN ? 1 : ::sysconf(name); }

}  // namespace zoo::watched

namespace std {

template <typename T>
class watched_atomic {
 public:
  static constexpr bool is_always_lock_free = atomic<T>::is_always_lock_free;
  watched_atomic() = default;
  constexpr watched_atomic(T value) : value_(value) {}
  watched_atomic(const watched_atomic&) = delete;
  watched_atomic& operator=(const watched_atomic&) = delete;

  T load(memory_order order = memory_order_seq_cst) const {
    zoo::watched::access(this, false);
    return value_.load(order);
  }
  void store(T value, memory_order order = memory_order_seq_cst) {
    zoo::watched::access(this, true);
    value_.store(value, order);
  }
  T exchange(T value, memory_order order = memory_order_seq_cst) {
    zoo::watched::access(this, true);
    return value_.exchange(value, order);
  }
  T fetch_add(T value, memory_order order = memory_order_seq_cst) {
    zoo::watched::access(this, true);
    return value_.fetch_add(value, order);
  }
  T fetch_sub(T value, memory_order order = memory_order_seq_cst) {
    zoo::watched::access(this, true);
    return value_.fetch_sub(value, order);
  }
  T fetch_or(T value, memory_order order = memory_order_seq_cst) {
    zoo::watched::access(this, true);
    return value_.fetch_or(value, order);
  }
  T fetch_and(T value, memory_order order = memory_order_seq_cst) {
    zoo::watched::access(this, true);
    return value_.fetch_and(value, order);
  }
  template <typename... Orders>
  bool compare_exchange_strong(T& expected, T value, Orders... orders) {
    zoo::watched::access(this, true);
    return value_.compare_exchange_strong(expected, value, orders...);
  }
  template <typename... Orders>
  bool compare_exchange_weak(T& expected, T value, Orders... orders) {
    zoo::watched::access(this, true);
    return value_.compare_exchange_strong(expected, value, orders...);
  }
  // Without anybody being told.
  T bare() const { return value_.load(); }

 private:
  atomic<T> value_;
};

inline void watched_copy(void* target, const void* source, size_t bytes) {
  zoo::watched::copy(target, source, bytes);
}

}  // namespace std

#define atomic watched_atomic
#define memcpy watched_copy
#define mmap ::zoo::watched::map
#define sysconf ::zoo::watched::configuration

#define monotonicNow kernelMonotonicNow
#define monotonicCoarse kernelMonotonicCoarse
#include "core/os/clock.h"
#undef monotonicNow
#undef monotonicCoarse

namespace zoo {
inline uint64_t monotonicNow() {
  return watched::watcher != nullptr ? watched::watcher->now() : kernelMonotonicNow();
}
inline uint64_t monotonicCoarse() { return monotonicNow(); }
}  // namespace zoo

#define futexWait kernelFutexWait
#define futexWakeAll kernelFutexWakeAll
#include "core/os/futex.h"
#undef futexWait
#undef futexWakeAll

namespace zoo {
template <typename Word>
bool futexWait(Word& word, uint32_t expected, uint64_t nanoseconds) {
  if (watched::watcher != nullptr) watched::watcher->sleeps(&word, expected, nanoseconds);
  return true;
}
template <typename Word>
void futexWakeAll(Word& word) {
  if (watched::watcher != nullptr) watched::watcher->wakes(&word);
}
}  // namespace zoo

#define slotIsHeld kernelSlotIsHeld
#define lockSlot kernelLockSlot
#include "core/os/slot_lock.h"
#undef slotIsHeld
#undef lockSlot

namespace zoo {
inline bool slotIsHeld(int descriptor, uint32_t slot) {
  if (watched::watcher != nullptr) watched::watcher->asksForLife(slot);
  return kernelSlotIsHeld(descriptor, slot);
}
inline LockAttempt lockSlot(int descriptor, uint32_t slot) {
  const LockAttempt attempt = kernelLockSlot(descriptor, slot);
  if (watched::watcher != nullptr) watched::watcher->takesSlotLock(descriptor);
  return attempt;
}
}  // namespace zoo

#define RobustMutex KernelRobustMutex
#include "core/sync/robust_mutex.h"
#undef RobustMutex

namespace zoo {
// The kernel's part is played by the watcher; what the core does with the answers is its own.
class RobustMutex {
 public:
  explicit RobustMutex(SharedMutex& shared) : word_(*reinterpret_cast<uint32_t*>(&shared)) {}
  void initialise() { word_ = 0; }
  template <typename... Excuses>
  LockResult lock(Excuses...) {
    if (watched::watcher == nullptr) return LockResult::locked;
    return watched::watcher->locks(word_) ? LockResult::owner_died : LockResult::locked;
  }
  LockResult tryLock() { return lock(); }
  template <typename... Excuses>
  LockResult lockFor(uint64_t, Excuses...) {
    return lock();
  }
  void consistent() {
    if (watched::watcher != nullptr) watched::watcher->callsConsistent(word_);
  }
  bool unlock() {
    if (watched::watcher != nullptr) watched::watcher->unlocks(word_);
    return true;
  }
  uint32_t ownerThread() const { return word_; }

 private:
  uint32_t& word_;
};
}  // namespace zoo

#include "core/queue/queue.h"

#undef atomic
#undef memcpy
#undef mmap
#undef sysconf
