// The model's writer: core/queue/write.h, access by access.
#pragma once

#include "model/machine.h"

namespace zoo::model {

inline void Machine::becomeWriter() {
  if (shared_.writers == kEnded) {
    me_.result = kSaysEnded;
    if (me_.operation != kPut) me_.stage = 3;
    return go(Step::unlock);
  }
  if (me_.is_writer != 0) return writerReady();
  go(Step::writer_role);
}

inline void Machine::writerReady() {
  if (me_.operation != kPut) {
    me_.stage = 2;
    return go(Step::unlock);
  }
  if (config_.counts) return go(Step::put_epoch);
  header();
}

inline void Machine::header() {
  me_.place_seq = config_.ring ? shared_.next_seq : shared_.tail;
  shared_.next_seq = static_cast<uint8_t>(me_.place_seq + 1);
  me_.index = 0;
  go(Step::header_seq);
}

inline void Machine::publish() {
  me_.stage = me_.operation == kPut ? 2 : 1;
  if (config_.ring) return go(Step::publish_tail);
  shared_.hint[me_.place_seq % 8] = me_.place;
  go(Step::publish_table);
}

inline void Machine::published() {
  if (me_.operation == kPut && faulty(Fault::publish_before_write) &&
      record(me_.place).half[1] != me_.place_seq) {
    return go(Step::payload_1);
  }
  if (me_.operation == kPut && config_.counts) return go(Step::put_epoch_end);
  go(Step::unlock);
}

inline void Machine::startCommit() {
  if (me_.is_writer == 0) return go(Step::lock);
  skipCounting(Step::commit_epoch, Step::commit);
}

inline bool Machine::putStep() {
  RecordState& here = record(me_.place);
  switch (at()) {
    case Step::may_put:
      return shared_.writers == kEnded ? finish(kSaysEnded) : go(Step::lock), true;
    case Step::writer_role:
      own().writer = 1;
      return go(Step::writer_open), true;
    case Step::writer_open:
      shared_.writers = kOpen;
      me_.is_writer = 1;
      return writerReady(), true;
    case Step::put_epoch:
      flipEpoch();
      return header(), true;
    case Step::header_seq:
      here.seq = me_.place_seq;
      for (uint8_t& times : here.times) times = 0;
      return go(Step::header_delivery), true;
    case Step::header_delivery:
      here.delivery[me_.index] = {kReady, 1, 0, me_.place_seq};
      if (++me_.index < config_.groups) return true;
      me_.index = 0;
      return go(Step::header_producer), true;
    case Step::header_producer:
      here.producer = me_.operation == kPut ? kCommitted : kReserved;
      here.slot = me_.slot;
      here.generation = me_.generation;
      if (me_.operation == kPut && !faulty(Fault::publish_before_write)) {
        return go(Step::payload_1), true;
      }
      return publish(), true;
    case Step::payload_1:
      here.half[0] = me_.place_seq;
      return go(Step::payload_2), true;
    case Step::payload_2:
      here.half[1] = me_.place_seq;
      if (me_.operation != kPut) return startCommit(), true;
      if (faulty(Fault::publish_before_write)) return published(), true;
      if (faulty(Fault::wake_before_publish)) {
        me_.stage = 4;
        return wake(0, config_.groups - 1, false), true;
      }
      return publish(), true;
    case Step::publish_table:
      shared_.table[me_.place] = me_.place_seq;
      return go(Step::publish_tail), true;
    case Step::publish_tail:
      shared_.tail = config_.ring ? static_cast<uint8_t>(me_.place_position + 1)
                                  : static_cast<uint8_t>(me_.place_seq + 1);
      return published(), true;
    case Step::put_epoch_end:
    case Step::commit_epoch_end:
      flipEpoch();
      if (at() == Step::put_epoch_end) return go(Step::unlock), true;
      return wake(0, config_.groups - 1, false), true;
    case Step::commit_epoch:
      flipEpoch();
      return go(Step::commit), true;
    case Step::commit:
      if (here.producer != kReserved || here.seq != me_.place_seq) {
        violate("a reservation of somebody alive was taken away");
      }
      here.producer = kCommitted;
      if (config_.counts) return go(Step::commit_epoch_end), true;
      return wake(0, config_.groups - 1, false), true;
    case Step::abort:
      here.producer = kAborted;
      here.slot = kNobody;
      here.generation = 0;
      return wake(0, config_.groups, false), true;
    default:
      return false;
  }
}

}  // namespace zoo::model
