// A queue's own block, behind the participants. One cache line for each role, so that producers
// and consumers do not take lines from each other without need.
//
//   line 0-6   constants, written before the segment has a name
//   tail       written by producers, read by consumers
//   head       written by whoever reclaims space (a ring only)
//   rewinds    read by consumers; written when a message is offered again
//   waiting    who sleeps, by slot: readers of each group, writers
//   totals     counts of those who have left, and corrections after deaths
//
// The frames store has a table behind this block: for every slot the number of the message in it
// (0: none), then hints from message number to slot.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/layout/participants.h"
#include "core/layout/record.h"

namespace zoo {

inline constexpr uint32_t kGroupNameBytes = 64;

enum class StoreKind : uint32_t { ring = 1, frames = 2 };
enum class Overflow : uint32_t { block = 0, drop_oldest = 1, latest = 2 };

// Whether anybody will put again.
// `failed`: a channel or pipe was closed with an error, which counts for all of its writers.
enum class WritersState : uint32_t { none = 0, open = 1, ended = 2, died = 3, failed = 4 };

struct QueueConstants {
  StoreKind store;
  uint32_t group_count;
  uint32_t max_deliveries;
  uint32_t slots;        // frames
  uint64_t slot_bytes;   // frames: largest payload
  uint64_t slot_stride;  // frames: from one slot to the next
  uint64_t capacity;     // bytes of the store
  uint64_t salt;
  Overflow overflow[kMaxGroups];
  char group_names[kMaxGroups][kGroupNameBytes];
};

struct SlotMask {
  std::atomic<uint64_t> bits[kSlots / 64];
};

struct GroupTotals {
  std::atomic<uint64_t> claims;  // of participants who have left
  std::atomic<uint64_t> finished;
  std::atomic<uint64_t> returned;
  std::atomic<uint64_t> redelivered;
  std::atomic<uint64_t> dropped;
  std::atomic<uint64_t> dead;           // sent to the dead letters so far
  std::atomic<uint64_t> dead_given_up;  // of these, removed unread because their space was needed
  std::atomic<int64_t> backlog_correction;
  std::atomic<int64_t> claimed_correction;
};

struct QueueHeader {
  QueueConstants constants;

  // Ring: position behind the newest record. Frames: number of the next message.
  alignas(64) std::atomic<uint64_t> tail;
  std::atomic<uint64_t> next_seq;
  std::atomic<uint32_t> slot_hint;  // frames: where to look first for a free slot

  alignas(64) std::atomic<uint64_t> head;  // ring: position of the oldest record not reclaimed
  std::atomic<uint64_t> dead_units;        // what dead letters occupy (ring: units, frames: slots)

  alignas(64) std::atomic<uint64_t> rewinds[kMaxGroups];
  std::atomic<uint64_t> writers;  // WritersState, and the dead writer's pid in the upper half

  alignas(64) SlotMask readers_waiting[kMaxGroups];
  alignas(64) SlotMask writers_waiting;
  std::atomic<uint32_t> writer_turn;  // at which slot the search for a writer to wake begins
  std::atomic<uint32_t> reader_turn;  // the same for readers

  alignas(64) std::atomic<uint64_t> puts;  // of participants who have left
  std::atomic<uint32_t> recount_due;
  GroupTotals groups[kMaxGroups];
  // A count on its way from a participant to those who have left: what the total will be, then
  // which count it is (0: none). Whoever dies on the way leaves enough to bring it to its end.
  std::atomic<uint64_t> hand_in_total;
  std::atomic<uint64_t> hand_in_which;
};

static_assert(sizeof(QueueConstants) == 48 + 16 + kMaxGroups * kGroupNameBytes);
static_assert(offsetof(QueueHeader, tail) % 64 == 0 && offsetof(QueueHeader, head) % 64 == 0);
static_assert(sizeof(SlotMask) == 16);

inline constexpr uint64_t kFrameTableOffset = kBlockOffset + 4096;
static_assert(sizeof(QueueHeader) <= 4096);

// Hints per frame slot: messages that far back are found without a search.
inline constexpr uint64_t kFrameHints = 4;

}  // namespace zoo
