// Which accesses of the code are steps of the model.
#pragma once

#include "model/side_by_side.h"

namespace zoo::model {

inline bool SideBySide::classifyParticipant(size_t offset, bool store, bool holds_guard,
                                            Pending& pending) {
  const size_t slot = offset / sizeof(Participant);
  if (slot >= kModelSlots) return false;
  const Real& real = actors_[running_];
  const bool own = slot == real.slot;
  pending.index = static_cast<int>(slot);
  const auto is = [&](size_t member) { return offset % sizeof(Participant) == member; };
  if (is(offsetof(Participant, state))) {
    pending.field = Field::active;
    return store || (!holds_guard && !own);  // nobody else changes it while its owner lives
  }
  if (is(offsetof(Participant, role))) {
    pending.field = Field::role;
    return store && own;
  }
  if (is(offsetof(Participant, wake))) {
    pending.field = Field::wake;
    return store || own;
  }
  if (is(offsetof(Participant, sleeping))) {
    pending.field = Field::sleeping;
    return !store || own;
  }
  const size_t counters = offsetof(Participant, counters);
  if (is(counters + offsetof(Counters, epoch))) {
    pending.field = Field::epoch;
  } else if (is(counters + offsetof(Counters, claims))) {
    pending.field = Field::claims;
  } else if (is(counters + offsetof(Counters, finished))) {
    pending.field = Field::finished;
  } else if (is(counters + offsetof(Counters, returned))) {
    pending.field = Field::returned;
  } else {
    return false;
  }
  return store ? own : !own && !holds_guard;
}

inline bool SideBySide::classifyHeader(size_t offset, bool store, bool holds_guard,
                                       Pending& pending) {
  const auto is = [&](size_t member) { return offset == member; };
  if (is(offsetof(QueueHeader, tail))) {
    pending.field = Field::tail;
  } else if (is(offsetof(QueueHeader, head))) {
    pending.field = Field::head;
  } else if (is(offsetof(QueueHeader, writers))) {
    pending.field = Field::writers;
  }
  if (pending.field != Field::nothing) return store || !holds_guard;
  for (int group = 0; group < config_.groups; ++group) {
    pending.index = group;
    if (is(offsetof(QueueHeader, rewinds) + static_cast<size_t>(group) * 8)) {
      pending.field = Field::rewinds;
      return true;
    }
    if (is(offsetof(QueueHeader, readers_waiting) +
           static_cast<size_t>(group) * sizeof(SlotMask))) {
      pending.field = Field::readers_mask;
      return true;
    }
  }
  pending.index = config_.groups;
  pending.field = Field::writers_mask;
  return is(offsetof(QueueHeader, writers_waiting));
}

inline bool SideBySide::classifyRecord(size_t offset, bool store, bool holds_guard,
                                       Pending& pending) {
  const size_t within = offset % span();
  pending.index = static_cast<int>(offset / span()) % config_.records;
  if (within == offsetof(Record, producer)) {
    pending.field = Field::producer;
    return true;
  }
  if (within == offsetof(Record, seq)) {
    pending.field = Field::seq;
    return store || !holds_guard;
  }
  for (int group = 0; group < config_.groups; ++group) {
    if (within != offsetof(Record, delivery) + static_cast<size_t>(group) * 8) continue;
    pending.field = Field::delivery;
    pending.group = group;
    return true;
  }
  return false;
}

inline bool SideBySide::classify(const void* address, bool store, Pending& pending) {
  const auto* at = static_cast<const std::byte*>(address);
  size_t offset = 0;
  bool known = false;
  for (auto range = mappings_.rbegin(); range != mappings_.rend() && !known; ++range) {
    // The second mapping of a ring's data is part of a larger range that came before it.
    known = at >= range->base && at < range->base + range->bytes;
    offset = static_cast<size_t>(at - range->base);
  }
  if (!known) return false;
  pending.kind = Pending::access;
  pending.store = store;
  Real& real = actors_[running_];
  const bool holds_guard = (guardWord() & 0xf) == static_cast<uint32_t>(running_ + 1);
  const uint64_t data_offset = reinterpret_cast<SegmentHeader*>(base_)->data_offset;
  if (offset < kParticipantsOffset) return false;
  bool step = false;
  if (offset < kBlockOffset) {
    step = classifyParticipant(offset - kParticipantsOffset, store, holds_guard, pending);
  } else if (offset < kBlockOffset + sizeof(QueueHeader)) {
    const size_t member = offset - kBlockOffset;
    if (member == offsetof(QueueHeader, recount_due) && !store && holds_guard) {
      real.counting_again = header().recount_due.bare() != 0;
    }
    step = classifyHeader(member, store, holds_guard, pending);
  } else if (offset >= data_offset) {
    step = classifyRecord(offset - data_offset, store, holds_guard, pending);
    if (real.counting_again && !store) return false;
  } else if (!config_.ring && offset >= kFrameTableOffset) {
    const size_t slot = (offset - kFrameTableOffset) / sizeof(uint64_t);
    pending.field = Field::table;
    pending.index = static_cast<int>(slot);
    step = slot < static_cast<size_t>(config_.records) && (store || !holds_guard);
  }
  return step;
}

inline void SideBySide::access(const void* address, bool store) {
  if (running_ < 0) return;
  Pending pending;
  if (classify(address, store, pending)) stopBefore(pending);
}

inline void SideBySide::payload(void* target, const void* source, size_t bytes) {
  const auto inData = [&](const void* address, int& record) {
    const auto* at = static_cast<const std::byte*>(address);
    for (auto range = mappings_.rbegin(); range != mappings_.rend(); ++range) {
      if (at < range->base || at >= range->base + range->bytes) continue;
      const auto offset = static_cast<uint64_t>(at - range->base);
      const uint64_t data_offset = reinterpret_cast<SegmentHeader*>(base_)->data_offset;
      if (offset < data_offset) return false;
      record = static_cast<int>((offset - data_offset) / span()) % config_.records;
      return true;
    }
    return false;
  };
  int record = 0;
  const bool writes = running_ >= 0 && bytes > 256 && inData(target, record);
  const bool reads = running_ >= 0 && bytes > 256 && !writes && inData(source, record);
  const size_t half = bytes / 2;
  if (writes || reads) stopBefore({Pending::access, Field::payload, writes, record, 0});
  std::memcpy(target, source, half);
  if (writes || reads) stopBefore({Pending::access, Field::payload, writes, record, 1});
  std::memcpy(static_cast<std::byte*>(target) + half, static_cast<const std::byte*>(source) + half,
              bytes - half);
}

}  // namespace zoo::model
