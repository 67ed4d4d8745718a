// Sleeping on a word of shared memory. A pthread condition variable would hang for ever once a
// waiter is killed; a bare futex holds no state that could be left behind.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>

#include "core/os/clock.h"

namespace zoo {

// Sleeps while `word` holds `expected`, at most `nanoseconds`. May return early. Whether it was woken,
// or the word was another already.
inline bool futexWait(std::atomic<uint32_t>& word, uint32_t expected, uint64_t nanoseconds) {
  timespec limit;
  limit.tv_sec = static_cast<time_t>(nanoseconds / 1'000'000'000u);
  limit.tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000u);
  return syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAIT, expected, &limit,
                 nullptr, 0) == 0 ||
         errno == EAGAIN;
}

inline void futexWakeOne(std::atomic<uint32_t>& word) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

inline void futexWakeAll(std::atomic<uint32_t>& word) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace zoo
