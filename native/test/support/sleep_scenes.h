// What somebody may be waiting for while the process dies that it would come
// from.
#pragma once

#include <string>
#include <vector>

#include "support/chain_trials.h"
#include "support/sleep_trials.h"

namespace zoo::test {

namespace detail {

using Waits = SleepScene::Waits;

inline void writerDied(SleepTrial& trial, Status status) {
  trial.checkMessages();
  trial.demand(status, Status::peer_died);
}
// A writer that had said its end before it died has ended.
inline void endedOrDied(SleepTrial& trial, Status status) {
  trial.checkMessages();
  if (trial.report().act_returned || status != Status::peer_died) {
    trial.demand(status, Status::ended);
  }
}
inline void failedOrDied(SleepTrial& trial, Status status) {
  trial.checkMessages();
  if (trial.report().act_returned || status != Status::peer_died) {
    trial.demand(status, Status::failed);
  }
}
inline void readerLeft(SleepTrial& trial, Status status) {
  trial.demand(status, Status::no_reader);
}
inline void foundRoom(SleepTrial& trial, Status status) { trial.demand(status, Status::ok); }
inline void gotOne(SleepTrial& trial, Status status) {
  trial.demand(status, Status::ok);
  const uint32_t deliveries = trial.report().deliveries[0];
  const bool again = trial.report().ids[0] == 1;
  if (deliveries != (again ? 2u : 1u)) {
    KillDriver::instance().fail("message %u comes for the %uth time", again ? 1u : 2u, deliveries);
  }
}

inline void putOne(SleepTrial&, Actor& actor) { actor.put(kSmall); }
inline void nothingBefore(SleepTrial&, Actor&) {}
inline void fillHost(Actor& host) {
  const uint64_t room = host.queue().slots() != 0
                            ? host.queue().slots()
                            : host.queue().capacity() / (unitsFor(kLarge) * kRecordUnit);
  for (uint64_t count = 0; count < room; ++count) host.put(kLarge);
}
inline void failWith(Actor& actor, uint64_t id) {
  const std::vector<std::byte> error = messageOf(id, 700);
  actor.queue().fail(error.data(), error.size());
}

}  // namespace detail

inline std::vector<SleepScene> messageScenes() {
  using namespace detail;
  const auto scene = [](const char* name, auto act) {
    return SleepScene{name, Waits::for_messages, nullptr, putOne, act, writerDied};
  };
  return {
      scene("wait for a small message", putOne),
      scene("wait for a large message", [](SleepTrial&, Actor& actor) { actor.put(kLarge); }),
      scene("wait for a batch",
            [](SleepTrial&, Actor& actor) {
              actor.putPacked({kSmall, kLarge, kMiddle});
            }),
      scene("wait for a commit",
            [](SleepTrial&, Actor& actor) { actor.commit(actor.reserve(kMiddle, 500)); }),
      scene("wait for one who holds its wakes",
            [](SleepTrial&, Actor& actor) {
              actor.queue().holdWakes(true);
              actor.put(kSmall);
              actor.put(kMiddle);
              actor.queue().holdWakes(false);
            }),
      {"wait for what is reserved behind", Waits::for_messages, nullptr,
       [](SleepTrial& trial, Actor& actor) {
         actor.put(kSmall);
         trial.reserved.push_back(actor.reserve(kSmall));
         actor.put(kSmall);  // behind what is not committed
       },
       [](SleepTrial& trial, Actor& actor) { actor.abort(trial.reserved[0]); }, writerDied},
      {"wait for the end", Waits::for_messages, nullptr, putOne,
       [](SleepTrial&, Actor& actor) {
         actor.put(kSmall);
         actor.queue().end();
       },
       endedOrDied},
      {"wait for the end by closing", Waits::for_messages, nullptr, putOne,
       [](SleepTrial&, Actor& actor) {
         actor.put(kSmall);
         actor.queue().close();
       },
       endedOrDied},
  };
}

inline std::vector<SleepScene> heldScenes() {
  using namespace detail;
  const auto put_one = [](Actor& host) { host.put(kMiddle); };
  const auto claim = [](SleepTrial& trial, Actor& actor) { trial.cursors = {actor.claim(1)}; };
  const auto scene = [=](const char* name, auto act, uint32_t max_deliveries = 5) {
    SleepScene made = {name, Waits::for_one_message, put_one, claim, act, gotOne};
    made.max_deliveries = max_deliveries;
    return made;
  };
  const auto release = [](SleepTrial& trial, Actor& actor) { actor.release(1, trial.cursors[0]); };
  const auto reject = [](SleepTrial& trial, Actor& actor) { actor.reject(1, trial.cursors[0]); };
  const auto close = [](SleepTrial&, Actor& actor) { actor.queue().close(); };
  return {
      scene("wait for what is held and released", release),
      scene("wait for what is held and rejected", reject),
      scene("wait for what is held and closed", close),
      scene("wait for what is held and rejected, at the last delivery", reject, 1),
      scene("wait for what is held and closed, at the last delivery", close, 1),
  };
}

inline std::vector<SleepScene> roomScenes() {
  using namespace detail;
  const auto scene = [](const char* name, auto before, auto act) {
    return SleepScene{name, Waits::for_room, fillHost, before, act, foundRoom};
  };
  const auto claim_all = [](SleepTrial& trial, Actor& actor) {
    for (uint64_t id = 1; actor.queue().length() > 0; ++id) {
      trial.cursors.push_back(actor.claim(id));
    }
  };
  const auto reserve_all = [](SleepTrial& trial, Actor& actor) {
    for (;;) {
      Cursor cursor = 0;
      uint64_t offset = 0;
      if (actor.queue().reserve(kLarge, cursor, offset) != Status::ok) return;
      trial.cursors.push_back(cursor);
    }
  };
  std::vector<SleepScene> scenes = {
      scene("wait for room that a taker makes", nothingBefore,
            [](SleepTrial&, Actor& actor) { actor.take(1); }),
      scene("wait for room that a release makes", claim_all,
            [](SleepTrial& trial, Actor& actor) { actor.release(1, trial.cursors[0]); }),
  };
  SleepScene dropping = scene("wait for room that is held in a dropping group", claim_all,
                              [](SleepTrial& trial, Actor& actor) {
                                actor.reject(2, trial.cursors[1]);
                                actor.queue().close();
                              });
  dropping.overflow = Overflow::drop_oldest;
  dropping.follows = true;
  scenes.push_back(dropping);
  SleepScene reserved =
      scene("wait for room that is reserved", reserve_all, [](SleepTrial& trial, Actor& actor) {
        actor.queue().abort(trial.cursors[0]);
        actor.queue().close();
      });
  reserved.prepare = nullptr;
  reserved.follows = true;
  scenes.push_back(reserved);
  return scenes;
}

inline std::vector<SleepScene> channelScenes() {
  using namespace detail;
  std::vector<SleepScene> scenes;
  const auto add = [&](const char* name, SegmentKind kind, PipeEnd end, Waits waits, auto act,
                       auto check) {
    SleepScene scene = {name, waits, nullptr, nothingBefore, act, check};
    scene.kind = kind;
    scene.victims_end = end;
    scenes.push_back(scene);
  };
  const auto fail = [](SleepTrial&, Actor& actor) {
    actor.put(kSmall);
    failWith(actor, 77);
  };
  const auto end = [](SleepTrial&, Actor& actor) {
    actor.put(kSmall);
    actor.queue().end();
  };
  const auto close = [](SleepTrial&, Actor& actor) {
    actor.put(kSmall);
    actor.queue().close();
  };
  const auto take_and_close = [](SleepTrial&, Actor& actor) {
    std::vector<std::byte> target(1 << 14);
    uint64_t size = 0;
    actor.expect(actor.queue().take(target.data(), target.size(), size), "take");
    actor.queue().close();
  };
  const SegmentKind channel = SegmentKind::channel, pipe = SegmentKind::pipe;
  const Waits messages = Waits::for_messages;
  add("channel: wait for the error", channel, PipeEnd::none, messages, fail, failedOrDied);
  add("channel: wait for the end", channel, PipeEnd::none, messages, end, endedOrDied);
  add("pipe: wait for the error", pipe, PipeEnd::writer, messages, fail, failedOrDied);
  add("pipe: wait for the end", pipe, PipeEnd::writer, messages, close, endedOrDied);
  add("pipe: wait for a reader that leaves", pipe, PipeEnd::reader, Waits::for_no_reader,
      take_and_close, readerLeft);
  return scenes;
}

inline void addSleepers(std::vector<Slice>& slices, const Effort& effort) {
  std::vector<SleepScene> scenes;
  for (const auto& part : {messageScenes(), heldScenes(), roomScenes(), channelScenes()}) {
    scenes.insert(scenes.end(), part.begin(), part.end());
  }
  size_t turn = 0;  // each scene in one way in one store, and in the other in the other
  for (const SleepScene& scene : scenes) {
    if (!effort.wants(scene.name)) continue;
    ++turn;
    for (const StoreKind store : {StoreKind::ring, StoreKind::frames}) {
      if (scene.kind != SegmentKind::queue && store == StoreKind::frames) continue;
      for (const Sleep sleep : {Sleep::blocked, Sleep::on_bell}) {
        if (!effort.all && scene.kind == SegmentKind::queue && turn++ % 2 != 0) continue;
        slices.push_back({scene.name,
                          [scene, store, sleep, step = effort.strides(1, 1).first] {
                            SleepTrial trial(scene, store, sleep);
                            for (int target = 1; trial.dieAt(target); target += step) {
                            }
                          },
                          true});
      }
    }
  }
}

}  // namespace zoo::test
