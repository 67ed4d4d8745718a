// Writes journals in a memory under locks, and judges each time what the last owner left.
#pragma once

#include <memory>
#include <vector>

#include "core/lock/lock.h"
#include "core/memory/memory.h"
#include "support/torture_actor.h"
#include "support/torture_journal.h"

namespace zoo::test {

class Locker {
 public:
  Locker(Stage& stage, const RoundPlan& plan, ActorPlace place, uint64_t life)
      : stage_(stage),
        plan_(plan),
        notes_(stage.actors[place.index]),
        dice_(place.seed),
        me_((life << 8) | (place.index + 1)) {
    for (uint32_t number = 0; number < kMostLocks; ++number) locks_.push_back(openLock(number));
    Result<std::unique_ptr<Memory>> memory =
        openAgain([&] { return Memory::open(plan_.memory, OpenMode::open, {}); });
    if (!memory) giveUp(stage_, Finding::refused, "open memory", memory.error().text);
    memory_ = memory.take();
  }

  void run() {
    while (!stage_.stop_all.load()) {
      ++notes_.beats;
      once(static_cast<uint32_t>(dice_.below(kMostLocks)));
      usleep(static_cast<useconds_t>(dice_.below(400)));
      if (dice_.oneIn(300)) closeWhileHeld();
    }
    for (const auto& lock : locks_) lock->abandon();
    memory_->abandon();
  }

  // One update of one journal, or of two under both locks.
  bool once(uint32_t number) {
    if (!enter(number)) return false;
    journal(number).move(dice_);
    const uint32_t second = number + 1;
    if (second < kMostLocks && dice_.oneIn(4) && enter(second)) {
      journal(second).move(dice_);
      if (dice_.oneIn(2)) {
        leave(number);
        leave(second);
        return true;
      }
      leave(second);
    }
    leave(number);
    return true;
  }

  Journal journal(uint32_t number) const {
    return Journal(memory_->data() + number * Journal::kBytes);
  }

 private:
  template <typename Open>
  auto openAgain(Open open) -> decltype(open()) {
    const uint64_t patience = monotonicNow() + kPatience;
    for (;;) {
      auto opened = timed(stage_, "open", open);
      if (opened || opened.error().code != ErrorCode::full || monotonicNow() > patience)
        return opened;
      stage_.tally.did(Deed::full);
      ++notes_.beats;
      usleep(2000);
    }
  }

  std::unique_ptr<Lock> openLock(uint32_t number) {
    Result<std::unique_ptr<Lock>> lock =
        openAgain([&] { return Lock::open(plan_.locks[number], {}); });
    if (!lock) giveUp(stage_, Finding::refused, "open lock", lock.error().text);
    return lock.take();
  }

  bool enter(uint32_t number) {
    Lock& lock = *locks_[number];
    LockTaken taken;
    const Status status = dice_.oneIn(3)
                              ? timed(stage_, "tryAcquire", [&] { return lock.tryAcquire(taken); })
                              : lock.acquire(dice_.below(100) * kMillisecond, taken);
    if (status == Status::would_block) return false;
    if (status != Status::ok) giveUpLock(number, "acquire", status);
    LockNotes& notes = stage_.locks[number];
    const uint64_t other = notes.inside.exchange(me_);
    if (other != 0 && !taken.recovered) {
      stage_.tally.report(Finding::exclusion,
                          "lock %u: two are inside, or nobody says that one died", number);
    }
    if (notes.in_doubt.exchange(false) && !taken.recovered) {
      stage_.tally.report(Finding::exclusion, "lock %u: the doubt of the last owner is forgotten",
                          number);
    }
    const uint64_t newest = notes.generation.exchange(taken.generation);
    if (taken.generation <= newest) {
      stage_.tally.report(Finding::exclusion, "lock %u: generation %llu after %llu", number,
                          static_cast<unsigned long long>(taken.generation),
                          static_cast<unsigned long long>(newest));
    }
    judge(number, taken.recovered);
    return true;
  }

  void judge(uint32_t number, bool recovered) {
    Journal journal = this->journal(number);
    if (recovered) {
      stage_.tally.did(Deed::lock_recoveries);
      bool sound = true;
      if (journal.repair(dice_.oneIn(2), sound)) stage_.tally.did(Deed::journal_repairs);
      if (!sound) stage_.tally.report(Finding::journal, "lock %u: the intent is torn", number);
    }
    if (!journal.inOrder()) {
      stage_.tally.report(Finding::journal, "lock %u: broken %s", number,
                          recovered ? "after the repair" : "and nobody says so");
    }
  }

  void leave(uint32_t number) {
    LockNotes& notes = stage_.locks[number];
    const bool in_order = !dice_.oneIn(50);
    if (!in_order) notes.in_doubt = true;
    uint64_t me = me_;
    if (!notes.inside.compare_exchange_strong(me, 0)) {
      stage_.tally.report(Finding::exclusion, "lock %u: somebody else came in", number);
    }
    const Status status =
        timed(stage_, "release lock", [&] { return locks_[number]->release(in_order); });
    if (status != Status::ok) giveUpLock(number, "release", status);
    ++notes.done;
    stage_.tally.did(Deed::transfers);
  }

  // The next owner is told.
  void closeWhileHeld() {
    const auto number = static_cast<uint32_t>(dice_.below(kMostLocks));
    if (!enter(number)) return;
    stage_.locks[number].in_doubt = true;
    stage_.locks[number].inside = 0;
    locks_[number]->close();
    stage_.tally.did(Deed::closed_midway);
    locks_[number] = openLock(number);
  }

  [[noreturn]] void giveUpLock(uint32_t number, const char* call, Status status) {
    stage_.tally.report(Finding::refused, "lock %u: %s answers %lld", number, call,
                        static_cast<long long>(status));
    _exit(3);
  }

  Stage& stage_;
  const RoundPlan& plan_;
  ActorNotes& notes_;
  Dice dice_;
  uint64_t me_;
  std::vector<std::unique_ptr<Lock>> locks_;
  std::unique_ptr<Memory> memory_;
};

}  // namespace zoo::test
