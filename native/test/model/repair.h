// The model's repair: core/queue/reap.h and `repairEnds`, access by access.
#pragma once

#include "model/machine.h"

namespace zoo::model {

// The next record from a position on, oldest first; -1: there is none. Under the guard.
inline int Machine::recordFrom(int from, int& position) {
  if (config_.ring) {
    position = from;
    return from < shared_.tail ? from % config_.records : -1;
  }
  int found = -1;
  position = shared_.tail;
  for (int slot = 0; slot < config_.records; ++slot) {
    if (shared_.table[slot] < from || shared_.table[slot] >= position) continue;
    position = shared_.table[slot];
    found = slot;
  }
  return found;
}

inline void Machine::repair() {
  if (config_.ring) {
    if (shared_.tail - shared_.head > config_.records && !faulty(Fault::head_not_repaired)) {
      return go(Step::repair_head);
    }
    return go(Step::consistent);
  }
  for (int slot = me_.index; slot < config_.records; ++slot) {
    if (shared_.table[slot] < shared_.tail) continue;
    me_.index = static_cast<uint8_t>(slot);
    return go(Step::repair_table);
  }
  me_.index = 0;
  go(Step::consistent);
}

inline void Machine::reap() {
  me_.proved = me_.snapshot = 0;
  for (int index = 0; index < config_.records; ++index) {
    const bool reserved = record(index).producer == kReserved;
    if (faulty(Fault::no_second_look_after_death) && reserved) me_.snapshot |= bitOf(index);
  }
  proveNext(0);
}

inline void Machine::proveNext(int slot) {
  for (; slot < kModelSlots; ++slot) {
    if (slot == me_.slot || shared_.slots[slot].active == 0) continue;
    me_.index = static_cast<uint8_t>(slot);
    return go(Step::prove);
  }
  me_.index = 0;
  if (me_.proved == 0) return reaped();
  if (faulty(Fault::no_owner_generation)) {
    for (int dead = 0; dead < kModelSlots; ++dead) {
      if ((me_.proved & bitOf(dead)) != 0) shared_.slots[dead].active = 0;
    }
  }
  reapRecord(config_.ring ? shared_.head : 1);
}

inline void Machine::reapRecord(int from) {
  int position = 0;
  const int next = recordFrom(from, position);
  me_.index = 0;
  if (next < 0) {
    me_.record = me_.walk = 0;
    if (faulty(Fault::no_rewind)) return reapSlots(0);
    return go(Step::reap_rewind);
  }
  me_.record = static_cast<uint8_t>(next);
  me_.walk = static_cast<uint8_t>(position);
  go(Step::reap_walk);
}

inline bool Machine::gone(uint8_t slot, uint8_t generation) const {
  if (slot >= kModelSlots || (me_.proved & bitOf(slot)) != 0) return true;
  const SlotState& owner = shared_.slots[slot];
  if (owner.active == 0) return true;
  return !faulty(Fault::no_owner_generation) && owner.generation != generation;
}

inline void Machine::reapGroup(int group) {
  if (group == config_.groups || faulty(Fault::no_reap_of_claims)) return reapRecord(me_.walk + 1);
  me_.index = static_cast<uint8_t>(group);
  go(Step::reap_delivery);
}

inline void Machine::giveBack() {
  const bool rejecting = me_.operation == kReject && me_.recovering == 0 && me_.proved == 0;
  const int group = rejecting ? ownGroup() : me_.index;
  Word& word = record(me_.record).delivery[group];
  const int counted = faulty(Fault::deliveries_not_counted) ? 0 : 1;
  if (word.state == kDeadClaimed) {
    word = {kDead, word.deliveries, 0, 0};
  } else if (word.deliveries + counted > config_.most_deliveries) {
    word = {kDead, word.deliveries, 0, 0};
  } else {
    word = {kReady, static_cast<uint8_t>(word.deliveries + counted), 0, record(me_.record).seq};
  }
  givenBack();
}

inline void Machine::givenBack() {
  if (me_.proved != 0) return reapGroup(me_.index + 1);
  // What is rejected is no longer held, whatever happens to the rejecter now.
  me_.holds = me_.held_seq = 0;
  me_.held = {};
  if (faulty(Fault::no_rewind) || faulty(Fault::rewind_before_ready)) {
    return skipCounting(Step::reject_returned, Step::unlock);
  }
  go(Step::reject_rewind);
}

inline bool Machine::lastWriter(int slot) const {
  for (int other = 0; other < kModelSlots; ++other) {
    const SlotState& place = shared_.slots[other];
    if (other != slot && place.active != 0 && place.writer != 0 && place.ended == 0) return false;
  }
  return true;
}

inline void Machine::reapSlots(int slot) {
  for (; slot < kModelSlots; ++slot) {
    if ((me_.proved & bitOf(slot)) == 0) continue;
    me_.index = static_cast<uint8_t>(slot);
    me_.walk = 0;
    const bool over = shared_.writers == kEnded || shared_.writers == kDied;
    const bool note = shared_.slots[slot].writer != 0 && !over && lastWriter(slot);
    me_.target = static_cast<uint8_t>(slot);
    if (note && !faulty(Fault::writer_not_noted)) return go(Step::reap_writers);
    return unmask();
  }
  me_.index = me_.target = 0;
  me_.reaping = 1;
  if (faulty(Fault::wake_one_at_reap)) return wake(0, 0, false);
  wake(0, config_.groups, true);
}

inline void Machine::unmask() {
  me_.index = 0;
  go(Step::reap_unmask);
}

inline void Machine::reaped() {
  me_.proved = me_.snapshot = me_.index = me_.record = me_.walk = 0;
  if (me_.recovering != 0) {
    me_.recovering = 0;
    return afterLock();
  }
  if (me_.operation == kEnd) return go(Step::end_role);
  if (me_.operation != kJoin) return go(Step::unlock);
  for (int slot = 0; slot < kModelSlots; ++slot) {
    if (shared_.slots[slot].active != 0) continue;
    me_.slot = static_cast<uint8_t>(slot);
    me_.generation = ++own().generation;
    own().group = 0;
    own().alive = 1;  // its byte is locked before anybody sees it
    return go(Step::join_active);
  }
  go(Step::unlock);
}

inline bool Machine::repairStep() {
  switch (at()) {
    case Step::repair_head:
      shared_.head = static_cast<uint8_t>(shared_.tail - config_.records);
      return go(Step::consistent), true;
    case Step::repair_table:
      shared_.table[me_.index] = 0;
      ++me_.index;
      return repair(), true;
    case Step::consistent:
      me_.recovering = 1;
      return reap(), true;
    case Step::prove:
      if (shared_.slots[me_.index].alive == 0) me_.proved |= static_cast<uint8_t>(bitOf(me_.index));
      return proveNext(me_.index + 1), true;
    case Step::reap_walk:
      return go(Step::reap_producer), true;
    case Step::reap_producer: {
      const RecordState& here = record(me_.record);
      const bool looks_again = !faulty(Fault::no_second_look_after_death);
      const bool reserved =
          looks_again ? here.producer == kReserved : (me_.snapshot & bitOf(me_.record)) != 0;
      if (reserved && gone(here.slot, here.generation)) return go(Step::reap_abort), true;
      if (here.producer != kCommitted) return reapRecord(me_.walk + 1), true;
      return reapGroup(0), true;
    }
    case Step::reap_abort: {
      RecordState& here = record(me_.record);
      if (here.producer == kCommitted) violate("a message that was put is thrown away");
      here.producer = kAborted;
      here.slot = kNobody;
      here.generation = 0;
      return reapRecord(me_.walk + 1), true;
    }
    case Step::reap_delivery: {
      const Word& word = record(me_.record).delivery[me_.index];
      if (word.held() && gone(word.slot, word.tag)) return go(Step::give_back_read), true;
      return reapGroup(me_.index + 1), true;
    }
    case Step::give_back_read: {
      const bool rejecting = me_.proved == 0;
      const Word& word = record(me_.record).delivery[rejecting ? ownGroup() : me_.index];
      const bool last = word.state == kClaimed && word.deliveries + 1 > config_.most_deliveries &&
                        !faulty(Fault::deliveries_not_counted);
      if (last) {
        me_.torn = 0;
        me_.phase = 0;
        return go(Step::give_back_others), true;
      }
      if (rejecting && faulty(Fault::rewind_before_ready)) return go(Step::reject_rewind), true;
      return go(Step::give_back), true;
    }
    case Step::give_back_others:
      if (++me_.phase < config_.groups) return true;
      me_.phase = 0;
      return go(Step::give_back), true;
    case Step::give_back:
      return giveBack(), true;
    case Step::reap_rewind:
      rewindReaders(me_.index);
      if (++me_.index < config_.groups) return true;
      me_.index = 0;
      return reapSlots(0), true;
    case Step::reap_writers:
      shared_.writers = shared_.slots[me_.target].ended != 0 ? kEnded : kDied;
      return unmask(), true;
    case Step::reap_unmask:
      shared_.readers_waiting[me_.index] &= static_cast<uint8_t>(~bitOf(me_.target));
      if (++me_.index < config_.groups) return true;
      me_.index = 0;
      return go(Step::reap_unmask_writer), true;
    case Step::reap_unmask_writer: {
      shared_.writers_waiting &= static_cast<uint8_t>(~bitOf(me_.target));
      SlotState& slot = shared_.slots[me_.target];
      if (shared_.slots[me_.target].odd != 0) epochMoves(me_.target);
      slot.odd = slot.claims = slot.finished = slot.returned = 0;
      slot.writer = slot.ended = slot.sleeping = slot.woken = 0;
      me_.index = me_.target;
      return go(Step::reap_clear), true;
    }
    case Step::reap_clear:
      shared_.slots[me_.index].active = 0;
      me_.target = 0;
      return reapSlots(me_.index + 1), true;
    case Step::end_role:
      own().ended = 1;
      me_.ended = 1;
      if (lastWriter(me_.slot)) return go(Step::end_writers), true;
      return wake(0, config_.groups, true), true;
    case Step::end_writers:
      shared_.writers = kEnded;
      return wake(0, config_.groups, true), true;
    case Step::join_active: {
      SlotState& slot = own();
      slot.active = 1;
      slot.group = static_cast<uint8_t>(ownGroup());
      if (!config_.producer(actor_)) {
        me_.stale = (shared_.rewound & bitOf(ownGroup())) != 0;
        me_.position = config_.ring ? shared_.head : 1;
      }
      return go(Step::unlock), true;
    }
    default:
      return false;
  }
}

}  // namespace zoo::model
