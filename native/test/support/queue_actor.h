// A process that uses a queue and writes down what it asks of it and what it
// gets.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "core/queue/queue.h"
#include "support/kill_driver.h"
#include "support/messages.h"
#include "support/queue_ledger.h"

namespace zoo::test {

// A handle on the queue whose every call goes into the ledger. Ends the process
// when a call does not answer what it should.
class Actor {
 public:
  Actor(QueueLedger& ledger, Queue& queue) : ledger_(ledger), queue_(queue) {}

  Queue& queue() { return queue_; }

  uint64_t put(uint32_t bytes) {
    const uint64_t id = tryPut(bytes);
    if (id == 0) KillDriver::instance().fail("put found no room");
    return id;
  }

  // 0: no room, or the queue is at its end.
  uint64_t tryPut(uint32_t bytes) {
    const uint64_t id = announce();
    const std::vector<std::byte> message = messageOf(id, bytes);
    const Status status = queue_.put(message.data(), message.size());
    if (status == Status::would_block || status == Status::ended) {
      ledger_.lines[id].put = Phase::none;
      return 0;
    }
    expect(status, "put");
    arrived(id);
    return id;
  }

  void putPacked(const std::vector<uint32_t>& sizes) {
    if (putPackedAsFits(sizes) != sizes.size()) {
      KillDriver::instance().fail("the packed messages found no room");
    }
  }

  // As many as there is room for.
  uint32_t putPackedAsFits(const std::vector<uint32_t>& sizes) {
    std::vector<uint64_t> ids;
    std::vector<std::byte> packed;
    for (uint32_t bytes : sizes) {
      ids.push_back(announce());
      const std::vector<std::byte> content = messageOf(ids.back(), bytes);
      packed.insert(packed.end(), content.begin(), content.end());
    }
    uint32_t put = 0;
    expect(queue_.putPacked(packed.data(), sizes.data(), static_cast<uint32_t>(sizes.size()), put),
           "putPacked");
    for (uint32_t index = 0; index < sizes.size(); ++index) {
      if (index < put)
        arrived(ids[index]);
      else
        ledger_.lines[ids[index]].put = Phase::none;
    }
    return put;
  }

  struct Reserved {
    uint64_t id;
    Cursor cursor;
    uint32_t bytes;
  };
  // Filled with `bytes`, of room for `bytes` + `spare`.
  Reserved reserve(uint32_t bytes, uint32_t spare = 0) {
    Reserved reserved = {announce(), 0, bytes};
    uint64_t offset = 0;
    expect(queue_.reserve(bytes + spare, reserved.cursor, offset), "reserve");
    fillMessage(queue_.data() + offset, reserved.id, bytes);
    return reserved;
  }
  void commit(const Reserved& reserved) {
    expect(queue_.commit(reserved.cursor, reserved.bytes), "commit");
    arrived(reserved.id);
  }
  // Never to be committed: nobody may see it.
  void ledgerGivesUp(const Reserved& reserved) { ledger_.lines[reserved.id].given_up = true; }
  void abort(const Reserved& reserved) {
    ledgerGivesUp(reserved);
    expect(queue_.abort(reserved.cursor), "abort");
  }

  void take(uint64_t id) {
    LedgerLine& line = ledger_.lines[id];
    line.finish = Phase::started;
    std::vector<std::byte> target(1 << 16);
    uint64_t size = 0;
    expect(queue_.take(target.data(), target.size(), size), "take");
    demand(target.data(), size, id);
    line.finish = Phase::returned;
  }

  Cursor claim(uint64_t id) {
    ledger_.lines[id].hold = Phase::started;
    Cursor cursor = 0;
    Claim claim;
    expect(queue_.claim(cursor, claim), "claim");
    demand(queue_.data() + queue_.payloadOffset(claim), claim.payload_bytes, id);
    ledger_.lines[id].hold = Phase::returned;
    return cursor;
  }
  Cursor claimDead(uint64_t id) {
    Cursor cursor = 0;
    Claim claim;
    expect(queue_.claimDead(cursor, claim), "claimDead");
    demand(queue_.data() + queue_.payloadOffset(claim), claim.payload_bytes, id);
    return cursor;
  }
  void release(uint64_t id, Cursor cursor) {
    ledger_.lines[id].finish = Phase::started;
    expect(queue_.release(cursor), "release");
    ledger_.lines[id].finish = Phase::returned;
  }
  void reject(uint64_t id, Cursor cursor) {
    ledger_.lines[id].reject = Phase::started;
    expect(queue_.reject(cursor), "reject");
    ledger_.lines[id].reject = Phase::returned;
  }

  // Short for what a test does to get somewhere.
  uint64_t makeDeadLetter(uint32_t bytes) {
    const uint64_t id = put(bytes);
    reject(id, claim(id));
    return id;
  }

  void expect(Status status, const char* call) {
    if (status == Status::ok) return;
    KillDriver::instance().fail("%s answered %lld %s", call, static_cast<long long>(status),
                                queue_.corruption().c_str());
  }

 private:
  uint64_t announce() {
    const uint64_t id = ledger_.next_id.fetch_add(1);
    if (id >= kLedgerLines) KillDriver::instance().fail("the ledger is full");
    ledger_.lines[id].deliveries = 1;
    ledger_.lines[id].put = Phase::started;
    return id;
  }
  void arrived(uint64_t id) {
    ledger_.lines[id].put = Phase::returned;
    ledger_.child_put_returned = true;
  }
  static void demand(const void* bytes, uint64_t size, uint64_t id) {
    uint64_t found = 0;
    if (!readMessage(bytes, size, found))
      KillDriver::instance().fail("message %llu is torn", static_cast<unsigned long long>(id));
    if (found != id) {
      KillDriver::instance().fail("message %llu came, not %llu",
                                  static_cast<unsigned long long>(found),
                                  static_cast<unsigned long long>(id));
    }
  }

  QueueLedger& ledger_;
  Queue& queue_;
};

}  // namespace zoo::test
