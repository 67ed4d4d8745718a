// Counting messages without a shared counter.
//
// Every participant counts for itself, in its own cache line; a sum over the slots, and over what
// those who left have handed in, is the total. A process that is killed between a record's change
// and its count leaves a difference of one: `recount` walks the records and notes the correction.
// It believes its walk only if no participant was in such a moment meanwhile (epochs even and
// unchanged); otherwise it stays due.
#pragma once

#include <cstdint>

#include "core/kill_step.h"
#include "core/queue/context.h"

namespace zoo {

// Around a record's change and its count.
class Counting {
 public:
  explicit Counting(Counters& counters) : counters_(counters) {
    bump();
    std::atomic_thread_fence(std::memory_order_release);
    ZOO_STEP("counting.begun");
  }
  ~Counting() {
    std::atomic_thread_fence(std::memory_order_release);
    bump();
    ZOO_STEP("counting.ended");
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
  // Sums without a sign, which wrap: nobody else's number may overflow ours.
  const auto correction = [](const std::atomic<int64_t>& difference) {
    return static_cast<uint64_t>(difference.load(std::memory_order_relaxed));
  };
  const auto backlog = static_cast<int64_t>(totalPuts(context) + counts.returned - counts.claims -
                                            left.dropped.load(std::memory_order_relaxed) -
                                            left.dead.load(std::memory_order_relaxed) +
                                            correction(left.backlog_correction));
  const auto claimed = static_cast<int64_t>(counts.claims - counts.finished - counts.returned +
                                            correction(left.claimed_correction));
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

namespace detail {
inline constexpr std::atomic<uint64_t> Counters::*kHandedIn[] = {
    &Counters::puts, &Counters::claims, &Counters::finished, &Counters::returned};
inline constexpr uint32_t kHandedInCounts = 4;

inline std::atomic<uint64_t>& totalOf(QueueHeader& header, uint32_t count, uint32_t group) {
  GroupTotals& left = header.groups[group];
  std::atomic<uint64_t>* const totals[] = {&header.puts, &left.claims, &left.finished,
                                           &left.returned};
  return *totals[count];
}
}  // namespace detail

// Brings the count that is on its way to its end. Also for one who died doing it, by the next one
// who holds the guard, before anybody else hands in.
inline void finishHandIn(Context& context) {
  QueueHeader& header = *context.header;
  const uint64_t which = header.hand_in_which.load(std::memory_order_relaxed);
  if (which == 0) return;
  const auto count = static_cast<uint32_t>((which - 1) % detail::kHandedInCounts);
  const auto group = static_cast<uint32_t>((which - 1) / detail::kHandedInCounts % kMaxGroups);
  const uint64_t slot = (which - 1) / detail::kHandedInCounts / kMaxGroups;
  if (slot < kSlots) {
    detail::totalOf(header, count, group)
        .store(header.hand_in_total.load(std::memory_order_relaxed), std::memory_order_release);
    ZOO_STEP("hand_in.total");
    (context.participants()[slot].counters.*detail::kHandedIn[count])
        .store(0, std::memory_order_release);
    ZOO_STEP("hand_in.count");
  }
  header.hand_in_which.store(0, std::memory_order_release);
  ZOO_STEP("hand_in.done");
}

// What a participant counted goes to those who have left. Under the guard.
inline void handIn(Context& context, uint32_t slot) {
  QueueHeader& header = *context.header;
  Participant& participant = context.participants()[slot];
  const uint32_t group = participant.group.load(std::memory_order_relaxed) % kMaxGroups;
  for (uint32_t count = 0; count < detail::kHandedInCounts; ++count) {
    const uint64_t counted =
        (participant.counters.*detail::kHandedIn[count]).load(std::memory_order_relaxed);
    if (counted == 0) continue;
    const uint64_t left = detail::totalOf(header, count, group).load(std::memory_order_relaxed);
    header.hand_in_total.store(left + counted, std::memory_order_release);
    ZOO_STEP("hand_in.noted");
    // if killed here or below: `finishHandIn` goes on.
    header.hand_in_which.store(
        1 + count + detail::kHandedInCounts * (group + uint64_t{kMaxGroups} * slot),
        std::memory_order_release);
    ZOO_STEP("hand_in.begun");
    finishHandIn(context);
  }
}

// Under the guard, so nobody puts, rejects or reaps meanwhile; claims and releases go on.
inline void recount(Context& context) {
  if (ZOO_MUTATED(23) || context.header->recount_due.load(std::memory_order_relaxed) == 0) return;
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
  uint64_t backlog[kMaxGroups] = {};
  uint64_t claimed[kMaxGroups] = {};
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
    backlog[group] -=
        totalPuts(context) + returned - claims - totals.dropped.load() - totals.dead.load();
    claimed[group] -= claims - finished - returned;
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  if (!readEpochs(false)) return;
  for (uint32_t group = 0; group < context.constants.group_count; ++group) {
    context.header->groups[group].backlog_correction.store(static_cast<int64_t>(backlog[group]),
                                                           std::memory_order_relaxed);
    ZOO_STEP("recount.backlog");
    context.header->groups[group].claimed_correction.store(static_cast<int64_t>(claimed[group]),
                                                           std::memory_order_relaxed);
    ZOO_STEP("recount.claimed");
  }
  context.header->dead_units.store(dead_units, std::memory_order_relaxed);
  ZOO_STEP("recount.dead_units");
  context.header->recount_due.store(0, std::memory_order_relaxed);
  ZOO_STEP("recount.done");
}

}  // namespace zoo
