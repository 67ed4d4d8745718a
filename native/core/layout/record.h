// The header in front of every message: one cache line, the payload follows at once.
//
//   0          8         12      16    24           32
//   +----------+---------+-------+-----+------------+----------------------------------+
//   | producer | payload | span  | seq | timestamp  | delivery word of group 0 1 2 3   |
//   +----------+---------+-------+-----+------------+----------------------------------+
//
// The producer word says whether the message is there:
//   reserved (owner) -> committed | aborted            padding: never was one
// A delivery word says how far a group is with it:
//   ready -> claimed (owner) -> done                   claimed -> ready again, one delivery more
//   claimed -> dead -> dead_claimed -> done            after too many deliveries
//
// Words:   63........32  31...24  23......8  7..0
//          salt or       slot     deliveries state
//          generation
//
// A ready word carries a salt made of the message's number and the segment's secret. Whoever
// claims it by compare-and-exchange has thereby proved that it is still the message he looked at,
// even if he held no lock while he looked and the space was used again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/layout/participants.h"

namespace zoo {

inline constexpr uint32_t kMaxGroups = 4;
inline constexpr uint64_t kRecordUnit = 64;

enum class ProducerState : uint8_t {
  free = 0,
  reserved = 1,
  committed = 2,
  aborted = 3,
  padding = 4
};

enum class DeliveryState : uint8_t {
  none = 0,
  ready = 1,
  claimed = 2,
  done = 3,
  dead = 4,
  dead_claimed = 5,
};

struct ProducerWord {
  uint64_t bits;
  ProducerState state() const { return static_cast<ProducerState>(bits & 0xff); }
  Owner owner() const {
    return {static_cast<uint32_t>(bits >> 24) & 0xff, static_cast<uint32_t>(bits >> 32)};
  }
  static ProducerWord of(ProducerState state, Owner owner) {
    return {static_cast<uint64_t>(state) | (uint64_t{owner.slot & 0xff} << 24) |
            (uint64_t{owner.generation} << 32)};
  }
};

struct DeliveryWord {
  uint64_t bits;
  DeliveryState state() const { return static_cast<DeliveryState>(bits & 0xff); }
  uint32_t deliveries() const { return static_cast<uint32_t>(bits >> 8) & 0xffff; }
  uint32_t salt() const { return static_cast<uint32_t>(bits >> 32); }
  Owner owner() const {
    return {static_cast<uint32_t>(bits >> 24) & 0xff, static_cast<uint32_t>(bits >> 32)};
  }
  bool held() const {
    return state() == DeliveryState::claimed || state() == DeliveryState::dead_claimed;
  }
  static DeliveryWord unowned(DeliveryState state, uint32_t deliveries, uint32_t salt) {
    return {static_cast<uint64_t>(state) | (uint64_t{deliveries & 0xffff} << 8) |
            (uint64_t{salt} << 32)};
  }
  static DeliveryWord owned(DeliveryState state, uint32_t deliveries, Owner owner) {
    return {static_cast<uint64_t>(state) | (uint64_t{deliveries & 0xffff} << 8) |
            (uint64_t{owner.slot & 0xff} << 24) | (uint64_t{owner.generation} << 32)};
  }
};

struct alignas(64) Record {
  std::atomic<uint64_t> producer;
  std::atomic<uint32_t> payload_bytes;
  std::atomic<uint32_t> span;  // header and payload, in units of 64 bytes
  std::atomic<uint64_t> seq;
  std::atomic<uint64_t> timestamp_ns;  // wall clock at the put; when reserved
  std::atomic<uint64_t> delivery[kMaxGroups];

  std::byte* payload() { return reinterpret_cast<std::byte*>(this) + sizeof(Record); }
  ProducerWord producerWord(std::memory_order order) const { return {producer.load(order)}; }
  DeliveryWord deliveryWord(uint32_t group, std::memory_order order) const {
    return {delivery[group].load(order)};
  }
};

static_assert(sizeof(Record) == kRecordUnit);
static_assert(offsetof(Record, seq) == 16);
static_assert(offsetof(Record, delivery) == 32);

inline constexpr uint64_t kMaxPayloadBytes = 0xffffffffull - 128;

inline uint64_t unitsFor(uint64_t payload_bytes) {
  return (sizeof(Record) + payload_bytes + kRecordUnit - 1) / kRecordUnit;
}

// splitmix64's mixing step (Steele, Lea, Flood 2014), cut to 32 bits.
inline uint32_t saltOf(uint64_t seq, uint64_t secret) {
  uint64_t mixed = seq + secret;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ull;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
  return static_cast<uint32_t>((mixed ^ (mixed >> 31)) >> 16);
}

}  // namespace zoo
