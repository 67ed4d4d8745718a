// A coarse clock that stands still. The core looks at it to see whether it should look around for
// the dead: how often that happens depends on how long the calls take, and so would their counts.
//
// Included by one source of a program it takes the place of the C library's function; as a library
// (still_clock.cc) it does so for a program that is started with LD_PRELOAD.
#pragma once

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern "C" __attribute__((visibility("default"))) int clock_gettime(clockid_t clock,
                                                                    timespec* now) noexcept {
  if (clock != CLOCK_REALTIME_COARSE && clock != CLOCK_MONOTONIC_COARSE) {
    return static_cast<int>(syscall(SYS_clock_gettime, clock, now));
  }
  *now = {1'000'000'000, 0};
  return 0;
}
