#include "support/unit.h"

using namespace zoo;
using namespace zoo::test;

TEST_CASE("statistics say who is there and what he does") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  QueueOptions options = optionsFor(store);
  options.groups = std::vector<GroupOptions>{{"a"}, {"b", Overflow::latest}};
  options.label = "camera";
  const auto camera = openQueue(name, options);
  options.label = "a label that is much longer than the thirty-one bytes there are";
  options.group = "b";
  const auto viewer = openQueue(name, options);
  CHECK(put(*camera, 1) == Status::ok);
  const QueueStats stats = viewer->stats();
  REQUIRE(stats.participants.size() == 2);
  CHECK(stats.participants[0].label == "camera");
  CHECK(stats.participants[0].writer);
  CHECK_FALSE(stats.participants[0].ended);
  CHECK(stats.participants[1].label == "a label that is much longer tha");
  CHECK(stats.participants[1].group == "b");
  CHECK_FALSE(stats.participants[1].writer);
  CHECK(stats.participants[1].pid == static_cast<uint32_t>(getpid()));
  CHECK(stats.messages == 1);
  CHECK(stats.bytes > 0);
  CHECK(stats.groups[0].name == "a");
  CHECK(stats.groups[0].backlog == 1);
  CHECK(stats.groups[1].overflow == Overflow::latest);
  CHECK(stats.groups[0].oldest_claim.slot == kNoSlot);
}

TEST_CASE("the oldest claim is that of the one who holds longest") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  QueueOptions options = optionsFor(store);
  options.label = "slow";
  const auto slow = openQueue(name, options);
  const auto other = openQueue(name, optionsFor(store));
  for (uint64_t id = 1; id <= 3; ++id) CHECK(put(*slow, id) == Status::ok);
  const Taken one = claim(*slow);
  const Taken two = claim(*slow);
  CHECK(other->stats().groups[0].oldest_claim.label == "slow");
  CHECK(slow->release(one.cursor) == Status::ok);
  CHECK(other->stats().groups[0].oldest_claim.label == "slow");
  CHECK(slow->release(two.cursor) == Status::ok);
  CHECK(other->stats().groups[0].oldest_claim.slot == kNoSlot);
}

TEST_CASE("counts stay exact when participants come and go") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto keeper = openQueue(name, optionsFor(store));
  CHECK(put(*keeper, 1) == Status::ok);
  for (uint64_t round = 0; round < 20; ++round) {
    const auto guest = openQueue(name, optionsFor(store));
    CHECK(put(*guest, round + 2) == Status::ok);
    CHECK(take(*guest) == round + 1);
    if (round % 2 == 0) guest->abandon();
    keeper->lookAround();
    CHECK(keeper->length() == 1);
    CHECK(keeper->stats().puts == round + 2);
    CHECK(keeper->stats().gets == round + 1);
  }
}
