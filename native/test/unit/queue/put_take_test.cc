#include <numeric>

#include "support/unit.h"

using namespace zoo;
using namespace zoo::test;

TEST_CASE("what is put comes out once, in order, byte for byte") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto writer = openQueue(name, optionsFor(store));
  const auto reader = openQueue(name, optionsFor(store));
  CHECK(writer->created());
  CHECK_FALSE(reader->created());
  uint64_t next = 1;
  for (int round = 0; round < 200; ++round) {
    for (uint64_t id = next; id < next + 5; ++id) {
      CHECK(put(*writer, id, static_cast<uint32_t>(16 + id * 37 % 1900)) == Status::ok);
    }
    CHECK(reader->length() == 5);
    for (int count = 0; count < 5; ++count) CHECK(take(*reader) == next++);
    CHECK(take(*reader) == 0);
  }
  CHECK(reader->stats().puts == 1000);
  CHECK(reader->stats().gets == 1000);
}

TEST_CASE("a full queue refuses, and takes again what was made room for") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto queue = openQueue(name, optionsFor(store));
  const uint64_t room = fill(*queue, 1, 2000);
  CHECK(room == (store == StoreKind::ring ? 7 : 8));
  CHECK(put(*queue, 100, 2000) == Status::would_block);
  CHECK(take(*queue) == 1);
  CHECK(put(*queue, room + 1, 2000) == Status::ok);
  CHECK(put(*queue, 100, 2000) == Status::would_block);
  for (uint64_t id = 2; id <= room + 1; ++id) CHECK(take(*queue) == id);
}

TEST_CASE("the largest message fits, one byte more never does") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto queue = openQueue(name, optionsFor(store));
  for (int round = 0; round < 20; ++round) {
    CHECK(put(*queue, 1, static_cast<uint32_t>(queue->limit())) == Status::ok);
    CHECK(take(*queue) == 1);
    CHECK(put(*queue, 2, 16 + static_cast<uint32_t>(round) * 50) == Status::ok);
    CHECK(take(*queue) == 2);
  }
  CHECK(put(*queue, 3, static_cast<uint32_t>(queue->limit()) + 1) == Status::too_large);
}

TEST_CASE("an empty message is a message") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto queue = openQueue(name, optionsFor(store));
  CHECK(queue->put(nullptr, 0) == Status::ok);
  std::byte target[1];
  uint64_t size = 9;
  CHECK(queue->take(target, 1, size) == Status::ok);
  CHECK(size == 0);
}

TEST_CASE("a target that is too small is told the size and takes nothing") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto queue = openQueue(name, optionsFor(store));
  CHECK(put(*queue, 1, 500) == Status::ok);
  std::byte target[100];
  uint64_t size = 0;
  CHECK(queue->take(target, sizeof target, size) == Status::slab_too_small);
  CHECK(size == 500);
  CHECK(take(*queue) == 1);
}

TEST_CASE("reservations: nobody sees them, order is that of reserving, fewer bytes may be used") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto queue = openQueue(name, optionsFor(store));
  Cursor one = 0, two = 0;
  uint64_t at_one = 0, at_two = 0;
  CHECK(queue->reserve(1000, one, at_one) == Status::ok);
  CHECK(queue->reserve(1000, two, at_two) == Status::ok);
  CHECK(at_one % 64 == 0);
  fillMessage(queue->data() + at_two, 2, 900);
  CHECK(queue->commit(two, 900) == Status::ok);
  CHECK(take(*queue) == 0);
  fillMessage(queue->data() + at_one, 1, 40);
  CHECK(queue->commit(one, 1001) == Status::too_large);
  CHECK(queue->commit(one, 40) == Status::ok);
  CHECK(queue->commit(one, 40) == Status::bad_cursor);
  CHECK(queue->abort(two) == Status::bad_cursor);
  CHECK(take(*queue) == 1);
  CHECK(take(*queue) == 2);
}

TEST_CASE("an aborted reservation never appears and does not hold up what lies behind it") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto queue = openQueue(name, optionsFor(store));
  Cursor cursor = 0;
  uint64_t offset = 0;
  CHECK(queue->reserve(1000, cursor, offset) == Status::ok);
  CHECK(put(*queue, 2) == Status::ok);
  CHECK(queue->stats().oldest_reservation_ms >= 0);
  CHECK(take(*queue) == 0);
  CHECK(queue->abort(cursor) == Status::ok);
  CHECK(take(*queue) == 2);
  CHECK(queue->stats().oldest_reservation_ms == -1);
  CHECK(queue->stats().bytes == 0);
}

TEST_CASE("a batch takes what there is room for and says how many") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto queue = openQueue(name, optionsFor(store));
  std::vector<uint64_t> ids(20);
  std::iota(ids.begin(), ids.end(), 1);
  for (const uint32_t bytes : {2000u, 900u}) {
    const std::vector<std::byte> packed = packedMessages(ids, bytes);
    const std::vector<uint32_t> sizes(ids.size(), bytes);
    const uint32_t room = store == StoreKind::frames ? 8 : bytes == 2000 ? 7 : 16;
    uint32_t many = 0;
    CHECK(queue->putPacked(packed.data(), sizes.data(), 20, many) == Status::ok);
    CHECK(many == room);
    CHECK(queue->putPacked(packed.data(), sizes.data(), 20, many) == Status::would_block);
    CHECK(many == 0);
    for (uint64_t id = 1; id <= room; ++id) CHECK(take(*queue) == id);
  }
  const auto too_large = static_cast<uint32_t>(queue->limit() + 1);
  uint32_t many = 0;
  const std::vector<std::byte> bytes(too_large);
  CHECK(queue->putPacked(bytes.data(), &too_large, 1, many) == Status::too_large);
}

TEST_CASE("several views are out at once and are given back in any order") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto queue = openQueue(name, optionsFor(store));
  for (uint64_t id = 1; id <= 4; ++id) CHECK(put(*queue, id) == Status::ok);
  std::vector<Taken> views;
  for (uint64_t id = 1; id <= 4; ++id) {
    views.push_back(claim(*queue));
    CHECK(views.back().id == id);
    CHECK(views.back().claim.deliveries == 1);
  }
  CHECK(queue->stats().groups[0].claimed == 4);
  for (int index : {2, 0, 3, 1})
    CHECK(queue->release(views[static_cast<size_t>(index)].cursor) == Status::ok);
  CHECK(queue->release(views[0].cursor) == Status::bad_cursor);
  CHECK(queue->release(-5) == Status::bad_cursor);
  CHECK(queue->stats().messages == 0);
}

TEST_CASE("what a handle holds when it closes is offered again") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto keeper = openQueue(name, optionsFor(store));
  auto worker = openQueue(name, optionsFor(store));
  for (uint64_t id = 1; id <= 3; ++id) CHECK(put(*keeper, id) == Status::ok);
  CHECK(claim(*worker).id == 1);
  CHECK(claim(*keeper).id == 2);
  worker->close();
  const Taken again = claim(*keeper);
  CHECK(again.id == 1);
  CHECK(again.claim.deliveries == 2);
  CHECK(claim(*keeper).id == 3);
  CHECK(keeper->stats().redelivered == 1);
}

TEST_CASE("what a handle holds when it is gone without a word is offered again") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto keeper = openQueue(name, optionsFor(store));
  auto worker = openQueue(name, optionsFor(store));
  for (uint64_t id = 1; id <= 2; ++id) CHECK(put(*keeper, id) == Status::ok);
  CHECK(claim(*worker).id == 1);
  worker->abandon();
  CHECK(claim(*keeper).id == 2);
  CHECK(claim(*keeper).status == Status::would_block);
  CHECK(keeper->lookAround() == 1);
  const Taken again = claim(*keeper);
  CHECK(again.id == 1);
  CHECK(again.claim.deliveries == 2);
  CHECK(keeper->stats().reaped == 1);
}
