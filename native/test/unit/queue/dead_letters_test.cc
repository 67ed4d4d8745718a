#include "support/unit.h"

using namespace zoo;
using namespace zoo::test;

namespace {

QueueOptions fewDeliveries(StoreKind store, uint32_t most) {
  QueueOptions options = optionsFor(store);
  options.max_deliveries = most;
  return options;
}

void makeDeadLetter(Queue& queue, uint64_t id, uint32_t bytes) {
  CHECK(put(queue, id, bytes) == Status::ok);
  const Taken taken = claim(queue);
  CHECK(taken.id == id);
  CHECK(queue.reject(taken.cursor) == Status::ok);
}

}  // namespace

TEST_CASE("a rejected message comes back, counted, until it is a dead letter") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto queue = openQueue(name, fewDeliveries(store, 3));
  CHECK(put(*queue, 1) == Status::ok);
  CHECK(put(*queue, 2) == Status::ok);
  for (uint32_t delivery = 1; delivery <= 3; ++delivery) {
    const Taken taken = claim(*queue);
    CHECK(taken.id == 1);
    CHECK(taken.claim.deliveries == delivery);
    CHECK(queue->reject(taken.cursor) == Status::ok);
    CHECK(queue->reject(taken.cursor) == Status::bad_cursor);
  }
  CHECK(queue->length() == 1);
  CHECK(take(*queue) == 2);
  CHECK(take(*queue) == 0);
  const Taken dead = claim(*queue, true);
  CHECK(dead.id == 1);
  CHECK(dead.claim.dead_letter);
  CHECK(claim(*queue, true).status == Status::would_block);
  CHECK(queue->reject(dead.cursor) == Status::ok);
  const Taken again = claim(*queue, true);
  CHECK(again.id == 1);
  CHECK(queue->release(again.cursor) == Status::ok);
  CHECK(claim(*queue, true).status == Status::would_block);
  const QueueStats stats = queue->stats();
  CHECK(stats.messages == 0);
  CHECK(stats.bytes == 0);
  CHECK(stats.redelivered == 2);
}

TEST_CASE("dead letters do not hold up what comes behind them, and stay whole") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto queue = openQueue(name, fewDeliveries(store, 1));
  makeDeadLetter(*queue, 1, 700);
  makeDeadLetter(*queue, 2, 1000);
  for (uint64_t id = 3; id < 400; ++id) {
    CHECK(put(*queue, id, static_cast<uint32_t>(16 + id * 53 % 1900)) == Status::ok);
    CHECK(take(*queue) == id);
  }
  std::vector<uint64_t> ids;
  for (int count = 0; count < 2; ++count) {
    const Taken dead = claim(*queue, true);
    REQUIRE(dead.status == Status::ok);
    ids.push_back(dead.id);
  }
  CHECK(ids[0] + ids[1] == 3);
  CHECK(queue->stats().dead_given_up == 0);
}

TEST_CASE("dead letters that fill more than half of the store are given up, the oldest first") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto queue = openQueue(name, fewDeliveries(store, 1));
  for (uint64_t id = 1; id <= 40; ++id) makeDeadLetter(*queue, id, 1500);
  const QueueStats stats = queue->stats();
  CHECK(stats.dead_given_up > 25);
  const Taken dead = claim(*queue, true);
  CHECK(dead.id == stats.dead_given_up + 1);
}

TEST_CASE("a dead letter in one group is an ordinary message in another") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  QueueOptions options = fewDeliveries(store, 1);
  options.groups = std::vector<GroupOptions>{{"a"}, {"b"}};
  const auto a = openQueue(name, options);
  options.group = "b";
  const auto b = openQueue(name, options);
  makeDeadLetter(*a, 1, 100);
  CHECK(claim(*b, true).status == Status::would_block);
  CHECK(take(*b) == 1);
  CHECK(claim(*a, true).id == 1);
}
