// A journal in shared memory that is never half written for good: accounts whose sum stays, and an
// intent that says what is being moved, so that whoever recovers can finish it or take it back.
//
//   intent -> begun -> one account -> the other -> entry -> none
#pragma once

#include <atomic>
#include <cstdint>

#include "core/kill_step.h"
#include "support/torture_dice.h"

namespace zoo::test {

class Journal {
 public:
  static constexpr uint64_t kBytes = 1024;

  explicit Journal(std::byte* place) : page_(reinterpret_cast<Page*>(place)) {}

  void initialise() {
    for (std::atomic<uint64_t>& account : page_->accounts) account = kStart;
    page_->check = checkOf(0);
  }

  // Whether it is as it has to be whenever nobody is inside.
  bool inOrder() const {
    uint64_t sum = 0;
    for (const std::atomic<uint64_t>& account : page_->accounts) sum += account.load();
    return page_->begun == 0 && sum == kStart * kAccounts &&
           page_->check == checkOf(page_->entries);
  }

  void move(Dice& dice) {
    const uint64_t from = dice.below(kAccounts);
    const uint64_t to = (from + 1 + dice.below(kAccounts - 1)) % kAccounts;
    page_->from = from;
    page_->to = to;
    page_->old_from = page_->accounts[from].load();
    ZOO_STEP("torture.intent");
    page_->old_to = page_->accounts[to].load();
    page_->amount = dice.below(page_->old_from + 1);
    page_->sequence = page_->entries + 1;
    page_->intent_check = intentCheck();
    ZOO_STEP("torture.intent_written");
    page_->begun = 1;
    finish();
  }

  // After an owner died. Answers whether there was something to repair; `sound`: whether it could be.
  bool repair(bool backwards, bool& sound) {
    sound = true;
    if (page_->begun == 0) return false;
    sound = page_->intent_check == intentCheck();
    if (!sound) return true;
    if (backwards)
      takeBack();
    else
      finish();
    return true;
  }

  uint64_t entries() const { return page_->entries; }

 private:
  static constexpr uint64_t kAccounts = 16;
  static constexpr uint64_t kStart = 1000;

  struct Page {
    std::atomic<uint64_t> begun, from, to, old_from, old_to, amount, sequence, intent_check;
    std::atomic<uint64_t> entries, check;
    std::atomic<uint64_t> accounts[kAccounts];
  };
  static_assert(sizeof(Page) <= kBytes);

  // Every store gives what it gave before, however often it is done.
  void finish() {
    ZOO_STEP("torture.begun");
    page_->accounts[page_->from] = page_->old_from - page_->amount;
    ZOO_STEP("torture.half");
    page_->accounts[page_->to] = page_->old_to + page_->amount;
    ZOO_STEP("torture.whole");
    settle(page_->sequence);
  }
  void takeBack() {
    page_->accounts[page_->to] = page_->old_to.load();
    ZOO_STEP("torture.half_back");
    page_->accounts[page_->from] = page_->old_from.load();
    ZOO_STEP("torture.back");
    settle(page_->sequence - 1);
  }
  void settle(uint64_t entries) {
    page_->entries = entries;
    ZOO_STEP("torture.entered");
    page_->check = checkOf(entries);
    ZOO_STEP("torture.checked");
    page_->begun = 0;
  }

  uint64_t intentCheck() const {
    uint64_t check = page_->sequence;
    for (const std::atomic<uint64_t>* word :
         {&page_->from, &page_->to, &page_->old_from, &page_->old_to, &page_->amount}) {
      check = mixed(check + word->load());
    }
    return check;
  }
  uint64_t checkOf(uint64_t entries) const {
    uint64_t check = entries;
    for (const std::atomic<uint64_t>& account : page_->accounts)
      check = mixed(check + account.load());
    return check;
  }

  Page* page_;
};

}  // namespace zoo::test
