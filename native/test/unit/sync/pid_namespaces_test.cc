// Participants in different pid namespaces, whose thread numbers say nothing to each other.
#include <sched.h>

#include <atomic>

#include "support/processes.h"
#include "support/unit.h"

using namespace zoo;
using namespace zoo::test;

namespace {

// Starts `body` as process 1 of a pid namespace of its own; answers its number here, -1 when this
// machine does not allow it.
template <typename Body>
pid_t startInNamespace(Body body) {
  std::atomic<pid_t>& number = sharedWithChildren<std::atomic<pid_t>>();
  number = 0;
  const pid_t between = startChild([&] {
    if (unshare(CLONE_NEWPID) != 0) {
      number = -1;
      _exit(0);
    }
    number = startChild(body);
    Ending ending = waitForEnd(number);
    _exit(ending.signal != 0 ? 0 : ending.exit_code);
  });
  while (number == 0) usleep(500);
  if (number == -1) waitForEnd(between);
  return number;
}

// Of a process that is no child of ours.
void untilEnded(pid_t number) {
  while (kill(number, 0) == 0) usleep(500);
}

void reapAll() {
  while (waitpid(-1, nullptr, 0) > 0) {
  }
}

void untilState(pid_t number, ThreadState state) {
  while (activityOf(static_cast<uint32_t>(number)).state != state) usleep(500);
}

}  // namespace

TEST_CASE("a waiter that is killed does not pass for an owner with the same thread number") {
  SharedMutex& shared = sharedWithChildren<SharedMutex>();
  std::atomic<int>& step = sharedWithChildren<std::atomic<int>>();
  RobustMutex mutex(shared);
  mutex.initialise();
  const pid_t owner = startInNamespace([&] {
    if (mutex.lock() != LockResult::locked) _exit(1);
    step = gettid() == 1 ? 1 : -1;
    pause();
  });
  if (owner == -1) {
    MESSAGE("skipped: this machine lets nobody make a pid namespace");
    return;
  }
  while (step == 0) usleep(500);
  REQUIRE(step == 1);
  for (int round = 0; round < 10; ++round) {
    const pid_t waiter = startInNamespace([&] {
      step = 2;
      mutex.lockFor(60'000 * kMillisecond);
      _exit(3);
    });
    while (step != 2) usleep(500);
    usleep(static_cast<useconds_t>(round) * 300);
    if (round % 2 == 0) untilState(waiter, ThreadState::sleeping);
    kill(waiter, SIGKILL);
    untilEnded(waiter);
    step = 1;
    CHECK(mutex.tryLock() == LockResult::busy);
  }
  kill(owner, SIGKILL);
  untilEnded(owner);
  CHECK(mutex.tryLock() == LockResult::owner_died);
  mutex.consistent();
  CHECK(mutex.unlock());
  reapAll();
}

TEST_CASE("an owner of the guard that is stopped elsewhere is waited for, not taken for damage") {
  TemporaryName name("unit");
  const auto queue = openQueue(name, optionsFor(StoreKind::ring));
  static std::atomic<int>* step;
  step = &sharedWithChildren<std::atomic<int>>();
  const pid_t owner = startInNamespace([&] {
    const auto own = openQueue(name, optionsFor(StoreKind::ring));
    step_hook = [](const char* at) {
      if (std::string(at) != "put.header") return;
      *step = 1;
      while (*step == 1) {
      }
    };
    if (put(*own, 1) != Status::ok) _exit(1);
    *step = 3;
    pause();
  });
  if (owner == -1) {
    MESSAGE("skipped: this machine lets nobody make a pid namespace");
    return;
  }
  while (*step != 1) usleep(500);
  kill(owner, SIGSTOP);
  untilState(owner, ThreadState::stopped);
  std::atomic<int>& answer = sharedWithChildren<std::atomic<int>>();
  answer = 1;
  const pid_t other = startChild([&] { answer = static_cast<int>(put(*queue, 2)); });
  usleep(1'600'000);
  CHECK(answer == 1);
  *step = 2;
  kill(owner, SIGCONT);
  CHECK(waitForEnd(other).exit_code == 0);
  CHECK(answer == static_cast<int>(Status::ok));
  while (*step != 3) usleep(500);
  kill(owner, SIGKILL);
  untilEnded(owner);
  CHECK(take(*queue) == 1);
  CHECK(take(*queue) == 2);
  reapAll();
}
