// The end of a queue is not said while messages lie behind a reservation of somebody who is no writer
// yet: a handle counts as a writer from its first commit on.
#include "support/unit.h"

namespace zoo::test {
namespace {

struct Behind {
  explicit Behind(StoreKind store)
      : name("end-reservation"),
        slow(openQueue(name, optionsFor(store))),
        writer(openQueue(name, optionsFor(store))),
        reader(openQueue(name, optionsFor(store))) {
    uint64_t offset = 0;
    REQUIRE(slow->reserve(100, reservation, offset) == Status::ok);
    REQUIRE(put(*writer, 1) == Status::ok);
  }

  TemporaryName name;
  std::unique_ptr<Queue> slow, writer, reader;
  Cursor reservation = 0;
};

}  // namespace

TEST_CASE("what a writer put before it ended comes before the end, also behind a reservation") {
  ON_BOTH_STORES
  Behind queues(store);
  queues.writer->end();
  CHECK(claim(*queues.reader).status == Status::would_block);
  CHECK(queues.slow->commit(queues.reservation, 100) == Status::ended);
  CHECK(take(*queues.reader) == 1);
  CHECK(claim(*queues.reader).status == Status::ended);
}

TEST_CASE("what a writer put before it died comes before the news, also behind a reservation") {
  ON_BOTH_STORES
  Behind queues(store);
  queues.writer->abandon();
  CHECK(queues.reader->lookAround() == 1);
  CHECK(claim(*queues.reader).status == Status::would_block);
  CHECK(queues.slow->abort(queues.reservation) == Status::ok);
  CHECK(take(*queues.reader) == 1);
  CHECK(claim(*queues.reader).status == Status::peer_died);
}

}  // namespace zoo::test
