// The transitions: what one actor does from where it stands to where others can see the next thing
// it does. A transition is one access to the segment and all the private work behind it.
//
//   operations.h  beginning and ending operations
//   waking.h      the guard, sleeping and waking, one step
//   access.h      which access to the segment a step is
//   reader.h      looking for the next message, taking, claiming, settling, the end
//   writer.h      room, header, payload, publishing, committing
//   repair.h      proving death, giving back, clearing slots
#pragma once

#include "model/state.h"
#include "model/steps.h"

namespace zoo::model {

// What the code was seen to do where the model leaves it open. Only when both go side by side.
struct Observed {
  bool on = false;
  bool recount_due = false;
  int dead_records = -1;  // what the segment counts as occupied by dead letters
  uint8_t wake_from = 0;
};

class Machine {
 public:
  Machine(const Config& config, State& state, int actor, Observed observed = {})
      : config_(config),
        state_(state),
        shared_(state.shared),
        me_(state.actors[actor]),
        actor_(actor),
        observed_(observed) {}

  const char* violation() const { return violation_; }

  // How many ways there are to go on from here, 0: none. Begins of operations are not among them.
  int ways() const {
    if (me_.dead != 0) return 0;
    switch (at()) {
      case Step::idle:
      case Step::over:
        return 0;
      case Step::asleep:
        return config_.caps ? 1 : 0;
      case Step::lock:
        return shared_.guard == kGuardFree || shared_.guard == kGuardDied ? 1 : 0;
      case Step::wake_remove:
        return __builtin_popcount(me_.candidates);
      default:
        return 1;
    }
  }

  // Whether the actor may begin this now.
  bool mayBegin(Operation operation) const;
  void begin(Operation operation);
  // Takes the step it stands before.
  void take(int way = 0);
  void crash();

  // Which of several it is about: record, slot, group, half of the payload.
  int index() const;
  int group() const;
  Field field() const;

  // Work that nobody else can see or disturb: needs no turn of its own when all turns are tried.
  bool quiet() const;

 private:
  Step at() const { return static_cast<Step>(me_.at); }
  void go(Step step) { me_.at = static_cast<uint8_t>(step); }
  bool faulty(Fault fault) const { return config_.fault == fault; }
  void violate(const char* what) {
    if (violation_ == nullptr) violation_ = what;
  }

  SlotState& own() { return shared_.slots[me_.slot]; }
  int ownGroup() const { return config_.group_of[actor_]; }
  RecordState& record(int index) { return state_.records[index]; }
  uint8_t& maskOf(int mask) {
    return mask == config_.groups ? shared_.writers_waiting : shared_.readers_waiting[mask];
  }
  void bump(uint8_t& counter) {
    if (config_.counts) ++counter;
  }
  void flipEpoch() {
    if (!config_.counts) return;
    own().odd ^= 1;
    epochMoves(me_.slot);
  }
  void epochMoves(int slot) {
    for (int other = config_.producers; other < config_.actors(); ++other) {
      Actor& reader = state_.actors[other];
      if ((reader.noted & bitOf(slot)) != 0) reader.moved |= static_cast<uint8_t>(bitOf(slot));
    }
  }
  void skipCounting(Step counting, Step after) { go(config_.counts ? counting : after); }

  void rewindReaders(int group) {
    for (int other = config_.producers; other < config_.actors(); ++other) {
      if (config_.group_of[other] == group) state_.actors[other].stale = 1;
    }
    shared_.rewound |= static_cast<uint8_t>(bitOf(group));
  }

  // --- operations
  void finish(Result result);
  void afterLock();
  void afterUnlock();
  void afterWake();

  // --- waking
  void wake(int first_mask, int last_mask, bool all);
  void wakeNextMask();
  void searched();
  void woken();
  void sleepUntilReady();
  void stopWaiting();
  void lookAround();
  void lookAtNext(int slot);

  // --- reader.h
  void lookForNext(int phase);
  void look();
  void lookEnded(Result result);
  void nextEnded(Result result);
  void lookFurther();
  void tail();
  void lookAtPosition();
  void scanned();
  void comeTo();
  void evaluate();
  void missed();
  void lookAtOthers(int slot);
  void lookAtOthersAgain(int slot);
  void verdict();
  bool readerStep();
  void exchange(uint8_t to);
  void handOut();
  bool settleStep();
  void deadLetterWalk(int from);
  bool deadLetterStep();

  // --- writer.h
  bool recordDone(int index);
  int deadRecords() const;
  bool tooManyDead() const;
  int mostFree() const { return config_.records - (shared_.tail - shared_.head); }
  void room();
  void reclaim();
  void reclaimEnded();
  void oldest();
  void oldestHolds(bool somebody, bool dead);
  void deadLetterInTheWay();
  void nextFree(int step);
  void nextInTheWay(int slot);
  void framesEnded();
  void frameFound(int slot);
  void roomFound(bool found);
  void placed();
  void becomeWriter();
  void writerReady();
  void header();
  void publish();
  void published();
  void startCommit();
  bool roomStep();
  bool putStep();

  // --- repair.h
  void checkFreed(int index);
  void repair();
  void reap();
  void proveNext(int slot);
  void proved();
  void reapRecord(int from);
  int recordFrom(int from, int& position);
  void reapGroup(int group);
  bool gone(uint8_t slot, uint8_t generation) const;
  void giveBack();
  void givenBack();
  void reapSlots(int slot);
  bool lastWriter(int slot) const;
  void unmask();
  void reaped();
  bool repairStep();

  const Config& config_;
  State& state_;
  Shared& shared_;
  Actor& me_;
  const int actor_;
  const Observed observed_;
  const char* violation_ = nullptr;
};

}  // namespace zoo::model

#include "model/access.h"
#include "model/operations.h"
#include "model/reader.h"
#include "model/repair.h"
#include "model/room.h"
#include "model/settle.h"
#include "model/waking.h"
#include "model/writer.h"
