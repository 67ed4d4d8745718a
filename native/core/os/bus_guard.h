// Living on when another process truncates the file of a segment.
//
// The next touch of a page that is gone raises SIGBUS, which ends a process. One handler for the
// whole process finds the mapping by the address, puts private zeros in place of all of it, marks it
// as taken, and lets the thread go on: nothing it reads there is trusted anyway, and every call on
// the segment answers `Status::corrupt` from then on. A fault at any other address goes to whoever
// handled SIGBUS before.
//
// A file that still has its size was not truncated: /dev/shm is full, and the segment was made
// without setting its memory aside. That ends the process as before, since going on would lose
// what is written without a word.
//
// The handler is installed by the first mapping, in front of what is there. A program that installs
// its own later has decided itself; when that one is removed, the next mapping installs ours again.
#pragma once

#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <mutex>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

namespace zoo {

// A mapping as a signal handler can find it. Never freed: used again by a later mapping.
struct MappedRange {
  std::atomic<uintptr_t> base{0};  // 0: unused
  std::atomic<uint64_t> span{0};
  std::atomic<uint64_t> file_bytes{0};
  // Any description of the file, while there is one.
  std::atomic<int> descriptor{-1};
  std::atomic<uint64_t> inode{0};
  std::atomic<bool> being_taken{false};
  std::atomic<bool> taken{false};
  MappedRange* next = nullptr;
};

class BusGuard {
 public:
  static MappedRange* add(std::byte* base, uint64_t span, uint64_t file_bytes) {
    State& state = shared();
    const std::lock_guard<std::mutex> lock(state.changing);
    install(state);
    MappedRange* range = state.first.load(std::memory_order_acquire);
    while (range != nullptr && range->base.load(std::memory_order_relaxed) != 0) {
      range = range->next;
    }
    const bool fresh = range == nullptr;
    if (fresh) range = new MappedRange;
    range->span.store(span, std::memory_order_relaxed);
    range->file_bytes.store(file_bytes, std::memory_order_relaxed);
    range->descriptor.store(-1, std::memory_order_relaxed);
    range->being_taken.store(false, std::memory_order_relaxed);
    range->taken.store(false, std::memory_order_relaxed);
    range->base.store(reinterpret_cast<uintptr_t>(base), std::memory_order_release);
    if (fresh) {
      range->next = state.first.load(std::memory_order_relaxed);
      state.first.store(range, std::memory_order_release);
    }
    return range;
  }

  // Before it is unmapped: the addresses may be anybody's afterwards.
  static void remove(MappedRange& range) { range.base.store(0, std::memory_order_release); }

  // Installs the handler again when a program has taken its own away.
  static void renew() {
    State& state = shared();
    const std::lock_guard<std::mutex> lock(state.changing);
    if (state.before.load(std::memory_order_relaxed) != nullptr) install(state);
  }

  // Puts zeros in place of a mapping. False: that could not be done. Only calls that a signal
  // handler may make.
  static bool take(MappedRange& range) {
    if (range.being_taken.exchange(true, std::memory_order_acq_rel)) {
      // Another thread was faster, and may be at it still.
      while (!range.taken.load(std::memory_order_acquire)) {
        if (!range.being_taken.load(std::memory_order_acquire)) return false;
        sched_yield();
      }
      return true;
    }
    const uintptr_t base = range.base.load(std::memory_order_acquire);
    const uint64_t span = range.span.load(std::memory_order_relaxed);
    if (syscall(SYS_mmap, base, span, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == -1) {
      range.being_taken.store(false, std::memory_order_release);
      return false;
    }
    if (const auto restore = shared().restore.load(std::memory_order_acquire)) {
      restore(base, base + span);
    }
    range.taken.store(true, std::memory_order_release);
    return true;
  }

  // What writes again what this thread alone knows of the bytes that were lost.
  static void restoreWith(void (*restore)(uintptr_t begin, uintptr_t end)) {
    shared().restore.store(restore, std::memory_order_release);
  }

 private:
  struct State {
    std::mutex changing;
    std::atomic<MappedRange*> first{nullptr};
    std::atomic<void (*)(uintptr_t, uintptr_t)> restore{nullptr};
    // Who handled the signal before us; replaced as a whole, never freed.
    std::atomic<const struct sigaction*> before{nullptr};
  };

  static State& shared() {
    static State* state = new State;  // lives as long as the process: a fault may come at its end
    return *state;
  }

  static void install(State& state) {
    struct sigaction present = {};
    if (sigaction(SIGBUS, nullptr, &present) != 0) return;
    const bool with_facts = (present.sa_flags & SA_SIGINFO) != 0;
    if (with_facts && present.sa_sigaction == onBusError) return;
    const bool unhandled =
        !with_facts && (present.sa_handler == SIG_DFL || present.sa_handler == SIG_IGN);
    if (state.before.load(std::memory_order_relaxed) != nullptr && !unhandled) return;
    state.before.store(new struct sigaction(present), std::memory_order_release);
    struct sigaction ours = present;
    ours.sa_sigaction = onBusError;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | (present.sa_flags & SA_RESTART);
    sigaction(SIGBUS, &ours, nullptr);
  }

  static bool isWhole(const MappedRange& range) {
    struct stat facts = {};
    const int descriptor = range.descriptor.load(std::memory_order_acquire);
    return descriptor >= 0 && fstat(descriptor, &facts) == 0 &&
           facts.st_ino == range.inode.load(std::memory_order_relaxed) &&
           static_cast<uint64_t>(facts.st_size) >= range.file_bytes.load(std::memory_order_relaxed);
  }

  static bool mendedAt(uintptr_t address) {
    for (MappedRange* range = shared().first.load(std::memory_order_acquire); range != nullptr;
         range = range->next) {
      const uintptr_t base = range->base.load(std::memory_order_acquire);
      if (base == 0 || address - base >= range->span.load(std::memory_order_relaxed)) continue;
      if (!isWhole(*range)) return take(*range);
      // Truncated and made long again meanwhile: then the page can be had.
      const uintptr_t page = address - address % static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
      return madvise(reinterpret_cast<void*>(page), 1, MADV_POPULATE_READ) == 0;
    }
    return false;
  }

  static void onBusError(int signal, siginfo_t* facts, void* registers) {
    const int saved = errno;
    const bool mended =
        facts->si_code == BUS_ADRERR && mendedAt(reinterpret_cast<uintptr_t>(facts->si_addr));
    errno = saved;
    if (!mended) passOn(signal, facts, registers);
  }

  // As if we were not there.
  static void passOn(int signal, siginfo_t* facts, void* registers) {
    const struct sigaction& before = *shared().before.load(std::memory_order_acquire);
    if ((before.sa_flags & SA_SIGINFO) != 0) {
      before.sa_sigaction(signal, facts, registers);
    } else if (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN) {
      const bool was_sent = facts->si_code <= 0 || facts->si_code == BUS_MCEERR_AO;
      if (was_sent && before.sa_handler == SIG_IGN) return;
      // A fault cannot be ignored: the instruction is tried again, and ends the process.
      struct sigaction fatal = {};
      fatal.sa_handler = SIG_DFL;
      sigaction(signal, &fatal, nullptr);
      if (was_sent) raise(signal);
    } else {
      before.sa_handler(signal);
    }
  }
};

}  // namespace zoo
