#include "core/sync/robust_mutex.h"

#include <doctest/doctest.h>

#include <cstring>

#include "support/processes.h"

using namespace zoo;
using namespace zoo::test;

TEST_CASE("the next one is told that the owner was killed, until somebody says it is repaired") {
  SharedMutex& shared = sharedWithChildren<SharedMutex>();
  RobustMutex mutex(shared);
  mutex.initialise();
  for (int round = 0; round < 3; ++round) {
    const pid_t child = startChild([&] {
      mutex.lock();
      dieHere();
    });
    CHECK(waitForEnd(child).killed);
    CHECK(mutex.lock() == LockResult::owner_died);
    mutex.consistent();
    CHECK(mutex.unlock());
    CHECK(mutex.lock() == LockResult::locked);
    CHECK(mutex.unlock());
  }
}

TEST_CASE("one that repairs and is killed leaves the repair to the next") {
  SharedMutex& shared = sharedWithChildren<SharedMutex>();
  RobustMutex mutex(shared);
  mutex.initialise();
  for (int deaths = 0; deaths < 3; ++deaths) {
    const pid_t child = startChild([&] {
      mutex.lock();
      dieHere();
    });
    CHECK(waitForEnd(child).killed);
  }
  CHECK(mutex.tryLock() == LockResult::owner_died);
  mutex.consistent();
  CHECK(mutex.unlock());
}

TEST_CASE("held by another: busy at once, busy after a while") {
  SharedMutex& shared = sharedWithChildren<SharedMutex>();
  RobustMutex mutex(shared);
  mutex.initialise();
  CHECK(mutex.lock() == LockResult::locked);
  const pid_t child = startChild([&] {
    if (mutex.tryLock() != LockResult::busy) _exit(1);
    if (mutex.lockFor(1000) != LockResult::busy) _exit(2);
  });
  CHECK(waitForEnd(child).exit_code == 0);
  CHECK(mutex.unlock());
}

TEST_CASE("bytes that are no mutex are told, not waited for") {
  SharedMutex& shared = sharedWithChildren<SharedMutex>();
  std::memset(static_cast<void*>(&shared), 0xff, sizeof shared);
  CHECK(RobustMutex(shared).lock() == LockResult::broken);
}
