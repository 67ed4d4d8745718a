// Everything that a process can be doing with a queue when it dies. `prepare` brings the queue to
// where the steps in question are passed; `act` runs in the process that dies, which is vulnerable
// from `arm()` on.
#pragma once

#include <functional>
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

// What a process leaves that came to the end of its operation: a death, unless it has closed.
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

inline std::vector<QueueOperation> putOperations() {
  using detail::putThree;
  return {
      {"put small", nullptr,
       [](QueueTrial&, Actor& actor, const auto& arm) {
         arm();
         actor.put(kSmall);
         actor.put(kSmall);
       }},
      {"put large", putThree,
       [](QueueTrial&, Actor& actor, const auto& arm) {
         arm();
         actor.put(kLarge);
       }},
      {"put a batch", nullptr,
       [](QueueTrial&, Actor& actor, const auto& arm) {
         arm();
         actor.putBatch({kSmall, kLarge, kMiddle});
       }},
      {"reserve and commit less", nullptr,
       [](QueueTrial&, Actor& actor, const auto& arm) {
         arm();
         actor.commit(actor.reserve(kMiddle, 500));
       }},
      {"commit out of order", nullptr,
       [](QueueTrial&, Actor& actor, const auto& arm) {
         const auto one = actor.reserve(kMiddle);
         const auto two = actor.reserve(kSmall);
         arm();
         actor.commit(two);
         actor.commit(one);
       }},
      {"abort", nullptr,
       [](QueueTrial&, Actor& actor, const auto& arm) {
         const auto one = actor.reserve(kMiddle);
         actor.put(kSmall);
         arm();
         actor.abort(one);
       }},
      {"put where others were finished", [](QueueTrial& trial) { trial.goRound(kMiddle); },
       [](QueueTrial&, Actor& actor, const auto& arm) {
         arm();
         for (int count = 0; count < 3; ++count) actor.put(kLarge);
       }},
      {"end", nullptr,
       [](QueueTrial&, Actor& actor, const auto& arm) {
         actor.put(kSmall);
         arm();
         actor.queue().end();
       }},
      {"end with a reservation", nullptr,
       [](QueueTrial&, Actor& actor, const auto& arm) {
         actor.ledgerGivesUp(actor.reserve(kSmall));
         actor.put(kSmall);
         arm();
         actor.queue().end();
       }},
      {"close", putThree,
       [](QueueTrial& trial, Actor& actor, const auto& arm) {
         actor.put(kSmall);
         actor.ledgerGivesUp(actor.reserve(kSmall));
         actor.claim(trial.ids[0]);
         actor.claim(trial.ids[1]);
         arm();
         actor.queue().close();
       }},
      {"wait to read", nullptr,
       [](QueueTrial&, Actor& actor, const auto& arm) {
         arm();
         actor.queue().waitReadable(kMillisecond);
       }},
      {"wait to write", [](QueueTrial& trial) { detail::fill(trial, kLarge); },
       [](QueueTrial&, Actor& actor, const auto& arm) {
         arm();
         actor.queue().waitWritable(kLarge, kMillisecond);
       }},
  };
}

inline std::vector<QueueOperation> takeOperations() {
  using detail::putThree;
  return {
      {"take", putThree,
       [](QueueTrial& trial, Actor& actor, const auto& arm) {
         arm();
         for (uint64_t id : trial.ids) actor.take(id);
       }},
      {"claim and release out of order", putThree,
       [](QueueTrial& trial, Actor& actor, const auto& arm) {
         arm();
         const Cursor one = actor.claim(trial.ids[0]);
         const Cursor two = actor.claim(trial.ids[1]);
         actor.release(trial.ids[1], two);
         actor.release(trial.ids[0], one);
       }},
      {"claim and reject", putThree,
       [](QueueTrial& trial, Actor& actor, const auto& arm) {
         arm();
         const Cursor one = actor.claim(trial.ids[0]);
         const Cursor two = actor.claim(trial.ids[1]);
         actor.reject(trial.ids[1], two);
         actor.reject(trial.ids[0], one);
       }},
      {"reject to the dead letters", putThree,
       [](QueueTrial& trial, Actor& actor, const auto& arm) {
         const Cursor one = actor.claim(trial.ids[0]);
         arm();
         actor.reject(trial.ids[0], one);
         actor.claim(trial.ids[1]);
       },
       1},
      {"look at a dead letter and release it",
       [](QueueTrial& trial) {
         trial.ids.push_back(trial.first().makeDeadLetter(kMiddle));
         trial.first().makeDeadLetter(kSmall);
         trial.first().put(kSmall);
       },
       [](QueueTrial& trial, Actor& actor, const auto& arm) {
         arm();
         const Cursor cursor = actor.claimDead(trial.ids[0]);
         actor.release(trial.ids[0], cursor);
       },
       1},
      {"look at a dead letter and put it back",
       [](QueueTrial& trial) {
         trial.ids.push_back(trial.first().makeDeadLetter(kMiddle));
         trial.first().put(kSmall);
       },
       [](QueueTrial& trial, Actor& actor, const auto& arm) {
         arm();
         const Cursor cursor = actor.claimDead(trial.ids[0]);
         actor.reject(trial.ids[0], cursor);
       },
       1},
  };
}

inline std::vector<QueueOperation> roomOperations() {
  const std::vector<Groups> dropping = {
      {{"one", Overflow::drop_oldest}},
      {{"one", Overflow::block}, {"two", Overflow::drop_oldest}, {"three", Overflow::latest}}};
  const std::vector<Groups> newest = {
      {{"one", Overflow::latest}},
      {{"one", Overflow::latest}, {"two", Overflow::drop_oldest}, {"three", Overflow::block}}};
  const std::vector<Groups> blocking = {{{"one", Overflow::block}},
                                        {{"one", Overflow::block}, {"two", Overflow::block}}};
  const auto dead_letters_in_the_way = [](QueueTrial& trial) {
    trial.first().makeDeadLetter(kMiddle);
    // Most of a lap, so that the end of the ring has to move over the dead letter soon.
    for (int count = 0; count < 4; ++count) trial.first().take(trial.first().put(kLarge));
    trial.emptyOtherGroups();
  };
  return {
      {"drop the oldest",
       [](QueueTrial& trial) {
         for (int count = 0; count < 8; ++count) {
           const uint64_t id = trial.first().tryPut(kMiddle);
           if (id != 0 && !trial.scene().drops(0)) trial.first().take(id);
         }
         for (int count = 0; count < 4 && !trial.scene().drops(0); ++count) {
           trial.first().take(trial.first().put(kMiddle));
         }
       },
       [](QueueTrial&, Actor& actor, const auto& arm) {
         arm();
         for (int count = 0; count < 5; ++count) actor.put(kLarge);
       },
       5, dropping},
      {"take the latest",
       [](QueueTrial& trial) {
         for (int count = 0; count < 4; ++count) trial.ids.push_back(trial.first().put(kMiddle));
       },
       [](QueueTrial& trial, Actor& actor, const auto& arm) {
         arm();
         actor.take(trial.ids.back());
       },
       5, newest},
      {"claim the latest and release it",
       [](QueueTrial& trial) {
         for (int count = 0; count < 4; ++count) trial.ids.push_back(trial.first().put(kLarge / 2));
       },
       [](QueueTrial& trial, Actor& actor, const auto& arm) {
         arm();
         actor.release(trial.ids.back(), actor.claim(trial.ids.back()));
       },
       5, newest},
      {"let a dead letter step aside", dead_letters_in_the_way,
       [](QueueTrial&, Actor& actor, const auto& arm) {
         arm();
         for (int count = 0; count < 3; ++count) actor.put(kLarge);
       },
       1},
      {"give up dead letters",
       [](QueueTrial& trial) {
         for (int count = 0; count < 6; ++count) trial.first().makeDeadLetter(kLarge / 2);
         trial.emptyOtherGroups();
       },
       [](QueueTrial& trial, Actor& actor, const auto& arm) {
         const int room = trial.scene().store == StoreKind::ring ? 4 : 2;
         for (int count = 0; count < room; ++count) actor.put(kLarge / 2);
         arm();
         actor.put(kLarge / 2);
       },
       1, blocking, true},
  };
}

inline std::vector<QueueOperation> repairOperations() {
  using detail::nothing;
  using detail::putThree;
  using detail::victim;
  const auto look_around = [](QueueTrial&, Actor& actor, const auto& arm) {
    arm();
    actor.queue().lookAround();
  };
  const auto put = [](QueueTrial&, Actor& actor, const auto& arm) {
    arm();
    actor.put(kSmall);
  };
  // The process that dies while repairing has to be there before the one it repairs after: a
  // newcomer repairs while it opens.
  const auto consumer_died = [](QueueTrial& trial) {
    victim(
        trial, "release.before",
        [&](Actor& actor) {
          actor.claim(trial.ids[0]);
          actor.claim(trial.ids[1]);
        },
        [&](Actor& actor) { actor.release(trial.ids[2], actor.claim(trial.ids[2])); });
  };
  const auto producer_died = [](QueueTrial& trial) {
    victim(
        trial, "commit.header",
        [](Actor& actor) {
          actor.put(kSmall);
          actor.reserve(kMiddle);
          actor.put(kLarge);
          actor.reserve(kSmall);
        },
        [](Actor& actor) { actor.commit(actor.reserve(kSmall)); });
  };
  const auto dies_in = [](const char* step) {
    return [step](QueueTrial& trial) {
      victim(trial, step, nothing, [](Actor& actor) {
        actor.reserve(kSmall);
        actor.put(kSmall);
      });
    };
  };
  return {
      {"repair after a consumer", putThree,
       [=](QueueTrial& trial, Actor& actor, const auto& arm) {
         consumer_died(trial);
         look_around(trial, actor, arm);
       }},
      {"repair after a consumer, at the last delivery", putThree,
       [=](QueueTrial& trial, Actor& actor, const auto& arm) {
         consumer_died(trial);
         look_around(trial, actor, arm);
       },
       1},
      {"repair after a producer", nullptr,
       [=](QueueTrial& trial, Actor& actor, const auto& arm) {
         producer_died(trial);
         look_around(trial, actor, arm);
       }},
      {"repair while opening", nullptr,
       [=](QueueTrial& trial, Actor&, const auto& arm) {
         producer_died(trial);
         arm();
         trial.openHandle()->abandon();
       }},
      {"take over from one who died putting", nullptr,
       [=](QueueTrial& trial, Actor& actor, const auto& arm) {
         dies_in("put.payload")(trial);
         put(trial, actor, arm);
       }},
      {"take over from one who died publishing", nullptr,
       [=](QueueTrial& trial, Actor& actor, const auto& arm) {
         dies_in(trial.scene().store == StoreKind::ring ? "put.published" : "publish.slot")(trial);
         put(trial, actor, arm);
       }},
      {"take over from one who died reserving", nullptr,
       [=](QueueTrial& trial, Actor& actor, const auto& arm) {
         dies_in("reserve.published")(trial);
         put(trial, actor, arm);
       }},
      {"open", putThree,
       [](QueueTrial& trial, Actor&, const auto& arm) {
         arm();
         trial.openHandle()->abandon();
       }},
  };
}

inline std::vector<QueueOperation> queueOperations() {
  std::vector<QueueOperation> all;
  for (const auto& part :
       {putOperations(), takeOperations(), roomOperations(), repairOperations()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace zoo::test
