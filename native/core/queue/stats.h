// What a person wants to know about a queue: how full, who holds what, since when.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/queue/options.h"
#include "core/queue/reap.h"

namespace zoo {

struct OldestClaim {
  uint32_t slot = kNoSlot;  // kNoSlot: nobody holds anything
  uint32_t pid = 0;
  std::string label;
  double age_ms = 0;
};

struct GroupStats {
  std::string name;
  Overflow overflow = Overflow::block;
  uint64_t backlog = 0;  // not yet claimed
  uint64_t claimed = 0;
  uint64_t dropped = 0;
  OldestClaim oldest_claim;
};

struct ParticipantStats {
  uint32_t slot = 0;
  uint32_t pid = 0;
  std::string label;
  std::string group;
  bool writer = false;
  bool ended = false;
  bool reader = false;  // of a channel or a pipe
  bool waiting = false;
  double since_ms = 0;  // since 1970
};

struct QueueStats {
  uint64_t messages = 0;  // that some group has not finished
  uint64_t bytes = 0;     // of the store in use, headers included
  uint64_t puts = 0;
  uint64_t gets = 0;
  uint64_t redelivered = 0;
  uint64_t dead = 0;           // sent to the dead letters so far
  uint64_t dead_given_up = 0;  // removed unread, because their space was needed
  uint64_t reaped = 0;
  uint64_t recoveries = 0;
  uint64_t blocked_bytes = 0;
  double oldest_reservation_ms = -1;  // -1: there is none
  std::vector<GroupStats> groups;
  std::vector<ParticipantStats> participants;
};

namespace detail {

inline OldestClaim oldestClaimOf(const Context& context, uint32_t group) {
  OldestClaim oldest;
  uint64_t since = 0;
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    const Participant& participant = context.participants()[slot];
    if (!context.me.isActive(slot) || participant.group.load(std::memory_order_relaxed) != group)
      continue;
    const uint64_t claimed = participant.counters.oldest_claim_ns.load(std::memory_order_relaxed);
    if (claimed == 0 || (since != 0 && claimed >= since)) continue;
    since = claimed;
    oldest.slot = slot;
    oldest.pid = participant.pid.load(std::memory_order_relaxed);
    oldest.label = labelOf(participant);
  }
  const uint64_t now = monotonicCoarse();
  if (oldest.slot != kNoSlot && now > since) oldest.age_ms = static_cast<double>(now - since) / 1e6;
  return oldest;
}

}  // namespace detail

inline QueueStats statsOf(Context& context) {
  QueueHeader& header = *context.header;
  QueueStats stats;
  {
    Section section(context);
    if (section.held() && context.store.isRing()) {
      Room(context).reclaimDonePrefix(context.store.capacity());
    }
    if (section.held()) recount(context);
  }
  const uint64_t now = wallClockCoarse();
  uint64_t oldest_reservation = 0;
  context.forEachRecord([&](const Found& found) {
    const ProducerState state = found.record->producerWord(std::memory_order_acquire).state();
    const uint64_t bytes = found.record->span.load(std::memory_order_relaxed) * kRecordUnit;
    const bool finished = context.finished(*found.record);
    if (context.store.isRing()) {
      stats.bytes += bytes;
      // Finished, but something older is not: this is what the oldest holder costs.
      if (finished) stats.blocked_bytes += bytes;
    } else if (!finished) {
      stats.bytes += bytes;
      bool held = false;
      for (uint32_t group = 0; group < context.constants.group_count; ++group) {
        held = held || found.record->deliveryWord(group, std::memory_order_relaxed).held();
      }
      if (held) stats.blocked_bytes += bytes;
    }
    if (finished) return;
    if (state == ProducerState::committed) ++stats.messages;
    if (state == ProducerState::reserved) {
      const uint64_t since = found.record->timestamp_ns.load(std::memory_order_relaxed);
      if (oldest_reservation == 0 || since < oldest_reservation) oldest_reservation = since;
    }
  });
  if (oldest_reservation != 0) {
    stats.oldest_reservation_ms =
        now > oldest_reservation ? static_cast<double>(now - oldest_reservation) / 1e6 : 0;
  }
  stats.puts = totalPuts(context);
  stats.reaped = context.segment.header().reaped.load(std::memory_order_relaxed);
  stats.recoveries = context.segment.header().recoveries.load(std::memory_order_relaxed);
  for (uint32_t group = 0; group < context.constants.group_count; ++group) {
    const GroupTotals& totals = header.groups[group];
    const GroupCounts counts = countsOf(context, group);
    stats.gets += counts.finished;
    stats.redelivered += totals.redelivered.load(std::memory_order_relaxed);
    stats.dead += totals.dead.load(std::memory_order_relaxed);
    stats.dead_given_up += totals.dead_given_up.load(std::memory_order_relaxed);
    GroupStats of_group;
    of_group.name = groupName(context.constants, group);
    of_group.overflow = context.constants.overflow[group];
    of_group.backlog = counts.backlog;
    of_group.claimed = counts.claimed;
    of_group.dropped = totals.dropped.load(std::memory_order_relaxed);
    of_group.oldest_claim = detail::oldestClaimOf(context, group);
    stats.groups.push_back(of_group);
  }
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    if (!context.me.isActive(slot)) continue;
    const Participant& participant = context.participants()[slot];
    const uint32_t role = participant.role.load(std::memory_order_relaxed);
    const uint32_t group = participant.group.load(std::memory_order_relaxed);
    ParticipantStats one;
    one.slot = slot;
    one.pid = participant.pid.load(std::memory_order_relaxed);
    one.label = labelOf(participant);
    one.group = group < context.constants.group_count ? groupName(context.constants, group) : "";
    one.writer = (role & kRoleWriter) != 0;
    one.ended = (role & kRoleEnded) != 0;
    one.reader = (role & kRoleReader) != 0;
    one.waiting = context.writers().has(slot) ||
                  (group < context.constants.group_count && context.readers(group).has(slot));
    one.since_ms = static_cast<double>(participant.since_ns.load(std::memory_order_relaxed)) / 1e6;
    stats.participants.push_back(one);
  }
  return stats;
}

}  // namespace zoo
