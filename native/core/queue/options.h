// What a queue is made of, and whether an existing one agrees with what somebody expects.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/layout/channel_header.h"
#include "core/layout/queue_header.h"
#include "core/layout/segment_header.h"
#include "core/os/mapping.h"

namespace zoo {

struct GroupOptions {
  std::string name;
  Overflow overflow = Overflow::block;
};

// An option left out takes its default when the queue is made, and agrees with whatever is there.
struct QueueOptions {
  std::optional<uint64_t> bytes;       // of the ring, default 10 MiB, rounded up to pages
  std::optional<uint32_t> slots;       // frames store instead of a ring: both or neither
  std::optional<uint64_t> slot_bytes;  // largest payload of a slot
  std::optional<std::vector<GroupOptions>> groups;  // default: one group that blocks
  std::optional<uint32_t> max_deliveries;           // default 5
  std::optional<uint32_t> mode;  // default 0600; said: what is there may not be wider
  bool set_aside = true;
  std::optional<bool> prefault;  // default: only frames

  std::optional<std::string> group;  // which one this handle reads for; default: the first
  std::string label;
  bool writer = false;  // whoever makes the queue counts as a writer before the name is there

  // A channel and a pipe are queues of a kind of their own.
  SegmentKind kind = SegmentKind::queue;
  std::string codec;            // channel: the name of the creator's, for those who open it
  uint32_t most_messages = 0;   // channel: 0: as many as there is room for
  PipeEnd end = PipeEnd::none;  // pipe: the creator's
};

inline constexpr const char* kDefaultGroup = "default";
inline constexpr uint64_t kDefaultRingBytes = 10ull << 20;
inline constexpr uint32_t kDefaultMaxDeliveries = 5;
inline constexpr uint32_t kMostFrameSlots = 1u << 16;

inline std::string groupName(const QueueConstants& constants, uint32_t group) {
  const char* name = constants.group_names[group];
  return std::string(name, strnlen(name, kGroupNameBytes));
}

inline Result<QueueConstants> constantsFor(const QueueOptions& options) {
  QueueConstants constants = {};
  if (options.slots.has_value() != options.slot_bytes.has_value()) {
    return Error::of(ErrorCode::invalid, 0, "slots and slotSize go together: give both or neither");
  }
  if (options.slots) {
    if (*options.slots == 0 || *options.slots > kMostFrameSlots || *options.slot_bytes == 0 ||
        *options.slot_bytes > kMaxPayloadBytes) {
      return Error::of(ErrorCode::invalid, 0,
                       "%u slots of %llu bytes are not possible: 1 to %u slots of 1 to %llu bytes",
                       *options.slots, static_cast<unsigned long long>(*options.slot_bytes),
                       kMostFrameSlots, static_cast<unsigned long long>(kMaxPayloadBytes));
    }
    constants.store = StoreKind::frames;
    constants.slots = *options.slots;
    constants.slot_bytes = *options.slot_bytes;
    constants.slot_stride = unitsFor(*options.slot_bytes) * kRecordUnit;
    constants.capacity = constants.slot_stride * constants.slots;
  } else {
    const uint64_t bytes = options.bytes.value_or(kDefaultRingBytes);
    if (bytes == 0) return Error::of(ErrorCode::invalid, 0, "a ring of 0 bytes is not possible");
    constants.store = StoreKind::ring;
    constants.capacity = roundUp(bytes, pageBytes());
  }
  constants.max_deliveries = options.max_deliveries.value_or(kDefaultMaxDeliveries);
  const std::vector<GroupOptions> groups =
      options.groups.value_or(std::vector<GroupOptions>{{kDefaultGroup, Overflow::block}});
  if (groups.empty() || groups.size() > kMaxGroups) {
    return Error::of(ErrorCode::invalid, 0, "%zu groups are not possible: 1 to %u", groups.size(),
                     kMaxGroups);
  }
  constants.group_count = static_cast<uint32_t>(groups.size());
  for (uint32_t group = 0; group < groups.size(); ++group) {
    constants.overflow[group] = groups[group].overflow;
    std::strncpy(constants.group_names[group], groups[group].name.c_str(), kGroupNameBytes - 1);
  }
  return constants;
}

// Constants that came out of shared memory: whether they are possible, given the segment's size.
inline bool plausible(const QueueConstants& constants, uint64_t data_bytes) {
  if (constants.group_count == 0 || constants.group_count > kMaxGroups) return false;
  if (constants.max_deliveries == 0 || constants.max_deliveries > 0xffff) return false;
  for (uint32_t group = 0; group < constants.group_count; ++group) {
    if (static_cast<uint32_t>(constants.overflow[group]) > 2) return false;
  }
  if (constants.capacity == 0 || constants.capacity > data_bytes) return false;
  if (constants.store == StoreKind::ring) {
    return constants.capacity % pageBytes() == 0 && constants.capacity == data_bytes;
  }
  return constants.store == StoreKind::frames && constants.slots > 0 &&
         constants.slots <= kMostFrameSlots && constants.slot_bytes <= kMaxPayloadBytes &&
         constants.slot_stride == unitsFor(constants.slot_bytes) * kRecordUnit &&
         constants.capacity == constants.slot_stride * constants.slots;
}

inline Result<Done> agreement(const std::string& name, const QueueOptions& wanted,
                              const QueueConstants& there) {
  const auto differs = [&](const char* option, uint64_t there_value, uint64_t wanted_value) {
    return Error::of(
        ErrorCode::incompatible, 0,
        "queue '%s' exists with %s %llu, but %llu was asked for; leave the option out, "
        "or choose another name",
        name.c_str(), option, static_cast<unsigned long long>(there_value),
        static_cast<unsigned long long>(wanted_value));
  };
  const bool frames = there.store == StoreKind::frames;
  if (wanted.bytes && frames) {
    return Error::of(
        ErrorCode::incompatible, 0,
        "queue '%s' exists with %u slots of %llu bytes, but a ring (size) was asked for",
        name.c_str(), there.slots, static_cast<unsigned long long>(there.slot_bytes));
  }
  if (wanted.slots && !frames) {
    return Error::of(ErrorCode::incompatible, 0,
                     "queue '%s' exists as a ring of %llu bytes, but slots were asked for",
                     name.c_str(), static_cast<unsigned long long>(there.capacity));
  }
  if (wanted.bytes && roundUp(*wanted.bytes, pageBytes()) != there.capacity) {
    return differs("size", there.capacity, roundUp(*wanted.bytes, pageBytes()));
  }
  if (wanted.slots && *wanted.slots != there.slots)
    return differs("slots", there.slots, *wanted.slots);
  if (wanted.slot_bytes && *wanted.slot_bytes != there.slot_bytes) {
    return differs("slotSize", there.slot_bytes, *wanted.slot_bytes);
  }
  if (wanted.max_deliveries && *wanted.max_deliveries != there.max_deliveries) {
    return differs("maxDeliveries", there.max_deliveries, *wanted.max_deliveries);
  }
  if (!wanted.groups) return Done{};
  bool same = wanted.groups->size() == there.group_count;
  for (uint32_t group = 0; same && group < there.group_count; ++group) {
    // Whoever lists the groups in another order means the same queue.
    bool found = false;
    for (const GroupOptions& option : *wanted.groups) {
      found = found ||
              (option.name == groupName(there, group) && option.overflow == there.overflow[group]);
    }
    same = found;
  }
  if (same) return Done{};
  static constexpr const char* kNames[] = {"block", "dropOldest", "latest"};
  std::string exists, asked;
  for (uint32_t group = 0; group < there.group_count; ++group) {
    exists += (group ? ", " : "") + groupName(there, group) + ": " +
              kNames[static_cast<uint32_t>(there.overflow[group])];
  }
  for (const GroupOptions& option : *wanted.groups) {
    asked += (asked.empty() ? "" : ", ") + option.name + ": " +
             kNames[static_cast<uint32_t>(option.overflow)];
  }
  return Error::of(ErrorCode::incompatible, 0,
                   "queue '%s' exists with other groups: { %s } there, { %s } asked for",
                   name.c_str(), exists.c_str(), asked.c_str());
}

inline Result<uint32_t> findGroup(const std::string& name, const QueueConstants& constants,
                                  const std::optional<std::string>& wanted) {
  if (!wanted) return uint32_t{0};
  std::string known;
  for (uint32_t group = 0; group < constants.group_count; ++group) {
    if (groupName(constants, group) == *wanted) return group;
    known += (group ? ", " : "") + groupName(constants, group);
  }
  return Error::of(ErrorCode::invalid, 0, "queue '%s' has no group '%s'; it has: %s", name.c_str(),
                   wanted->c_str(), known.c_str());
}

}  // namespace zoo
