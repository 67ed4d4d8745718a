// What must hold when everybody has left: nothing lost, nothing left, and counts that agree.
#pragma once

#include <cinttypes>
#include <cstdlib>
#include <string>
#include <vector>

#include "support/torture_consumer.h"
#include "support/torture_locker.h"

namespace zoo::test {

class QueueVerdict {
 public:
  QueueVerdict(Stage& stage, const QueuePlan& plan, uint32_t place)
      : stage_(stage), plan_(plan), ledger_(stage.ledgers[plan.index]), place_{place, 0, 1} {}

  // `steady`: the writer that has been there from the beginning, or null.
  void judge(Queue* steady) {
    const bool left_last = steady != nullptr && !steady->closed();
    if (steady != nullptr) steady->close();
    drain();
    check();
    if (!plan_.moves) checkEnd(steady != nullptr, !left_last);
    if (!plan_.moves && steady == nullptr) fillOnce();
    Queue::unlink<SegmentKind::queue>(plan_.name);
    ::unlink(shmPath(plan_.name).c_str());
  }

 private:
  ActorPlace placeOf(uint32_t group) const { return {place_.index, group, place_.seed}; }

  // Twice: a group is empty for good only when the others have let go too.
  void drain() {
    for (uint32_t round = 0; round < 2; ++round) {
      for (uint32_t group = 0; group < plan_.groups(); ++group) {
        Consumer consumer(stage_, plan_, placeOf(group));
        consumer.drainGroup();
      }
    }
  }

  void check() {
    Consumer consumer(stage_, plan_, placeOf(0));
    consumer.queue().lookAround();
    const QueueStats stats = consumer.queue().stats();
    uint64_t left = stats.messages + stats.bytes;
    bool loses_nothing[kMostTortureGroups] = {};
    uint64_t dropped = 0;
    for (uint32_t group = 0; group < plan_.groups(); ++group) {
      left += stats.groups[group].backlog + stats.groups[group].claimed;
      dropped += stats.groups[group].dropped;
      loses_nothing[group] = plan_.overflow(group) == Overflow::block;
      if (loses_nothing[group] && stats.groups[group].dropped > 0) {
        report(Finding::lost, "a group that blocks has dropped", stats.groups[group].dropped, 0);
      }
    }
    if (left != 0)
      report(Finding::left, "messages and bytes are left", stats.messages, stats.bytes);
    if (stats.participants.size() != 1) {
      report(Finding::left, "participants are left", stats.participants.size() - 1, 0);
    }
    const Judgement judgement =
        zoo::test::judge(ledger_, plan_.groups(), loses_nothing, stats.dead_given_up);
    if (judgement.lost > 0) {
      stage_.tally.report(Finding::lost, "%s: %" PRIu64 " messages, such as %u/%" PRIu64,
                          plan_.name.c_str(), judgement.lost, judgement.example.producer,
                          judgement.example.number);
    }
    if (judgement.invented > 0) report(Finding::invented, "never put", judgement.invented, 0);
    if (judgement.repeated > 0) report(Finding::repeated, "without reason", judgement.repeated, 0);
    stage_.tally.did(Deed::duplicates, judgement.duplicates);
    stage_.tally.did(Deed::redelivered, stats.redelivered);
    stage_.tally.did(Deed::guard_recoveries, stats.recoveries);
    stage_.tally.did(Deed::given_up, stats.dead_given_up);
    if (!plan_.moves) checkCounters(stats, judgement, dropped);
  }

  // A kill between a change and its count costs one; everything else has to agree.
  void checkCounters(const QueueStats& stats, const Judgement& judgement, uint64_t dropped) {
    const uint64_t consumer_deaths = ledger_.consumer_deaths.load();
    const uint64_t deaths = consumer_deaths + ledger_.producer_deaths.load();
    if (stats.puts < judgement.puts || stats.puts > judgement.puts + judgement.uncertain)
      report(Finding::counters, "puts", stats.puts, judgement.puts);
    const uint64_t read = judgement.seen - ledger_.dead_letters.load();
    if (differ(stats.gets, read, consumer_deaths))
      report(Finding::counters, "gets", stats.gets, read);
    const uint64_t settled = stats.gets + dropped + stats.dead;
    if (differ(stats.puts * plan_.groups(), settled, deaths * plan_.groups()))
      report(Finding::counters, "put and settled", stats.puts * plan_.groups(), settled);
    const uint64_t certain = ledger_.rejections.load() + ledger_.closings.load();
    const uint64_t most = certain + ledger_.held_at_death.load() + consumer_deaths;
    const uint64_t again = stats.redelivered + stats.dead;
    if (again > most || again + deaths < certain)
      report(Finding::counters, "offered again", again, most);
  }

  static bool differ(uint64_t one, uint64_t other, uint64_t tolerance) {
    return one > other + tolerance || other > one + tolerance;
  }

  // What readers and writers are told at the end.
  void checkEnd(bool may_end, bool may_die) {
    Consumer consumer(stage_, plan_, placeOf(0));
    Cursor cursor = 0;
    Claim claim;
    const Status end = consumer.queue().claim(cursor, claim);
    // Who leaves last decides: one that died, or one that ended.
    if (!(may_end && end == Status::ended) && !(may_die && end == Status::peer_died)) {
      stage_.tally.report(Finding::refused, "%s: at its end claim answers %lld", plan_.name.c_str(),
                          static_cast<long long>(end));
    }
    if (end != Status::ended) return;
    const uint64_t byte = 1;
    const Status put = consumer.queue().put(&byte, sizeof byte);
    if (put != Status::ended) {
      stage_.tally.report(Finding::refused, "%s: at its end put answers %lld", plan_.name.c_str(),
                          static_cast<long long>(put));
    }
  }

  // All of its room is there again, in order, and each group gets what it was promised.
  void fillOnce() {
    std::vector<std::unique_ptr<Queue>> readers;
    for (uint32_t group = 0; group < plan_.groups(); ++group)
      readers.push_back(openPatiently(stage_, stage_.actors[place_.index].beats, plan_, group));
    Queue& writer = *readers[0];
    uint64_t count = 0;
    while (writer.put(&count, sizeof count) == Status::ok) ++count;
    uint64_t most = writer.slots() > 0 ? writer.slots() : writer.capacity() / (2 * kRecordUnit);
    if (plan_.options.most_messages > 0) most = plan_.options.most_messages;
    if (count != most) report(Finding::left, "of its room is there again", count, most);
    for (uint32_t group = 0; group < plan_.groups(); ++group) {
      const bool newest_only = plan_.overflow(group) == Overflow::latest;
      uint64_t next = newest_only ? count - 1 : 0;
      uint64_t value = 0, size = 0;
      while (readers[group]->take(reinterpret_cast<std::byte*>(&value), sizeof value, size) ==
             Status::ok) {
        if (value != next) report(Finding::disorder, "read and expected", value, next);
        ++next;
      }
      if (next != count) report(Finding::lost, "read of what was put", next, count);
    }
  }

  void report(Finding finding, const char* what, uint64_t one, uint64_t other) {
    stage_.tally.report(finding, "%s: %s: %" PRIu64 " (%" PRIu64 ")", plan_.name.c_str(), what, one,
                        other);
  }

  Stage& stage_;
  const QueuePlan& plan_;
  Ledger& ledger_;
  ActorPlace place_;
};

inline void judgeLocks(Stage& stage, const RoundPlan& plan, uint32_t place, uint64_t deaths) {
  {
    Locker locker(stage, plan, {place, 0, 1}, 0xffffff);
    for (uint32_t number = 0; number < kMostLocks; ++number) {
      const LockNotes& notes = stage.locks[number];
      const uint64_t before = notes.done.load();
      bool entered = false;
      for (int attempt = 0; attempt < 100 && !entered; ++attempt) entered = locker.once(number);
      if (!entered) stage.tally.report(Finding::stuck, "lock %u stays taken", number);
      const uint64_t entries = locker.journal(number).entries();
      if (entries < before || entries > notes.done.load() + deaths) {
        stage.tally.report(Finding::journal,
                           "lock %u: %" PRIu64 " entries where %" PRIu64 " were made", number,
                           entries, notes.done.load());
      }
    }
  }
  for (const std::string& lock : plan.locks) unlink(shmPath(lock).c_str());
  unlink(shmPath(plan.memory).c_str());
}

}  // namespace zoo::test
