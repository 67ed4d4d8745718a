// One queue in which a process dies, and everything that must be true afterwards.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/os/doorbell.h"
#include "core/queue/queue.h"
#include "support/queue_ledger.h"

namespace zoo::test {

// Who comes first after the death, without having looked around: it has to do the repair.
enum class FirstComer { looks_around, puts, claims };

struct Scene {
  StoreKind store = StoreKind::ring;
  std::vector<GroupOptions> groups;
  uint32_t max_deliveries = 5;
  FirstComer first = FirstComer::looks_around;

  bool drops(uint32_t group) const { return groups[group].overflow != Overflow::block; }
  QueueOptions options() const {
    QueueOptions options;
    if (store == StoreKind::ring) {
      options.bytes = kRingBytes;
    } else {
      options.slots = kFrames;
      options.slot_bytes = kFrameBytes;
    }
    options.groups = groups;
    options.max_deliveries = max_deliveries;
    return options;
  }
  std::string text() const {
    static constexpr const char* kFirst[] = {"look", "put", "claim"};
    return std::string(store == StoreKind::ring ? "ring" : "frames") + ", " +
           std::to_string(groups.size()) + " groups, then " + kFirst[static_cast<int>(first)];
  }

  static constexpr uint64_t kRingBytes = 32 << 10;
  static constexpr uint32_t kFrames = 8;
  static constexpr uint64_t kFrameBytes = 8000;
};

class QueueTrial {
 public:
  QueueTrial(const Scene& scene, QueueLedger& ledger)
      : scene_(scene), ledger_(ledger), name_(freshName("kill")) {
    ledger_.clear();
    for (uint32_t group = 0; group < scene_.groups.size(); ++group) {
      survivors_.push_back(openHandle(scene_.groups[group].name));
    }
    Result<Doorbell> bell = Doorbell::make();
    if (!bell) driver().fail("%s", bell.error().text);
    bell_ = std::make_unique<Doorbell>(bell.take());
    sleeper_ = openHandle(scene_.groups[0].name);
  }

  QueueTrial(const QueueTrial&) = delete;
  QueueTrial& operator=(const QueueTrial&) = delete;
  ~QueueTrial() {
    survivors_.clear();
    sleeper_.reset();
    if (Result<bool> removed = Queue::unlink(name_); !removed || !*removed) {
      driver().fail("the name cannot be removed");
    }
  }

  std::vector<uint64_t> ids;  // of messages that the operation is about

  const Scene& scene() const { return scene_; }
  Actor first() { return Actor(ledger_, *survivors_[0]); }
  QueueLedger& ledger() { return ledger_; }

  std::unique_ptr<Queue> openHandle(const std::string& group) {
    QueueOptions options = scene_.options();
    options.group = group;
    Result<std::unique_ptr<Queue>> queue = Queue::open(name_, OpenMode::either, options);
    if (!queue) driver().fail("open: %s", queue.error().text);
    return queue.take();
  }
  std::unique_ptr<Queue> openHandle() { return openHandle(scene_.groups[0].name); }

  // Puts and finishes until every byte of the store has been used, and leaves it empty.
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
      others_done_[group] = ledger_.next_id.load() - 1;
    }
  }

  // The last thing before the child: somebody waits as an event loop does.
  void ready() {
    ledger_.settle(scene_.max_deliveries);
    writer_before_ = survivorIsWriter();
    first().expect(sleeper_->armRead(bell_->id()), "armRead");
  }

  void check(bool dead_letters_may_go = false) {
    Drained drained;
    switch (scene_.first) {
      case FirstComer::looks_around:
        break;
      case FirstComer::puts:
        first().tryPut(100);
        break;
      case FirstComer::claims:
        drainOne(0, drained);
        break;
    }
    const size_t early = drained.messages.size();
    const uint32_t reaped = survivors_[0]->lookAround();
    survivors_[0]->lookAround();
    if (survivors_[0]->lookAround() != 0) driver().fail("it is never done with the dead");
    if (scene_.first == FirstComer::looks_around && reaped > 0 && !sleeper_->wokenToRead()) {
      driver().fail("the dead were found, but nobody was woken");
    }
    sleeper_->disarmRead();
    checkGroup(0, early, drained, dead_letters_may_go);
    for (uint32_t group = 1; group < scene_.groups.size(); ++group) {
      Drained of_group;
      checkGroup(group, 0, of_group, dead_letters_may_go);
      if (scene_.drops(group) || scene_.drops(0)) continue;
      sameMessages(drained, of_group, group);
    }
    checkEnd();
    checkEmpty();
    checkUsable();
  }

 private:
  struct Seen {
    uint64_t id;
    uint64_t seq;
    uint32_t deliveries;
    bool dead_letter;
  };
  struct Drained {
    std::vector<Seen> messages;
  };

  static KillDriver& driver() { return KillDriver::instance(); }
  static unsigned long long number(uint64_t value) { return value; }

  bool survivorIsWriter() {
    for (const ParticipantStats& participant : survivors_[0]->stats().participants) {
      if (participant.writer && participant.pid == static_cast<uint32_t>(getpid())) return true;
    }
    return false;
  }

  bool finishOne(Queue& queue) {
    Cursor cursor = 0;
    Claim claim;
    return queue.claim(cursor, claim) == Status::ok && queue.release(cursor) == Status::ok;
  }

  bool note(Queue& queue, Status status, const Cursor& cursor, const Claim& claim,
            Drained& drained) {
    if (status == Status::corrupt) driver().fail("corrupt: %s", queue.corruption().c_str());
    if (status != Status::ok) return false;
    uint64_t id = 0;
    if (!readMessage(queue.data() + queue.payloadOffset(claim), claim.payload_bytes, id)) {
      driver().fail("a message of %u bytes is torn", claim.payload_bytes);
    }
    drained.messages.push_back({id, claim.seq, claim.deliveries, claim.dead_letter});
    if (queue.release(cursor) != Status::ok) driver().fail("a message cannot be released");
    return true;
  }
  bool drainOne(uint32_t group, Drained& drained) {
    Cursor cursor = 0;
    Claim claim;
    Queue& queue = *survivors_[group];
    return note(queue, queue.claim(cursor, claim), cursor, claim, drained);
  }
  bool drainOneDead(uint32_t group, Drained& drained) {
    Cursor cursor = 0;
    Claim claim;
    Queue& queue = *survivors_[group];
    return note(queue, queue.claimDead(cursor, claim), cursor, claim, drained);
  }

  void checkGroup(uint32_t group, size_t early, Drained& drained, bool dead_letters_may_go) {
    const uint64_t length = survivors_[group]->length();
    const GroupStats before = survivors_[group]->stats().groups[group];
    if (before.claimed != 0) {
      driver().fail("group %u counts %llu claimed, nobody holds any", group,
                    number(before.claimed));
    }
    if (before.oldest_claim.slot != kNoSlot)
      driver().fail("somebody holds a message in statistics");
    const bool newest_only = scene_.groups[group].overflow == Overflow::latest;
    while (drainOne(group, drained)) {
    }
    const uint64_t came = drained.messages.size() - early;
    if (newest_only ? (came > 1 || (came == 0) != (length == 0)) : came != length) {
      driver().fail("group %u counted %llu messages, %llu came", group, number(length),
                    number(came));
    }
    for (size_t index = early + 1; index < drained.messages.size(); ++index) {
      const Seen& earlier = drained.messages[index - 1];
      const Seen& later = drained.messages[index];
      if (!scene_.drops(group) && (earlier.seq >= later.seq || earlier.id >= later.id)) {
        driver().fail("group %u: message %llu came before %llu", group, number(earlier.id),
                      number(later.id));
      }
    }
    while (drainOneDead(group, drained)) {
    }
    for (uint64_t id = 1; id < ledger_.next_id.load(); ++id) {
      checkLine(group, id, drained, dead_letters_may_go);
    }
  }

  // What the ledger says about this message against what came.
  void checkLine(uint32_t group, uint64_t id, const Drained& drained, bool dead_letters_may_go) {
    const LedgerLine& line = ledger_.lines[id];
    uint32_t times = 0;
    Seen seen = {};
    for (const Seen& one : drained.messages) {
      if (one.id != id) continue;
      seen = one;
      ++times;
    }
    if (times > 1) driver().fail("group %u: message %llu came twice", group, number(id));
    if (line.put == Phase::none || line.given_up) {
      if (times != 0) driver().fail("message %llu was never put", number(id));
      return;
    }
    const bool acted_on = group == 0;
    const bool must = line.put == Phase::returned && !scene_.drops(group) &&
                      !(acted_on && (line.over || line.finish != Phase::none)) &&
                      (acted_on || id > others_done_[group]) &&
                      !(acted_on && line.dead_letter && dead_letters_may_go);
    if (must && times == 0) driver().fail("group %u: message %llu is lost", group, number(id));
    const bool must_not =
        acted_on ? line.over || line.finish == Phase::returned : id <= others_done_[group];
    if (must_not && times != 0)
      driver().fail("group %u: message %llu came again", group, number(id));
    if (times == 0) return;
    uint32_t least = 1, most = 1;
    if (acted_on) {
      const uint32_t base = line.deliveries;
      const bool surely = line.hold == Phase::returned || line.reject != Phase::none;
      const bool perhaps = surely || line.hold != Phase::none || line.finish != Phase::none;
      least = base + (surely && !line.dead_letter ? 1 : 0);
      most = base + (perhaps && !line.dead_letter ? 1 : 0);
    }
    const uint32_t limit = scene_.max_deliveries;
    const bool dead_for_sure = acted_on && (line.dead_letter || least > limit);
    const bool dead_perhaps = dead_for_sure || most > limit;
    if (seen.dead_letter ? !dead_perhaps : dead_for_sure) {
      driver().fail("group %u: message %llu %s a dead letter", group, number(id),
                    seen.dead_letter ? "is" : "is not");
    }
    if (seen.dead_letter ? seen.deliveries != limit
                         : seen.deliveries < least || seen.deliveries > most) {
      driver().fail("group %u: message %llu is delivered for the %uth time, not %u to %u", group,
                    number(id), seen.deliveries, least, most);
    }
  }

  // A put is visible to every group or to none.
  void sameMessages(const Drained& first, const Drained& other, uint32_t group) {
    for (uint64_t id = 1; id < ledger_.next_id.load(); ++id) {
      if (ledger_.lines[id].put != Phase::started) continue;
      const auto has = [&](const Drained& drained) {
        for (const Seen& seen : drained.messages) {
          if (seen.id == id) return true;
        }
        return false;
      };
      if (has(first) != has(other) && id > others_done_[group]) {
        driver().fail("message %llu is there for one group and not for another", number(id));
      }
    }
  }

  // Once everything is drained, those who read learn that the last writer is gone.
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

  void checkEmpty() {
    const QueueStats stats = survivors_[0]->stats();
    if (stats.messages != 0)
      driver().fail("drained, but there are %llu messages", number(stats.messages));
    if (stats.bytes != 0) driver().fail("drained, but %llu bytes are in use", number(stats.bytes));
    if (stats.blocked_bytes != 0)
      driver().fail("%llu bytes are blocked", number(stats.blocked_bytes));
    if (stats.oldest_reservation_ms >= 0) driver().fail("a reservation is left");
    if (stats.participants.size() != survivors_.size() + 1) {
      driver().fail("%zu participants, but %zu handles", stats.participants.size(),
                    survivors_.size() + 1);
    }
    for (const GroupStats& group : stats.groups) {
      if (group.backlog != 0 || group.claimed != 0) {
        driver().fail("drained, but group %s counts %llu and %llu claimed", group.name.c_str(),
                      number(group.backlog), number(group.claimed));
      }
    }
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
      if (!drainOne(group, drained) || drained.messages[0].id != id) {
        driver().fail("group %u does not get a new message", group);
      }
    }
  }

  Scene scene_;
  QueueLedger& ledger_;
  std::string name_;
  std::vector<std::unique_ptr<Queue>> survivors_;
  std::unique_ptr<Queue> sleeper_;
  std::unique_ptr<Doorbell> bell_;
  uint64_t others_done_[kMaxGroups] = {};  // the newest message that the group is done with
  bool writer_before_ = false;
};

}  // namespace zoo::test
