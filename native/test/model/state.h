// A state of the model: what lies in the segment, what each actor has in its own memory, and a
// little that only the checks know. Plain bytes, so that a state is compared and hashed as it lies.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "model/config.h"

namespace zoo::model {

enum ProducerIs : uint8_t { kFree, kReserved, kCommitted, kAborted };
enum DeliveryIs : uint8_t { kNone, kReady, kClaimed, kDone, kDead, kDeadClaimed };
enum WritersAre : uint8_t { kNoWriters, kOpen, kEnded, kDied };
enum Result : uint8_t { kNoResult, kOk, kWouldBlock, kSaysEnded, kSaysPeerDied };

inline constexpr uint8_t kNobody = 7;      // a slot
inline constexpr uint8_t kGuardFree = 0;   // otherwise actor + 1
inline constexpr uint8_t kGuardDied = 15;  // its owner is dead
inline constexpr int kAllSlots = 1;

struct Word {
  uint8_t state = kNone;
  uint8_t deliveries = 0;
  uint8_t slot = 0;  // of the holder
  uint8_t tag = 0;   // salt (number of the message) or generation of the holder
  bool operator==(const Word& other) const { return std::memcmp(this, &other, sizeof other) == 0; }
  bool operator!=(const Word& other) const { return !(*this == other); }
  bool held() const { return state == kClaimed || state == kDeadClaimed; }
};

struct RecordState {
  uint8_t producer = kFree;
  uint8_t slot = 0;
  uint8_t generation = 0;
  uint8_t seq = 0;
  Word delivery[kMostGroups];
  // Beyond what the code stores: whose message the two halves of the payload are, and how often
  // the message was handed out to each group.
  uint8_t half[2] = {};
  uint8_t times[kMostGroups] = {};
};

struct SlotState {
  uint8_t active = 0;
  uint8_t generation = 0;
  uint8_t alive = 0;  // the kernel's lock on its byte
  uint8_t writer = 0;
  uint8_t ended = 0;
  uint8_t group = 0;
  uint8_t sleeping = 0;
  uint8_t woken = 0;  // since the owner last read its wake word
  uint8_t odd = 0;    // its epoch
  uint8_t claims = 0;
  uint8_t finished = 0;
  uint8_t returned = 0;
};

struct Shared {
  uint8_t guard = kGuardFree;
  uint8_t tail = 0;
  uint8_t head = 0;
  uint8_t next_seq = 1;
  uint8_t writers = kNoWriters;
  uint8_t slot_hint = 0;
  uint8_t rewound = 0;  // bits of groups
  uint8_t table[kMostRecords] = {};
  uint8_t hint[8] = {};  // by number of the message
  uint8_t readers_waiting[kMostGroups] = {};
  uint8_t writers_waiting = 0;
  SlotState slots[kModelSlots];
  // What may still happen.
  uint8_t puts = 0;
  uint8_t crashes = 0;
  uint8_t joins = 0;
  uint8_t waker_died = 0;  // in between clearing a bit and waking: one sleeper is left to its cap
};

struct Actor {
  uint8_t at = 0;  // Step
  uint8_t operation = kNothing;
  uint8_t result = kNoResult;
  uint8_t dead = 0;  // not alive: it may come again as a newcomer
  uint8_t slot = kNobody;
  uint8_t generation = 0;
  uint8_t is_writer = 0;
  uint8_t ended = 0;
  uint8_t told_end = 0;
  uint8_t stage = 0;  // of a put: 1 when it commits
  uint8_t recovering = 0;
  uint8_t reaping = 0;

  // Reader.
  uint8_t stale = 0;  // the group's rewinds are not those it saw
  uint8_t position = 0;
  uint8_t phase = 0;
  uint8_t saw_writers = 0;
  uint8_t saw_tail = 0;
  uint8_t found = 0;  // record
  uint8_t found_position = 0;
  uint8_t found_seq = 0;
  uint8_t found_producer = 0;
  uint8_t settled = 0;
  uint8_t noted = 0;   // slots whose epochs it has read
  uint8_t others = 0;  // those of them that were participants of its group
  uint8_t moved = 0;   // those whose epoch is another since
  uint8_t torn = 0;
  uint8_t exchanged = 0;
  Word word;
  uint8_t holds = 0;  // record + 1
  uint8_t held_seq = 0;
  Word held;

  // Writer and repair.
  uint8_t place = 0;
  uint8_t place_position = 0;
  uint8_t place_seq = 0;
  uint8_t stepped = 0;
  uint8_t dead_letter = 0;  // frames: record + 1 of the oldest
  uint8_t proved = 0;       // slots whose owners are dead
  uint8_t snapshot = 0;     // only with a fault
  uint8_t record = 0;
  uint8_t walk = 0;
  uint8_t index = 0;

  // Waking.
  uint8_t mask = 0;
  uint8_t last_mask = 0;
  uint8_t wake_all = 0;
  uint8_t candidates = 0;
  uint8_t target = 0;
  uint8_t search = 0;  // side by side with the code: at which slot it begins, and its second part
  uint8_t search_again = 0;
  uint8_t timed_out = 0;
};

struct State {
  Shared shared;
  RecordState records[kMostRecords];
  Actor actors[kMostActors];
};

static_assert(std::has_unique_object_representations_v<State>, "no padding: compared as bytes");

// Without what only the checks know, and what the model counts otherwise.
inline State bareState(State state) {
  for (RecordState& record : state.records) {
    std::memset(record.half, 0, sizeof record.half);
    std::memset(record.times, 0, sizeof record.times);
  }
  for (SlotState& slot : state.shared.slots) {
    slot.woken = 0;
    slot.alive &= slot.active;
  }
  Shared& shared = state.shared;
  shared.puts = shared.crashes = shared.joins = shared.waker_died = 0;
  return state;
}

// Whether the same lies in the segment.
inline bool sameSegment(const State& one, const State& other) {
  const State left = bareState(one);
  const State right = bareState(other);
  return std::memcmp(&left.shared, &right.shared, sizeof left.shared) == 0 &&
         std::memcmp(&left.records, &right.records, sizeof left.records) == 0;
}

}  // namespace zoo::model
