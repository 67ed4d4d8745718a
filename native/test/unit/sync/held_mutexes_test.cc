#include "core/sync/held_mutexes.h"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <thread>

#include "core/sync/robust_mutex.h"
#include "support/processes.h"

using namespace zoo;
using namespace zoo::test;

namespace {

struct Several {
  std::array<SharedMutex, 3> mutexes;
  pthread_mutex_t foreign;
};

Several& several() {
  Several& shared = sharedWithChildren<Several>();
  for (SharedMutex& mutex : shared.mutexes) RobustMutex(mutex).initialise();
  pthread_mutexattr_t robust;
  pthread_mutexattr_init(&robust);
  pthread_mutexattr_setpshared(&robust, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&shared.foreign, &robust);
  pthread_mutexattr_destroy(&robust);
  return shared;
}

uintptr_t* linksOf(SharedMutex& mutex) {
  return reinterpret_cast<uintptr_t*>(reinterpret_cast<char*>(&mutex) + kMutexPrevious);
}

LockResult lockAndGiveBack(SharedMutex& shared) {
  RobustMutex mutex(shared);
  const LockResult result = mutex.tryLock();
  if (result == LockResult::owner_died) mutex.consistent();
  if (result == LockResult::owner_died || result == LockResult::locked) mutex.unlock();
  return result;
}

}  // namespace

TEST_CASE("pointers that somebody wrote into a mutex are never followed") {
  Several& shared = several();
  uintptr_t victim[4] = {1, 2, 3, 4};
  RobustMutex mutex(shared.mutexes[0]);
  for (const uintptr_t target :
       {reinterpret_cast<uintptr_t>(&victim[1]), uintptr_t{0x4141414140}}) {
    REQUIRE(mutex.lock() == LockResult::locked);
    linksOf(shared.mutexes[0])[0] = target;
    linksOf(shared.mutexes[0])[1] = target + 8;
    CHECK(mutex.unlock());
  }
  CHECK((victim[0] == 1 && victim[1] == 2 && victim[2] == 3 && victim[3] == 4));
}

TEST_CASE("all that a thread holds is handed on when it dies, in whatever order it took and gave") {
  // Which of three are locked, then which are given back again before the death.
  const std::array<std::array<int, 2>, 5> given_back = {
      {{{-1, -1}}, {{0, -1}}, {{1, -1}}, {{2, 0}}, {{0, 1}}}};
  for (const auto& back : given_back) {
    Several& shared = several();
    const pid_t child = startChild([&] {
      for (SharedMutex& mutex : shared.mutexes) RobustMutex(mutex).lock();
      for (const int index : back) {
        if (index >= 0) RobustMutex(shared.mutexes[static_cast<size_t>(index)]).unlock();
      }
      dieHere();
    });
    REQUIRE(waitForEnd(child).killed);
    for (int index = 0; index < 3; ++index) {
      const bool held = index != back[0] && index != back[1];
      CHECK(lockAndGiveBack(shared.mutexes[static_cast<size_t>(index)]) ==
            (held ? LockResult::owner_died : LockResult::locked));
    }
  }
}

TEST_CASE("the C library's robust mutexes are in the same list, before and behind ours") {
  for (int order = 0; order < 4; ++order) {
    Several& shared = several();
    const pid_t child = startChild([&] {
      RobustMutex first(shared.mutexes[0]), second(shared.mutexes[1]);
      first.lock();
      pthread_mutex_lock(&shared.foreign);
      second.lock();
      if (order == 1) pthread_mutex_unlock(&shared.foreign);
      if (order == 2) first.unlock();
      if (order == 3) {
        pthread_mutex_unlock(&shared.foreign);
        second.unlock();
        pthread_mutex_lock(&shared.foreign);
      }
      dieHere();
    });
    REQUIRE(waitForEnd(child).killed);
    const bool foreign_held = order != 1;
    CHECK(pthread_mutex_trylock(&shared.foreign) == (foreign_held ? EOWNERDEAD : 0));
    CHECK(lockAndGiveBack(shared.mutexes[0]) ==
          (order == 2 ? LockResult::locked : LockResult::owner_died));
    CHECK(lockAndGiveBack(shared.mutexes[1]) ==
          (order == 3 ? LockResult::locked : LockResult::owner_died));
    pthread_mutex_consistent(&shared.foreign);
    pthread_mutex_unlock(&shared.foreign);
  }
}

TEST_CASE("a thread that ends is a death too, and a forked child holds nothing") {
  Several& shared = several();
  std::thread([&] { RobustMutex(shared.mutexes[0]).lock(); }).join();
  CHECK(lockAndGiveBack(shared.mutexes[0]) == LockResult::owner_died);
  RobustMutex mine(shared.mutexes[1]);
  REQUIRE(mine.lock() == LockResult::locked);
  const pid_t child = startChild([&] {
    if (RobustMutex(shared.mutexes[1]).tryLock() != LockResult::busy) _exit(1);
    if (RobustMutex(shared.mutexes[2]).lock() != LockResult::locked) _exit(2);
    dieHere();
  });
  CHECK(waitForEnd(child).killed);
  CHECK(lockAndGiveBack(shared.mutexes[2]) == LockResult::owner_died);
  CHECK(mine.unlock());
}

TEST_CASE("a word that names a thread which is not in a section is not waited for long") {
  Several& shared = several();
  auto& word = *reinterpret_cast<std::atomic<uint32_t>*>(
      reinterpret_cast<char*>(&shared.mutexes[0]) + kMutexWord);
  const pid_t sleeper = startChild([] { pause(); });
  const auto self = static_cast<uint32_t>(getpid());
  for (const uint32_t owner :
       {uint32_t{0x3fffffff}, uint32_t{1}, static_cast<uint32_t>(sleeper), self}) {
    word.store(owner);
    const auto start = std::chrono::steady_clock::now();
    CHECK(RobustMutex(shared.mutexes[0]).lock() == LockResult::broken);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  }
  kill(sleeper, SIGKILL);
  waitForEnd(sleeper);
  word.store(0);
  CHECK(lockAndGiveBack(shared.mutexes[0]) == LockResult::locked);
}

TEST_CASE("an owner that is stopped is waited for") {
  Several& shared = several();
  const pid_t child = startChild([&] {
    RobustMutex mutex(shared.mutexes[0]);
    mutex.lock();
    raise(SIGSTOP);
    mutex.unlock();
  });
  int status = 0;
  waitpid(child, &status, WUNTRACED);
  REQUIRE(WIFSTOPPED(status));
  std::thread waker([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(1200));
    kill(child, SIGCONT);
  });
  RobustMutex mutex(shared.mutexes[0]);
  CHECK(mutex.lock() == LockResult::locked);
  CHECK(mutex.unlock());
  waker.join();
  CHECK(waitForEnd(child).exit_code == 0);
}
