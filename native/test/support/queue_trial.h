// One queue in which processes die, those who survive, and what they find.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/queue_actor.h"
#include "support/queue_checks.h"
#include "support/queue_drain.h"
#include "support/queue_scene.h"

namespace zoo::test {

class QueueTrial {
 public:
  QueueTrial(const Scene& scene, QueueLedger& ledger)
      : scene_(scene), ledger_(ledger), checks_(scene_, ledger), name_(freshName("kill")) {
    ledger_.clear();
    for (uint32_t group = 0; group < scene_.groups.size(); ++group) {
      survivors_.push_back(openHandle(scene_.groups[group].name));
    }
    sleeper_ = openHandle(scene_.groups[0].name);
  }

  QueueTrial(const QueueTrial&) = delete;
  QueueTrial& operator=(const QueueTrial&) = delete;
  ~QueueTrial() {
    survivors_.clear();
    sleeper_.reset();
    Result<bool> removed = scene_.kind == SegmentKind::channel
                               ? Queue::unlink<SegmentKind::channel>(name_)
                               : Queue::unlink(name_);
    if (!removed || !*removed) driver().fail("the name cannot be removed");
  }

  std::vector<uint64_t> ids;  // of messages that the operation is about

  const Scene& scene() const { return scene_; }
  Actor first() { return Actor(ledger_, *survivors_[0]); }
  Queue& survivor() { return *survivors_[0]; }
  QueueLedger& ledger() { return ledger_; }

  std::unique_ptr<Queue> openHandle(const std::string& group) {
    QueueOptions options = scene_.options();
    options.group = group;
    Result<std::unique_ptr<Queue>> queue = Queue::open(name_, OpenMode::either, options);
    if (!queue) driver().fail("open: %s", queue.error().text);
    return queue.take();
  }
  std::unique_ptr<Queue> openHandle() { return openHandle(scene_.groups[0].name); }

  // Puts and finishes until every byte of the store has been used, and leaves
  // it empty.
  void goRound(uint32_t bytes) {
    for (uint32_t round = 0; round < 3 * Scene::kRingBytes / bytes; ++round) {
      const uint64_t id = first().put(bytes);
      first().take(id);
      emptyOtherGroups();
    }
  }
  // Takes all there is for the other groups.
  void emptyOtherGroups() {
    for (uint32_t group = 1; group < survivors_.size(); ++group) {
      while (finishOne(*survivors_[group])) {
      }
      checks_.others_done[group] = ledger_.next_id.load() - 1;
    }
  }

  // The last thing before the victims: somebody waits as an event loop does.
  void ready() {
    ledger_.settle(scene_.max_deliveries);
    writer_before_ = survivorIsWriter();
    first().expect(sleeper_->armRead(driver().bell().id()), "armRead");
  }

  // Whether the guard is held by somebody, who may be stopped.
  bool guardIsFree() const {
    const std::byte* base = survivors_[0]->mapping()->base();
    const auto& header = *reinterpret_cast<const SegmentHeader*>(base);
    return reinterpret_cast<const std::atomic<uint32_t>&>(header.guard).load() == 0;
  }

  void check(bool dead_letters_may_go = false) {
    checks_.dead_letters_may_go = dead_letters_may_go;
    Drained drained;
    if (scene_.first == FirstComer::puts) first().tryPut(100);
    if (scene_.first == FirstComer::claims) drainOne(*survivors_[0], drained);
    const size_t early = drained.messages.size();
    survivorsLookAround();
    const uint64_t recoveries = survivors_[0]->stats().recoveries;
    checkGroup(0, early, drained);
    for (uint32_t group = 1; group < scene_.groups.size(); ++group) {
      Drained of_group;
      checkGroup(group, 0, of_group);
      if (scene_.drops(group) || scene_.drops(0)) continue;
      checks_.sameMessages(drained, of_group, group);
    }
    checkEnd();
    checks_.drainedEmpty(survivors_[0]->stats(), survivors_.size() + 1);
    checks_.masks(*survivors_[0]);
    checkNoBell();
    checkUsable();
    if (survivors_[0]->stats().recoveries != recoveries) {
      driver().fail("the guard is repaired again and again");
    }
  }

 private:
  static KillDriver& driver() { return KillDriver::instance(); }

  bool survivorIsWriter() {
    for (const ParticipantStats& participant : survivors_[0]->stats().participants) {
      if (participant.writer && participant.pid == static_cast<uint32_t>(getpid())) return true;
    }
    return false;
  }

  void survivorsLookAround() {
    const uint32_t reaped = survivors_[0]->lookAround();
    survivors_[0]->lookAround();
    if (survivors_[0]->lookAround() != 0) driver().fail("it is never done with the dead");
    if (scene_.first == FirstComer::looks_around && reaped > 0 && !sleeper_->wokenToRead()) {
      driver().fail("the dead were found, but nobody was woken");
    }
    sleeper_->disarmRead();
  }

  void checkGroup(uint32_t group, size_t early, Drained& drained) {
    Queue& queue = *survivors_[group];
    const uint64_t length = queue.length();
    const QueueStats stats = queue.stats();
    const GroupStats before = stats.groups[group];
    if (before.claimed != 0) {
      driver().fail("group %u counts %llu claimed, nobody holds any", group,
                    printable(before.claimed));
    }
    if (before.oldest_claim.slot != kNoSlot)
      driver().fail("somebody holds a message in statistics");
    if (group == 0 && early == 0 && scene_.first == FirstComer::looks_around) checks_.totals(stats);
    const bool newest_only = scene_.groups[group].overflow == Overflow::latest;
    while (drainOne(queue, drained)) {
    }
    const uint64_t came = drained.messages.size() - early;
    if (newest_only ? (came > 1 || (came == 0) != (length == 0)) : came != length) {
      driver().fail("group %u counted %llu messages, %llu came", group, printable(length),
                    printable(came));
    }
    checks_.order(group, drained, early);
    while (drainOneDead(queue, drained)) {
    }
    checks_.everyMessage(group, drained);
  }

  // Once everything is drained, those who read learn that the last writer is
  // gone.
  void checkEnd() {
    if (writer_before_ || scene_.first == FirstComer::puts || !ledger_.child_put_returned) return;
    Cursor cursor = 0;
    Claim claim;
    const Status status = survivors_[0]->claim(cursor, claim);
    if (status != Status::ended && status != Status::peer_died) {
      driver().fail("the last writer is gone, but claim answers %lld",
                    static_cast<long long>(status));
    }
  }

  // The bell of a victim goes when its slot does; if the one who cleared it died before that, when
  // the next bell is made.
  void checkNoBell() {
    const BellId bell = ledger_.victims_bell.load();
    if (bell == 0) return;
    if (driver().victims() > 1) Doorbell::removeOrphans();
    const std::string path = zoo::detail::bellPath(zoo::detail::kBellPrefix, bell);
    if (access(path.c_str(), F_OK) == 0) driver().fail("the bell of a dead process is left");
  }

  // All the room is there again, and messages go through.
  void checkUsable() {
    Actor actor = first();
    Queue& queue = actor.queue();
    if (queue.becomeWriter() == Status::ended) return;
    const bool ring = scene_.store == StoreKind::ring;
    std::vector<Cursor> cursors;
    for (uint32_t index = 0; index < (ring ? 1 : Scene::kFrames); ++index) {
      Cursor cursor = 0;
      uint64_t offset = 0;
      actor.expect(queue.reserve(queue.limit(), cursor, offset), "reserve all the room");
      cursors.push_back(cursor);
    }
    for (Cursor cursor : cursors) actor.expect(queue.abort(cursor), "abort");
    const uint64_t id = actor.put(300);
    for (uint32_t group = 0; group < survivors_.size(); ++group) {
      Drained drained;
      if (!drainOne(*survivors_[group], drained) || drained.messages[0].id != id) {
        driver().fail("group %u does not get a new message", group);
      }
    }
  }

  Scene scene_;
  QueueLedger& ledger_;
  QueueChecks checks_;
  std::string name_;
  std::vector<std::unique_ptr<Queue>> survivors_;
  std::unique_ptr<Queue> sleeper_;
  bool writer_before_ = false;
};

}  // namespace zoo::test
