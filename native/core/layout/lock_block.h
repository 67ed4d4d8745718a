// A lock's own block, behind the participants.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/layout/participants.h"
#include "core/layout/shared_mutex.h"

namespace zoo {

// Whether the data that the lock protects is in order.
enum class DataState : uint32_t { in_order = 0, in_doubt = 1 };

struct LockBlock {
  SharedMutex mutex;  // the user's; the segment's guard protects membership only

  // Written by the owner. `owner_slot` and the rest are for people, except `in_doubt_pid`.
  alignas(64) std::atomic<uint64_t> generation;
  std::atomic<DataState> data;
  std::atomic<uint32_t> in_doubt_pid;  // who died, or gave the lock back without repairing
  std::atomic<uint32_t> owner_slot;    // kNoSlot: free
  std::atomic<uint32_t> owner_pid;
  std::atomic<uint64_t> owner_since_ns;

  alignas(64) std::atomic<uint64_t> waiting[kSlots / 64];  // event loops that wait, by slot
  std::atomic<uint32_t> turn;  // at which slot the search for one to wake begins
};

static_assert(offsetof(LockBlock, generation) == 64);
static_assert(offsetof(LockBlock, waiting) == 128);

}  // namespace zoo
