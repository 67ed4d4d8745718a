// What the unit tests of the queue have in common.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "core/queue/queue.h"
#include "support/messages.h"
#include "support/names.h"

namespace zoo {

// Readable failures.
inline std::ostream& operator<<(std::ostream& out, Status status) {
  return out << "status " << static_cast<int64_t>(status);
}
inline std::ostream& operator<<(std::ostream& out, ErrorCode code) {
  return out << "error code " << static_cast<uint32_t>(code);
}

namespace test {

inline QueueOptions optionsFor(StoreKind store) {
  QueueOptions options;
  if (store == StoreKind::ring) {
    options.bytes = 16384;
  } else {
    options.slots = 8;
    options.slot_bytes = 2000;
  }
  return options;
}

inline std::unique_ptr<Queue> openQueue(const std::string& name, const QueueOptions& options,
                                        OpenMode mode = OpenMode::either) {
  Result<std::unique_ptr<Queue>> queue = Queue::open(name, mode, options);
  REQUIRE_MESSAGE(queue, queue.error().text);
  return queue.take();
}

inline ErrorCode whyNot(const std::string& name, const QueueOptions& options,
                        OpenMode mode = OpenMode::either) {
  Result<std::unique_ptr<Queue>> queue = Queue::open(name, mode, options);
  REQUIRE_FALSE(queue);
  CHECK(std::string(queue.error().text).size() > 10);
  return queue.error().code;
}

inline Status put(Queue& queue, uint64_t id, uint32_t bytes = 100) {
  const std::vector<std::byte> message = messageOf(id, bytes);
  return queue.put(message.data(), message.size());
}

// The id of the next message, 0: none.
inline uint64_t take(Queue& queue) {
  std::vector<std::byte> target(32768);
  uint64_t size = 0, id = 0;
  if (queue.take(target.data(), target.size(), size) != Status::ok) return 0;
  CHECK(readMessage(target.data(), size, id));
  return id;
}

struct Taken {
  Status status = Status::would_block;
  Cursor cursor = 0;
  Claim claim;
  uint64_t id = 0;
};

inline Taken claim(Queue& queue, bool dead_letter = false) {
  Taken taken;
  taken.status = dead_letter ? queue.claimDead(taken.cursor, taken.claim)
                             : queue.claim(taken.cursor, taken.claim);
  if (taken.status != Status::ok) return taken;
  CHECK(readMessage(queue.data() + queue.payloadOffset(taken.claim), taken.claim.payload_bytes,
                    taken.id));
  return taken;
}

inline uint64_t fill(Queue& queue, uint64_t first_id, uint32_t bytes) {
  uint64_t count = 0;
  while (put(queue, first_id + count, bytes) == Status::ok) ++count;
  return count;
}

}  // namespace test
}  // namespace zoo

// The body runs once with each store in `store`. Not together with other subcases beside it.
#define ON_BOTH_STORES                              \
  zoo::StoreKind store = zoo::StoreKind::ring;      \
  SUBCASE("ring") { store = zoo::StoreKind::ring; } \
  SUBCASE("frames") { store = zoo::StoreKind::frames; }
