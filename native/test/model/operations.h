// What an actor may begin, and what comes after the guard, after its return and after waking.
#pragma once

#include "model/machine.h"

namespace zoo::model {

inline bool Machine::mayBegin(Operation operation) const {
  if (operation == kJoin) return me_.dead != 0 && shared_.joins > 0 && config_.may(kJoin);
  if (me_.dead != 0 || at() != Step::idle || !config_.may(operation)) return false;
  const bool blocked = me_.result == kWouldBlock;
  const bool sleeps = config_.may(kWaitRead);
  const bool over = shared_.writers == kEnded || shared_.writers == kDied;
  const bool at_end = me_.told_end != 0 && over;
  switch (operation) {
    case kPut:
    case kPutLarge:
    case kGiveUp:
      return config_.producer(actor_) && shared_.puts > 0 && me_.ended == 0 &&
             !(blocked && config_.may(kWaitWrite));
    case kWaitWrite:
      return config_.producer(actor_) && blocked && shared_.puts > 0 && me_.ended == 0;
    case kEnd:
      return config_.producer(actor_) && me_.is_writer != 0 && me_.ended == 0;
    case kTake:
    case kClaim:
      return !config_.producer(actor_) && me_.holds == 0 && !at_end && !(blocked && sleeps);
    case kWaitRead:
      return !config_.producer(actor_) && me_.holds == 0 && !at_end && blocked;
    case kRelease:
    case kReject:
      return me_.holds != 0 && me_.held.state == kClaimed;
    case kReleaseDead:
      return me_.holds != 0 && me_.held.state == kDeadClaimed;
    case kClaimDead:
      return !config_.producer(actor_) && me_.holds == 0;
    case kLookAround: {
      if (observed_.on) return true;
      bool dead = false;  // otherwise it does nothing
      for (const SlotState& slot : shared_.slots) {
        dead = dead || (slot.active != 0 && slot.alive == 0);
      }
      return dead;
    }
    default:
      return false;
  }
}

inline void Machine::begin(Operation operation) {
  me_.operation = operation;
  me_.result = kNoResult;
  me_.stage = 0;
  switch (operation) {
    case kPut:
    case kPutLarge:
    case kGiveUp:
      --shared_.puts;
      return go(Step::may_put);
    case kTake:
    case kClaim:
      return lookForNext(0);
    case kRelease:
      return skipCounting(Step::release_epoch, Step::release_own);
    case kReject:
    case kClaimDead:
    case kReleaseDead:
    case kEnd:
      return go(Step::lock);
    case kWaitRead:
    case kWaitWrite:
      return go(Step::wait_wake);
    case kLookAround:
      return lookAround();
    case kJoin:
      --shared_.joins;
      me_.dead = 0;
      me_.generation = 0;
      return go(Step::lock);
    default:
      return;
  }
}

inline void Machine::finish(Result result) {
  const Actor before = me_;
  const bool put = before.operation >= kPut && before.operation <= kGiveUp;
  if (put && result != kOk) ++shared_.puts;  // it may be tried again
  me_ = {};
  me_.result = result;
  me_.slot = before.slot;
  me_.generation = before.generation;
  me_.is_writer = before.is_writer;
  me_.ended = before.ended;
  me_.stale = before.stale;
  me_.position = before.position;
  me_.saw_tail = before.saw_tail;
  me_.holds = before.holds;
  me_.held_seq = before.held_seq;
  me_.held = before.held;
  me_.told_end = before.told_end;
  me_.told_end = result == kSaysEnded || result == kSaysPeerDied ||
                 (before.told_end != 0 && before.operation != kTake && before.operation != kClaim);
  go(Step::idle);
}

inline void Machine::crash() {
  if (me_.slot != kNobody) shared_.slots[me_.slot].alive = 0;
  if (shared_.guard == actor_ + 1) shared_.guard = kGuardDied;
  const Step step = at();
  const bool waking = step == Step::wake_add || step == Step::wake_flag || step == Step::wake_futex;
  if (waking) shared_.waker_died = 1;
  me_ = {};
  me_.dead = 1;
  go(Step::over);
}

inline void Machine::afterLock() {
  switch (me_.operation) {
    case kPut:
    case kPutLarge:
    case kGiveUp:
      return me_.stage == 0 ? room() : becomeWriter();
    case kWaitWrite:
      return shared_.writers == kEnded ? roomFound(true) : room();
    case kReject:
      return go(Step::reject_own);
    case kClaimDead:
      return deadLetterWalk(config_.ring ? shared_.head : 1);
    case kReleaseDead:
      return go(Step::dead_own);
    default:
      return reap();  // an end, a look around, a newcomer
  }
}

inline void Machine::afterUnlock() {
  switch (me_.operation) {
    case kPut:
      if (me_.stage == 2 && !faulty(Fault::wake_before_publish)) {
        return wake(0, config_.groups - 1, false);
      }
      if (me_.stage == 2) return finish(kOk);
      return finish(static_cast<Result>(me_.result));
    case kPutLarge:
    case kGiveUp:
      if (me_.stage == 1) return go(me_.operation == kGiveUp ? Step::abort : Step::payload_1);
      if (me_.stage == 2) return startCommit();
      if (me_.stage == 3) return go(Step::abort);  // the end came first
      return finish(static_cast<Result>(me_.result));
    case kWaitWrite:
      return me_.result == kOk ? stopWaiting() : go(Step::wait_futex);
    case kReject:
      me_.holds = me_.held_seq = 0;
      me_.held = {};
      return wake(ownGroup(), ownGroup(), false);
    default:
      return finish(me_.result == kNoResult ? kOk : static_cast<Result>(me_.result));
  }
}

inline void Machine::afterWake() {
  if (me_.reaping != 0) {
    me_.reaping = 0;
    return reaped();
  }
  switch (me_.operation) {
    case kPut:
      if (faulty(Fault::wake_before_publish) && me_.stage == 4) return publish();
      return finish(kOk);
    case kEnd:
    case kReleaseDead:
      return go(Step::unlock);
    default:
      return finish(me_.result == kNoResult ? kOk : static_cast<Result>(me_.result));
  }
}

}  // namespace zoo::model
