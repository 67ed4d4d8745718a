// Waiting, blocked or with an event loop.
#pragma once

#include "core/os/doorbell.h"
#include "support/queue_operation.h"

namespace zoo::test {

inline std::vector<QueueOperation> waitOperations() {
  const auto armed = [](auto arm_it, auto disarm_it) {
    return [=](QueueTrial& trial, Actor& actor, const auto& arm) {
      Result<Doorbell> bell = Doorbell::make();
      if (!bell) KillDriver::instance().fail("%s", bell.error().text);
      trial.ledger().victims_bell = bell->id();
      arm();
      arm_it(actor.queue(), bell->id());
      disarm_it(actor.queue());
    };
  };
  return {
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
      {"arm and disarm to read", nullptr,
       armed([](Queue& queue, BellId bell) { queue.armRead(bell); },
             [](Queue& queue) { queue.disarmRead(); })},
      {"arm and disarm to write", [](QueueTrial& trial) { detail::fill(trial, kLarge); },
       armed([](Queue& queue, BellId bell) { queue.armWrite(bell); },
             [](Queue& queue) { queue.disarmWrite(); })},
      {"be woken and pass it on", nullptr,
       [](QueueTrial&, Actor& actor, const auto& arm) {
         actor.queue().armRead(KillDriver::instance().bell().id());
         actor.put(kSmall);
         actor.put(kSmall);  // one wake for us, one for the other who waits
         arm();
         actor.queue().disarmRead();
       }},
  };
}

}  // namespace zoo::test
