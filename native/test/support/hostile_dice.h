// Random numbers that follow from a seed, and what the processes of a hostile round share.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "core/os/clock.h"
#include "support/messages.h"

namespace zoo::test {

class HostileDice {
 public:
  explicit HostileDice(uint64_t seed) : state_(mixed(seed + 0x9e3779b97f4a7c15ull)) {}
  uint64_t next() { return mixed(state_ += 0x9e3779b97f4a7c15ull); }
  uint64_t below(uint64_t limit) { return next() % limit; }
  bool oneIn(uint64_t count) { return below(count) == 0; }

 private:
  uint64_t state_;
};

// The segments of a round.
struct HostileNames {
  std::string ring, frames, channel, pipe, lock, memory, witness;
};

// What one user of the segments is doing, and what came of it. Never in the segments themselves.
struct HostileJournal {
  static constexpr uint32_t kCalls = 48;
  std::atomic<const char*> call{nullptr};  // the same address in every child
  std::atomic<uint64_t> since_ns{0};       // when the call began, plus the time it may wait
  std::atomic<uint64_t> calls{0};
  std::atomic<uint64_t> good{0};
  std::atomic<uint64_t> corrupt{0};
  std::atomic<uint64_t> slow{0};  // took more than a second
  std::atomic<uint64_t> longest_ns{0};
  std::atomic<uint64_t> longest_work_ns{0};  // of the processor's time
  std::atomic<const char*> longest_call{nullptr};
  std::atomic<uint64_t> wrong{0};  // answers that nobody may get
  std::atomic<uint64_t> fenced{0}, unfenced{0};
};

inline constexpr uint64_t kHostileSlow = 1'000 * kMillisecond;
inline constexpr uint64_t kHostileHang = 5'000 * kMillisecond;

// Around a call: writes down which one, and how long it took beyond what it may wait.
class HostileCall {
 public:
  HostileCall(HostileJournal& journal, const char* name, uint64_t may_wait_ns = 0)
      : journal_(journal),
        name_(name),
        due_(monotonicNow() + may_wait_ns),
        worked_ns_(nanoseconds(CLOCK_THREAD_CPUTIME_ID)) {
    journal_.call.store(name, std::memory_order_relaxed);
    journal_.since_ns.store(due_, std::memory_order_release);
    journal_.calls.fetch_add(1, std::memory_order_relaxed);
  }
  HostileCall(const HostileCall&) = delete;
  HostileCall& operator=(const HostileCall&) = delete;
  ~HostileCall() {
    const uint64_t now = monotonicNow();
    journal_.since_ns.store(0, std::memory_order_release);
    if (now <= due_) return;
    const uint64_t took = now - due_;
    if (took > kHostileSlow) journal_.slow.fetch_add(1, std::memory_order_relaxed);
    if (took <= journal_.longest_ns.load(std::memory_order_relaxed)) return;
    journal_.longest_ns.store(took, std::memory_order_relaxed);
    journal_.longest_work_ns.store(nanoseconds(CLOCK_THREAD_CPUTIME_ID) - worked_ns_,
                                   std::memory_order_relaxed);
    journal_.longest_call.store(name_, std::memory_order_relaxed);
  }

 private:
  HostileJournal& journal_;
  const char* name_;
  uint64_t due_;
  uint64_t worked_ns_;
};

}  // namespace zoo::test
