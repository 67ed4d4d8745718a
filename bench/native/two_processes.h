// What the native programs share: memory, a second process on a processor of its own, and the line
// that says how long everything took.
#pragma once

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

namespace bench {

[[noreturn]] inline void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

[[noreturn]] inline void usage(const char* program, const char* arguments) {
  std::fprintf(stderr, "usage: %s %s\n", program, arguments);
  std::exit(2);
}

inline std::uint64_t number(const char* text) { return std::strtoull(text, nullptr, 10); }

// The processors of this process and of the other one; null where the system may choose.
struct Places {
  const char* here = nullptr;
  const char* there = nullptr;
};

inline void pinTo(const char* processor) {
  if (processor == nullptr) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(std::atoi(processor)), &set);
  sched_setaffinity(0, sizeof set, &set);
}

// Nobody waits for the figures any more once the parent is gone.
inline void endWithParent() { prctl(PR_SET_PDEATHSIG, SIGKILL); }

// Memory that a child shares, present in full: nothing is faulted in while time is taken.
inline void* sharedMemory(std::size_t bytes) {
  const int flags = MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  return memory;
}

// A child has page tables of its own: it maps the pages that it shares by reading them.
inline void touchPages(const void* memory, std::size_t bytes) {
  const auto* first = static_cast<const volatile unsigned char*>(memory);
  for (std::size_t at = 0; at < bytes; at += 4096) static_cast<void>(first[at]);
}

// The compiler must take the bytes at `memory` for used, and for changed by somebody else.
inline void escape(const void* memory) { asm volatile("" : : "r"(memory) : "memory"); }

// Waits until `word` is something else than `old`: on its own processor at first, then by giving
// this one up.
template <typename Value>
Value awaitChange(const std::atomic<Value>& word, Value old) {
  constexpr unsigned kSpins = 4096;
  Value seen = old;
  for (unsigned turns = 0; (seen = word.load(std::memory_order_acquire)) == old; ++turns) {
    if (turns > kSpins) {
      sched_yield();
      continue;
    }
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  return seen;
}

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// The other process. Its work is a function that is given `ready`, calls it when all is prepared,
// and answers with a number.
class Partner {
 public:
  template <typename Work>
  Partner(const Places& places, Work work) : shared_(*new (sharedMemory(sizeof(Shared))) Shared) {
    endWithParent();
    // A partner that broke would be waited for without end.
    std::signal(SIGCHLD, [](int) {
      int status = 0;
      if (wait(&status) > 0 && status != 0) _exit(1);
    });
    const pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
      std::signal(SIGCHLD, SIG_DFL);
      endWithParent();
      pinTo(places.there);
      std::exit(obey(work));
    }
    child_ = child;
    pinTo(places.here);
  }
  Partner(const Partner&) = delete;
  Partner& operator=(const Partner&) = delete;

  // Returns when the other process is gone, and all that it had open with it.
  ~Partner() {
    std::signal(SIGCHLD, SIG_DFL);
    waitpid(child_, nullptr, 0);
  }

  void awaitReady() const { awaitChange(shared_.ready, false); }

  std::uint64_t awaitAnswer() const {
    awaitChange(shared_.answered, false);
    return shared_.answer;
  }

 private:
  struct Shared {
    std::atomic<bool> ready{false};
    std::atomic<bool> answered{false};
    std::uint64_t answer = 0;
  };

  template <typename Work>
  int obey(Work& work) {
    try {
      shared_.answer = work([&] { shared_.ready.store(true, std::memory_order_release); });
      shared_.answered.store(true, std::memory_order_release);
      return 0;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      return 1;
    }
  }

  Shared& shared_;
  pid_t child_ = 0;
};

// The sum of the first bytes when message i begins with `i & 255`.
inline std::uint64_t expectedSum(std::uint64_t messages) {
  const std::uint64_t rest = messages % 256;
  return messages / 256 * 32640 + rest * (rest - 1) / 2;
}

// Prints the figures of one run, unless messages were lost or mixed. Answers the exit code.
inline int report(std::uint64_t operations, double seconds, std::uint64_t sum) {
  if (sum != expectedSum(operations)) {
    std::fprintf(stderr, "the messages arrived with a sum of %llu\n",
                 static_cast<unsigned long long>(sum));
    return 1;
  }
  std::printf("{\"operations\": %llu, \"seconds\": %.9f}\n",
              static_cast<unsigned long long>(operations), seconds);
  return 0;
}

}  // namespace bench
