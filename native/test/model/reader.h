// The model's reader: core/queue/read.h, access by access.
#pragma once

#include "model/machine.h"

namespace zoo::model {

// phase 0: the first look; 1: after reading that nobody will put; 2: after nobody held anything.
inline void Machine::lookForNext(int phase) {
  me_.phase = static_cast<uint8_t>(phase);
  look();
}

inline void Machine::look() {
  me_.found = me_.found_position = me_.found_seq = me_.found_producer = 0;
  me_.word = {};
  me_.index = 0;
  go(Step::next_rewinds);
}

inline void Machine::lookEnded(Result result) {
  if (result == kOk) return nextEnded(kOk);
  me_.found = me_.found_position = me_.found_seq = me_.found_producer = 0;
  me_.word = {};
  me_.index = 0;
  if (me_.phase == 0) return go(Step::next_writers);
  if (me_.phase == 1) {
    if (faulty(Fault::end_while_others_hold)) return verdict();
    return lookAtOthers(0);
  }
  if (faulty(Fault::epochs_read_once)) return go(Step::end_tail);
  lookAtOthersAgain(0);
}

inline void Machine::nextEnded(Result result) {
  me_.phase = me_.saw_writers = me_.settled = me_.index = 0;
  me_.noted = me_.others = me_.moved = 0;
  if (me_.operation == kWaitRead) {
    me_.found = me_.found_position = me_.found_seq = me_.found_producer = 0;
    me_.word = {};
    return result == kWouldBlock ? go(Step::wait_futex) : stopWaiting();
  }
  if (result != kOk) return finish(result);
  if (me_.operation == kTake && !faulty(Fault::copy_after_exchange)) return go(Step::copy_1);
  if (me_.operation == kTake) return skipCounting(Step::take_epoch, Step::take_exchange);
  skipCounting(Step::claim_epoch, Step::claim_exchange);
}

// The tail is read once for all that lies before it.
inline void Machine::lookFurther() {
  if (me_.position >= me_.saw_tail) return go(Step::next_tail);
  lookAtPosition();
}

inline void Machine::tail() {
  me_.saw_tail = shared_.tail;
  if (me_.position >= me_.saw_tail) {
    if (me_.position > me_.saw_tail && config_.ring) {
      violate("a reader calls the queue damaged: the tail lies before what was read");
    }
    return lookEnded(kWouldBlock);
  }
  lookAtPosition();
}

inline void Machine::lookAtPosition() {
  me_.found_position = me_.position;
  if (config_.ring) {
    me_.found = static_cast<uint8_t>(me_.position % config_.records);
    return go(Step::next_producer);
  }
  me_.found = shared_.hint[me_.position % 8];
  go(Step::next_hint);
}

inline void Machine::scanned() {
  if (me_.found_position == me_.saw_tail) {
    me_.position = me_.saw_tail;
    return lookFurther();
  }
  go(Step::next_producer);
}

inline void Machine::evaluate() {
  if (!config_.ring && me_.found_seq != me_.found_position) {
    violate("a reader calls the queue damaged: a frame has another number than the table says");
  }
  switch (me_.found_producer) {
    case kReserved:
      me_.position = me_.found_position;
      return lookEnded(kWouldBlock);
    case kCommitted:
      if (me_.word.state == kReady) {
        if (me_.word.tag != me_.found_seq && !faulty(Fault::no_salt)) {
          violate("a reader calls the queue damaged: a record does not bear its own mark");
        }
        me_.position = me_.found_position;
        return lookEnded(kOk);
      }
      if (me_.word.state == kNone) {
        violate("a reader calls the queue damaged: a record is in no known state");
      }
      break;
    case kAborted:
      break;
    default:
      violate("a reader calls the queue damaged: a record was never written");
  }
  me_.position = static_cast<uint8_t>(me_.found_position + 1);
  lookFurther();
}

// The record that was looked at is gone.
inline void Machine::missed() {
  if (config_.ring) return go(Step::next_first_again);
  me_.position = static_cast<uint8_t>(me_.found_position + 1);
  lookFurther();
}

inline void Machine::lookAtOthers(int slot) {
  for (; slot < kModelSlots; ++slot) {
    if (slot != me_.slot) {
      me_.index = static_cast<uint8_t>(slot);
      return go(Step::others_active);
    }
  }
  if (faulty(Fault::end_without_second_look)) return verdict();
  lookForNext(2);
}

inline void Machine::lookAtOthersAgain(int slot) {
  for (; slot < kModelSlots; ++slot) {
    if (slot != me_.slot) {
      me_.index = static_cast<uint8_t>(slot);
      return go(Step::again_active);
    }
  }
  me_.index = 0;
  go(Step::end_tail);
}

inline void Machine::verdict() {
  // After a death somebody new may put, also since it was noted: then there is more to come.
  if (me_.saw_writers == kDied && shared_.writers == kOpen) return nextEnded(kSaysPeerDied);
  for (int index = 0; index < config_.records; ++index) {
    const RecordState& record = state_.records[index];
    bool there = !config_.ring && shared_.table[index] != 0;
    for (int at = shared_.head; config_.ring && at < shared_.tail; ++at) {
      there = there || at % config_.records == index;
    }
    if (!there || record.producer != kCommitted) continue;
    const Word& word = record.delivery[ownGroup()];
    if (word.state == kReady) violate("the end is said although a message is ready");
    if (word.state == kClaimed && word.slot != me_.slot) {
      violate("the end is said although another holds a message that may come back");
    }
  }
  nextEnded(me_.saw_writers == kDied ? kSaysPeerDied : kSaysEnded);
}

// A message comes to somebody: whoever counts deliveries must come to the same number.
inline void Machine::handOut() {
  RecordState& record = state_.records[me_.found];
  if (record.seq != me_.found_seq) {
    violate("a reader got another message than the one it looked at");
  }
  if (record.producer != kCommitted) violate("a reader got a message that was never put");
  uint8_t& times = record.times[ownGroup()];
  ++times;
  if (me_.word.deliveries != times) {
    violate("a message was delivered once more without being counted");
  }
  if (times > config_.most_deliveries) violate("a message was delivered too often");
}

inline void Machine::exchange(uint8_t to) {
  Word& word = state_.records[me_.found].delivery[ownGroup()];
  const bool same = word == me_.word || (faulty(Fault::no_salt) && word.state == kReady &&
                                         word.deliveries == me_.word.deliveries);
  me_.exchanged = same;
  if (!same) return;
  handOut();
  word = to == kClaimed ? Word{kClaimed, me_.word.deliveries, me_.slot, me_.generation}
                        : Word{to, me_.word.deliveries, 0, 0};
  me_.position = static_cast<uint8_t>(me_.found_position + 1);
}

inline bool Machine::readerStep() {
  switch (at()) {
    case Step::next_rewinds:
      if (me_.stale != 0) {
        me_.stale = 0;
        me_.position = config_.ring ? me_.position : 1;
        if (config_.ring) return go(Step::next_first), true;
      }
      return lookFurther(), true;
    case Step::next_first:
    case Step::next_first_again:
      me_.position = shared_.head;
      return lookFurther(), true;
    case Step::next_tail:
      return tail(), true;
    case Step::next_hint:
      if (shared_.table[me_.found] == me_.position) return go(Step::next_producer), true;
      me_.found_position = me_.saw_tail;
      me_.index = 0;
      return go(Step::next_scan), true;
    case Step::next_scan: {
      const uint8_t seq = shared_.table[me_.index];
      if (seq >= me_.position && seq < me_.found_position) {
        me_.found_position = seq;
        me_.found = me_.index;
      }
      if (++me_.index < config_.records) return true;
      me_.index = 0;
      return scanned(), true;
    }
    case Step::next_producer:
      me_.found_producer = record(me_.found).producer;
      return go(Step::next_seq), true;
    case Step::next_seq:
      me_.found_seq = record(me_.found).seq;
      return go(Step::next_delivery), true;
    case Step::next_delivery:
      me_.word = record(me_.found).delivery[ownGroup()];
      return go(Step::next_still), true;
    case Step::next_still: {
      const bool still = config_.ring ? shared_.head <= me_.found_position
                                      : shared_.table[me_.found] == me_.found_position;
      return still ? evaluate() : missed(), true;
    }
    case Step::next_writers:
      me_.saw_writers = shared_.writers;
      // What comes back shows in the counters only.
      if (!config_.counts || (shared_.writers != kEnded && shared_.writers != kDied)) {
        return nextEnded(kWouldBlock), true;
      }
      if (faulty(Fault::end_without_second_look)) {
        me_.phase = 1;
        return lookAtOthers(0), true;
      }
      return lookForNext(1), true;
    case Step::others_active: {
      const SlotState& other = shared_.slots[me_.index];
      me_.noted |= static_cast<uint8_t>(bitOf(me_.index));
      if (other.active == 0 || other.group != ownGroup()) return lookAtOthers(me_.index + 1), true;
      me_.others |= static_cast<uint8_t>(bitOf(me_.index));
      return go(Step::others_epoch), true;
    }
    case Step::others_epoch:
      me_.moved &= static_cast<uint8_t>(~bitOf(me_.index));
      me_.torn = shared_.slots[me_.index].odd;
      return go(Step::others_finished), true;
    case Step::others_finished:
      me_.settled = shared_.slots[me_.index].finished;
      return go(Step::others_returned), true;
    case Step::others_returned:
      me_.settled = static_cast<uint8_t>(me_.settled + shared_.slots[me_.index].returned);
      if (me_.torn == 0) return go(Step::others_claims), true;
      me_.torn = 0;
      return nextEnded(kWouldBlock), true;
    case Step::others_claims:
      if (shared_.slots[me_.index].claims > me_.settled) return nextEnded(kWouldBlock), true;
      me_.settled = 0;
      return lookAtOthers(me_.index + 1), true;
    case Step::again_active: {
      const SlotState& other = shared_.slots[me_.index];
      const bool there = other.active != 0 && other.group == ownGroup();
      if (there) return go(Step::again_epoch), true;
      if ((me_.others & bitOf(me_.index)) != 0) return nextEnded(kWouldBlock), true;
      return lookAtOthersAgain(me_.index + 1), true;
    }
    case Step::again_epoch: {
      const uint8_t bit = static_cast<uint8_t>(bitOf(me_.index));
      const bool same = (me_.moved & bit) == 0 && (me_.others & bit) != 0;
      if (!same) return nextEnded(kWouldBlock), true;
      return lookAtOthersAgain(me_.index + 1), true;
    }
    case Step::end_tail:
      if (me_.position < shared_.tail && !faulty(Fault::end_at_reservation)) {
        return nextEnded(kWouldBlock), true;
      }
      return verdict(), true;
    case Step::copy_1:
    case Step::copy_2:
      if (record(me_.found).half[at() == Step::copy_2] != me_.found_seq) me_.torn = 1;
      if (at() == Step::copy_1) return go(Step::copy_2), true;
      if (faulty(Fault::copy_after_exchange)) {
        if (me_.torn != 0) violate("a message was taken torn");
        if (config_.counts) return go(Step::take_claims), true;
        return wake(config_.groups, config_.groups, false), true;
      }
      return skipCounting(Step::take_epoch, Step::take_exchange), true;
    case Step::take_epoch:
    case Step::claim_epoch:
      flipEpoch();
      return go(at() == Step::take_epoch ? Step::take_exchange : Step::claim_exchange), true;
    case Step::take_exchange:
      exchange(kDone);
      if (me_.exchanged != 0 && faulty(Fault::copy_after_exchange)) return go(Step::copy_1), true;
      if (me_.exchanged != 0 && me_.torn != 0) violate("a message was taken torn");
      me_.torn = 0;
      if (config_.counts) {
        return go(me_.exchanged != 0 ? Step::take_claims : Step::take_epoch_end), true;
      }
      return me_.exchanged != 0 ? wake(config_.groups, config_.groups, false) : lookForNext(0),
             true;
    case Step::take_claims:
      bump(own().claims);
      return go(Step::take_finished), true;
    case Step::take_finished:
      bump(own().finished);
      return go(Step::take_epoch_end), true;
    case Step::take_epoch_end:
      flipEpoch();
      if (me_.exchanged == 0) return lookForNext(0), true;
      return wake(config_.groups, config_.groups, false), true;
    case Step::claim_exchange:
      exchange(kClaimed);
      if (me_.exchanged != 0) {
        me_.holds = static_cast<uint8_t>(me_.found + 1);
        me_.held_seq = me_.found_seq;
        me_.held = record(me_.found).delivery[ownGroup()];
      }
      if (config_.counts) {
        return go(me_.exchanged != 0 ? Step::claim_claims : Step::claim_epoch_end), true;
      }
      return me_.exchanged != 0 ? finish(kOk) : lookForNext(0), true;
    case Step::claim_claims:
      bump(own().claims);
      return go(Step::claim_epoch_end), true;
    case Step::claim_epoch_end:
      flipEpoch();
      return me_.exchanged != 0 ? finish(kOk) : lookForNext(0), true;
    default:
      return settleStep() || deadLetterStep();
  }
}

}  // namespace zoo::model
