#include "support/processes.h"
#include "support/unit.h"

using namespace zoo;
using namespace zoo::test;

TEST_CASE("the end comes after the last message, when the last writer has ended") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto one = openQueue(name, optionsFor(store));
  const auto two = openQueue(name, optionsFor(store));
  const auto reader = openQueue(name, optionsFor(store));
  CHECK(claim(*reader).status == Status::would_block);
  CHECK(put(*one, 1) == Status::ok);
  CHECK(put(*two, 2) == Status::ok);
  one->end();
  CHECK(put(*one, 9) == Status::ended);
  CHECK(take(*reader) == 1);
  CHECK(take(*reader) == 2);
  CHECK(claim(*reader).status == Status::would_block);
  two->end();
  CHECK(claim(*reader).status == Status::ended);
  CHECK(put(*reader, 9) == Status::ended);
  CHECK(openQueue(name, optionsFor(store))->becomeWriter() == Status::ended);
}

TEST_CASE("closing a writer ends it, closing a mere reader does not") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto writer = openQueue(name, optionsFor(store));
  const auto reader = openQueue(name, optionsFor(store));
  openQueue(name, optionsFor(store))->close();
  CHECK(put(*writer, 1) == Status::ok);
  CHECK(claim(*reader).id == 1);
  writer->close();
  CHECK(claim(*reader).status == Status::ended);
}

TEST_CASE("what another consumer holds may come back, so the end waits for it") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto writer = openQueue(name, optionsFor(store));
  const auto one = openQueue(name, optionsFor(store));
  const auto two = openQueue(name, optionsFor(store));
  CHECK(put(*writer, 1) == Status::ok);
  const Taken held = claim(*one);
  writer->end();
  CHECK(claim(*two).status == Status::would_block);
  CHECK(one->reject(held.cursor) == Status::ok);
  const Taken again = claim(*two);
  CHECK(again.id == 1);
  CHECK(claim(*one).status == Status::would_block);
  CHECK(two->release(again.cursor) == Status::ok);
  CHECK(claim(*one).status == Status::ended);
}

TEST_CASE("a writer that is killed is named, after its messages") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto reader = openQueue(name, optionsFor(store));
  const pid_t child = startChild([&] {
    Queue* queue = Queue::open(name, OpenMode::open, {}).take().release();
    const std::vector<std::byte> message = messageOf(1, 50);
    queue->put(message.data(), message.size());
    dieHere();
  });
  CHECK(waitForEnd(child).killed);
  CHECK(take(*reader) == 1);
  CHECK(reader->lookAround() == 1);
  CHECK(claim(*reader).status == Status::peer_died);
  CHECK(reader->deadPid() == static_cast<uint32_t>(child));
  // Another writer begins anew.
  CHECK(put(*reader, 2) == Status::ok);
  CHECK(take(*reader) == 2);
  CHECK(claim(*reader).status == Status::would_block);
}
