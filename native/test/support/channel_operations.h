// What a process can be doing with a channel or a pipe when it dies.
#pragma once

#include <vector>

#include "support/channel_trials.h"

namespace zoo::test {

inline std::vector<ChannelOperation> channelOperations() {
  const SegmentKind channel = SegmentKind::channel, pipe = SegmentKind::pipe;
  const auto fail = [](ChannelTrial& trial, Actor& actor) {
    const std::vector<std::byte> error = messageOf(kErrorId, 900);
    actor.queue().fail(error.data(), error.size());
    trial.report().failed = true;
  };
  const auto put = [](ChannelTrial&, Actor& actor, const Hook& arm) {
    arm();
    actor.put(kSmall);
    actor.put(kLarge);
  };
  const auto end = [](ChannelTrial& trial, Actor& actor, const Hook& arm) {
    actor.put(kSmall);
    arm();
    actor.queue().end();
    trial.report().ended = true;
  };
  const auto close = [](ChannelTrial& trial, Actor& actor, const Hook& arm) {
    arm();
    actor.put(kMiddle);
    actor.ledgerGivesUp(actor.reserve(kSmall));
    actor.queue().close();
    trial.report().ended = true;
  };
  const auto put_and_fail = [=](ChannelTrial& trial, Actor& actor, const Hook& arm) {
    actor.put(kSmall);
    actor.ledgerGivesUp(actor.reserve(kSmall));
    arm();
    fail(trial, actor);
  };
  const auto take_and_close = [](ChannelTrial& trial, Actor& actor, const Hook& arm) {
    arm();
    actor.take(1);
    actor.queue().close();
    trial.report().left = true;
  };
  return {
      {"channel: put", channel, PipeEnd::none, false, put},
      {"channel: put up to the bound, take and put", channel, PipeEnd::none, false,
       [](ChannelTrial&, Actor& actor, const Hook& arm) {
         actor.queue().becomeReader();
         const uint64_t oldest = actor.put(kSmall);
         arm();
         actor.commit(actor.reserve(kSmall));
         actor.put(kSmall);
         if (actor.tryPut(kSmall) != 0)
           KillDriver::instance().fail("one more than allowed fits in");
         actor.take(oldest);
         actor.put(kSmall);
       }},
      {"channel: put a batch", channel, PipeEnd::none, false,
       [](ChannelTrial&, Actor& actor, const Hook& arm) {
         arm();
         actor.putPacked({kSmall, kLarge});
       }},
      {"channel: become a reader", channel, PipeEnd::none, false,
       [](ChannelTrial&, Actor& actor, const Hook& arm) {
         actor.put(kSmall);
         arm();
         actor.queue().becomeReader();
       }},
      {"channel: end", channel, PipeEnd::none, false, end},
      {"channel: fail with an error", channel, PipeEnd::none, false, put_and_fail},
      {"channel: make, put and fail", channel, PipeEnd::none, true, put_and_fail},
      {"channel: make, put and close", channel, PipeEnd::none, true, close},
      {"pipe: open to write, put and end", pipe, PipeEnd::reader, false, end},
      {"pipe: open to write, put and fail", pipe, PipeEnd::reader, false, put_and_fail},
      {"pipe: open to write, put and close", pipe, PipeEnd::reader, false, close},
      {"pipe: open to read, take and close", pipe, PipeEnd::writer, false, take_and_close},
      {"pipe: make to write, put and close", pipe, PipeEnd::writer, true, close},
      {"pipe: make to write and fail", pipe, PipeEnd::writer, true, put_and_fail},
      {"pipe: make to read and close", pipe, PipeEnd::reader, true,
       [](ChannelTrial& trial, Actor& actor, const Hook& arm) {
         arm();
         actor.queue().close();
         trial.report().left = true;
       }},
  };
}

inline void addChannelDeaths(std::vector<Slice>& slices, const Effort& effort) {
  const std::vector<ChannelOperation> operations = channelOperations();
  for (const ChannelOperation& operation : operations) {
    if (!effort.wants(operation.name)) continue;
    slices.push_back({operation.name, [operation, effort] {
                        ChannelTrial trial(operation);
                        trial.run({trial.victim()}, {}, operation.name);
                        if (operation.kind == SegmentKind::pipe || operation.victim_makes) return;
                        trial.run({trial.victim(), trial.repairer()}, effort.strides(2, 9),
                                  std::string(operation.name) + ", another repairs");
                      }});
  }
}

}  // namespace zoo::test
