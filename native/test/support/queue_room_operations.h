// Making room where there is none.
#pragma once

#include "support/queue_operation.h"

namespace zoo::test {

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
    // Most of a lap, so that the end of the ring has to move over the dead
    // letter soon.
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
      // What is put before the victim is there already gives way to a look of
      // those who wait.
      {"take the latest", nullptr,
       [](QueueTrial&, Actor& actor, const auto& arm) {
         for (int count = 0; count < 3; ++count) actor.put(kMiddle);
         const uint64_t newest = actor.put(kSmall);
         arm();
         actor.take(newest);
       },
       5, newest},
      {"claim the latest and release it", nullptr,
       [](QueueTrial&, Actor& actor, const auto& arm) {
         for (int count = 0; count < 3; ++count) actor.put(kLarge / 2);
         const uint64_t newest = actor.put(kLarge / 2);
         arm();
         actor.release(newest, actor.claim(newest));
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

}  // namespace zoo::test
