// What channels and pipes add to a queue: a largest number of messages, a failure that stays, and
// ends that know of each other.
#include <cstring>

#include "support/processes.h"
#include "support/unit.h"

using namespace zoo;
using namespace zoo::test;

namespace {

QueueOptions channelOptions(uint32_t most = 0) {
  QueueOptions options = optionsFor(StoreKind::ring);
  options.kind = SegmentKind::channel;
  options.codec = "msgpack";
  options.most_messages = most;
  return options;
}

QueueOptions pipeOptions(PipeEnd end) {
  QueueOptions options = optionsFor(StoreKind::ring);
  options.kind = SegmentKind::pipe;
  options.end = end;
  return options;
}

QueueOptions toOpen(SegmentKind kind) {
  QueueOptions options;
  options.kind = kind;
  return options;
}

std::unique_ptr<Queue> other(const std::string& name, SegmentKind kind) {
  return openQueue(name, toOpen(kind), OpenMode::open);
}

std::string failureOf(const Queue& queue) {
  uint64_t size = 0;
  const std::byte* bytes = queue.failure(size);
  return bytes == nullptr ? "damaged" : std::string(reinterpret_cast<const char*>(bytes), size);
}

void fail(Queue& queue, const char* text) { queue.fail(text, std::strlen(text)); }

}  // namespace

TEST_CASE("a channel takes so many messages and no more, whatever they are put with") {
  TemporaryName name("unit");
  const auto one = openQueue(name, channelOptions(3), OpenMode::create);
  const auto two = other(name, SegmentKind::channel);
  CHECK(put(*one, 1) == Status::ok);
  CHECK(put(*two, 2, 3000) == Status::ok);
  Cursor cursor = 0;
  uint64_t offset = 0;
  CHECK(one->reserve(100, cursor, offset) == Status::ok);
  CHECK(put(*two, 4) == Status::would_block);
  CHECK(two->room() == 0);
  CHECK(one->abort(cursor) == Status::ok);
  const std::vector<std::byte> packed = packedMessages({4, 5, 6}, 50);
  const uint32_t sizes[] = {50, 50, 50};
  uint32_t many = 0;
  CHECK(two->putPacked(packed.data(), sizes, 3, many) == Status::ok);
  CHECK(many == 1);
  CHECK(put(*one, 5) == Status::would_block);
  CHECK(take(*one) == 1);
  CHECK(put(*one, 5) == Status::ok);
  CHECK(put(*one, 6) == Status::would_block);
}

TEST_CASE("a reservation of the dead does not count") {
  TemporaryName name("unit");
  const auto queue = openQueue(name, channelOptions(1), OpenMode::create);
  const pid_t child = startChild([&] {
    Queue* mine = Queue::open(name, OpenMode::open, toOpen(SegmentKind::channel)).take().release();
    Cursor cursor = 0;
    uint64_t offset = 0;
    mine->reserve(100, cursor, offset);
    dieHere();
  });
  CHECK(waitForEnd(child).killed);
  CHECK(put(*queue, 1) == Status::would_block);
  queue->lookAround();
  CHECK(put(*queue, 1) == Status::ok);
}

TEST_CASE("the oldest message of a dropping channel gives way to one too many") {
  TemporaryName name("unit");
  QueueOptions options = channelOptions(2);
  options.groups = std::vector<GroupOptions>{{"default", Overflow::drop_oldest}};
  const auto queue = openQueue(name, options, OpenMode::create);
  for (uint64_t id = 1; id <= 9; ++id) CHECK(put(*queue, id) == Status::ok);
  CHECK(queue->length() == 2);
  CHECK(take(*queue) == 8);
  CHECK(take(*queue) == 9);
  CHECK(queue->stats().groups[0].dropped == 7);
}

TEST_CASE("a failure ends the channel for all, after what was put, and stays") {
  TemporaryName name("unit");
  const auto one = openQueue(name, channelOptions(), OpenMode::create);
  const auto two = other(name, SegmentKind::channel);
  CHECK(put(*two, 1) == Status::ok);
  Cursor cursor = 0;
  uint64_t offset = 0;
  CHECK(one->reserve(100, cursor, offset) == Status::ok);
  fail(*two, "broken");
  CHECK(take(*one) == 1);
  // What was reserved before may still be committed, and would come before the error.
  CHECK(claim(*one).status == Status::would_block);
  CHECK(one->abort(cursor) == Status::ok);
  CHECK(claim(*one).status == Status::failed);
  CHECK(one->deadPid() == static_cast<uint32_t>(getpid()));
  CHECK(put(*one, 2) == Status::ended);
  fail(*one, "a later one changes nothing");
  one->end();
  const auto late = other(name, SegmentKind::channel);
  CHECK(claim(*late).status == Status::failed);
  CHECK(failureOf(*late) == "broken");
  CHECK(late->becomeWriter() == Status::ended);
}

TEST_CASE("a channel at its end cannot fail, and a queue never does") {
  TemporaryName name("unit");
  const auto one = openQueue(name, channelOptions(), OpenMode::create);
  CHECK(put(*one, 1) == Status::ok);
  one->end();
  const auto two = other(name, SegmentKind::channel);
  fail(*two, "too late");
  CHECK(take(*two) == 1);
  CHECK(claim(*two).status == Status::ended);
  CHECK(failureOf(*two).empty());
  TemporaryName plain("unit");
  const auto queue = openQueue(plain, optionsFor(StoreKind::ring));
  CHECK(put(*queue, 1) == Status::ok);
  fail(*queue, "a queue only ends");
  CHECK(take(*queue) == 1);
  CHECK(claim(*queue).status == Status::ended);
}

TEST_CASE("who opens a pipe gets the end that its creator left, once") {
  for (const PipeEnd end : {PipeEnd::writer, PipeEnd::reader}) {
    TemporaryName name("unit");
    const auto creator = openQueue(name, pipeOptions(end), OpenMode::create);
    CHECK(creator->pipeEnd() == end);
    auto opener = other(name, SegmentKind::pipe);
    CHECK(opener->pipeEnd() == otherEnd(end));
    CHECK(whyNot(name, toOpen(SegmentKind::pipe), OpenMode::open) == ErrorCode::full);
    opener->close();
    CHECK(whyNot(name, toOpen(SegmentKind::pipe), OpenMode::open) == ErrorCode::full);
    creator->close();
    // Nobody uses it any more: whoever waits for a pipe waits for the next one.
    CHECK(whyNot(name, toOpen(SegmentKind::pipe), OpenMode::open) == ErrorCode::notFound);
  }
}

TEST_CASE("a writer learns that the reader of its pipe has closed or died") {
  TemporaryName name("unit");
  const auto writer = openQueue(name, pipeOptions(PipeEnd::writer), OpenMode::create);
  CHECK(put(*writer, 1) == Status::ok);
  uint32_t pid = 1;
  CHECK_FALSE(writer->readerLeft(pid));
  SUBCASE("closed") {
    other(name, SegmentKind::pipe)->close();
    CHECK(writer->readerLeft(pid));
    CHECK(pid == 0);
  }
  SUBCASE("died") {
    const pid_t child = startChild([&] {
      Queue::open(name, OpenMode::open, toOpen(SegmentKind::pipe)).take().release();
      dieHere();
    });
    CHECK(waitForEnd(child).killed);
    CHECK(put(*writer, 2) == Status::ok);
    CHECK(writer->lookAround() == 1);
    CHECK(writer->readerLeft(pid));
    CHECK(pid == static_cast<uint32_t>(child));
  }
  CHECK(put(*writer, 3) == Status::no_reader);
}

TEST_CASE("who makes a channel counts as a writer, who opens it does not") {
  TemporaryName name("unit");
  const pid_t child = startChild([&] {
    Queue::open(name, OpenMode::create, channelOptions()).take().release();
    dieHere();
  });
  CHECK(waitForEnd(child).killed);
  const auto reader = other(name, SegmentKind::channel);
  CHECK(claim(*reader).status == Status::peer_died);
  CHECK(reader->deadPid() == static_cast<uint32_t>(child));
}

TEST_CASE("channels, pipes and queues are not taken for each other") {
  TemporaryName name("unit");
  const auto channel = openQueue(name, channelOptions(), OpenMode::create);
  CHECK(channel->codec() == "msgpack");
  CHECK(whyNot(name, toOpen(SegmentKind::pipe), OpenMode::open) == ErrorCode::wrongKind);
  CHECK(whyNot(name, toOpen(SegmentKind::queue), OpenMode::open) == ErrorCode::wrongKind);
  CHECK_FALSE(Queue::unlink<SegmentKind::queue>(name));
  Result<bool> removed = Queue::unlink<SegmentKind::channel>(name);
  REQUIRE(removed);
  CHECK(*removed);
}
