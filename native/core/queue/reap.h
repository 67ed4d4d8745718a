// Giving back what the dead held, and the guard with its recovery. Under the guard.
//
// The order decides: first the kernel's word that a participant is dead, then its records. Had we
// read a record first, its owner could have committed it between our look and its death, and a
// message that was put would be thrown away.
#pragma once

#include <cstdint>

#include "core/kill_step.h"
#include "core/queue/context.h"
#include "core/queue/room.h"
#include "core/queue/totals.h"

namespace zoo {

inline void wakeEverybody(Context& context) {
  for (uint32_t group = 0; group < context.constants.group_count; ++group) {
    context.readers(group).wakeAll();
  }
  context.writers().wakeAll();
}

// Whoever leaves last decides how the queue ends. Called when a writer has ended or is dead.
inline void noteWriterLeft(Context& context, uint32_t slot, WritersState how, uint32_t pid) {
  // A failure counts for all.
  const WritersWord now = {context.header->writers.load(std::memory_order_relaxed)};
  if (now.state() == WritersState::failed) return;
  for (uint32_t other = 0; other < kSlots; ++other) {
    if (other == slot || !context.me.isActive(other)) continue;
    const uint32_t role = context.participants()[other].role.load(std::memory_order_relaxed);
    if ((role & kRoleWriter) != 0 && (role & kRoleEnded) == 0) return;
  }
  context.header->writers.store(WritersWord::of(how, pid),
                                std::memory_order_release);  // PUBLISH writers
  ZOO_STEP("writer_left.noted");
}

// A pipe has no reader any more, and never will. The caller wakes the writer.
inline void noteReaderLeft(Context& context, WritersState how, uint32_t pid) {
  const WritersWord now = {context.channel->readers.load(std::memory_order_relaxed)};
  if (now.over()) return;
  context.channel->readers.store(WritersWord::of(how, pid),
                                 std::memory_order_release);  // PUBLISH readers
  ZOO_STEP("reader_left.noted");
}

// A claimed message goes back: offered again, or to the dead letters once it was offered enough.
inline void giveBack(Context& context, Record& record, uint32_t group) {
  const DeliveryWord word = record.deliveryWord(group, std::memory_order_acquire);
  GroupTotals& totals = context.header->groups[group];
  if (word.state() == DeliveryState::dead_claimed) {
    record.delivery[group].store(
        DeliveryWord::unowned(DeliveryState::dead, word.deliveries(), 0).bits,
        std::memory_order_release);
    ZOO_STEP("give_back.dead_again");
    return;
  }
  const uint32_t deliveries = word.deliveries() + (ZOO_MUTATED(6) ? 0 : 1);
  if (deliveries > context.constants.max_deliveries && !ZOO_MUTATED(13)) {
    bool dead_already = false;
    for (uint32_t other = 0; other < context.constants.group_count; ++other) {
      const DeliveryState state = record.deliveryWord(other, std::memory_order_relaxed).state();
      dead_already =
          dead_already || state == DeliveryState::dead || state == DeliveryState::dead_claimed;
    }
    record.delivery[group].store(
        DeliveryWord::unowned(DeliveryState::dead, word.deliveries(), 0).bits,
        std::memory_order_release);
    ZOO_STEP("give_back.dead");
    totals.dead.fetch_add(1, std::memory_order_relaxed);
    ZOO_STEP("give_back.dead_counted");
    if (!dead_already) {
      context.header->dead_units.fetch_add(
          context.store.isRing() ? record.span.load(std::memory_order_relaxed) : 1,
          std::memory_order_relaxed);
      ZOO_STEP("give_back.dead_units");
    }
    return;
  }
  const uint32_t salt = context.salt(record.seq.load(std::memory_order_relaxed));
  record.delivery[group].store(DeliveryWord::unowned(DeliveryState::ready, deliveries, salt).bits,
                               std::memory_order_release);  // PUBLISH ready
  ZOO_STEP("give_back.ready");
  totals.redelivered.fetch_add(1, std::memory_order_relaxed);
  ZOO_STEP("give_back.counted");
}

// Readers look again from the oldest record on.
inline void rewindReaders(Context& context, uint32_t group) {
  if (ZOO_MUTATED(3)) return;
  context.header->rewinds[group].fetch_add(1, std::memory_order_seq_cst);  // PUBLISH rewinds
  ZOO_STEP("rewind.published");
}

// Repairs everything that participants who are dead left behind. Answers how many there were.
inline uint32_t reapTheDead(Context& context) {
  bool dead[kSlots] = {};
  uint32_t count = 0;
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    dead[slot] = context.me.provedDead(slot);
    count += dead[slot];
    if (ZOO_MUTATED(18) && dead[slot]) context.me.clear(slot);
  }
  if (count == 0) return 0;
  context.header->recount_due.store(1, std::memory_order_relaxed);
  ZOO_STEP("reap.proved");
  const auto gone = [&](const Owner& owner) {
    return !context.me.isCurrent(owner) || dead[owner.slot];
  };
  context.forEachRecord([&](const Found& found) {
    Record& record = *found.record;
    const ProducerWord producer = record.producerWord(std::memory_order_acquire);
    const bool unfinished = producer.state() == ProducerState::reserved ||
                            (ZOO_MUTATED(2) && producer.state() == ProducerState::committed);
    if (unfinished && gone(producer.owner())) {
      record.producer.store(ProducerWord::of(ProducerState::aborted, {}).bits,
                            std::memory_order_release);
      ZOO_STEP("reap.aborted");
    }
    if (producer.state() != ProducerState::committed) return;
    for (uint32_t group = 0; group < context.constants.group_count; ++group) {
      const DeliveryWord word = record.deliveryWord(group, std::memory_order_acquire);
      if (word.held() && gone(word.owner())) giveBack(context, record, group);
    }
  });
  ZOO_STEP("reap.records");
  for (uint32_t group = 0; group < context.constants.group_count; ++group) {
    rewindReaders(context, group);
  }
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    if (!dead[slot]) continue;
    Participant& participant = context.participants()[slot];
    const uint32_t role = participant.role.load(std::memory_order_relaxed);
    const WritersWord writers = {context.header->writers.load(std::memory_order_relaxed)};
    // Also one that had ended, since it may have died before it could note that.
    if ((role & kRoleWriter) != 0 && !writers.over() && !ZOO_MUTATED(31)) {
      const bool ended = (role & kRoleEnded) != 0;
      noteWriterLeft(context, slot, ended ? WritersState::ended : WritersState::died,
                     participant.pid.load(std::memory_order_relaxed));
    }
    if (context.is_pipe && (role & kRoleReader) != 0) {
      noteReaderLeft(context, WritersState::died, participant.pid.load(std::memory_order_relaxed));
    }
    for (uint32_t group = 0; group < context.constants.group_count; ++group) {
      context.readers(group).remove(slot);
    }
    ZOO_STEP("reap.no_reader");
    context.writers().remove(slot);
    ZOO_STEP("reap.no_writer");
    handIn(context, slot);
    const BellId bell = participant.bell.load(std::memory_order_relaxed);
    ZOO_STEP("reap.before_clear");
    // if killed here: it is reaped once more, and finds nothing left to repair.
    context.me.clear(slot);
    ZOO_STEP("reap.cleared");
    removeOrphanedBell(bell);
    ZOO_STEP("reap.no_bell");
    context.segment.header().reaped.fetch_add(1, std::memory_order_relaxed);
    ZOO_STEP("reap.counted");
  }
  recount(context);
  if (ZOO_MUTATED(7)) context.readers(0).wakeSome(1, context.header->reader_turn);
  if (!ZOO_MUTATED(4) && !ZOO_MUTATED(7)) wakeEverybody(context);
  return count;
}

// Holds the guard while it lives, in a queue that is in order.
class Section {
 public:
  explicit Section(Context& context) : guard_(context.segment.header().guard) {
    const LockResult result =
        guard_.lock([&](uint32_t where) { return context.me.anyoneIn(where); });
    held_ = result == LockResult::locked || result == LockResult::owner_died;
    ZOO_STEP("guard.taken");
    if (!held_) {
      context.damaged("the guard cannot be locked", 0);
    } else if (result == LockResult::owner_died) {
      if (!ZOO_MUTATED(17)) repairEnds(context);
      if (!ZOO_MUTATED(16)) finishHandIn(context);
      ZOO_STEP("recover.repaired");
      context.header->recount_due.store(1, std::memory_order_relaxed);
      ZOO_STEP("recover.due");
      context.segment.header().recoveries.fetch_add(1, std::memory_order_relaxed);
      ZOO_STEP("recover.counted");
      // if killed here: the next one gets the guard with the same words, and repairs again.
      guard_.consistent();
      ZOO_STEP("recover.consistent");
      reapTheDead(context);
    }
  }
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;
  ~Section() {
    if (held_) guard_.unlock();
    ZOO_STEP("guard.given");
  }
  bool held() const { return held_; }

 private:
  RobustMutex guard_;
  bool held_ = false;
};

}  // namespace zoo
