// Reading the model's state out of the segment's bytes.
#pragma once

#include "model/side_by_side.h"

namespace zoo::model {

inline Word SideBySide::wordOf(const Record& record, int group) const {
  const DeliveryWord bits{record.delivery[group].bare()};
  Word word;
  word.state = static_cast<uint8_t>(bits.state());
  word.deliveries = static_cast<uint8_t>(bits.deliveries());
  if (bits.held()) {
    word.slot = static_cast<uint8_t>(bits.owner().slot);
    word.tag = static_cast<uint8_t>(bits.owner().generation);
  } else if (bits.state() == DeliveryState::ready) {
    word.tag = 255;
    for (uint64_t seq = 1; seq < 64; ++seq) {
      if (saltOf(seq, header().constants.salt) == bits.salt()) word.tag = static_cast<uint8_t>(seq);
    }
  } else if (bits.salt() != 0) {
    word.tag = 254;
  }
  return word;
}

inline State SideBySide::seen() const {
  State state;
  Shared& shared = state.shared;
  const QueueHeader& there = header();
  const uint64_t unit = config_.ring ? span() : 1;
  const uint32_t guard = guardWord();
  shared.guard = (guard & kDiedBit) != 0 ? kGuardDied : static_cast<uint8_t>(guard & 0xf);
  shared.tail = static_cast<uint8_t>(there.tail.bare() / unit);
  shared.head = static_cast<uint8_t>(there.head.bare() / unit);
  shared.next_seq = static_cast<uint8_t>(there.next_seq.bare());
  shared.writers = static_cast<uint8_t>(there.writers.bare() & 0xff);
  for (int group = 0; group < config_.groups; ++group) {
    if (there.rewinds[group].bare() > 0) shared.rewound |= static_cast<uint8_t>(bitOf(group));
    shared.readers_waiting[group] =
        static_cast<uint8_t>(there.readers_waiting[group].bits[0].bare());
  }
  shared.writers_waiting = static_cast<uint8_t>(there.writers_waiting.bits[0].bare());
  if (!config_.ring) {
    shared.slot_hint = static_cast<uint8_t>(there.slot_hint.bare());
    const auto* table =
        reinterpret_cast<const std::watched_atomic<uint64_t>*>(base_ + kFrameTableOffset);
    const auto* hints =
        reinterpret_cast<const std::watched_atomic<uint32_t>*>(table + config_.records);
    for (int index = 0; index < config_.records; ++index) {
      shared.table[index] = static_cast<uint8_t>(table[index].bare());
    }
    for (int index = 0; index < 8; ++index) {
      shared.hint[index] = static_cast<uint8_t>(hints[index].bare());
    }
  }
  for (uint32_t number = 0; number < kModelSlots; ++number) {
    const Participant& from = participants()[number];
    SlotState& slot = shared.slots[number];
    slot.active = from.state.bare() == zoo::SlotState::active;
    slot.generation = static_cast<uint8_t>(from.generation.bare());
    for (const Real& real : actors_) {
      if (!real.dead && real.slot == number && slot.active != 0) slot.alive = 1;
    }
    slot.writer = (from.role.bare() & kRoleWriter) != 0;
    slot.ended = (from.role.bare() & kRoleEnded) != 0;
    slot.group = static_cast<uint8_t>(from.group.bare());
    slot.sleeping = from.sleeping.bare() != 0;
    slot.odd = from.counters.epoch.bare() % 2;
    slot.claims = static_cast<uint8_t>(from.counters.claims.bare());
    slot.finished = static_cast<uint8_t>(from.counters.finished.bare());
    slot.returned = static_cast<uint8_t>(from.counters.returned.bare());
  }
  for (int index = 0; index < config_.records; ++index) {
    const auto& from =
        *reinterpret_cast<const Record*>(data() + static_cast<uint64_t>(index) * span());
    RecordState& record = state.records[index];
    const ProducerWord producer{from.producer.bare()};
    record.producer = static_cast<uint8_t>(producer.state());
    record.slot =
        producer.owner().slot == 0xff ? kNobody : static_cast<uint8_t>(producer.owner().slot);
    record.generation = static_cast<uint8_t>(producer.owner().generation);
    record.seq = static_cast<uint8_t>(from.seq.bare());
    for (int group = 0; group < config_.groups; ++group)
      record.delivery[group] = wordOf(from, group);
  }
  return state;
}

inline Observed SideBySide::observed() const {
  Observed seen;
  seen.on = true;
  seen.recount_due = header().recount_due.bare() != 0;
  const uint64_t units = config_.ring ? span() / kRecordUnit : 1;
  seen.dead_records = static_cast<int>(header().dead_units.bare() / units);
  return seen;
}

}  // namespace zoo::model
