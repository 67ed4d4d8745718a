// The model's way to room for a record: core/queue/room.h, access by access. All groups block.
#pragma once

#include "model/machine.h"

namespace zoo::model {

// Whether nobody needs the record any more.
inline bool Machine::recordDone(int index) {
  const RecordState& here = record(index);
  if (here.producer == kAborted) return true;
  if (here.producer != kCommitted) return false;
  for (int group = 0; group < config_.groups; ++group) {
    if (here.delivery[group].state != kDone) return false;
  }
  return true;
}

inline void Machine::checkFreed(int index) {
  if (!recordDone(index)) violate("the space of a message that somebody needs is given away");
}

inline int Machine::deadRecords() const {
  if (observed_.dead_records >= 0) return observed_.dead_records;
  int count = 0;
  for (int index = 0; index < config_.records; ++index) {
    const RecordState& here = state_.records[index];
    bool dead = false;
    for (int group = 0; group < config_.groups; ++group) {
      const uint8_t state = here.delivery[group].state;
      dead = dead || state == kDead || state == kDeadClaimed;
    }
    count += here.producer == kCommitted && dead;
  }
  return count;
}

inline bool Machine::tooManyDead() const { return deadRecords() * 2 > config_.records; }

inline void Machine::room() {
  me_.stepped = 0;
  if (!config_.ring) return nextFree(0);
  if (shared_.tail - shared_.head > config_.records) {
    violate("a writer calls the queue damaged: the ring's ends do not fit");
  }
  reclaim();
}

// A ring: whether there is room already, else the head moves.
inline void Machine::reclaim() {
  if (mostFree() >= 1) return roomFound(true);
  me_.walk = shared_.head;
  me_.index = 0;
  me_.record = static_cast<uint8_t>(me_.walk % config_.records);
  go(Step::reclaim_walk);
}

inline void Machine::reclaimEnded() {
  me_.record = me_.index = 0;
  if (me_.walk != shared_.head) return go(Step::reclaim_head);
  me_.walk = 0;
  oldest();
}

inline void Machine::oldest() {
  if (mostFree() >= 1) return roomFound(true);
  me_.record = static_cast<uint8_t>(shared_.head % config_.records);
  me_.index = me_.phase = 0;
  go(Step::oldest_walk);
}

// What the record in the way is held by is known.
inline void Machine::oldestHolds(bool somebody, bool dead) {
  me_.index = me_.phase = 0;
  if (config_.ring) {
    if (somebody) return roomFound(false);
    if (!dead) return reclaim();
    return deadLetterInTheWay();
  }
  if (!somebody && !dead) return frameFound(me_.record);
  if (!somebody && dead) {
    const bool older =
        me_.dead_letter == 0 || shared_.table[me_.record] < shared_.table[me_.dead_letter - 1];
    if (me_.operation == kWaitWrite) {
      if (tooManyDead()) return go(Step::letter_view);
    } else if (older) {
      me_.dead_letter = static_cast<uint8_t>(me_.record + 1);
    }
  }
  nextInTheWay(me_.record + 1);
}

inline void Machine::deadLetterInTheWay() {
  if (tooManyDead() || me_.stepped >= config_.records) return go(Step::letter_view);
  me_.phase = 1;  // steps aside
  go(Step::letter_drop);
}

inline void Machine::nextFree(int step) {
  if (step == config_.records) return nextInTheWay(0);
  me_.walk = static_cast<uint8_t>(step);
  me_.record = static_cast<uint8_t>((shared_.slot_hint + step) % config_.records);
  me_.index = 0;
  if (me_.operation == kWaitWrite) return nextInTheWay(0);
  if (shared_.table[me_.record] == 0) return frameFound(me_.record);
  go(Step::free_producer);
}

inline void Machine::nextInTheWay(int slot) {
  me_.walk = 0;
  if (slot == config_.records) return framesEnded();
  me_.record = static_cast<uint8_t>(slot);
  if (me_.operation == kWaitWrite && shared_.table[slot] == 0) return frameFound(slot);
  go(Step::oldest_producer);
}

inline void Machine::framesEnded() {
  if (me_.operation == kWaitWrite || me_.dead_letter == 0 || !tooManyDead()) {
    return roomFound(false);
  }
  me_.record = static_cast<uint8_t>(me_.dead_letter - 1);
  go(Step::letter_view);
}

inline void Machine::frameFound(int slot) {
  me_.place = static_cast<uint8_t>(slot);
  if (me_.operation == kWaitWrite) return roomFound(true);
  me_.record = me_.index = me_.walk = me_.dead_letter = 0;
  go(Step::frame_out);
}

inline void Machine::roomFound(bool found) {
  me_.record = me_.index = me_.walk = me_.phase = me_.stepped = me_.dead_letter = 0;
  if (me_.operation == kWaitWrite) {
    me_.place = 0;
    me_.result = found ? kOk : kWouldBlock;
    return go(Step::unlock);
  }
  if (!found) {
    me_.result = kWouldBlock;
    return go(Step::unlock);
  }
  if (config_.ring) {
    me_.place = static_cast<uint8_t>(shared_.tail % config_.records);
    me_.place_position = shared_.tail;
  } else {
    me_.place_position = shared_.tail;
  }
  if (me_.operation == kPut) return becomeWriter();
  header();
}

inline bool Machine::roomStep() {
  const RecordState& here = record(me_.record);
  const auto stateOf = [&](int group) { return here.delivery[group].state; };
  switch (at()) {
    case Step::reclaim_walk:
      return go(Step::reclaim_producer), true;
    case Step::reclaim_producer:
      if (here.producer == kCommitted) return go(Step::reclaim_delivery), true;
      if (here.producer != kAborted) return reclaimEnded(), true;
      me_.index = static_cast<uint8_t>(config_.groups - 1);
      [[fallthrough]];
    case Step::reclaim_delivery: {
      const bool aborted = here.producer == kAborted;
      const bool claimed =
          faulty(Fault::claimed_counts_as_finished) && stateOf(me_.index) == kClaimed;
      if (!aborted && !claimed && stateOf(me_.index) != kDone &&
          !faulty(Fault::head_before_finished)) {
        return reclaimEnded(), true;
      }
      if (++me_.index < config_.groups) return true;
      me_.index = 0;
      ++me_.walk;
      const bool enough = config_.records - (shared_.tail - me_.walk) >= 2;
      if (me_.walk == shared_.tail || enough) return reclaimEnded(), true;
      me_.record = static_cast<uint8_t>(me_.walk % config_.records);
      return go(Step::reclaim_walk), true;
    }
    case Step::reclaim_head:
      for (int position = shared_.head; position < me_.walk; ++position) {
        checkFreed(position % config_.records);
      }
      shared_.head = me_.walk;
      me_.walk = 0;
      return oldest(), true;
    case Step::oldest_walk:
      return go(Step::oldest_producer), true;
    case Step::oldest_producer:
      me_.index = me_.phase = 0;
      if (here.producer == kAborted) return oldestHolds(false, false), true;
      if (here.producer != kCommitted) return oldestHolds(true, false), true;
      return go(Step::oldest_delivery), true;
    case Step::oldest_delivery: {
      const uint8_t state = stateOf(me_.index);
      if (state == kReady || state == kClaimed || state == kNone) {
        return oldestHolds(true, false), true;
      }
      if (state == kDead || state == kDeadClaimed) me_.phase = 1;
      if (++me_.index < config_.groups) return true;
      return oldestHolds(false, me_.phase != 0), true;
    }
    case Step::free_producer:
      if (here.producer == kAborted) return frameFound(me_.record), true;
      if (here.producer != kCommitted) return nextFree(me_.walk + 1), true;
      return go(Step::free_delivery), true;
    case Step::free_delivery: {
      const bool claimed =
          faulty(Fault::claimed_counts_as_finished) && stateOf(me_.index) == kClaimed;
      if (stateOf(me_.index) != kDone && !claimed && !faulty(Fault::head_before_finished)) {
        return nextFree(me_.walk + 1), true;
      }
      if (++me_.index < config_.groups) return true;
      return frameFound(me_.record), true;
    }
    case Step::letter_view:
      if (stateOf(me_.index) == kDeadClaimed) {
        if (me_.operation == kWaitWrite && !config_.ring) {
          me_.index = 0;
          return nextInTheWay(me_.record + 1), true;
        }
        return roomFound(false), true;
      }
      if (++me_.index < config_.groups) return true;
      me_.index = 0;
      if (me_.operation == kWaitWrite && !config_.ring) return roomFound(true), true;
      return go(Step::letter_drop), true;
    case Step::letter_drop:
      if (stateOf(me_.index) == kClaimed) return roomFound(false), true;
      if (++me_.index < config_.groups) return true;
      me_.index = 0;
      if (me_.phase == 0) return go(Step::letter_read), true;
      return go(Step::aside_tail), true;
    case Step::letter_read:
      if (stateOf(me_.index) == kDead) return go(Step::letter_done), true;
      [[fallthrough]];
    case Step::letter_done:
      if (at() == Step::letter_done) {
        Word& word = record(me_.record).delivery[me_.index];
        word = {kDone, word.deliveries, 0, 0};
      }
      if (++me_.index < config_.groups) return go(Step::letter_read), true;
      me_.index = 0;
      if (config_.ring) return reclaim(), true;
      return frameFound(me_.record), true;
    case Step::aside_tail:
      ++shared_.tail;
      return go(Step::aside_head), true;
    case Step::aside_head:
      ++shared_.head;
      ++me_.stepped;
      return me_.phase = 0, reclaim(), true;
    case Step::frame_out:
      if (shared_.table[me_.place] != 0) checkFreed(me_.place);
      if (!faulty(Fault::frame_stays_in_table)) shared_.table[me_.place] = 0;
      shared_.slot_hint = static_cast<uint8_t>((me_.place + 1) % config_.records);
      return roomFound(true), true;
    default:
      return false;
  }
}

}  // namespace zoo::model
