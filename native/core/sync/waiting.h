// Sleeping until there may be something to do, and waking those who sleep.
//
// The truth is in the records; a wake only says "look". The order that loses no wake:
//   sleeper: 1 set my bit in the mask   2 look once more   3 sleep
//   waker:   1 publish                  2 read the mask    3 clear a bit, wake its owner
// with a full fence between 1 and 2 on both sides. A waker that dies between clearing and waking
// costs the sleeper one capped wait, after which it looks by itself.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/kill_step.h"
#include "core/layout/participants.h"
#include "core/layout/queue_header.h"
#include "core/os/doorbell.h"
#include "core/os/futex.h"
#include "core/sync/robust_mutex.h"

namespace zoo {

// Longest sleep without looking, also at who has died.
inline constexpr uint64_t kLongestSleep = 100 * kMillisecond;
// Whoever finds no room looks more often: a dead viewer must not hold up a producer for long.
inline constexpr uint64_t kLongestSleepForRoom = 20 * kMillisecond;

// A view on a mask of slots (queue: SlotMask, lock: LockBlock::waiting).
class Sleepers {
 public:
  Sleepers(std::atomic<uint64_t>* bits, Participant* participants)
      : bits_(bits), participants_(participants) {}
  Sleepers(SlotMask& mask, Participant* participants) : Sleepers(mask.bits, participants) {}

  void add(uint32_t slot) { bits_[slot / 64].fetch_or(bit(slot), std::memory_order_seq_cst); }
  // Whether the slot was still in it, that is: nobody has woken it.
  bool remove(uint32_t slot) {
    return (bits_[slot / 64].fetch_and(~bit(slot), std::memory_order_seq_cst) & bit(slot)) != 0;
  }
  bool has(uint32_t slot) const {
    return (bits_[slot / 64].load(std::memory_order_acquire) & bit(slot)) != 0;
  }
  bool any() const {
    return (bits_[0].load(std::memory_order_seq_cst) | bits_[1].load(std::memory_order_seq_cst)) !=
           0;
  }

  void wakeAll() { wake(kSlots, 0); }
  // From a slot that moves on each time: nobody is always the first, and a writer that needs more
  // room than there is does not keep the others asleep.
  void wakeSome(uint64_t most, std::atomic<uint32_t>& turn) {
    wake(most, turn.fetch_add(1, std::memory_order_relaxed) % kSlots);
  }

 private:
  static uint64_t bit(uint32_t slot) { return uint64_t{1} << (slot % 64); }

  void wake(uint64_t most, uint32_t first) {
    const uint64_t woken = wakeBetween(first, kSlots, most);
    if (woken < most) wakeBetween(0, first, most - woken);
  }

  uint64_t wakeBetween(uint32_t begin, uint32_t end, uint64_t most) {
    uint64_t woken = 0;
    for (uint32_t word = begin / 64; word * 64 < end; ++word) {
      uint64_t candidates = bits_[word].load(std::memory_order_seq_cst);
      for (; candidates != 0 && woken < most; candidates &= candidates - 1) {
        const uint32_t slot = word * 64 + static_cast<uint32_t>(__builtin_ctzll(candidates));
        if (slot < begin || slot >= end || !remove(slot)) continue;
        ZOO_STEP("wake.cleared");
        wakeParticipant(participants_[slot]);
        ++woken;
      }
    }
    return woken;
  }

  static void wakeParticipant(Participant& participant) {
    participant.wake.fetch_add(1, std::memory_order_seq_cst);
    ZOO_STEP("wake.counted");
    const uint32_t sleeping = participant.sleeping.load(std::memory_order_seq_cst);
    if ((sleeping & kSleepsOnFutex) != 0) futexWakeAll(participant.wake);
    ZOO_STEP("wake.called");
    if ((sleeping & kSleepsOnBell) != 0) {
      BellRopes::ofThisProcess().ring(participant.bell.load(std::memory_order_relaxed));
      ZOO_STEP("wake.rung");
    }
  }

  std::atomic<uint64_t>* bits_;
  Participant* participants_;
};

// Watching a little before sleeping: pays when the answer comes within microseconds from another
// core. It learns from its own success, and never happens on a machine with one core.
class Watching {
 public:
  explicit Watching(uint64_t longest_ns)
      : longest_(severalCores() ? longest_ns : 0), now_(longest_) {}

  // Calls `ready` until it says so or the time is over.
  template <typename Ready>
  bool until(Ready ready) {
    if (now_ == 0) {
      if (longest_ == 0 || ++skipped_ < 64) return false;
      skipped_ = 0;
      now_ = longest_;  // try again once in a while
    }
    const uint64_t end = monotonicNow() + now_;
    do {
      for (int attempt = 0; attempt < 16; ++attempt) {
        if (ready()) {
          now_ = longest_;
          return true;
        }
        for (int pause = 0; pause < 8; ++pause) pauseProcessor();
      }
    } while (monotonicNow() < end);
    now_ = now_ > longest_ / 8 ? now_ / 2 : 0;
    return false;
  }

 private:
  static bool severalCores() {
    static const bool several = sysconf(_SC_NPROCESSORS_ONLN) > 1;
    return several;
  }
  uint64_t longest_;
  uint64_t now_;
  uint32_t skipped_ = 0;
};

}  // namespace zoo
