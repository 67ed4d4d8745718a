// Takes messages in every way there is: copied, in place and held for a while, given back, read as
// dead letters; and sometimes takes many and dies with them.
#pragma once

#include <vector>

#include "support/torture_actor.h"
#include "support/torture_suicide.h"

namespace zoo::test {

class Consumer : public QueueActor {
 public:
  Consumer(Stage& stage, const QueuePlan& plan, ActorPlace place)
      : QueueActor(stage, plan, place, place.number) {
    notes_.held = 0;
    const uint64_t choosiness[] = {3, 20, 200};
    rejects_one_in_ = choosiness[dice_.below(3)];
  }

  void run() {
    while (!stage_.stop_all.load()) {
      step();
      if (leave_) moveOn();
      if (dice_.oneIn(1000)) closeMidway();
    }
    settleAll();
    if (dice_.oneIn(2))
      queue_->close();
    else
      queue_->abandon();
  }

  // Until nothing is left for this group, in a process that is not killed.
  void drainGroup() {
    queue_->lookAround();
    forgetOrder();
    do {
      do {
        claimSome(8);
        settleAll();
      } while (found_);
    } while (oneDeadLetter());
    queue_->lookAround();
  }

  // For a segment that was opened before it lost its name.
  void useHandle(std::unique_ptr<Queue> queue, uint32_t epoch) {
    queue_ = std::move(queue);
    epoch_ = epoch;
    forgetOrder();
  }

 private:
  struct Held {
    Cursor cursor = 0;
    MessageId message;
    const std::byte* bytes = nullptr;
    uint64_t size = 0;
  };

  void step() {
    ++notes_.beats;
    found_ = false;
    if (dice_.oneIn(32)) {
      while (oneDeadLetter()) {
      }
    }
    switch (dice_.below(8)) {
      case 0:
      case 1:
        takeOne();
        break;
      case 2:
        if (dice_.oneIn(100)) claimSome(dice_.between(8, 40));
        break;
      default:
        if (held_.size() < 6) claimSome(dice_.between(1, 4));
        break;
    }
    // Some stay out over several calls.
    for (uint64_t keep = dice_.below(4); held_.size() > keep;) settleAny();
    if (dice_.oneIn(200)) usleep(static_cast<useconds_t>(dice_.below(2000)));
    if (found_) return;
    settleAll();  // who waits while holding what others need would wait for ever
    if (over_)
      usleep(500);  // all producers are dead at the moment: waiting would not wait
    else if (queue_->waitReadable(20 * kMillisecond) == Status::gone)
      leave();
  }

  bool good(Status status, const char* call) {
    if (status == Status::ended && plan_.steady && held_.empty()) ledger_.over[group_] = true;
    over_ = status == Status::peer_died || status == Status::ended;
    if (status == Status::ended && plan_.moves) leave_ = true;
    if (status == Status::ok) return found_ = true;
    if (status == Status::would_block || over_) return false;
    refused(call, status);
    return false;
  }

  bool read(const std::byte* bytes, uint64_t size, MessageId& message) {
    uint64_t id = 0;
    const bool whole = readMessage(bytes, size, id);
    message = MessageId::of(id);
    if (!whole || !message.known()) {
      stage_.tally.report(Finding::torn, "%s, group %s: a message of %llu bytes is torn",
                          plan_.name.c_str(), plan_.groupName(group_).c_str(),
                          static_cast<unsigned long long>(size));
      return false;
    }
    if (message.queue == plan_.index && message.epoch == epoch_) return true;
    stage_.tally.report(Finding::invented, "%s: a message of queue %u, segment %u, in segment %u",
                        plan_.name.c_str(), message.queue, message.epoch, epoch_);
    return false;
  }

  void endWasWrong() {
    stage_.tally.report(Finding::end, "%s, group %s: a message after somebody was told the end",
                        plan_.name.c_str(), plan_.groupName(group_).c_str());
  }

  void takeOne() {
    target_.resize(plan_.largest);
    Suicidal::instance().target = target_.data();
    uint64_t size = 0;
    const bool over = ledger_.over[group_].load();
    const Status status =
        timedCall("take", [&] { return queue_->take(target_.data(), target_.size(), size); });
    MessageId message;
    if (over && status == Status::ok) endWasWrong();
    if (good(status, "take") && read(target_.data(), size, message)) {
      ledger_.saw(group_, message);
    }
    notes_.taking.store(0);
  }

  void claimSome(uint64_t most) {
    found_ = false;
    for (uint64_t count = 0; count < most; ++count) {
      Held one;
      Claim claim;
      const bool over = ledger_.over[group_].load();
      const Status status = timedCall("claim", [&] { return queue_->claim(one.cursor, claim); });
      if (!good(status, "claim")) {
        if (count > 0) found_ = true;
        return;
      }
      if (over) endWasWrong();
      ++notes_.held;
      one.bytes = queue_->data() + queue_->payloadOffset(claim);
      one.size = claim.payload_bytes;
      if (!read(one.bytes, one.size, one.message)) _exit(3);
      const uint32_t before = ledger_.offer(group_, one.message, claim.deliveries);
      if (claim.deliveries <= before || claim.deliveries > *plan_.options.max_deliveries) {
        stage_.tally.report(Finding::deliveries, "%s: offered with deliveries %u after %u",
                            plan_.name.c_str(), claim.deliveries, before);
      }
      if (claim.deliveries == 1) inOrder(one.message);
      held_.push_back(one);
    }
  }

  void settleAll() {
    while (!held_.empty()) settleAny();
  }
  void settleAny() {
    const size_t index = dice_.below(held_.size());
    Held one = held_[index];
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
    // What is held nobody may have written over.
    const uint64_t id = one.message.id();
    if (!read(one.bytes, one.size, one.message)) _exit(3);
    if (one.message.id() != id) {
      stage_.tally.report(Finding::torn, "%s: what was held became another message",
                          plan_.name.c_str());
    }
    if (dice_.oneIn(rejects_one_in_)) {
      ++ledger_.rejections;
      stage_.tally.did(Deed::rejects);
      const Status status = timedCall("reject", [&] { return queue_->reject(one.cursor); });
      if (status != Status::ok) refused("reject", status);
      --notes_.held;
      return;
    }
    release(one);
  }
  void release(const Held& held) {
    notes_.releasing.store(held.message.id());
    ledger_.saw(group_, held.message);
    const Status status = timedCall("release", [&] { return queue_->release(held.cursor); });
    if (status != Status::ok) refused("release", status);
    notes_.releasing.store(0);
    --notes_.held;
  }

  bool oneDeadLetter() {
    Held held;
    Claim claim;
    const Status status =
        timedCall("claimDead", [&] { return queue_->claimDead(held.cursor, claim); });
    if (status == Status::would_block) return false;
    if (status != Status::ok) refused("claimDead", status);
    ++notes_.held;
    if (!read(queue_->data() + queue_->payloadOffset(claim), claim.payload_bytes, held.message))
      _exit(3);
    if (claim.deliveries != *plan_.options.max_deliveries) {
      stage_.tally.report(Finding::deliveries, "%s: a dead letter with deliveries %u",
                          plan_.name.c_str(), claim.deliveries);
    }
    if (dice_.oneIn(10)) {
      queue_->reject(held.cursor);  // stays a dead letter
      --notes_.held;
      return true;
    }
    release(held);
    ++ledger_.dead_letters;
    stage_.tally.did(Deed::dead_letters);
    return true;
  }

  void inOrder(MessageId message) {
    uint64_t& newest = newest_[message.producer];
    if (message.number <= newest) {
      stage_.tally.report(Finding::disorder, "%s, group %s: producer %u's message %llu after %llu",
                          plan_.name.c_str(), plan_.groupName(group_).c_str(), message.producer,
                          static_cast<unsigned long long>(message.number),
                          static_cast<unsigned long long>(newest));
    }
    newest = message.number;
  }
  void forgetOrder() {
    for (uint64_t& newest : newest_) newest = 0;
  }

  // With claims out, which others get.
  void closeMidway() {
    claimSome(dice_.between(1, 4));
    if (!held_.empty()) stage_.tally.did(Deed::closed_midway);
    ledger_.closings.fetch_add(held_.size());
    held_.clear();
    timedCall("close", [&] {
      queue_->close();
      return true;
    });
    notes_.held = 0;
    reopen();
    forgetOrder();
  }

  void leave() {
    stage_.tally.did(Deed::gone);
    leave_ = true;
  }
  void moveOn() {
    leave_ = false;
    settleAll();
    queue_->close();
    reopen();
    forgetOrder();
  }

  std::vector<std::byte> target_;
  std::vector<Held> held_;
  uint64_t newest_[kMostProducers] = {};
  uint64_t rejects_one_in_ = 20;
  bool found_ = false;
  bool over_ = false;
  bool leave_ = false;
};

}  // namespace zoo::test
