// Kills a process at every step of everything a queue, a lock, a memory and a segment can do, and
// checks each time that nothing is lost, torn, repeated without need, miscounted or left behind.
//
//   kill_at_every_step [part of an operation's name]
#include <cstdio>
#include <string>
#include <vector>

#include "support/kill_driver.h"
#include "support/lock_trials.h"
#include "support/queue_operations.h"
#include "support/queue_trial.h"
#include "support/segment_trials.h"

namespace zoo::test {
namespace {

void killInQueue(const QueueOperation& operation, Scene scene, QueueLedger& ledger) {
  std::unique_ptr<QueueTrial> trial;
  KillDriver::instance().atEveryStep(
      operation.name + std::string(" (") + scene.text() + ")",
      [&] {
        trial = std::make_unique<QueueTrial>(scene, ledger);
        if (operation.prepare) operation.prepare(*trial);
        trial->ready();
      },
      [&](const auto& arm) {
        const std::unique_ptr<Queue> queue = trial->openHandle();
        Actor actor(ledger, *queue);
        operation.act(*trial, actor, arm);
        step_hook = nullptr;
        dieIfNotClosed(*queue);
      },
      [&](bool) {
        trial->check(operation.dead_letters_may_go);
        trial.reset();
      });
}

void killInQueues(const std::string& chosen, QueueLedger& ledger) {
  for (const QueueOperation& operation : queueOperations()) {
    if (std::string(operation.name).find(chosen) == std::string::npos) continue;
    for (const StoreKind store : {StoreKind::ring, StoreKind::frames}) {
      for (const auto& groups : operation.groups) {
        for (const FirstComer first :
             {FirstComer::looks_around, FirstComer::puts, FirstComer::claims}) {
          Scene scene;
          scene.store = store;
          scene.groups = groups;
          scene.max_deliveries = operation.max_deliveries;
          scene.first = first;
          killInQueue(operation, scene, ledger);
        }
      }
    }
  }
}

int run(const std::string& chosen) {
  KillDriver& driver = KillDriver::instance();
  const std::vector<std::string> names = stepNames(__FILE__);
  if (names.empty() || names.size() > kMostSteps) driver.fail("found %zu step names", names.size());
  driver.useNames(names);
  const uint64_t start = monotonicNow();
  killInQueues(chosen, sharedWithChildren<QueueLedger>());
  killInLocks(chosen);
  killInSegments(chosen);
  for (const std::string& name : leftovers(namePrefix())) driver.fail("%s is left", name.c_str());
  const std::vector<std::string> missing = driver.neverVisited();
  for (const std::string& name : missing) {
    if (chosen.empty()) std::fprintf(stderr, "FAILED: no process came to step %s\n", name.c_str());
  }
  std::printf("%llu trials, %zu of %zu steps visited, %.1f s\n",
              static_cast<unsigned long long>(driver.trials()), names.size() - missing.size(),
              names.size(), static_cast<double>(monotonicNow() - start) / 1e9);
  return missing.empty() || !chosen.empty() ? 0 : 1;
}

}  // namespace
}  // namespace zoo::test

int main(int count, char** arguments) { return zoo::test::run(count > 1 ? arguments[1] : ""); }
