// Emptying a queue, and what came out of it.
#pragma once

#include <vector>

#include "core/queue/queue.h"
#include "support/kill_driver.h"
#include "support/messages.h"

namespace zoo::test {

struct Seen {
  uint64_t id;
  uint64_t seq;
  uint32_t deliveries;
  bool dead_letter;
};

struct Drained {
  std::vector<Seen> messages;

  const Seen* find(uint64_t id) const {
    for (const Seen& seen : messages) {
      if (seen.id == id) return &seen;
    }
    return nullptr;
  }
  uint32_t times(uint64_t id) const {
    uint32_t count = 0;
    for (const Seen& seen : messages) count += seen.id == id;
    return count;
  }
};

inline unsigned long long printable(uint64_t value) { return value; }

inline bool finishOne(Queue& queue) {
  Cursor cursor = 0;
  Claim claim;
  return queue.claim(cursor, claim) == Status::ok && queue.release(cursor) == Status::ok;
}

namespace detail {
inline bool noteDrained(Queue& queue, Status status, const Cursor& cursor, const Claim& claim,
                        Drained& drained) {
  KillDriver& driver = KillDriver::instance();
  if (status == Status::corrupt) driver.fail("corrupt: %s", queue.corruption().c_str());
  if (status != Status::ok) return false;
  uint64_t id = 0;
  if (!readMessage(queue.data() + queue.payloadOffset(claim), claim.payload_bytes, id)) {
    driver.fail("a message of %u bytes is torn", claim.payload_bytes);
  }
  drained.messages.push_back({id, claim.seq, claim.deliveries, claim.dead_letter});
  if (queue.release(cursor) != Status::ok) driver.fail("a message cannot be released");
  return true;
}
}  // namespace detail

inline bool drainOne(Queue& queue, Drained& drained) {
  Cursor cursor = 0;
  Claim claim;
  return detail::noteDrained(queue, queue.claim(cursor, claim), cursor, claim, drained);
}
inline bool drainOneDead(Queue& queue, Drained& drained) {
  Cursor cursor = 0;
  Claim claim;
  return detail::noteDrained(queue, queue.claimDead(cursor, claim), cursor, claim, drained);
}

}  // namespace zoo::test
