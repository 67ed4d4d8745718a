// Another process truncates the file of a segment: nobody dies of it, and whoever uses the segment
// next is told.
#include "core/os/bus_guard.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <atomic>
#include <thread>

#include "core/lock/lock.h"
#include "core/memory/memory.h"
#include "support/processes.h"
#include "support/unit.h"

using namespace zoo;
using namespace zoo::test;

namespace {

void truncateTo(const std::string& name, uint64_t bytes) {
  REQUIRE(truncate(shmPath(name).c_str(), static_cast<off_t>(bytes)) == 0);
}

uint64_t sizeOf(const std::string& name) {
  struct stat facts = {};
  return stat(shmPath(name).c_str(), &facts) == 0 ? static_cast<uint64_t>(facts.st_size) : 0;
}

// How much of the file stays: nothing, the header, or all but the last page.
constexpr int kCuts = 3;
uint64_t cutOf(const std::string& name, int cut) {
  const uint64_t page = pageBytes();
  return cut == 0 ? 0 : cut == 1 ? page : sizeOf(name) - page;
}

std::unique_ptr<Lock> openLock(const std::string& name) {
  Result<std::unique_ptr<Lock>> lock = Lock::open(name, {});
  REQUIRE_MESSAGE(lock, lock.error().text);
  return lock.take();
}

// Runs `body` where the process that truncates is not the one that is hit.
template <typename Body>
void inChild(Body body) {
  const pid_t child = startChild([&] {
    prctl(PR_SET_DUMPABLE, 0);
    _exit(body());
  });
  const Ending ending = waitForEnd(child);
  CHECK(ending.signal == 0);
  CHECK(ending.exit_code == 0);
}

// Ends with the signal, or exits with a number.
template <typename Body>
Ending endingOf(Body body) {
  const pid_t child = startChild([&] {
    prctl(PR_SET_DUMPABLE, 0);
    _exit(body());
  });
  return waitForEnd(child);
}

// Touches a page behind the end of a file that is no segment.
void causeForeignFault() {
  char path[] = "/dev/shm/zoosync-test-foreign-XXXXXX";
  const int file = mkstemp(path);
  unlink(path);
  if (file < 0 || ftruncate(file, 4096) != 0) _exit(90);
  void* bytes = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (bytes == MAP_FAILED || ftruncate(file, 0) != 0) _exit(91);
  *static_cast<volatile char*>(bytes) = 1;
}

std::atomic<int> calls{0};

void handlePlain(int) {
  ++calls;
  _exit(50);
}
void handleWithFacts(int signal, siginfo_t* facts, void*) {
  ++calls;
  _exit(signal == SIGBUS && facts->si_code == BUS_ADRERR && facts->si_addr != nullptr ? 51 : 52);
}

struct sigaction actionOf(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  return action;
}

// The first mapping of the process installs the guard, in front of `before`.
std::unique_ptr<Memory> guardedBehind(const std::string& name, const struct sigaction& before) {
  sigaction(SIGBUS, &before, nullptr);
  MemoryOptions options;
  options.bytes = 8192;
  Result<std::unique_ptr<Memory>> memory = Memory::open(name, OpenMode::create, options);
  if (!memory) _exit(92);
  return memory.take();
}

}  // namespace

TEST_CASE("a queue whose file is truncated answers corrupt, whatever is called first") {
  ON_BOTH_STORES
  for (int cut = 0; cut < kCuts; ++cut) {
    for (int call = 0; call < 9; ++call) {
      TemporaryName name("bus");
      const auto queue = openQueue(name, optionsFor(store));
      CHECK(put(*queue, 1) == Status::ok);
      CHECK(put(*queue, 2, 1500) == Status::ok);
      const Taken held = claim(*queue);
      Cursor reserved = 0;
      uint64_t offset = 0;
      CHECK(queue->reserve(700, reserved, offset) == Status::ok);
      truncateTo(name, cutOf(name, cut));
      std::byte target[4096];
      uint64_t size = 0;
      switch (call) {
        case 0:
          put(*queue, 3);
          break;
        case 1:
          put(*queue, 3, 1900);
          break;
        case 2:
          queue->take(target, sizeof target, size);
          break;
        case 3:
          queue->release(held.cursor);
          break;
        case 4:
          queue->reject(held.cursor);
          break;
        case 5:
          std::memset(queue->data() + offset, 1, 700);
          queue->commit(reserved, 700);
          break;
        case 6:
          queue->waitReadable(1000);
          break;
        case 7:
          queue->lookAround();
          break;
        default:
          queue->close();
          continue;
      }
      queue->lookAround();
      CHECK(put(*queue, 4) == Status::corrupt);
      CHECK(queue->take(target, sizeof target, size) == Status::corrupt);
      CHECK(queue->release(held.cursor) == Status::corrupt);
      CHECK(queue->corruption().find("truncated") != std::string::npos);
      queue->stats();
      queue->length();
      queue->end();
      queue->close();
    }
  }
}

TEST_CASE("a sleeper on a truncated queue learns of it within a second") {
  ON_BOTH_STORES
  for (int cut = 0; cut < kCuts; ++cut) {
    TemporaryName name("bus");
    const auto queue = openQueue(name, optionsFor(store));
    std::atomic<int>& asleep = sharedWithChildren<std::atomic<int>>();
    const pid_t child = startChild([&] {
      const auto reader = openQueue(name, optionsFor(store));
      std::byte target[4096];
      uint64_t size = 0;
      asleep = 1;
      for (;;) {
        const uint64_t begin = monotonicNow();
        reader->waitReadable(kLongestSleep);
        if (monotonicNow() - begin > 10'000 * kMillisecond) _exit(2);
        const Status status = reader->take(target, sizeof target, size);
        if (status != Status::would_block) _exit(status == Status::corrupt ? 0 : 3);
      }
    });
    while (asleep == 0) usleep(1000);
    usleep(20'000);
    truncateTo(name, cutOf(name, cut));
    const uint64_t begin = monotonicNow();
    const Ending ending = waitForEnd(child);
    CHECK(ending.signal == 0);
    CHECK(ending.exit_code == 0);
    CHECK(monotonicNow() - begin < 10'000 * kMillisecond);
  }
}

TEST_CASE("truncated at every step of a put, a take, a claim and a close") {
  ON_BOTH_STORES
  static std::string victim;
  static int countdown = 0;
  static int cut = 0;
  static const auto hook = [](const char*) {
    if (--countdown == 0) truncateTo(victim, cutOf(victim, cut));
  };
  for (cut = 0; cut < kCuts; ++cut) {
    for (int step = 1;; ++step) {
      TemporaryName name("bus");
      victim = name.get();
      const auto queue = openQueue(name, optionsFor(store));
      const auto other = openQueue(name, optionsFor(store));
      countdown = step;
      step_hook = hook;
      put(*queue, 1);
      put(*queue, 2, 1500);
      put(*queue, 3, 900);
      std::byte target[4096];
      uint64_t size = 0;
      queue->take(target, sizeof target, size);
      Cursor cursor = 0;
      Claim one;
      if (queue->claim(cursor, one) == Status::ok) queue->reject(cursor);
      if (queue->claim(cursor, one) == Status::ok) queue->release(cursor);
      queue->close();
      const bool reached = countdown <= 0;
      step_hook = nullptr;
      if (!reached) break;
      other->lookAround();
      CHECK(put(*other, 9) == Status::corrupt);
      CHECK(whyNot(name, {}, OpenMode::open) == ErrorCode::corrupt);
      // The thread's list of mutexes is whole: another one is locked and given back.
      TemporaryName sound("bus");
      const auto lock = openLock(sound);
      LockTaken taken;
      CHECK(lock->tryAcquire(taken) == Status::ok);
      CHECK(lock->release(true) == Status::ok);
    }
  }
}

TEST_CASE("a lock that was truncated: the owner is told when it gives it back, others at once") {
  for (int cut = 0; cut < kCuts; ++cut) {
    TemporaryName name("bus");
    const auto mine = openLock(name);
    const auto others = openLock(name);
    LockTaken taken;
    CHECK(mine->tryAcquire(taken) == Status::ok);
    truncateTo(name, cutOf(name, cut));
    CHECK(others->acquire(50 * kMillisecond, taken) == Status::corrupt);
    CHECK(others->tryAcquire(taken) == Status::corrupt);
    CHECK(others->arm(0) == Status::corrupt);
    CHECK(others->corruption().find("truncated") != std::string::npos);
    CHECK(mine->held());
    const Status released = mine->release(true);
    CHECK((released == Status::corrupt || cut == 2));
    CHECK_FALSE(mine->held());
    mine->close();
    others->close();
  }
}

TEST_CASE("who holds a truncated lock and an older one, and dies: the older one is handed on") {
  TemporaryName older_name("bus");
  TemporaryName name("bus");
  const auto watcher = openLock(older_name);
  const pid_t child = startChild([&] {
    const auto older = openLock(older_name);
    const auto newer = openLock(name);
    LockTaken taken;
    if (older->tryAcquire(taken) != Status::ok || newer->tryAcquire(taken) != Status::ok) _exit(1);
    truncateTo(name, 0);
    LockOwner owner;
    newer->owner(owner);  // touches it
    dieHere();
  });
  CHECK(waitForEnd(child).killed);
  LockTaken taken;
  CHECK(watcher->tryAcquire(taken) == Status::ok);
  CHECK(taken.recovered);
  watcher->release(true);
}

TEST_CASE("locks that are held in any order stay whole when one of them is truncated") {
  for (int victim = 0; victim < 3; ++victim) {
    for (int first = 0; first < 3; ++first) {
      TemporaryName names[3] = {TemporaryName("bus"), TemporaryName("bus"), TemporaryName("bus")};
      std::unique_ptr<Lock> locks[3];
      LockTaken taken;
      for (int index = 0; index < 3; ++index) {
        locks[index] = openLock(names[index]);
        REQUIRE(locks[index]->tryAcquire(taken) == Status::ok);
      }
      truncateTo(names[victim], 0);
      for (int index = 0; index < 3; ++index) {
        const int which = (first + index) % 3;
        CHECK(locks[which]->release(true) == (which == victim ? Status::corrupt : Status::ok));
      }
      for (int index = 0; index < 3; ++index) {
        CHECK(locks[index]->tryAcquire(taken) == (index == victim ? Status::corrupt : Status::ok));
        if (index != victim) locks[index]->release(true);
      }
    }
  }
}

TEST_CASE("memory that was truncated reads as zeros, and says so") {
  for (int cut = 0; cut < kCuts; ++cut) {
    TemporaryName name("bus");
    MemoryOptions options;
    options.bytes = 100'000;
    Result<std::unique_ptr<Memory>> memory = Memory::open(name, OpenMode::create, options);
    REQUIRE(memory);
    std::byte* bytes = (*memory)->data();
    std::memset(bytes, 7, options.bytes);
    CHECK_FALSE((*memory)->takenAway());
    truncateTo(name, cutOf(name, cut));
    CHECK(bytes[options.bytes - 1] == std::byte{0});
    CHECK(bytes[0] == std::byte{0});
    bytes[5] = std::byte{9};
    CHECK(bytes[5] == std::byte{9});
    CHECK((*memory)->takenAway());
    (*memory)->close();
  }
}

TEST_CASE("truncated and made long again: zeros from somewhere on, and told") {
  ON_BOTH_STORES
  for (const uint64_t kept : {0, 3011, 8569, 24230}) {
    TemporaryName name("bus");
    const auto queue = openQueue(name, optionsFor(store));
    CHECK(put(*queue, 1) == Status::ok);
    const uint64_t bytes = sizeOf(name);
    truncateTo(name, kept);
    truncateTo(name, bytes);
    queue->lookAround();
    CHECK(put(*queue, 2) == Status::corrupt);
    CHECK(claim(*queue).status == Status::corrupt);
  }
}

TEST_CASE("many threads touch what is truncated at the same moment") {
  for (int round = 0; round < 20; ++round) {
    TemporaryName name("bus");
    MemoryOptions options;
    options.bytes = 64 * 4096;
    Result<std::unique_ptr<Memory>> memory = Memory::open(name, OpenMode::create, options);
    REQUIRE(memory);
    volatile std::byte* bytes = (*memory)->data();
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int index = 0; index < 4; ++index) {
      threads.emplace_back([&, index] {
        for (uint64_t at = static_cast<uint64_t>(index); !stop; at += 4097) {
          static_cast<void>(bytes[at % options.bytes]);
        }
      });
    }
    truncateTo(name, 0);
    while (!(*memory)->takenAway()) usleep(100);
    usleep(200);
    stop = true;
    for (std::thread& thread : threads) thread.join();
  }
}

#ifndef __SANITIZE_ADDRESS__  // whose own handler reports what these processes die of
TEST_CASE("a fault elsewhere ends the process as if we were not there") {
  TemporaryName name("bus");
  for (void (*before)(int) : {SIG_DFL, SIG_IGN}) {
    const Ending ending = endingOf([&] {
      const auto memory = guardedBehind(name, actionOf(before));
      causeForeignFault();
      return 1;
    });
    CHECK(ending.signal == SIGBUS);
    ::unlink(shmPath(name).c_str());
  }
}

TEST_CASE("a SIGBUS that somebody sends ends the process, or is ignored, as before") {
  TemporaryName name("bus");
  const Ending ended = endingOf([&] {
    const auto memory = guardedBehind(name, actionOf(SIG_DFL));
    raise(SIGBUS);
    return 1;
  });
  CHECK(ended.signal == SIGBUS);
  ::unlink(shmPath(name).c_str());
  const Ending ignored = endingOf([&] {
    const auto memory = guardedBehind(name, actionOf(SIG_IGN));
    raise(SIGBUS);
    return 7;
  });
  CHECK(ignored.exit_code == 7);
}
#endif

TEST_CASE("who handled SIGBUS before is asked about faults that are not ours, and only these") {
  TemporaryName name("bus");
  for (const bool with_facts : {false, true}) {
    const Ending ending = endingOf([&] {
      struct sigaction before = actionOf(handlePlain);
      if (with_facts) {
        before.sa_sigaction = handleWithFacts;
        before.sa_flags = SA_SIGINFO;
      }
      const auto memory = guardedBehind(name, before);
      truncateTo(name, 0);
      if (memory->data()[0] != std::byte{0} || calls != 0) return 1;
      causeForeignFault();
      return 2;
    });
    CHECK(ending.exit_code == (with_facts ? 51 : 50));
    ::unlink(shmPath(name).c_str());
  }
}

TEST_CASE("a handler that is installed later decides, until it is removed") {
  TemporaryName name("bus");
  TemporaryName another("bus");
  const Ending theirs = endingOf([&] {
    const auto memory = guardedBehind(name, actionOf(SIG_DFL));
    const struct sigaction later = actionOf(handlePlain);
    sigaction(SIGBUS, &later, nullptr);
    const auto lock = openLock(another);
    truncateTo(name, 0);
    return static_cast<int>(memory->data()[0]);
  });
  CHECK(theirs.exit_code == 50);
  ::unlink(shmPath(name).c_str());
  inChild([&] {
    const auto memory = guardedBehind(name, actionOf(SIG_DFL));
    const struct sigaction later = actionOf(handlePlain);
    sigaction(SIGBUS, &later, nullptr);
    const struct sigaction none = actionOf(SIG_DFL);
    sigaction(SIGBUS, &none, nullptr);
    BusGuard::renew();
    truncateTo(name, 0);
    return static_cast<int>(memory->data()[0]);
  });
}
