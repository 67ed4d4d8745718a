// A queue, channel or pipe under a script: what is made, and everything its handles can be asked.
#pragma once

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "core/queue/queue.h"
#include "fuzz/damage.h"
#include "fuzz/expectations.h"
#include "fuzz/script.h"

namespace zoo::test {

inline QueueOptions queueOptions(Script& script, SegmentKind kind) {
  QueueOptions options;
  options.kind = kind;
  const uint8_t shape = script.byte();
  if (kind == SegmentKind::queue && shape % 2 != 0) {
    options.slots = 1 + shape / 2 % 8;
    options.slot_bytes = 1 + script.word() % 3000;
  } else {
    options.bytes = pageBytes() * (1 + shape / 2 % 4);
  }
  if (kind == SegmentKind::queue) {
    const uint8_t groups = script.byte();
    std::vector<GroupOptions> list;
    for (uint32_t group = 0; group <= groups % kMaxGroups; ++group) {
      list.push_back(
          {"group" + std::to_string(group), static_cast<Overflow>((groups >> (2 + group)) % 3)});
    }
    options.groups = list;
    options.max_deliveries = 1 + script.byte() % 3;
  }
  if (kind == SegmentKind::channel) {
    options.codec = "raw";
    options.most_messages = script.byte() % 4;
  }
  if (kind == SegmentKind::pipe) options.end = PipeEnd::writer;
  return options;
}

// What one handle has out.
struct QueueUser {
  std::unique_ptr<Queue> queue;
  std::vector<Cursor> reserved;
  std::vector<Cursor> claimed;
};

class QueueScript {
 public:
  QueueScript(Script& script, SegmentKind kind, const std::string& name)
      : script_(script), name_(name), options_(queueOptions(script, kind)) {
    Result<std::unique_ptr<Queue>> made = Queue::open(name, OpenMode::create, options_);
    if (!made) giveUp("the queue is not made", made.error().text);
    users_[0].queue = made.take();
    open(1);
  }

  // One call, which has to answer.
  void step() {
    const uint8_t what = script_.byte();
    const size_t who = script_.byte() % users_.size();
    QueueUser& user = users_[who];
    if (!user.queue) {
      open(who);
      return;
    }
    if (what % 32 < 16)
      put(user, what % 16);
    else
      take(user, what % 16);
    if (what % 32 == 31) user.queue.reset();
    if (user.queue == nullptr || user.queue->closed()) user = QueueUser{};
  }

  // Everything that a handle and a newcomer can be asked, after the damage.
  void askAll(uint64_t end) {
    for (size_t who = 0; who < users_.size(); ++who) {
      if (!users_[who].queue) open(who);
      if (!users_[who].queue) continue;
      for (uint8_t what = 0; what < 31 && monotonicNow() < end; ++what) {
        const Stopwatch stopwatch;
        what < 16 ? put(users_[who], what) : take(users_[who], what - 16);
      }
    }
  }

 private:
  void open(size_t who) {
    QueueOptions options;
    options.kind = options_.kind;
    if (options_.groups && script_.byte() % 2 != 0) options.group = options_.groups->back().name;
    Result<std::unique_ptr<Queue>> opened = Queue::open(name_, OpenMode::open, options);
    users_[who] = QueueUser{};
    if (opened) users_[who].queue = opened.take();
  }

  // A payload that was answered lies in the mapping, to its last byte.
  void touch(Queue& queue, uint64_t offset, uint64_t size, bool write) {
    const uint64_t reachable = queue.mapping()->reachable();
    if (offset > reachable || size > reachable - offset) giveUp("a payload lies outside", "");
    if (write) std::memset(queue.data() + offset, 0x5a, size);
    uint8_t sum = 0;
    for (uint64_t at = 0; at < size; ++at)
      sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(queue.data()[offset + at]));
    seen_ = sum;
  }

  void put(QueueUser& user, uint8_t what) {
    Queue& queue = *user.queue;
    static const std::array<std::byte, 20000> kBytes = {};
    const uint64_t size = what % 2 != 0 ? script_.word() % kBytes.size() : script_.byte();
    Cursor cursor = 0;
    uint64_t offset = 0;
    switch (what) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        expectAnswer(queue.put(kBytes.data(), size));
        break;
      case 5:
      case 6:
        if (expectAnswer(queue.reserve(size, cursor, offset)) != Status::ok) break;
        touch(queue, offset, size, true);
        user.reserved.push_back(cursor);
        break;
      case 7:
      case 8:
        if (user.reserved.empty()) break;
        cursor = user.reserved[size % user.reserved.size()];
        expectAnswer(what == 7 ? queue.commit(cursor, script_.byte()) : queue.abort(cursor));
        break;
      case 9: {
        const std::array<uint32_t, 3> sizes = {static_cast<uint32_t>(size % 3000), 1, 700};
        const std::vector<std::byte> bytes(sizes[0] + sizes[1] + sizes[2]);
        uint32_t count = 0;
        expectAnswer(queue.putPacked(bytes.data(), sizes.data(), 3, count));
        break;
      }
      case 10:
        queue.holdWakes(size % 2 != 0);
        break;
      case 11:
        expectAnswer(queue.waitWritable(size, 20'000));
        break;
      case 12:
        queue.armWrite(0);
        queue.wokenToWrite();
        if (size % 2 == 0) queue.disarmWrite();
        break;
      case 13:
        queue.room();
        expectAnswer(queue.becomeWriter());
        break;
      case 14:
        if (size % 8 == 0) queue.end();
        break;
      default:
        if (size % 8 == 0) queue.fail(kBytes.data(), size);
        failure(queue);
        break;
    }
  }

  void failure(Queue& queue) {
    uint64_t size = 0;
    const std::byte* bytes = queue.failure(size);
    if (bytes == nullptr) return;
    uint8_t sum = 0;
    for (uint64_t at = 0; at < size; ++at)
      sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(bytes[at]));
    seen_ = sum;
  }

  void take(QueueUser& user, uint8_t what) {
    Queue& queue = *user.queue;
    Cursor cursor = 0;
    Claim claim;
    uint64_t size = 0;
    switch (what) {
      case 0:
      case 1:
      case 2:
      case 3: {
        std::vector<std::byte> target(what == 3 ? 32 : 32768);
        if (expectAnswer(queue.take(target.data(), target.size(), size)) == Status::ok &&
            size > target.size())
          giveUp("a size is larger than the target", "");
        break;
      }
      case 4:
      case 5:
      case 6:
      case 7: {
        const Status status =
            what == 7 ? queue.claimDead(cursor, claim) : queue.claim(cursor, claim);
        if (expectAnswer(status) != Status::ok) break;
        touch(queue, queue.payloadOffset(claim), claim.payload_bytes, false);
        user.claimed.push_back(cursor);
        break;
      }
      case 8:
      case 9:
        if (user.claimed.empty()) break;
        cursor = user.claimed[script_.byte() % user.claimed.size()];
        expectAnswer(what == 8 ? queue.release(cursor) : queue.reject(cursor));
        break;
      case 10:
        expectAnswer(queue.waitReadable(20'000));
        break;
      case 11:
        queue.armRead(0);
        queue.wokenToRead();
        queue.disarmRead();
        break;
      case 12:
        queue.lookAround();
        queue.length();
        queue.deadPid();
        break;
      case 13:
        queue.stats();
        queue.codec();
        queue.corruption();
        break;
      default: {
        uint32_t pid = 0;
        queue.readerLeft(pid);
        queue.becomeReader();
        break;
      }
    }
  }

  Script& script_;
  const std::string& name_;
  QueueOptions options_;
  std::array<QueueUser, 3> users_;
  volatile uint8_t seen_ = 0;
};

}  // namespace zoo::test
