// What two do in an order that is rare by chance: one is held at a step while the other acts.
#include <sys/mman.h>

#include <algorithm>
#include <functional>
#include <thread>

#include "core/lock/lock.h"
#include "core/os/doorbell.h"
#include "support/processes.h"
#include "support/unit.h"

using namespace zoo;
using namespace zoo::test;

namespace {

// Calls `act` once, when this thread comes to the step.
class AtStep {
 public:
  AtStep(const char* name, std::function<void()> act) {
    name_ = name;
    act_ = std::move(act);
    step_hook = [](const char* step) {
      if (!act_ || std::strcmp(step, name_) != 0) return;
      const std::function<void()> act = std::exchange(act_, nullptr);
      act();
    };
  }
  AtStep(const AtStep&) = delete;
  AtStep& operator=(const AtStep&) = delete;
  ~AtStep() {
    step_hook = nullptr;
    act_ = nullptr;
  }
  bool came() const { return !act_; }

 private:
  inline static const char* name_ = nullptr;
  inline static std::function<void()> act_;
};

}  // namespace

TEST_CASE("a reader does not take the message that came into the place of the one it copied") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  QueueOptions options = optionsFor(store);
  uint32_t bytes = 100;
  if (store == StoreKind::ring) {
    options.bytes = pageBytes();
    bytes = static_cast<uint32_t>(std::min<uint64_t>(pageBytes() - 64, 4096));
  } else {
    options.slots = 1;
  }
  const auto slow = openQueue(name, options);
  const auto fast = openQueue(name, options);
  CHECK(put(*fast, 1, bytes) == Status::ok);
  {
    const AtStep copied("take.copied_small", [&] {
      CHECK(take(*fast) == 1);
      CHECK(put(*fast, 2, bytes) == Status::ok);
    });
    const uint64_t taken = take(*slow);
    // A build for the thread sanitizer claims before it copies.
    CHECK(taken == (copied.came() ? 2 : 1));
  }
  CHECK(take(*fast) == 0);
}

TEST_CASE("a reader looks once more before it sleeps") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto reader = openQueue(name, optionsFor(store));
  const auto writer = openQueue(name, optionsFor(store));
  writer->holdWakes(true);
  uint64_t shortest = ~uint64_t{0};
  // One of many: the machine may be busy in any of them.
  for (uint64_t round = 1; round <= 10; ++round) {
    const AtStep armed("wait.armed", [&] { CHECK(put(*writer, round) == Status::ok); });
    const uint64_t start = monotonicNow();
    CHECK(reader->waitReadable(30'000 * kMillisecond) == Status::ok);
    shortest = std::min(shortest, monotonicNow() - start);
    CHECK(take(*reader) == round);
  }
  CHECK(shortest < kLongestSleep / 2);
}

TEST_CASE("a reader that begins to wait while a message is being put is woken by it") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto reader = openQueue(name, optionsFor(store));
  const auto writer = openQueue(name, optionsFor(store));
  {
    const AtStep writing("put.header", [&] { CHECK(reader->armRead(0) == Status::ok); });
    CHECK(put(*writer, 1) == Status::ok);
  }
  CHECK(reader->wokenToRead());
  reader->disarmRead();
  CHECK(take(*reader) == 1);
}

TEST_CASE("everybody who waits is woken when the dead have been found, and their bells are gone") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  QueueOptions options = optionsFor(store);
  options.groups = std::vector<GroupOptions>{{"a"}, {"b"}};
  const auto keeper = openQueue(name, options);
  const auto first = openQueue(name, options);
  const auto second = openQueue(name, options);
  options.group = "b";
  const auto third = openQueue(name, options);
  BellId orphan = 0;
  int bell[2];
  REQUIRE(pipe(bell) == 0);
  const pid_t child = startChild([&] {
    Doorbell* own = new Doorbell(Doorbell::make().take());
    Queue* queue = Queue::open(name, OpenMode::open, {}).take().release();
    queue->armRead(own->id());
    const BellId id = own->id();
    if (write(bell[1], &id, sizeof id) != sizeof id) _exit(1);
    dieHere();
  });
  REQUIRE(read(bell[0], &orphan, sizeof orphan) == sizeof orphan);
  CHECK(waitForEnd(child).killed);
  for (const int end : bell) close(end);
  const std::string path = detail::bellPath(detail::kBellPrefix, orphan);
  CHECK(access(path.c_str(), F_OK) == 0);

  for (Queue* waiting : {first.get(), second.get(), third.get()}) waiting->armRead(0);
  first->armWrite(0);
  CHECK_FALSE(first->wokenToRead());
  CHECK(keeper->lookAround() == 1);
  CHECK(first->wokenToRead());
  CHECK(second->wokenToRead());
  CHECK(third->wokenToRead());
  CHECK(first->wokenToWrite());
  CHECK(access(path.c_str(), F_OK) != 0);
}

TEST_CASE(
    "whoever dies in the guard leaves a queue that works, for the next and those behind him") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto keeper = openQueue(name, optionsFor(store));
  const pid_t child = startChild([&] {
    Queue* queue = Queue::open(name, OpenMode::open, {}).take().release();
    step_hook = [](const char* step) {
      if (std::strcmp(step, "put.header") == 0) dieHere();
    };
    const std::vector<std::byte> message = messageOf(1, 100);
    queue->put(message.data(), message.size());
  });
  CHECK(waitForEnd(child).killed);
  CHECK(put(*keeper, 2) == Status::ok);
  CHECK(put(*keeper, 3) == Status::ok);
  CHECK(take(*keeper) == 2);
  CHECK(take(*keeper) == 3);
}

TEST_CASE("who gets a lock after having slept for it is told that its owner died") {
  TemporaryName name("unit");
  Result<std::unique_ptr<Lock>> lock = Lock::open(name, {});
  REQUIRE(lock);
  int taken_over[2];
  REQUIRE(pipe(taken_over) == 0);
  const pid_t child = startChild([&] {
    Lock* own = Lock::open(name, {}).take().release();
    LockTaken taken;
    const char byte = 1;
    if (own->tryAcquire(taken) != Status::ok || write(taken_over[1], &byte, 1) != 1) _exit(1);
    for (;;) pause();
  });
  char byte = 0;
  REQUIRE(read(taken_over[0], &byte, 1) == 1);
  for (const int end : taken_over) close(end);

  const int file = open(shmPath(name).c_str(), O_RDWR | O_CLOEXEC);
  void* page = mmap(nullptr, pageBytes(), PROT_READ, MAP_SHARED, file, kBlockOffset);
  REQUIRE(page != MAP_FAILED);
  const auto& word = *reinterpret_cast<const std::atomic<uint32_t>*>(
      static_cast<const std::byte*>(page) + kMutexWord);
  std::thread killer([&] {
    while ((word.load() & FUTEX_WAITERS) == 0) std::this_thread::yield();
    kill(child, SIGKILL);
  });
  LockTaken taken;
  while ((*lock)->acquire(30'000 * kMillisecond, taken) == Status::would_block) {
  }
  killer.join();
  CHECK(waitForEnd(child).killed);
  CHECK(taken.recovered);
  CHECK(taken.dead_pid == static_cast<uint32_t>(child));
  CHECK((*lock)->release(true) == Status::ok);
  munmap(page, pageBytes());
  close(file);
}
