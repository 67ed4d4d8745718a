#include "core/os/slot_lock.h"

#include <doctest/doctest.h>

#include "core/os/shm_file.h"
#include "support/names.h"
#include "support/processes.h"

using namespace zoo;
using namespace zoo::test;

TEST_CASE("a slot belongs to a description, not to a process, and is free when that is gone") {
  Result<Descriptor> file = makeUnnamedFile("unit", 4096, 0600, true);
  REQUIRE(file);
  Result<Descriptor> one = reopen(file->get(), "unit");
  Result<Descriptor> two = reopen(file->get(), "unit");
  REQUIRE(one);
  REQUIRE(two);
  CHECK(lockSlot(one->get(), 3) == LockAttempt::taken);
  CHECK_FALSE(slotIsHeld(one->get(), 3));
  CHECK(slotIsHeld(two->get(), 3));
  CHECK_FALSE(slotIsHeld(two->get(), 2));
  CHECK(lockSlot(two->get(), 3) == LockAttempt::held_by_other);
  CHECK(lockAllSlots(two->get(), 128) == LockAttempt::held_by_other);
  one->reset();
  CHECK_FALSE(slotIsHeld(two->get(), 3));
  CHECK(lockAllSlots(two->get(), 128) == LockAttempt::taken);
  unlockSlot(two->get(), 3);
  Result<Descriptor> three = reopen(file->get(), "unit");
  CHECK_FALSE(slotIsHeld(three->get(), 3));
  CHECK(slotIsHeld(three->get(), 4));
}
