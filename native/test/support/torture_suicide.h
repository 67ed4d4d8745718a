// A process that dies by itself now and then, between two stores, which a kill from outside hardly
// ever meets; and notes which message is about to be taken.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "core/kill_step.h"
#include "support/processes.h"
#include "support/torture_dice.h"
#include "support/torture_stage.h"

namespace zoo::test {

class Suicidal {
 public:
  static Suicidal& instance() {
    static Suicidal* suicidal = new Suicidal;
    return *suicidal;
  }

  // `names`: of all steps. Half of the lives choose one by name, so that rare ones get their turn.
  void begin(uint64_t seed, Stage& stage, ActorNotes& notes,
             const std::vector<std::string>& names) {
    Dice dice(seed);
    notes_ = &notes;
    stage_ = &stage;
    countdown_ = dice.between(1, kLongestLife);
    notes_->step = 0;
    if (!names.empty() && dice.oneIn(2)) {
      chosen_index_ = dice.below(names.size());
      chosen_ = names[chosen_index_];
      chosen_countdown_ = dice.oneIn(2) ? 1 : dice.between(1, 200);
    }
    step_hook = [](const char* name) { instance().onStep(name); };
  }

  // From here on it lives until it is killed.
  void calmDown() { step_hook = nullptr; }

  const std::byte* target = nullptr;  // where `take` copies to

 private:
  static constexpr uint64_t kLongestLife = 40'000;  // in steps

  void onStep(const char* name) {
    if (target != nullptr && std::strncmp(name, "take.copied", 11) == 0) {
      MessageHead head;
      std::memcpy(&head, target, sizeof head);
      const bool whole = head.check == headCheck(head.id, head.bytes);
      notes_->taking.store(whole ? head.id : 0);
    }
    if (!chosen_.empty() && chosen_ == name && --chosen_countdown_ == 0) {
      ++stage_->died_at[chosen_index_];
      die();
    }
    if (--countdown_ == 0) die();
  }

  [[noreturn]] void die() {
    stage_->tally.did(Deed::suicides);
    dieHere();
  }

  Stage* stage_ = nullptr;
  ActorNotes* notes_ = nullptr;
  uint64_t countdown_ = 0;
  std::string chosen_;
  size_t chosen_index_ = 0;
  uint64_t chosen_countdown_ = 0;
};

}  // namespace zoo::test
