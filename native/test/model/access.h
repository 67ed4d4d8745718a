// Which access to the segment the step is that an actor stands before.
#pragma once

#include "model/machine.h"

namespace zoo::model {

inline int Machine::index() const {
  switch (at()) {
    case Step::wake_any:
    case Step::wake_load:
    case Step::wake_remove:
      return me_.mask;
    case Step::wake_add:
    case Step::wake_flag:
    case Step::wake_futex:
      return me_.target;
    case Step::wait_mask:
    case Step::wait_unmask:
      return me_.operation == kWaitRead ? ownGroup() : config_.groups;
    case Step::reap_rewind:
    case Step::reap_unmask:
      return me_.index;
    case Step::reap_unmask_writer:
      return config_.groups;
    case Step::next_still:
      return config_.ring ? 0 : me_.found;
    case Step::reject_rewind:
    case Step::next_rewinds:
      return ownGroup();
    default:
      break;
  }
  switch (kSteps[me_.at].field) {
    case Field::producer:
    case Field::delivery:
    case Field::seq:
    case Field::payload:
    case Field::table: {
      const bool reads = at() >= Step::next_rewinds && at() <= Step::claim_epoch_end;
      if (at() == Step::next_scan || at() == Step::repair_table) return me_.index;
      if (reads) return me_.found;
      if (at() == Step::release_own || at() == Step::release_done || at() == Step::reject_own ||
          at() == Step::dead_own || at() == Step::dead_done || at() == Step::dead_others) {
        return me_.holds - 1;
      }
      const bool places = at() >= Step::frame_out && at() <= Step::abort;
      return places ? me_.place : me_.record;
    }
    case Field::life:
    case Field::active:
    case Field::finished:
    case Field::returned:
    case Field::claims:
    case Field::epoch:
      if (at() == Step::reap_clear || at() == Step::look_active) return me_.index;
      if (kSteps[me_.at].field == Field::life) return me_.index;
      return at() >= Step::others_active && at() <= Step::again_epoch ? me_.index : me_.slot;
    case Field::wake:
    case Field::sleeping:
    case Field::role:
    case Field::futex:
      return me_.slot;
    default:
      return 0;
  }
}

inline int Machine::group() const {
  if (kSteps[me_.at].field == Field::payload) {
    return at() == Step::copy_2 || at() == Step::payload_2 ? 1 : 0;
  }
  if (kSteps[me_.at].field == Field::guard) {
    return at() == Step::lock ? 0 : at() == Step::consistent ? 1 : 2;
  }
  if (kSteps[me_.at].field != Field::delivery) return 0;
  switch (at()) {
    case Step::next_delivery:
    case Step::take_exchange:
    case Step::claim_exchange:
    case Step::release_own:
    case Step::release_done:
    case Step::reject_own:
    case Step::dead_delivery:
    case Step::dead_claim:
    case Step::dead_own:
    case Step::dead_done:
      return ownGroup();
    case Step::give_back_read:
    case Step::give_back:
      return me_.operation == kReject && me_.recovering == 0 ? ownGroup() : me_.index;
    case Step::give_back_others:
      return me_.phase;
    default:
      return me_.index;
  }
}

// Masks are of the writers behind those of the groups, and frames are still there by their table.
inline Field Machine::field() const {
  const Field field = kSteps[me_.at].field;
  if (field == Field::readers_mask && index() == config_.groups) return Field::writers_mask;
  if (at() == Step::next_still && !config_.ring) return Field::table;
  return field;
}

}  // namespace zoo::model
