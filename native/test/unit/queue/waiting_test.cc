#include <poll.h>

#include <thread>

#include "core/os/doorbell.h"
#include "support/unit.h"

using namespace zoo;
using namespace zoo::test;

namespace {

bool rings(const Doorbell& bell) {
  pollfd descriptor = {bell.descriptor(), POLLIN, 0};
  return poll(&descriptor, 1, 30'000) == 1;
}

}  // namespace

TEST_CASE("a reader that waits is woken by a put, by an end, and by its time") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto reader = openQueue(name, optionsFor(store));
  CHECK(reader->waitReadable(kMillisecond) == Status::ok);
  std::thread writer([&] {
    Result<std::unique_ptr<Queue>> queue = Queue::open(name, OpenMode::open, {});
    const std::vector<std::byte> message = messageOf(5, 40);
    (*queue)->put(message.data(), message.size());
    (*queue)->close();
  });
  uint64_t id = 0;
  while (id == 0) {
    CHECK(reader->waitReadable(30'000 * kMillisecond) == Status::ok);
    id = take(*reader);
  }
  writer.join();
  CHECK(id == 5);
  CHECK(reader->waitReadable(30'000 * kMillisecond) == Status::ok);
  CHECK(claim(*reader).status == Status::ended);
}

TEST_CASE("a writer that waits is woken when room is made") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto writer = openQueue(name, optionsFor(store));
  const uint64_t room = fill(*writer, 1, 2000);
  std::thread reader([&] {
    Result<std::unique_ptr<Queue>> queue = Queue::open(name, OpenMode::open, {});
    std::byte target[4096];
    uint64_t size = 0;
    (*queue)->take(target, sizeof target, size);
    (*queue)->abandon();
  });
  while (put(*writer, room + 1, 2000) == Status::would_block) {
    CHECK(writer->waitWritable(2000, 30'000 * kMillisecond) == Status::ok);
  }
  reader.join();
}

TEST_CASE("an event loop that waits is rung, once, and passes on what it does not use") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  Result<Doorbell> bell = Doorbell::make();
  REQUIRE(bell);
  const auto one = openQueue(name, optionsFor(store));
  const auto two = openQueue(name, optionsFor(store));
  const auto writer = openQueue(name, optionsFor(store));
  CHECK(one->armRead(bell->id()) == Status::ok);
  CHECK(two->armRead(bell->id()) == Status::ok);
  CHECK_FALSE(one->wokenToRead());
  CHECK(put(*writer, 1) == Status::ok);
  CHECK(rings(*bell));
  CHECK(one->wokenToRead());
  CHECK_FALSE(two->wokenToRead());
  bell->silence();
  one->disarmRead();
  CHECK(two->wokenToRead());
  CHECK(rings(*bell));
  two->disarmRead();
  fill(*writer, 2, 2000);
  CHECK(writer->armWrite(bell->id()) == Status::ok);
  CHECK(take(*one) == 1);
  CHECK(writer->wokenToWrite());
  writer->disarmWrite();
}

TEST_CASE("those who wait on a name that was made anew are told") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto old = openQueue(name, optionsFor(store));
  CHECK(old->waitReadable(kMillisecond) == Status::ok);
  const Result<bool> removed = Queue::unlink(name);
  CHECK(removed);
  const auto fresh = openQueue(name, optionsFor(store), OpenMode::create);
  Status status = Status::ok;
  for (int attempt = 0; attempt < 1000 && status == Status::ok; ++attempt) {
    status = old->waitReadable(100 * kMillisecond);
  }
  CHECK(status == Status::gone);
  CHECK(old->armRead(1) == Status::gone);
  CHECK(put(*fresh, 1) == Status::ok);
}
