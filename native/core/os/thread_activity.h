// What a thread is doing, as far as the kernel tells others.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>

namespace zoo {

enum class ThreadState {
  unknown,   // there is none of this number, or we may not see it
  sleeping,  // waits for something, or has ended
  runnable,  // runs, or waits for a processor
  stopped,   // by a signal or a debugger, or held up by the kernel
};

struct ThreadActivity {
  ThreadState state = ThreadState::unknown;
  uint64_t ticks = 0;  // of the processor's time it has used
};

inline ThreadActivity activityOf(uint32_t thread) {
  ThreadActivity activity;
  char path[40];
  std::snprintf(path, sizeof path, "/proc/%u/stat", thread);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return activity;
  char text[1024];
  const ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return activity;
  text[length] = '\0';
  // The name in front may contain anything, also brackets.
  const char* fields = std::strrchr(text, ')');
  char state = '?';
  unsigned long user = 0, system = 0;
  if (fields == nullptr ||
      std::sscanf(fields + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &state, &user,
                  &system) != 3) {
    return activity;
  }
  activity.ticks = user + system;
  switch (state) {
    case 'R':
      activity.state = ThreadState::runnable;
      break;
    case 'T':
    case 't':
    case 'D':
      activity.state = ThreadState::stopped;
      break;
    default:
      activity.state = ThreadState::sleeping;
  }
  return activity;
}

}  // namespace zoo
