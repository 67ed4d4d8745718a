#pragma once

#include <time.h>

#include <cstdint>

namespace zoo {

inline uint64_t nanoseconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

// For deadlines.
inline uint64_t monotonicNow() { return nanoseconds(CLOCK_MONOTONIC); }

// For stamping messages and claims: 1 to 4 ms coarse, a fifth of the cost of the exact clock.
inline uint64_t wallClockCoarse() { return nanoseconds(CLOCK_REALTIME_COARSE); }
inline uint64_t monotonicCoarse() { return nanoseconds(CLOCK_MONOTONIC_COARSE); }

inline constexpr uint64_t kMillisecond = 1'000'000;

}  // namespace zoo
