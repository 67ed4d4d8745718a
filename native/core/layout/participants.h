// The table of those who have the segment open: 128 slots of three cache lines.
//
//   line 0   state generation role group pid | since ns | bell id      written under the guard
//   line 1   wake word, sleeping flags, label
//   line 2   counters, written by the owner alone
//
// Whether the owner of a slot is alive is not in here: the kernel knows (os/slot_lock.h). Process
// ids, times and labels are for people.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace zoo {

inline constexpr uint32_t kSlots = 128;
inline constexpr uint32_t kNoSlot = 0xffffffffu;
// Of the segment's file, locked by whoever takes its name away (os/name_removal.h).
inline constexpr uint32_t kRemovalByte = kSlots;
inline constexpr uint32_t kLabelBytes = 32;

enum class SlotState : uint32_t { free = 0, active = 1 };

// Bits of Participant::role.
inline constexpr uint32_t kRoleWriter = 1;
inline constexpr uint32_t kRoleEnded = 2;
inline constexpr uint32_t kRoleReader = 4;  // of a channel or a pipe

// Bits of Participant::sleeping.
inline constexpr uint32_t kSleepsOnFutex = 1;
inline constexpr uint32_t kSleepsOnBell = 2;

// What one participant has done. One writer, so plain loads and stores of the owner; `epoch` is
// odd while a record's state and its counter disagree (see queue/totals.h).
struct Counters {
  std::atomic<uint64_t> epoch;
  std::atomic<uint64_t> puts;
  std::atomic<uint64_t> claims;
  std::atomic<uint64_t> finished;
  std::atomic<uint64_t> returned;
  std::atomic<uint64_t> oldest_claim_ns;  // monotonic clock, 0: holds nothing. For people.
  std::atomic<uint64_t> reserved;         // messages reserved and not yet committed
};

struct alignas(64) Participant {
  std::atomic<SlotState> state;
  std::atomic<uint32_t> generation;  // grows each time the slot is taken
  std::atomic<uint32_t> role;
  std::atomic<uint32_t> group;
  std::atomic<uint32_t> pid;
  std::atomic<uint32_t> pid_namespace;  // in which the pid counts, see os/pid_namespace.h
  std::atomic<uint64_t> since_ns;       // wall clock
  std::atomic<uint64_t> bell;

  alignas(64) std::atomic<uint32_t> wake;  // counts wakes; a blocked thread sleeps on it
  std::atomic<uint32_t> sleeping;
  char label[kLabelBytes];

  alignas(64) Counters counters;
};

static_assert(sizeof(Participant) == 192);
static_assert(offsetof(Participant, wake) == 64);
static_assert(offsetof(Participant, counters) == 128);

// Who owns something: a slot and the generation it had.
struct Owner {
  uint32_t slot = kNoSlot;
  uint32_t generation = 0;
  bool operator==(const Owner& other) const {
    return slot == other.slot && generation == other.generation;
  }
};

inline constexpr uint64_t kParticipantsOffset = 4096;
inline constexpr uint64_t kBlockOffset = kParticipantsOffset + kSlots * sizeof(Participant);
static_assert(kBlockOffset == 28672, "where the kind's own block begins");

}  // namespace zoo
