// What kind of queue a process dies in, and who is there afterwards.
#pragma once

#include <string>
#include <vector>

#include "core/queue/queue.h"

namespace zoo::test {

// Who comes first after the death, without having looked around: it has to do
// the repair.
enum class FirstComer { looks_around, puts, claims };

struct Scene {
  StoreKind store = StoreKind::ring;
  SegmentKind kind = SegmentKind::queue;
  std::vector<GroupOptions> groups;
  uint32_t max_deliveries = 5;
  FirstComer first = FirstComer::looks_around;

  bool drops(uint32_t group) const { return groups[group].overflow != Overflow::block; }
  bool dropsAny() const {
    for (uint32_t group = 0; group < groups.size(); ++group) {
      if (drops(group)) return true;
    }
    return false;
  }
  QueueOptions options() const {
    QueueOptions options;
    options.kind = kind;
    if (store == StoreKind::ring) {
      options.bytes = kRingBytes;
    } else {
      options.slots = kFrames;
      options.slot_bytes = kFrameBytes;
    }
    if (kind == SegmentKind::channel) options.most_messages = kMostMessages;
    options.groups = groups;
    options.max_deliveries = max_deliveries;
    return options;
  }
  std::string text() const {
    static constexpr const char* kFirst[] = {"look", "put", "claim"};
    const char* of_kind = kind == SegmentKind::channel ? "channel, " : "";
    return of_kind + std::string(store == StoreKind::ring ? "ring" : "frames") + ", " +
           std::to_string(groups.size()) + " groups, then " + kFirst[static_cast<int>(first)];
  }

  static constexpr uint64_t kRingBytes = 32 << 10;
  static constexpr uint32_t kFrames = 8;
  static constexpr uint64_t kFrameBytes = 8000;
  static constexpr uint32_t kMostMessages = 40;
};

}  // namespace zoo::test
