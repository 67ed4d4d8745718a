#include "support/unit.h"

using namespace zoo;
using namespace zoo::test;

namespace {

QueueOptions withGroups(StoreKind store, std::vector<GroupOptions> groups, const char* group) {
  QueueOptions options = optionsFor(store);
  options.groups = std::move(groups);
  options.group = group;
  return options;
}

}  // namespace

TEST_CASE("every group gets every message, consumers of one share") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const std::vector<GroupOptions> groups = {{"a"}, {"b"}, {"c"}};
  const auto a1 = openQueue(name, withGroups(store, groups, "a"));
  const auto a2 = openQueue(name, withGroups(store, groups, "a"));
  const auto b = openQueue(name, withGroups(store, groups, "b"));
  const auto c = openQueue(name, withGroups(store, groups, "c"));
  for (uint64_t round = 0; round < 20; ++round) {
    const uint64_t id = round * 4 + 1;
    for (uint64_t next = id; next < id + 4; ++next) CHECK(put(*a1, next) == Status::ok);
    CHECK(take(*a1) == id);
    CHECK(take(*a2) == id + 1);
    CHECK(take(*a2) == id + 2);
    CHECK(take(*a1) == id + 3);
    CHECK(take(*a1) == 0);
    for (uint64_t next = id; next < id + 4; ++next) CHECK(take(*b) == next);
    CHECK(c->length() == 4);
    for (uint64_t next = id; next < id + 4; ++next) CHECK(take(*c) == next);
  }
}

TEST_CASE("a blocking group makes the producer wait, whatever the others have done") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const std::vector<GroupOptions> groups = {{"fast"}, {"slow"}};
  const auto fast = openQueue(name, withGroups(store, groups, "fast"));
  const auto slow = openQueue(name, withGroups(store, groups, "slow"));
  const uint64_t room = fill(*fast, 1, 1000);
  while (take(*fast) != 0) {
  }
  CHECK(put(*fast, room + 1, 1000) == Status::would_block);
  CHECK(take(*slow) == 1);
  CHECK(put(*fast, room + 1, 1000) == Status::ok);
}

TEST_CASE("dropOldest: the oldest unclaimed give way and are counted, a claimed one never does") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto queue =
      openQueue(name, withGroups(store, {{"viewer", Overflow::drop_oldest}}, "viewer"));
  CHECK(put(*queue, 1, 1000) == Status::ok);
  const Taken held = claim(*queue);
  uint64_t last = 1;
  while (last < 500 && put(*queue, last + 1, 1000) == Status::ok) ++last;
  // In a ring what lies behind the held one cannot be used again, in frames everything else can.
  CHECK((store == StoreKind::ring ? last < 500 : last == 500));
  uint64_t id = 0;
  CHECK(
      readMessage(queue->data() + queue->payloadOffset(held.claim), held.claim.payload_bytes, id));
  CHECK(id == 1);
  CHECK(queue->release(held.cursor) == Status::ok);
  for (int count = 0; count < 100; ++count) CHECK(put(*queue, ++last, 1000) == Status::ok);
  const GroupStats stats = queue->stats().groups[0];
  CHECK(stats.dropped > 80);
  CHECK(stats.dropped + stats.backlog + 1 == last);
  CHECK(take(*queue) == last - stats.backlog + 1);
}

TEST_CASE("latest: the newest comes, the older ones count as dropped") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto queue = openQueue(name, withGroups(store, {{"viewer", Overflow::latest}}, "viewer"));
  for (uint64_t id = 1; id <= 5; ++id) CHECK(put(*queue, id) == Status::ok);
  const Taken newest = claim(*queue);
  CHECK(newest.id == 5);
  CHECK(queue->length() == 0);
  CHECK(queue->stats().groups[0].dropped == 4);
  for (uint64_t id = 6; id <= 40; ++id) CHECK(put(*queue, id) == Status::ok);
  CHECK(take(*queue) == 40);
  uint64_t id = 0;
  CHECK(readMessage(queue->data() + queue->payloadOffset(newest.claim), newest.claim.payload_bytes,
                    id));
  CHECK(id == 5);
  CHECK(queue->release(newest.cursor) == Status::ok);
}

TEST_CASE("groups that drop do not hurt one that blocks") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const std::vector<GroupOptions> groups = {
      {"all"}, {"old", Overflow::drop_oldest}, {"new", Overflow::latest}};
  const auto all = openQueue(name, withGroups(store, groups, "all"));
  const auto old = openQueue(name, withGroups(store, groups, "old"));
  const auto newest = openQueue(name, withGroups(store, groups, "new"));
  for (uint64_t id = 1; id <= 100; ++id) {
    CHECK(put(*all, id, 1000) == Status::ok);
    CHECK(take(*all) == id);
  }
  CHECK(take(*newest) == 100);
  const QueueStats stats = all->stats();
  CHECK(stats.groups[1].dropped + stats.groups[1].backlog == 100);
  CHECK(stats.groups[1].dropped > 80);
  CHECK(stats.groups[2].dropped == 99);
  CHECK(take(*old) == stats.groups[1].dropped + 1);
}

TEST_CASE("a viewer that holds one frame costs one slot") {
  TemporaryName name("unit");
  const auto queue = openQueue(name, withGroups(StoreKind::frames, {{"all"}}, "all"));
  CHECK(put(*queue, 1) == Status::ok);
  const Taken held = claim(*queue);
  for (uint64_t id = 2; id < 100; ++id) {
    CHECK(put(*queue, id) == Status::ok);
    CHECK(take(*queue) == id);
  }
  CHECK(fill(*queue, 100, 100) == 7);
  const QueueStats stats = queue->stats();
  CHECK(stats.groups[0].claimed == 1);
  CHECK(stats.groups[0].oldest_claim.slot == queue->slot());
  CHECK(stats.groups[0].oldest_claim.pid == static_cast<uint32_t>(getpid()));
  CHECK(stats.blocked_bytes == unitsFor(2000) * 64);
  CHECK(queue->release(held.cursor) == Status::ok);
}
