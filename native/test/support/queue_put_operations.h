// Putting, and ending.
#pragma once

#include "support/queue_operation.h"

namespace zoo::test {

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
         actor.putPacked({kSmall, kSmall, kLarge, kSmall, kMiddle});
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
      {"put with the wakes held", nullptr,
       [](QueueTrial&, Actor& actor, const auto& arm) {
         arm();
         actor.queue().holdWakes(true);
         actor.put(kSmall);
         actor.put(kLarge);
         actor.queue().holdWakes(false);
       }},
      {"put and take in turn", nullptr,
       [](QueueTrial&, Actor& actor, const auto& arm) {
         arm();
         for (uint32_t bytes : {kSmall, kLarge}) actor.take(actor.put(bytes));
       }},
      {"put a part of a batch", [](QueueTrial& trial) { trial.goRound(kMiddle); },
       [](QueueTrial&, Actor& actor, const auto& arm) {
         arm();
         actor.putPackedAsFits(std::vector<uint32_t>(10, kLarge));
       }},
      {"become a writer", nullptr,
       [](QueueTrial&, Actor& actor, const auto& arm) {
         arm();
         actor.queue().becomeWriter();
       }},
      {"abort a part of a batch by closing", nullptr,
       [](QueueTrial&, Actor& actor, const auto& arm) {
         const auto one = actor.reserve(kMiddle);
         actor.ledgerGivesUp(one);
         actor.ledgerGivesUp(actor.reserve(kSmall));
         actor.put(kSmall);
         arm();
         actor.queue().close();
       }},
      {"end while another one writes", [](QueueTrial& trial) { trial.first().put(kSmall); },
       [](QueueTrial&, Actor& actor, const auto& arm) {
         actor.put(kSmall);
         arm();
         actor.queue().end();
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
  };
}

}  // namespace zoo::test
