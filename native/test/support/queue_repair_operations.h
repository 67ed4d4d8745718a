// What the next one does after a death, and while it joins. More of this is in
// chain_trials.h: there the first one dies at every step, and not only at some.
#pragma once

#include "support/queue_operation.h"

namespace zoo::test {

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
  // The process that dies while repairing has to be there before the one it
  // repairs after: a newcomer repairs while it opens.
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
  const auto dead_letter = [](QueueTrial& trial) {
    trial.ids.push_back(trial.first().makeDeadLetter(kMiddle));
    trial.first().put(kSmall);
  };
  // Most of a lap behind a dead letter, so that the end of the ring has to move
  // over it.
  const auto dead_letter_in_the_way = [](QueueTrial& trial) {
    trial.first().makeDeadLetter(kMiddle);
    for (int count = 0; count < 4; ++count) trial.first().take(trial.first().put(kLarge));
    trial.emptyOtherGroups();
  };
  return {
      {"repair after one who let a dead letter step aside", dead_letter_in_the_way,
       [=](QueueTrial& trial, Actor& actor, const auto& arm) {
         const bool ring = trial.scene().store == StoreKind::ring;
         victim(trial, ring ? "step_aside.tail" : "put_large.copied", nothing, [](Actor& other) {
           for (int count = 0; count < 3; ++count) other.put(kLarge);
         });
         look_around(trial, actor, arm);
       },
       1},
      {"repair after one who looked at a dead letter", dead_letter,
       [=](QueueTrial& trial, Actor& actor, const auto& arm) {
         victim(trial, "claim_dead.claimed", nothing,
                [&](Actor& other) { other.claimDead(trial.ids[0]); });
         look_around(trial, actor, arm);
       },
       1},
      {"repair after one who waited", nullptr,
       [=](QueueTrial& trial, Actor& actor, const auto& arm) {
         victim(trial, "wait.armed", nothing,
                [](Actor& other) { other.queue().waitReadable(kMillisecond); });
         look_around(trial, actor, arm);
       }},
      {"end after a writer who died", nullptr,
       [=](QueueTrial& trial, Actor& actor, const auto& arm) {
         producer_died(trial);
         actor.put(kSmall);
         arm();
         actor.queue().end();
       }},
      {"close after a producer who died", putThree,
       [=](QueueTrial& trial, Actor& actor, const auto& arm) {
         actor.claim(trial.ids[0]);
         dies_in("put.published")(trial);
         arm();
         actor.queue().close();
       }},
      {"ask how full it is after a consumer who died", putThree,
       [=](QueueTrial& trial, Actor& actor, const auto& arm) {
         consumer_died(trial);
         arm();
         actor.queue().stats();
       }},
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

}  // namespace zoo::test
