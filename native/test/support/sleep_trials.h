// One process waits for another, which dies at each of its steps. The one who
// waits comes back with the right answer: the message, the room, the lock, or
// that nothing will come.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/queue_operation.h"
#include "support/sleepers.h"
#include "support/slices.h"

namespace zoo::test {

class SleepTrial;

struct SleepScene {
  enum class Waits { for_messages, for_one_message, for_room, for_no_reader };

  const char* name;
  Waits waits;
  // By the host, who is there all the time, unless the victim makes the queue.
  // Else nothing.
  std::function<void(Actor& host)> prepare;
  std::function<void(SleepTrial&, Actor&)> before;  // in the victim, before the other one sleeps
  std::function<void(SleepTrial&, Actor&)> act;     // in the victim, which dies in it
  // Whether the sleeper was told the truth. `status` is its last one.
  std::function<void(SleepTrial&, Status status)> check;
  SegmentKind kind = SegmentKind::queue;
  Overflow overflow = Overflow::block;
  uint32_t max_deliveries = 5;
  PipeEnd victims_end = PipeEnd::none;
  bool follows = false;  // from the death alone, whatever came before it
};

class SleepTrial {
 public:
  SleepTrial(const SleepScene& scene, StoreKind store, Sleep sleep)
      : scene_(scene),
        store_(store),
        sleep_(sleep),
        ledger_(sharedWithChildren<QueueLedger>()),
        report_(sharedWithChildren<SleepReport>()) {}

  // What scenes need in their victim.
  std::vector<uint64_t> ids;
  std::vector<Cursor> cursors;
  std::vector<Actor::Reserved> reserved;

  const SleepScene& scene() const { return scene_; }
  StoreKind store() const { return store_; }
  SleepReport& report() { return report_; }
  QueueLedger& ledger() { return ledger_; }

  bool dieAt(int target) {
    KillDriver& driver = KillDriver::instance();
    driver.setContext(std::string(scene_.name) + " (" +
                      (store_ == StoreKind::ring ? "ring, " : "frames, ") + textOf(sleep_) +
                      "), step " + std::to_string(target));
    name_ = freshName("sleep");
    ledger_.clear();
    new (&report_) SleepReport{};
    std::unique_ptr<Queue> host;
    std::unique_ptr<Actor> actor;
    if (scene_.prepare) {
      host = openQueue(PipeEnd::none);
      actor = std::make_unique<Actor>(ledger_, *host);
      scene_.prepare(*actor);
    }
    const pid_t victim = startChild([&] { beVictim(target); });
    if (!within(kPatience, [&] { return report_.victim_ready.load() != 0; })) {
      driver.fail("the victim did not get ready");
    }
    peek_ = std::make_unique<Peek>(name_);
    const pid_t sleeper = startChild([&] { beSleeper(); });
    waitUntilAsleep(sleeper);
    announce(report_.go);
    const Ending ending = waitForEnd(victim);
    const uint64_t dead_ns = monotonicNow();
    if (!ending.killed && ending.exit_code != 0) driver.fail("the victim failed");
    helpIfNothingCame(actor.get());
    waitForAnswer(sleeper, dead_ns);
    scene_.check(*this, static_cast<Status>(report_.status.load()));
    ++driver.report().trials;
    ++driver.report().with_victims[ending.killed ? 1 : 0];
    host.reset();
    peek_.reset();
    unlink(shmPath(name_).c_str());
    return ending.killed;
  }

  // Everything that the victim's puts returned for came, in order, once, and
  // nothing was made up.
  void checkMessages() {
    KillDriver& driver = KillDriver::instance();
    uint64_t last = 0;
    for (uint32_t index = 0; index < report_.answers.load(); ++index) {
      if (report_.ids[index] <= last) driver.fail("a message came late, or twice");
      last = report_.ids[index];
      if (ledger_.lines[last].put == Phase::none || ledger_.lines[last].given_up) {
        driver.fail("message %llu was never put", static_cast<unsigned long long>(last));
      }
    }
    for (uint64_t id = 1; id < ledger_.next_id.load(); ++id) {
      if (ledger_.lines[id].put != Phase::returned) continue;
      bool came = false;
      for (uint32_t index = 0; index < report_.answers.load(); ++index) {
        came = came || report_.ids[index] == id;
      }
      if (!came) driver.fail("message %llu is lost", static_cast<unsigned long long>(id));
    }
  }
  void demand(Status got, Status wanted) {
    if (got == wanted) return;
    KillDriver::instance().fail("the sleeper was told %lld, not %lld", static_cast<long long>(got),
                                static_cast<long long>(wanted));
  }

 private:
  static constexpr uint64_t kPatience = 20'000 * kMillisecond;

  std::unique_ptr<Queue> openQueue(PipeEnd end) {
    QueueOptions options;
    options.kind = scene_.kind;
    options.end = end;
    if (store_ == StoreKind::ring) {
      options.bytes = Scene::kRingBytes;
    } else {
      options.slots = Scene::kFrames;
      options.slot_bytes = Scene::kFrameBytes;
    }
    if (scene_.kind == SegmentKind::queue) {
      options.groups = Groups{{"one", scene_.overflow}};
      options.max_deliveries = scene_.max_deliveries;
    }
    Result<std::unique_ptr<Queue>> queue = Queue::open(name_, OpenMode::either, options);
    if (!queue) KillDriver::instance().fail("open: %s", queue.error().text);
    return queue.take();
  }

  void beVictim(int target) {
    KillDriver& driver = KillDriver::instance();
    const std::unique_ptr<Queue> queue = openQueue(scene_.victims_end);
    Actor actor(ledger_, *queue);
    scene_.before(*this, actor);
    announce(report_.victim_ready);
    waitFor(report_.go);
    driver.armStep(target, [] { dieHere(); });
    scene_.act(*this, actor);
    step_hook = nullptr;
    report_.act_returned = true;
    _exit(0);
  }

  void beSleeper() {
    const std::unique_ptr<Queue> queue = openQueue(PipeEnd::none);
    Sleeper sleeper(report_, sleep_);
    switch (scene_.waits) {
      case SleepScene::Waits::for_messages:
        sleeper.readUntilEnd(*queue, kMostAnswers);
        break;
      case SleepScene::Waits::for_one_message:
        sleeper.readUntilEnd(*queue, 1);
        break;
      case SleepScene::Waits::for_room:
        sleeper.writeUntilEnd(*queue, kLarge, 1);
        break;
      case SleepScene::Waits::for_no_reader:
        sleeper.writeUntilEnd(*queue, kLarge, 1'000);
        break;
    }
    if (scene_.kind != SegmentKind::queue) checkFailure(*queue);
  }

  // What the victim failed with, when it has.
  void checkFailure(Queue& queue) {
    if (static_cast<Status>(report_.status.load()) != Status::failed) return;
    uint64_t size = 0, id = 0;
    const std::byte* bytes = queue.failure(size);
    if (bytes == nullptr || !readMessage(bytes, size, id)) {
      KillDriver::instance().fail("what it failed with is torn");
    }
  }

  void waitUntilAsleep(pid_t sleeper) {
    const auto asleep = [&] {
      return report_.falls_asleep.load() && peek_->anybodyWaits() && processState(sleeper) == 'S';
    };
    if (!within(kPatience, asleep)) KillDriver::instance().fail("nobody fell asleep");
  }

  // When the victim died before it could do what was waited for, and nothing
  // else follows from its death, the host does it.
  void helpIfNothingCame(Actor* host) {
    if (host == nullptr || scene_.follows) return;
    const DeliveryState first = peek_->firstDelivery();
    if (scene_.waits == SleepScene::Waits::for_room && first != DeliveryState::done) {
      host->queue().lookAround();
      if (!finishOne(host->queue())) KillDriver::instance().fail("the host finds no message");
    }
    if (scene_.waits == SleepScene::Waits::for_one_message) {
      // A message that is held comes back; one that is not to be offered again
      // does not.
      const bool comes_back = scene_.max_deliveries > 1 && first != DeliveryState::done;
      if (!comes_back) host->put(kSmall);
    }
  }

  void waitForAnswer(pid_t sleeper, uint64_t dead_ns) {
    KillDriver& driver = KillDriver::instance();
    int status = 0;
    const auto ended = [&] { return waitpid(sleeper, &status, WNOHANG) == sleeper; };
    if (!within(kLongestSleepAllowed, ended)) {
      driver.fail("nobody came back within %llu ms",
                  static_cast<unsigned long long>(kLongestSleepAllowed / kMillisecond));
    }
    if (status != 0) driver.fail("the sleeper failed");
    const uint64_t answered = report_.answered_ns.load();
    driver.report().noteSleep(answered > dead_ns ? answered - dead_ns : 0, driver.context());
  }

  const SleepScene& scene_;
  StoreKind store_;
  Sleep sleep_;
  QueueLedger& ledger_;
  SleepReport& report_;
  std::string name_;
  std::unique_ptr<Peek> peek_;
};

}  // namespace zoo::test
