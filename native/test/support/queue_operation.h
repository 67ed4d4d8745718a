// Something that a process can be doing with a queue when it dies. `prepare`
// brings the queue to where the steps in question are passed; `act` runs in the
// process that dies, which is vulnerable from `arm()` on.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "support/queue_trial.h"

namespace zoo::test {

using Groups = std::vector<GroupOptions>;

struct QueueOperation {
  const char* name;
  std::function<void(QueueTrial&)> prepare;
  std::function<void(QueueTrial&, Actor&, const std::function<void()>& arm)> act;
  uint32_t max_deliveries = 5;
  std::vector<Groups> groups = {
      {{"one", Overflow::block}},
      {{"one", Overflow::block}, {"two", Overflow::block}, {"three", Overflow::block}}};
  bool dead_letters_may_go = false;
};

// What a process leaves that came to the end of its operation: a death, unless
// it has closed.
inline void dieIfNotClosed(Queue& queue) {
  if (!queue.closed()) queue.abandon();
}

inline constexpr uint32_t kSmall = 100;
inline constexpr uint32_t kMiddle = 2000;  // reserved, but still taken by copying first
inline constexpr uint32_t kLarge = 6000;

namespace detail {

inline void putThree(QueueTrial& trial) {
  for (uint32_t bytes : {kSmall, kMiddle, kLarge}) trial.ids.push_back(trial.first().put(bytes));
}

// A process that dies at a step named so, in the middle of `act`.
inline void victim(QueueTrial& trial, const char* step, const std::function<void(Actor&)>& before,
                   const std::function<void(Actor&)>& act) {
  KillDriver::instance().dieAt(step, [&](const auto& arm) {
    const std::unique_ptr<Queue> queue = trial.openHandle();
    Actor actor(trial.ledger(), *queue);
    before(actor);
    arm();
    act(actor);
  });
}

inline void nothing(Actor&) {}

// Room for one more, and no step beyond it: the next put has to make room.
inline void fill(QueueTrial& trial, uint32_t bytes) {
  while (uint64_t id = trial.first().tryPut(bytes)) trial.ids.push_back(id);
}

}  // namespace detail

}  // namespace zoo::test
