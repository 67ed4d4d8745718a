#include "core/sync/membership.h"

#include <csignal>

#include "core/lock/lock.h"
#include "support/processes.h"
#include "support/unit.h"

using namespace zoo;
using namespace zoo::test;

TEST_CASE("as many handles as there are slots, then none, then one again") {
  TemporaryName name("unit");
  std::vector<std::unique_ptr<Queue>> queues;
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    queues.push_back(openQueue(name, optionsFor(StoreKind::ring)));
    CHECK(queues.back()->slot() == slot);
  }
  CHECK(whyNot(name, {}) == ErrorCode::full);
  queues[77]->close();
  CHECK(openQueue(name, {})->slot() == 77);
  queues[5]->abandon();
  CHECK(openQueue(name, {})->slot() == 5);
}

TEST_CASE("a stopped process counts as alive, a killed one does not") {
  TemporaryName name("unit");
  const auto keeper = openQueue(name, optionsFor(StoreKind::ring));
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = startChild([&] {
    Queue* queue = Queue::open(name, OpenMode::open, {}).take().release();
    (void)queue;
    const char byte = 1;
    if (write(ready[1], &byte, 1) != 1) _exit(1);
    for (;;) pause();
  });
  char byte = 0;
  REQUIRE(read(ready[0], &byte, 1) == 1);
  kill(child, SIGSTOP);
  CHECK(keeper->lookAround() == 0);
  CHECK(keeper->stats().participants.size() == 2);
  kill(child, SIGKILL);
  CHECK(waitForEnd(child).killed);
  CHECK(keeper->lookAround() == 1);
  CHECK(keeper->stats().participants.size() == 1);
  close(ready[0]);
  close(ready[1]);
}

TEST_CASE("a slot whose last owner still holds its lock is passed over") {
  TemporaryName name("unit");
  const auto keeper = openQueue(name, optionsFor(StoreKind::ring));
  const Descriptor leaver(open(shmPath(name).c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(lockSlot(leaver.get(), 1) == LockAttempt::taken);
  CHECK(openQueue(name, {})->slot() == 2);
}

TEST_CASE("who had a slot before is not who has it now") {
  TemporaryName name("unit");
  const auto keeper = openQueue(name, optionsFor(StoreKind::ring));
  const Descriptor locks(open(shmPath(name).c_str(), O_RDWR | O_CLOEXEC));
  Membership member(reinterpret_cast<Participant*>(keeper->mapping()->base() + kParticipantsOffset),
                    locks.get());
  REQUIRE(member.join("") == Membership::Join::joined);
  const Owner earlier = member.self();
  CHECK(member.isCurrent(earlier));
  member.clear(earlier.slot);
  CHECK_FALSE(member.isCurrent(earlier));
  REQUIRE(member.join("") == Membership::Join::joined);
  CHECK(member.self().slot == earlier.slot);
  CHECK(member.isCurrent(member.self()));
  CHECK_FALSE(member.isCurrent(earlier));
  CHECK_FALSE(member.isCurrent({kSlots + 100, 1}));
  member.clear(member.self().slot);
}
