// Taking, claiming, releasing and rejecting, dead letters too.
#pragma once

#include "support/queue_operation.h"

namespace zoo::test {

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
      {"claim all and release the last first", putThree,
       [](QueueTrial& trial, Actor& actor, const auto& arm) {
         std::vector<Cursor> cursors;
         for (uint64_t id : trial.ids) cursors.push_back(actor.claim(id));
         arm();
         for (size_t index : {2, 0, 1}) actor.release(trial.ids[index], cursors[index]);
       }},
      {"close with messages in hand", putThree,
       [](QueueTrial& trial, Actor& actor, const auto& arm) {
         for (uint64_t id : trial.ids) actor.claim(id);
         arm();
         actor.queue().close();
       }},
      {"close at the last delivery", putThree,
       [](QueueTrial& trial, Actor& actor, const auto& arm) {
         for (uint64_t id : trial.ids) actor.claim(id);
         arm();
         actor.queue().close();
       },
       1},
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
      {"close with a dead letter in view",
       [](QueueTrial& trial) {
         trial.ids.push_back(trial.first().makeDeadLetter(kMiddle));
         trial.first().put(kSmall);
       },
       [](QueueTrial& trial, Actor& actor, const auto& arm) {
         actor.claimDead(trial.ids[0]);
         arm();
         actor.queue().close();
       },
       1},
      {"ask how full it is", putThree,
       [](QueueTrial& trial, Actor& actor, const auto& arm) {
         actor.take(trial.ids[0]);
         arm();
         actor.queue().stats();
         actor.queue().length();
         if (trial.scene().store == StoreKind::ring) actor.queue().room();
       }},
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

}  // namespace zoo::test
