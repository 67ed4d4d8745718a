// Taking a slot in the participant table, giving it back, and proving that its owner is dead.
// All under the segment's guard.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>

#include "core/kill_step.h"
#include "core/layout/participants.h"
#include "core/os/clock.h"
#include "core/os/doorbell.h"
#include "core/os/pid_namespace.h"
#include "core/os/slot_lock.h"

namespace zoo {

class Membership {
 public:
  Membership() = default;
  Membership(Participant* participants, int lock_descriptor)
      : participants_(participants), locks_(lock_descriptor) {}

  const Owner& self() const { return self_; }
  Participant& own() const { return participants_[self_.slot]; }
  bool joined() const { return self_.slot != kNoSlot; }

  enum class Join { joined, full, segment_is_being_replaced };

  // Takes a free slot. Slots of the dead have been emptied before (see each kind's reap).
  Join join(const std::string& label) {
    bool locked_by_another = false;
    for (uint32_t slot = 0; slot < kSlots; ++slot) {
      Participant& place = participants_[slot];
      if (place.state.load(std::memory_order_relaxed) != SlotState::free) continue;
      // A free slot is locked for a moment by somebody who has just left it (and may be stopped
      // there), or by somebody who holds all of them.
      if (lockSlot(locks_, slot) != LockAttempt::taken) {
        locked_by_another = true;
        continue;
      }
      ZOO_STEP("join.locked");
      fill(place, label);
      ZOO_STEP("join.filled");
      const uint32_t generation = place.generation.load(std::memory_order_relaxed) + 1;
      place.generation.store(generation, std::memory_order_relaxed);
      ZOO_STEP("join.generation");
      self_ = {slot, generation};
      // if killed here: the slot is still free, and the kernel drops the lock.
      place.state.store(SlotState::active, std::memory_order_release);  // PUBLISH participant
      ZOO_STEP("join.active");
      return Join::joined;
    }
    return locked_by_another ? Join::segment_is_being_replaced : Join::full;
  }

  // Ours to leave, or a dead participant's to be cleared.
  void clear(uint32_t slot) {
    Participant& place = participants_[slot];
    place.role.store(0, std::memory_order_relaxed);
    ZOO_STEP("clear.role");
    place.sleeping.store(0, std::memory_order_relaxed);
    for (std::atomic<uint64_t>* counter :
         {&place.counters.puts, &place.counters.claims, &place.counters.finished,
          &place.counters.returned, &place.counters.oldest_claim_ns, &place.counters.reserved}) {
      counter->store(0, std::memory_order_relaxed);
      ZOO_STEP("clear.counter");
    }
    // Even again, and never back: who has noted it is not deceived by the next one in this slot.
    std::atomic<uint64_t>& epoch = place.counters.epoch;
    epoch.store((epoch.load(std::memory_order_relaxed) + 1) & ~uint64_t{1},
                std::memory_order_relaxed);
    ZOO_STEP("clear.epoch");
    place.state.store(SlotState::free, std::memory_order_release);
    ZOO_STEP("clear.free");
    if (slot == self_.slot) self_ = {};
  }

  bool isActive(uint32_t slot) const {  // CONSUME participant
    return participants_[slot].state.load(std::memory_order_acquire) == SlotState::active;
  }

  // The kernel's word. Our own slot is alive: a description does not see its own locks.
  bool provedDead(uint32_t slot) const {
    return slot != self_.slot && isActive(slot) && !slotIsHeld(locks_, slot);
  }

  bool anyDead() const {
    for (uint32_t slot = 0; slot < kSlots; ++slot) {
      if (!ZOO_MUTATED(26) && provedDead(slot)) return true;
    }
    return false;
  }

  // Whether anybody of that pid namespace is alive.
  bool anyoneIn(uint32_t pid_namespace) const {
    for (uint32_t slot = 0; slot < kSlots; ++slot) {
      const Participant& place = participants_[slot];
      if (slot != self_.slot && isActive(slot) &&
          place.pid_namespace.load(std::memory_order_relaxed) == pid_namespace &&
          slotIsHeld(locks_, slot)) {
        return true;
      }
    }
    return false;
  }

  // Whether this very participant, not a later one in its slot, is still in the table.
  bool isCurrent(const Owner& owner) const {
    return owner.slot < kSlots && isActive(owner.slot) &&
           (ZOO_MUTATED(8) || participants_[owner.slot].generation.load(
                                  std::memory_order_relaxed) == owner.generation);
  }

 private:
  static void fill(Participant& place, const std::string& label) {
    place.role.store(0, std::memory_order_relaxed);
    place.group.store(0, std::memory_order_relaxed);
    place.pid.store(static_cast<uint32_t>(getpid()), std::memory_order_relaxed);
    place.pid_namespace.store(ownPidNamespace(), std::memory_order_relaxed);
    place.since_ns.store(wallClockCoarse(), std::memory_order_relaxed);
    place.bell.store(0, std::memory_order_relaxed);
    place.sleeping.store(0, std::memory_order_relaxed);
    std::memset(place.label, 0, kLabelBytes);
    std::memcpy(place.label, label.data(), std::min<size_t>(label.size(), kLabelBytes - 1));
  }

  Participant* participants_ = nullptr;
  int locks_ = -1;
  Owner self_;
};

// The label, ended even when its bytes were overwritten.
inline std::string labelOf(const Participant& participant) {
  return std::string(participant.label, strnlen(participant.label, kLabelBytes));
}

}  // namespace zoo
