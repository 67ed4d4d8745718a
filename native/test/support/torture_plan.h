// What one round of the torture consists of. Everything follows from the seed.
#pragma once

#include <string>
#include <vector>

#include "core/queue/queue.h"
#include "support/names.h"
#include "support/torture_dice.h"
#include "support/torture_stage.h"

namespace zoo::test {

inline constexpr uint32_t kLargestMessage = 12'000;

struct QueuePlan {
  std::string name;
  uint32_t index = 0;  // of its ledger
  uint32_t producers = 2;
  std::vector<uint32_t> consumers = {0, 0};  // the group of each
  bool moves = false;                        // its name is removed and made anew
  bool steady = false;                       // a writer that is never killed ends it
  uint32_t largest = kLargestMessage;
  QueueOptions options;

  uint32_t groups() const {
    return options.groups ? static_cast<uint32_t>(options.groups->size()) : 1;
  }
  Overflow overflow(uint32_t group) const {
    return options.groups ? (*options.groups)[group].overflow : Overflow::block;
  }
  std::string groupName(uint32_t group) const {
    return options.groups ? (*options.groups)[group].name : kDefaultGroup;
  }
  QueueOptions optionsFor(uint32_t group) const {
    QueueOptions wanted = options;
    wanted.group = groupName(group);
    return wanted;
  }
};

struct RoundPlan {
  uint64_t seed = 0;
  StoreKind store = StoreKind::ring;
  double seconds = 5;
  uint64_t kills = 0;  // as many as there is time for when 0
  uint64_t pause_us = 5000;
  std::vector<QueuePlan> queues;
  std::vector<std::string> locks;
  std::string memory;
  uint32_t lockers = 2;
  uint32_t crowds = 0;
  uint32_t hogs = 0;  // they fill a file system, so these rounds have a small one of their own
  uint64_t tiny_bytes = 0;
};

namespace detail {

inline void useStore(QueuePlan& queue, StoreKind store, uint64_t bytes, uint32_t slots,
                     uint32_t slot_bytes) {
  if (store == StoreKind::ring) {
    queue.options.bytes = bytes;
    queue.largest = static_cast<uint32_t>(std::min<uint64_t>(kLargestMessage, bytes / 4));
  } else {
    queue.options.slots = slots;
    queue.options.slot_bytes = slot_bytes;
    queue.largest = slot_bytes;
  }
}

// Groups of every kind, and dead letters.
inline QueuePlan mainQueue(Dice& dice, StoreKind store, bool tiny) {
  QueuePlan queue;
  queue.name = freshName("torture-main");
  const uint64_t sizes[] = {64 << 10, 256 << 10, 1 << 20};
  const uint32_t slots[] = {8, 24, 48};
  const uint64_t choice = tiny ? 1 : dice.below(3);
  useStore(queue, store, sizes[choice], slots[choice], kLargestMessage);
  queue.options.groups =
      std::vector<GroupOptions>{{"all", Overflow::block},
                                {"old", dice.oneIn(4) ? Overflow::block : Overflow::drop_oldest},
                                {"new", dice.oneIn(4) ? Overflow::drop_oldest : Overflow::latest}};
  queue.options.max_deliveries = static_cast<uint32_t>(dice.between(2, 6));
  queue.producers = static_cast<uint32_t>(dice.between(2, 3));
  queue.consumers = {0, 0, 0, 1, 2};
  queue.steady = dice.oneIn(2);
  return queue;
}

// So small that somebody always waits.
inline QueuePlan tightQueue(Dice& dice, StoreKind store) {
  QueuePlan queue;
  queue.name = freshName("torture-tight");
  useStore(queue, store, 16 << 10, static_cast<uint32_t>(dice.between(1, 4)), 3000);
  queue.options.max_deliveries = 200;
  queue.steady = dice.oneIn(2);
  return queue;
}

inline QueuePlan channelOf(Dice& dice) {
  QueuePlan queue;
  queue.name = freshName("torture-channel");
  useStore(queue, StoreKind::ring, 128 << 10, 0, 0);
  queue.options.kind = SegmentKind::channel;
  queue.options.codec = "bytes";
  queue.options.most_messages = static_cast<uint32_t>(dice.between(1, 20));
  queue.options.max_deliveries = 200;
  queue.steady = dice.oneIn(2);
  return queue;
}

inline QueuePlan movingQueue(StoreKind store) {
  QueuePlan queue;
  queue.name = freshName("torture-moving");
  useStore(queue, store, 64 << 10, 12, 4000);
  queue.options.max_deliveries = 200;
  queue.moves = true;
  return queue;
}

}  // namespace detail

// Three kinds of rounds, so that three short ones have everything.
inline RoundPlan planRound(uint64_t seed, uint64_t index, StoreKind store, bool may_mount) {
  Dice dice(mixed(seed * 4096 + index) + static_cast<uint64_t>(store));
  RoundPlan plan;
  plan.seed = dice.next() % 1'000'000'000;
  plan.store = store;
  const uint64_t pauses[] = {2000, 5000, 20'000};
  plan.pause_us = pauses[dice.below(3)];
  const uint64_t kind = (index + seed) % 3;
  const bool tiny = kind == 2 && may_mount;
  plan.queues.push_back(detail::mainQueue(dice, store, tiny));
  switch (kind) {
    case 0:
      plan.queues.push_back(detail::tightQueue(dice, store));
      plan.queues.push_back(detail::channelOf(dice));
      plan.crowds = 1;
      break;
    case 1:
      plan.queues.push_back(detail::movingQueue(store));
      plan.lockers = 3;
      plan.crowds = 1;
      break;
    default:
      plan.queues.push_back(detail::channelOf(dice));
      plan.hogs = tiny ? 2 : 0;
      plan.tiny_bytes = tiny ? 2 << 20 : 0;
      break;
  }
  for (uint32_t queue = 0; queue < plan.queues.size(); ++queue) plan.queues[queue].index = queue;
  for (uint32_t lock = 0; lock < kMostLocks; ++lock)
    plan.locks.push_back(freshName("torture-lock"));
  plan.memory = freshName("torture-memory");
  return plan;
}

}  // namespace zoo::test
