// Being done with what was claimed, rejecting it, and dead letters: core/queue/read.h.
#pragma once

#include "model/machine.h"

namespace zoo::model {

inline bool Machine::settleStep() {
  const auto settled = [&] {
    me_.holds = me_.held_seq = 0;
    me_.held = {};
  };
  switch (at()) {
    case Step::release_epoch:
      flipEpoch();
      return go(Step::release_own), true;
    case Step::release_own:
    case Step::reject_own:
      if (record(me_.holds - 1).delivery[ownGroup()] != me_.held) {
        violate("a holder does not find its own word");
      }
      if (at() == Step::release_own) return go(Step::release_done), true;
      me_.record = static_cast<uint8_t>(me_.holds - 1);
      return skipCounting(Step::reject_epoch, Step::give_back_read), true;
    case Step::release_done:
      record(me_.holds - 1).delivery[ownGroup()] = {kDone, me_.held.deliveries, 0, 0};
      settled();
      if (config_.counts) return go(Step::release_finished), true;
      return wake(config_.groups, config_.groups, false), true;
    case Step::release_finished:
      bump(own().finished);
      return go(Step::release_epoch_end), true;
    case Step::release_epoch_end:
      flipEpoch();
      return wake(config_.groups, config_.groups, false), true;
    case Step::reject_epoch:
      flipEpoch();
      return go(Step::give_back_read), true;
    case Step::reject_rewind:
      rewindReaders(ownGroup());
      if (faulty(Fault::rewind_before_ready)) return go(Step::give_back), true;
      return skipCounting(Step::reject_returned, Step::unlock), true;
    case Step::reject_returned:
      bump(own().returned);
      return go(Step::reject_epoch_end), true;
    case Step::reject_epoch_end:
      flipEpoch();
      return go(Step::unlock), true;
    default:
      return false;
  }
}

inline void Machine::deadLetterWalk(int from) {
  int position = 0;
  const int next = recordFrom(from, position);
  if (next < 0) {
    me_.record = me_.walk = 0;
    me_.result = kWouldBlock;
    return go(Step::unlock);
  }
  me_.record = static_cast<uint8_t>(next);
  me_.walk = static_cast<uint8_t>(position);
  go(Step::dead_walk);
}

inline bool Machine::deadLetterStep() {
  switch (at()) {
    case Step::dead_walk:
      return go(Step::dead_delivery), true;
    case Step::dead_delivery:
      // Once it has one, it walks on only to come to the end.
      if (me_.result == kOk || record(me_.record).delivery[ownGroup()].state != kDead) {
        const Result result = static_cast<Result>(me_.result);
        deadLetterWalk(me_.walk + 1);
        if (result == kOk) me_.result = kOk;
        return true;
      }
      return go(Step::dead_producer), true;
    case Step::dead_producer:
      return go(Step::dead_claim), true;
    case Step::dead_claim: {
      Word& word = record(me_.record).delivery[ownGroup()];
      word = {kDeadClaimed, word.deliveries, me_.slot, me_.generation};
      me_.holds = static_cast<uint8_t>(me_.record + 1);
      me_.held_seq = record(me_.record).seq;
      me_.held = word;
      deadLetterWalk(me_.walk + 1);
      me_.result = kOk;
      return true;
    }
    case Step::dead_own:
      if (record(me_.holds - 1).delivery[ownGroup()] != me_.held) {
        violate("a holder does not find its own word");
      }
      return go(Step::dead_done), true;
    case Step::dead_done:
      record(me_.holds - 1).delivery[ownGroup()] = {kDone, me_.held.deliveries, 0, 0};
      me_.index = 0;
      return go(Step::dead_others), true;
    case Step::dead_others: {
      const uint8_t state = record(me_.holds - 1).delivery[me_.index].state;
      const bool dead = state == kDead || state == kDeadClaimed;
      if (!dead && ++me_.index < config_.groups) return true;
      me_.index = me_.holds = me_.held_seq = 0;
      me_.held = {};
      if (dead) return go(Step::unlock), true;
      return wake(config_.groups, config_.groups, false), true;
    }
    default:
      return false;
  }
}

}  // namespace zoo::model
