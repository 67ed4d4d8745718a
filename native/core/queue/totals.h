// Counting messages without a shared counter.
//
// Every participant counts for itself, in its own cache line; a sum over the slots, and over what
// those who left have handed in, is the total. A process that is killed between a record's change
// and its count leaves a difference of one: `recount` walks the records and notes the correction.
// It believes its walk only if no participant was in such a moment meanwhile (epochs even and
// unchanged); otherwise it stays due.
#pragma once

#include <cstdint>

#include "core/queue/context.h"

namespace zoo {

// Around a record's change and its count.
class Counting {
 public:
  explicit Counting(Counters& counters) : counters_(counters) {
    bump();
    std::atomic_thread_fence(std::memory_order_release);
  }
  ~Counting() {
    std::atomic_thread_fence(std::memory_order_release);
    bump();
  }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;

  static void add(std::atomic<uint64_t>& counter, uint64_t count = 1) {
    counter.store(counter.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }

 private:
  void bump() { add(counters_.epoch); }
  Counters& counters_;
};

struct GroupCounts {
  uint64_t claims = 0, finished = 0, returned = 0;
  uint64_t backlog = 0, claimed = 0;
};

inline uint64_t sumOf(const Context& context, uint32_t group,
                      std::atomic<uint64_t> Counters::*counter) {
  uint64_t sum = 0;
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    const Participant& participant = context.participants()[slot];
    if (participant.state.load(std::memory_order_acquire) != SlotState::active) continue;
    if (group != kMaxGroups && participant.group.load(std::memory_order_relaxed) != group) continue;
    sum += (participant.counters.*counter).load(std::memory_order_relaxed);
  }
  return sum;
}

inline uint64_t totalPuts(const Context& context) {
  return context.header->puts.load(std::memory_order_relaxed) +
         sumOf(context, kMaxGroups, &Counters::puts);
}

inline GroupCounts countsOf(const Context& context, uint32_t group) {
  const GroupTotals& left = context.header->groups[group];
  GroupCounts counts;
  counts.claims =
      left.claims.load(std::memory_order_relaxed) + sumOf(context, group, &Counters::claims);
  counts.finished =
      left.finished.load(std::memory_order_relaxed) + sumOf(context, group, &Counters::finished);
  counts.returned =
      left.returned.load(std::memory_order_relaxed) + sumOf(context, group, &Counters::returned);
  const int64_t backlog =
      static_cast<int64_t>(totalPuts(context) + counts.returned - counts.claims -
                           left.dropped.load(std::memory_order_relaxed) -
                           left.dead.load(std::memory_order_relaxed)) +
      left.backlog_correction.load(std::memory_order_relaxed);
  const int64_t claimed = static_cast<int64_t>(counts.claims - counts.finished - counts.returned) +
                          left.claimed_correction.load(std::memory_order_relaxed);
  // Sums are read while others count, so they may be apart for a moment.
  counts.backlog = backlog > 0 ? static_cast<uint64_t>(backlog) : 0;
  counts.claimed = claimed > 0 ? static_cast<uint64_t>(claimed) : 0;
  return counts;
}

// Messages that some group has not taken yet, and those that are about to be committed. At most
// too many by what participants are counting at this very moment. Under the guard.
inline uint64_t messagesAhead(const Context& context) {
  uint64_t most = 0;
  for (uint32_t group = 0; group < context.constants.group_count; ++group) {
    const uint64_t backlog = countsOf(context, group).backlog;
    if (backlog > most) most = backlog;
  }
  return most + sumOf(context, kMaxGroups, &Counters::reserved);
}

// What a participant counted goes to those who have left. Under the guard.
inline void handIn(Context& context, uint32_t slot) {
  Participant& participant = context.participants()[slot];
  const uint32_t group = participant.group.load(std::memory_order_relaxed) % kMaxGroups;
  GroupTotals& left = context.header->groups[group];
  const auto move = [](std::atomic<uint64_t>& from, std::atomic<uint64_t>& to) {
    to.fetch_add(from.exchange(0, std::memory_order_relaxed), std::memory_order_relaxed);
  };
  move(participant.counters.puts, context.header->puts);
  move(participant.counters.claims, left.claims);
  move(participant.counters.finished, left.finished);
  move(participant.counters.returned, left.returned);
}

// Under the guard, so nobody puts, rejects or reaps meanwhile; claims and releases go on.
inline void recount(Context& context) {
  if (context.header->recount_due.load(std::memory_order_relaxed) == 0) return;
  uint64_t epochs[kSlots];
  const auto readEpochs = [&](bool first) {
    for (uint32_t slot = 0; slot < kSlots; ++slot) {
      const Participant& participant = context.participants()[slot];
      const bool active = participant.state.load(std::memory_order_acquire) == SlotState::active;
      const uint64_t epoch =
          active ? participant.counters.epoch.load(std::memory_order_acquire) : 0;
      if (epoch % 2 != 0 && slot != context.me.self().slot) return false;
      if (first)
        epochs[slot] = epoch;
      else if (epochs[slot] != epoch)
        return false;
    }
    return true;
  };
  if (!readEpochs(true)) return;
  int64_t backlog[kMaxGroups] = {};
  int64_t claimed[kMaxGroups] = {};
  uint64_t dead_units = 0;
  const bool walked = context.forEachRecord([&](const Found& found) {
    if (found.record->producerWord(std::memory_order_acquire).state() != ProducerState::committed)
      return;
    bool dead = false;
    for (uint32_t group = 0; group < context.constants.group_count; ++group) {
      const DeliveryWord word = found.record->deliveryWord(group, std::memory_order_acquire);
      backlog[group] += word.state() == DeliveryState::ready;
      claimed[group] += word.state() == DeliveryState::claimed;
      dead = dead || word.state() == DeliveryState::dead ||
             word.state() == DeliveryState::dead_claimed;
    }
    if (dead)
      dead_units += context.store.isRing() ? found.record->span.load(std::memory_order_relaxed) : 1;
  });
  if (!walked) return;
  for (uint32_t group = 0; group < context.constants.group_count; ++group) {
    const GroupTotals& totals = context.header->groups[group];
    const uint64_t claims = totals.claims.load() + sumOf(context, group, &Counters::claims);
    const uint64_t finished = totals.finished.load() + sumOf(context, group, &Counters::finished);
    const uint64_t returned = totals.returned.load() + sumOf(context, group, &Counters::returned);
    backlog[group] -= static_cast<int64_t>(totalPuts(context) + returned - claims -
                                           totals.dropped.load() - totals.dead.load());
    claimed[group] -= static_cast<int64_t>(claims - finished - returned);
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  if (!readEpochs(false)) return;
  for (uint32_t group = 0; group < context.constants.group_count; ++group) {
    context.header->groups[group].backlog_correction.store(backlog[group],
                                                           std::memory_order_relaxed);
    context.header->groups[group].claimed_correction.store(claimed[group],
                                                           std::memory_order_relaxed);
  }
  context.header->dead_units.store(dead_units, std::memory_order_relaxed);
  context.header->recount_due.store(0, std::memory_order_relaxed);
}

}  // namespace zoo
