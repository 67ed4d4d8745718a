// The guard, sleeping and waking: core/sync/waiting.h, access by access; and the way to all steps.
#pragma once

#include "model/machine.h"

namespace zoo::model {

inline void Machine::wake(int first_mask, int last_mask, bool all) {
  me_.mask = static_cast<uint8_t>(first_mask);
  me_.last_mask = static_cast<uint8_t>(last_mask);
  me_.wake_all = all;
  go(all ? Step::wake_load : Step::wake_any);
}

inline void Machine::wakeNextMask() {
  me_.candidates = me_.search = me_.search_again = 0;
  if (me_.mask == me_.last_mask) {
    me_.mask = me_.last_mask = me_.wake_all = 0;
    return afterWake();
  }
  ++me_.mask;
  go(me_.wake_all != 0 ? Step::wake_load : Step::wake_any);
}

// The search begins at a slot that moves on each time, and comes at last to those before it. Where
// it begins makes no difference when all orders are tried.
inline void Machine::searched() {
  if (me_.search == 0 || me_.search_again != 0) return wakeNextMask();
  me_.search_again = 1;
  go(Step::wake_load);
}

inline void Machine::woken() {
  me_.target = 0;
  if (me_.wake_all == 0 || me_.candidates == 0) return wakeNextMask();
  go(Step::wake_remove);
}

inline void Machine::sleepUntilReady() {
  if (me_.operation == kWaitRead) return lookForNext(0);
  go(Step::lock);
}

inline void Machine::stopWaiting() { go(Step::wait_unmask); }

inline void Machine::lookAround() {
  me_.timed_out = 0;
  me_.result = kNoResult;
  if (observed_.recount_due) {
    me_.operation = kLookAround;
    return go(Step::lock);
  }
  me_.operation = kLookAround;
  lookAtNext(0);
}

inline void Machine::lookAtNext(int slot) {
  for (; slot < kModelSlots; ++slot) {
    if (slot != me_.slot) {
      me_.index = static_cast<uint8_t>(slot);
      return go(Step::look_active);
    }
  }
  finish(kOk);
}

inline void Machine::take(int way) {
  if (readerStep() || repairStep() || roomStep() || putStep()) return;
  switch (at()) {
    case Step::asleep:
      me_.timed_out = 1;
      return stopWaiting();
    case Step::lock: {
      const bool died = shared_.guard == kGuardDied;
      shared_.guard = static_cast<uint8_t>(actor_ + 1);
      return died ? repair() : afterLock();
    }
    case Step::unlock:
      shared_.guard = kGuardFree;
      return afterUnlock();
    case Step::wake_any:
      if (maskOf(me_.mask) == 0) return wakeNextMask();
      me_.search = observed_.on ? observed_.wake_from : 0;
      return go(Step::wake_load);
    case Step::wake_load:
      me_.candidates = maskOf(me_.mask);
      if (me_.search != 0) {
        const auto before = static_cast<uint8_t>(bitOf(me_.search) - 1);
        me_.candidates &= static_cast<uint8_t>(me_.search_again != 0 ? before : ~before);
      }
      if (me_.candidates == 0) return searched();
      return go(Step::wake_remove);
    case Step::wake_remove: {
      int chosen = 0;
      for (int seen = 0; chosen < kModelSlots; ++chosen) {
        if ((me_.candidates & bitOf(chosen)) != 0 && seen++ == way) break;
      }
      const uint8_t bit = static_cast<uint8_t>(bitOf(chosen));
      me_.candidates &= static_cast<uint8_t>(~bit);
      if ((maskOf(me_.mask) & bit) == 0) {
        return me_.candidates == 0 ? searched() : go(Step::wake_remove);
      }
      maskOf(me_.mask) &= static_cast<uint8_t>(~bit);
      me_.target = static_cast<uint8_t>(chosen);
      return go(Step::wake_add);
    }
    case Step::wake_add:
      shared_.slots[me_.target].woken = 1;
      return go(Step::wake_flag);
    case Step::wake_flag:
      return shared_.slots[me_.target].sleeping != 0 ? go(Step::wake_futex) : woken();
    case Step::wake_futex:
      for (int other = 0; other < config_.actors(); ++other) {
        Actor& sleeper = state_.actors[other];
        if (sleeper.slot != me_.target || sleeper.at != static_cast<uint8_t>(Step::asleep))
          continue;
        sleeper.at = static_cast<uint8_t>(Step::wait_unmask);
      }
      return woken();
    case Step::wait_wake:
      own().woken = 0;
      return go(Step::wait_flag);
    case Step::wait_flag:
      own().sleeping = 1;
      return go(Step::wait_mask);
    case Step::wait_mask:
      maskOf(index()) |= static_cast<uint8_t>(bitOf(me_.slot));
      if (faulty(Fault::no_look_before_sleep)) return go(Step::wait_futex);
      return sleepUntilReady();
    case Step::wait_futex:
      return own().woken != 0 ? stopWaiting() : go(Step::asleep);
    case Step::wait_unmask:
      maskOf(index()) &= static_cast<uint8_t>(~bitOf(me_.slot));
      return go(Step::wait_unflag);
    case Step::wait_unflag:
      own().sleeping = 0;
      own().woken = 0;
      return me_.timed_out != 0 ? lookAround() : finish(kOk);
    case Step::look_active:
      if (shared_.slots[me_.index].active != 0) return go(Step::look_life);
      return lookAtNext(me_.index + 1);
    case Step::look_life:
      if (shared_.slots[me_.index].alive == 0) {
        me_.index = 0;
        return go(Step::lock);
      }
      return lookAtNext(me_.index + 1);
    default:
      return;
  }
}

// Reads of what nobody else can change meanwhile, and of what is not used.
inline bool Machine::quiet() const {
  if (me_.dead != 0) return false;
  const RecordState& here = state_.records[me_.record];
  switch (at()) {
    case Step::prove:
    case Step::look_life:
      return me_.index > 0;
    case Step::look_active:
      return true;
    case Step::reap_walk:
    case Step::reclaim_walk:
    case Step::oldest_walk:
    case Step::dead_walk:
    case Step::dead_producer:
    case Step::dead_own:
    case Step::dead_others:
    case Step::release_own:
    case Step::reject_own:
    case Step::give_back_read:
    case Step::give_back_others:
    case Step::letter_view:
    case Step::letter_read:
    case Step::letter_drop:
    case Step::wait_wake:
      return true;
    case Step::reap_producer:
    case Step::reclaim_producer:
    case Step::oldest_producer:
    case Step::free_producer:
      return here.producer != kReserved;
    case Step::reap_delivery:
    case Step::reclaim_delivery:
    case Step::oldest_delivery:
    case Step::free_delivery:
    case Step::dead_delivery: {
      const int group = at() == Step::dead_delivery ? ownGroup() : me_.index;
      const uint8_t state = here.delivery[group].state;
      return state == kDone || state == kDead;
    }
    case Step::wake_any:
    case Step::wake_load:
      return !config_.may(me_.mask == config_.groups ? kWaitWrite : kWaitRead);
    case Step::reap_unmask:
      return !config_.may(kWaitRead);
    case Step::reap_unmask_writer:
      return !config_.may(kWaitWrite);
    case Step::others_active:
    case Step::again_active:
      return shared_.slots[me_.index].active == 0 && shared_.joins == 0;
    case Step::next_writers:
      return !config_.may(kEnd) && config_.crashes == 0;
    default:
      return false;
  }
}

}  // namespace zoo::model
