// What must hold: in every state, and where things come to rest.
#pragma once

#include "model/state.h"
#include "model/steps.h"

namespace zoo::model {

// Position of a record in the queue, -1 when it is not part of it. Frames: the message's number.
inline int positionOf(const Config& config, const State& state, int record) {
  const Shared& shared = state.shared;
  if (!config.ring) {
    const uint8_t seq = shared.table[record];
    return seq != 0 && seq < shared.tail ? seq : -1;
  }
  for (int position = shared.tail - 1; position >= shared.head; --position) {
    if (position % config.records == record) return position;
  }
  return -1;
}

inline bool isAt(const Actor& actor, Step step) { return actor.at == static_cast<uint8_t>(step); }

inline const char* brokenByHolders(const Config& config, const State& state) {
  for (int number = 0; number < config.actors(); ++number) {
    const Actor& actor = state.actors[number];
    if (actor.dead != 0 || actor.holds == 0) continue;
    const RecordState& record = state.records[actor.holds - 1];
    const Word& word = record.delivery[config.group_of[number]];
    if (word != actor.held) return "a message was taken from somebody alive who holds it";
    if (record.seq != actor.held_seq) return "space was used again while somebody holds it";
    if (record.half[0] != actor.held_seq || record.half[1] != actor.held_seq) {
      return "what somebody holds was written over, or never written";
    }
  }
  return nullptr;
}

inline const char* brokenByRecords(const Config& config, const State& state) {
  for (int index = 0; index < config.records; ++index) {
    const RecordState& record = state.records[index];
    if (positionOf(config, state, index) < 0 || record.producer != kCommitted) continue;
    if (record.half[0] != record.seq || record.half[1] != record.seq) {
      return "a message is visible that is not wholly written";
    }
    for (int group = 0; group < config.groups; ++group) {
      if (record.delivery[group].deliveries > config.most_deliveries) {
        return "a message counts more deliveries than are allowed";
      }
    }
  }
  return nullptr;
}

// A ready message behind a reader's back, and nothing that makes it look again.
inline const char* brokenByReaders(const Config& config, const State& state) {
  if (state.shared.guard != kGuardFree) return nullptr;  // whoever has it, or repairs, says so
  for (int number = config.producers; number < config.actors(); ++number) {
    const Actor& actor = state.actors[number];
    if (actor.dead != 0 || actor.slot == kNobody || actor.stale != 0) continue;
    if (isAt(actor, Step::next_first)) continue;
    for (int index = 0; index < config.records; ++index) {
      const RecordState& record = state.records[index];
      const int position = positionOf(config, state, index);
      if (position < 0 || record.producer != kCommitted) continue;
      if (record.delivery[config.group_of[number]].state == kReady && position < actor.position) {
        return "a reader has passed a message that is ready, and will not look again";
      }
    }
  }
  return nullptr;
}

inline const char* brokenPromise(const Config& config, const State& state) {
  if (const char* broken = brokenByHolders(config, state)) return broken;
  if (const char* broken = brokenByRecords(config, state)) return broken;
  return brokenByReaders(config, state);
}

// Everything has come to its end: nobody is on the way, and whoever lives has got what was his.
inline bool atRest(const Config& config, const State& state) {
  if (state.shared.guard != kGuardFree && state.shared.guard != kGuardDied) return false;
  bool unseen_death = false;
  for (const SlotState& slot : state.shared.slots) {
    unseen_death = unseen_death || (slot.active != 0 && slot.alive == 0);
  }
  bool lives[kMostGroups] = {};
  bool anybody = false;
  for (int number = 0; number < config.actors(); ++number) {
    const Actor& actor = state.actors[number];
    if (actor.dead != 0) continue;
    if (!isAt(actor, Step::idle) && !isAt(actor, Step::asleep)) return false;
    if (actor.holds != 0) return false;
    anybody = true;
    if (!config.producer(number)) lives[config.group_of[number]] = true;
  }
  // Without caps only a wake ends a sleep, and a death may be nobody's business for long.
  const bool excused = !config.caps && (unseen_death || state.shared.waker_died != 0);
  if (unseen_death && anybody && !excused) return false;
  if (excused) return true;
  for (int index = 0; index < config.records; ++index) {
    const RecordState& record = state.records[index];
    if (positionOf(config, state, index) < 0) continue;
    if (record.producer == kReserved && anybody) return false;
    for (int group = 0; record.producer == kCommitted && group < config.groups; ++group) {
      const uint8_t is = record.delivery[group].state;
      if (lives[group] && is != kDone && is != kDead) return false;
    }
  }
  // Whoever reads is told when nobody is left who puts.
  bool writes = false;
  for (const SlotState& slot : state.shared.slots) {
    writes = writes || (slot.active != 0 && slot.writer != 0 && slot.ended == 0);
  }
  if (anybody && state.shared.writers == kOpen && !writes) return false;
  const bool over = state.shared.writers == kEnded || state.shared.writers == kDied;
  for (int number = config.producers; over && config.counts && number < config.actors(); ++number) {
    const Actor& actor = state.actors[number];
    if (actor.dead == 0 && actor.told_end == 0) return false;
  }
  // Nobody waits for room that is there.
  for (int number = 0; number < config.producers; ++number) {
    const Actor& actor = state.actors[number];
    if (actor.dead == 0 && isAt(actor, Step::asleep)) return false;
  }
  return true;
}

}  // namespace zoo::model
