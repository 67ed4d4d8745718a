// Somebody is stopped while he has the guard of a queue, and killed when
// another one has called and is asleep behind him.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/chain_trials.h"
#include "support/sleepers.h"

namespace zoo::test {

struct GuardCall {
  const char* name;
  std::function<void(Actor&)> make;
};

inline std::vector<GuardCall> guardCalls() {
  return {
      {"put", [](Actor& actor) { actor.tryPut(kSmall); }},
      {"reserve",
       [](Actor& actor) {
         Cursor cursor = 0;
         uint64_t offset = 0;
         actor.queue().reserve(kLarge, cursor, offset);
       }},
      {"look at the figures", [](Actor& actor) { actor.queue().stats(); }},
      {"close", [](Actor& actor) { actor.queue().close(); }},
  };
}

class GuardTrial {
 public:
  GuardTrial(QueueOperation operation, const Scene& scene)
      : operation_(std::move(operation)),
        scene_(scene),
        ledger_(sharedWithChildren<QueueLedger>()),
        report_(sharedWithChildren<SleepReport>()) {}

  // False: the victim has no more steps.
  bool dieAt(int target, const GuardCall& call) {
    KillDriver& driver = KillDriver::instance();
    driver.setContext(std::string(call.name) + " behind " + operation_.name + " (" + scene_.text() +
                      "), step " + std::to_string(target));
    new (&report_) SleepReport{};
    QueueTrial trial(scene_, ledger_);
    if (operation_.prepare) operation_.prepare(trial);
    trial.ready();
    const pid_t caller = startChild([&] { beCaller(trial, call); });
    waitFor(report_.victim_ready);  // the caller, here
    const pid_t victim = startChild([&] { beVictim(trial, target); });
    const bool stopped = waitForStop(victim);
    if (stopped && !trial.guardIsFree()) {
      announce(report_.go);
      const bool asleep = within(20'000 * kMillisecond, [&] {
        const char state = processState(caller);
        return report_.falls_asleep.load() && (state == 'S' || state == 'Z');
      });
      if (!asleep) driver.fail("nobody fell asleep");
      kill(victim, SIGKILL);
      waitForCaller(caller);
    } else {
      kill(caller, SIGKILL);
      waitForEnd(caller);
    }
    if (stopped) kill(victim, SIGKILL);
    const Ending ending = waitForEnd(victim);
    if (!stopped && ending.exit_code != 0) driver.fail("the victim failed");
    trial.check(operation_.dead_letters_may_go);
    ++driver.report().trials;
    ++driver.report().with_victims[stopped ? 1 : 0];
    return stopped;
  }

 private:
  void beVictim(QueueTrial& trial, int target) {
    const std::unique_ptr<Queue> queue = trial.openHandle();
    Actor actor(ledger_, *queue);
    operation_.act(trial, actor,
                   [&] { KillDriver::instance().armStep(target, [] { raise(SIGSTOP); }); });
    step_hook = nullptr;
    dieIfNotClosed(*queue);
  }

  void beCaller(QueueTrial& trial, const GuardCall& call) {
    const std::unique_ptr<Queue> queue = trial.openHandle();
    Actor actor(ledger_, *queue);
    announce(report_.victim_ready);
    waitFor(report_.go);
    report_.falls_asleep = true;
    call.make(actor);
    report_.answered(Status::ok);
    dieIfNotClosed(*queue);
  }

  void waitForCaller(pid_t caller) {
    KillDriver& driver = KillDriver::instance();
    const uint64_t dead_ns = monotonicNow();
    int status = 0;
    const auto ended = [&] { return waitpid(caller, &status, WNOHANG) == caller; };
    if (!within(kLongestSleepAllowed, ended)) driver.fail("the call did not come back");
    if (status != 0) driver.fail("the caller failed");
    const uint64_t answered = report_.answered_ns.load();
    driver.report().noteSleep(answered > dead_ns ? answered - dead_ns : 0, driver.context());
  }

  QueueOperation operation_;
  Scene scene_;
  QueueLedger& ledger_;
  SleepReport& report_;
};

inline void addGuardTrials(std::vector<Slice>& slices, const Effort& effort) {
  const std::vector<GuardCall> calls = guardCalls();
  size_t turn = 0;  // each operation in another store and with another call behind it
  for (const QueueOperation& operation : victimOperations()) {
    if (!effort.wants(operation.name)) continue;
    ++turn;
    for (const StoreKind store : {StoreKind::ring, StoreKind::frames}) {
      ++turn;
      if (!effort.all && turn % 2 != 0) continue;
      for (size_t index = 0; index < calls.size(); ++index) {
        if (!effort.all && turn / 2 % calls.size() != index) continue;
        Scene scene;
        scene.store = store;
        scene.groups = operation.groups[0];
        scene.max_deliveries = operation.max_deliveries;
        slices.push_back(
            {operation.name,
             [operation, scene, call = calls[index], step = effort.strides(4, 1).first] {
               GuardTrial trial(operation, scene);
               for (int target = 1; trial.dieAt(target, call); target += step) {
               }
             },
             true});
      }
    }
  }
}

}  // namespace zoo::test
