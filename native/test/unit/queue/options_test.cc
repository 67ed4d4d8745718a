#include "support/unit.h"

using namespace zoo;
using namespace zoo::test;

TEST_CASE("impossible options are refused with their values") {
  TemporaryName name("unit");
  QueueOptions options;
  SUBCASE("slots without a size") { options.slots = 3; }
  SUBCASE("a size without slots") { options.slot_bytes = 3; }
  SUBCASE("no slots") { options.slots = 0, options.slot_bytes = 100; }
  SUBCASE("too many slots") { options.slots = kMostFrameSlots + 1, options.slot_bytes = 1; }
  SUBCASE("slots of nothing") { options.slots = 3, options.slot_bytes = 0; }
  SUBCASE("a ring of nothing") { options.bytes = 0; }
  SUBCASE("no groups") { options.groups = std::vector<GroupOptions>{}; }
  SUBCASE("five groups") {
    options.groups = std::vector<GroupOptions>{{"a"}, {"b"}, {"c"}, {"d"}, {"e"}};
  }
  SUBCASE("a group that is not there") { options.group = "nobody"; }
  CHECK(whyNot(name, options) == ErrorCode::invalid);
  CHECK(nameLeadsTo(name, {}) == NameLeadsTo::nothing);
}

TEST_CASE("an existing queue is opened only by those who agree with it") {
  TemporaryName name("unit");
  QueueOptions there = optionsFor(StoreKind::frames);
  there.groups = std::vector<GroupOptions>{{"a"}, {"b", Overflow::latest}};
  there.max_deliveries = 3;
  const auto queue = openQueue(name, there);
  QueueOptions wanted;
  SUBCASE("whoever says nothing agrees") {
    CHECK(openQueue(name, wanted)->slots() == 8);
    return;
  }
  SUBCASE("another order of the groups is the same") {
    wanted.groups = std::vector<GroupOptions>{{"b", Overflow::latest}, {"a"}};
    wanted.group = "b";
    CHECK(openQueue(name, wanted)->group() == 1);
    return;
  }
  SUBCASE("a ring") { wanted.bytes = 8192; }
  SUBCASE("slots") { wanted.slots = 9, wanted.slot_bytes = 2000; }
  SUBCASE("slot size") { wanted.slots = 8, wanted.slot_bytes = 2001; }
  SUBCASE("deliveries") { wanted.max_deliveries = 4; }
  SUBCASE("fewer groups") { wanted.groups = std::vector<GroupOptions>{{"a"}}; }
  SUBCASE("another name") {
    wanted.groups = std::vector<GroupOptions>{{"a"}, {"c", Overflow::latest}};
  }
  SUBCASE("another overflow") { wanted.groups = std::vector<GroupOptions>{{"a"}, {"b"}}; }
  CHECK(whyNot(name, wanted) == ErrorCode::incompatible);
}

TEST_CASE("a ring agrees by its size in whole pages") {
  TemporaryName name("unit");
  QueueOptions options;
  options.bytes = 5000;
  const auto queue = openQueue(name, options);
  CHECK(queue->capacity() == roundUp(5000, pageBytes()));
  options.bytes = 5001;
  CHECK(openQueue(name, options)->capacity() == queue->capacity());
  options.bytes = 50'000;
  CHECK(whyNot(name, options) == ErrorCode::incompatible);
  CHECK(whyNot(name, optionsFor(StoreKind::frames)) == ErrorCode::incompatible);
}
