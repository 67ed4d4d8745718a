// What every call owes its caller, whatever the segment's bytes are.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "core/os/clock.h"
#include "core/status.h"

namespace zoo::test {

[[noreturn]] inline void giveUp(const char* what, const char* detail) {
  std::fprintf(stderr, "FAILED: %s. %s\n", what, detail);
  std::abort();
}

inline Status expectAnswer(Status status) {
  if (status > Status::ok || status < Status::no_reader) giveUp("a status nobody knows", "");
  return status;
}

// One second is promised; a machine that is busy with other work gets a generous addition.
inline constexpr uint64_t kPatience = 4000 * kMillisecond;

// Times one step of a script.
class Stopwatch {
 public:
  ~Stopwatch() {
    const uint64_t took = monotonicNow() - start_;
    if (took < kPatience) return;
    char text[60];
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(took) / 1e9);
    giveUp("a call took too long", text);
  }

 private:
  uint64_t start_ = monotonicNow();
};

}  // namespace zoo::test
