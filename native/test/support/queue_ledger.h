// What every process of a trial has asked of a queue, written down before and after each call in
// memory that does not belong to the queue. From this the driver knows what must be found after a
// death, what may be, and what must not.
//
// All of them read for the first group. One message, one line.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/queue/queue.h"
#include "support/kill_driver.h"
#include "support/messages.h"

namespace zoo::test {

enum class Phase : uint32_t { none = 0, started = 1, returned = 2 };

struct LedgerLine {
  std::atomic<Phase> put, hold, finish, reject;
  std::atomic<uint32_t> deliveries;  // before the processes that die
  std::atomic<bool> dead_letter;     // is one already
  std::atomic<bool> given_up;        // aborted: must not appear
  std::atomic<bool> over;            // the first group is done with it
};

inline constexpr uint64_t kLedgerLines = 4096;

struct QueueLedger {
  LedgerLine lines[kLedgerLines];
  std::atomic<uint64_t> next_id;
  std::atomic<bool> child_put_returned;  // the queue has had a writer, who is dead

  void clear() {
    const uint64_t used = next_id.load();
    for (uint64_t id = 0; id <= used && id < kLedgerLines; ++id) new (&lines[id]) LedgerLine{};
    next_id.store(1);
    child_put_returned.store(false);
  }

  // What has happened so far is the past: the processes that die begin from here.
  void settle(uint32_t max_deliveries) {
    for (uint64_t id = 1; id < next_id.load(); ++id) {
      LedgerLine& line = lines[id];
      if (line.finish == Phase::returned) line.over = true;
      if (line.reject == Phase::returned && !line.dead_letter) {
        if (line.deliveries + 1 > max_deliveries)
          line.dead_letter = true;
        else
          ++line.deliveries;
      }
      line.hold = line.finish = line.reject = Phase::none;
    }
  }
};

// A handle on the queue whose every call goes into the ledger. Ends the process when a call does
// not answer what it should.
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

  void putBatch(std::initializer_list<uint32_t> sizes) {
    std::vector<double> wanted, offsets(sizes.size());
    std::vector<uint64_t> ids;
    for (uint32_t bytes : sizes) wanted.push_back(bytes);
    for (size_t index = 0; index < sizes.size(); ++index) ids.push_back(announce());
    uint32_t reserved = 0;
    expect(queue_.reserveBatch(wanted.data(), static_cast<uint32_t>(wanted.size()), offsets.data(),
                               reserved),
           "reserveBatch");
    if (reserved != sizes.size()) KillDriver::instance().fail("the batch found no room");
    for (size_t index = 0; index < ids.size(); ++index) {
      fillMessage(queue_.data() + static_cast<uint64_t>(offsets[index]), ids[index],
                  static_cast<uint32_t>(wanted[index]));
    }
    queue_.commitBatch();
    for (uint64_t id : ids) arrived(id);
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
