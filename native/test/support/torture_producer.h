// Puts messages in every way there is, until it is told to stop or killed.
#pragma once

#include <vector>

#include "support/torture_actor.h"

namespace zoo::test {

class Producer : public QueueActor {
 public:
  Producer(Stage& stage, const QueuePlan& plan, ActorPlace place)
      : QueueActor(stage, plan, place, 0) {}

  void run() {
    do {
      ++notes_.beats;
      if (ledger_.numbers[place_.number].load() + 100 >= kMostMessages) {
        usleep(1000);
        continue;
      }
      step();
      if (leave_) moveOn();
      if (dice_.oneIn(50)) usleep(static_cast<useconds_t>(dice_.below(300)));
    } while (!stage_.stop_producers.load());
    // Where nobody else keeps the queue open, the last writer to leave properly would end it.
    if (plan_.steady && dice_.oneIn(2))
      queue_->close();
    else
      queue_->abandon();
  }

 private:
  enum class Go { on, again, away };

  void step() {
    switch (dice_.below(12)) {
      case 0:
      case 1:
        return putMany();
      case 2:
        return reserveSome();
      case 3:
        return putOne(size(plan_.largest));
      case 4:
        if (dice_.oneIn(20)) return closeMidway();
        return putOne(kSmallestMessage);
      default:
        return putOne(size(300));
    }
  }

  uint32_t size(uint32_t most) {
    return static_cast<uint32_t>(
        dice_.between(kSmallestMessage, std::min<uint32_t>(most, plan_.largest)));
  }

  MessageId announce() {
    MessageId message;
    message.queue = plan_.index;
    message.epoch = epoch_;
    message.producer = place_.number;
    message.number = ledger_.numbers[place_.number].load() + 1;
    ledger_.put(message).store(PutState::started);
    ledger_.numbers[place_.number].store(message.number);
    return message;
  }
  void arrived(MessageId message) {
    ledger_.put(message).store(PutState::returned);
    stage_.tally.did(Deed::puts);
  }
  void withdraw(MessageId message) { ledger_.put(message).store(PutState::withdrawn); }

  // What to do after a call that may have found the queue full. `away`: nothing was put.
  Go after(const char* call, Status status, uint64_t bytes) {
    if (status == Status::ok) return Go::on;
    if (mayEnd(status)) return Go::away;
    if (status != Status::would_block) refused(call, status);
    ++notes_.beats;
    if (queue_->waitWritable(bytes, 20 * kMillisecond) == Status::gone) {
      stage_.tally.did(Deed::gone);
      leave_ = true;
      return Go::away;
    }
    return Go::again;
  }

  // All others have left for good: an old segment, or a queue that comes to its end.
  bool mayEnd(Status status) {
    if (status != Status::ended) return false;
    leave_ = plan_.moves;
    return leave_ || (plan_.steady && stage_.stop_producers.load());
  }

  void putOne(uint32_t bytes) {
    const MessageId message = announce();
    const std::vector<std::byte> content = messageOf(message.id(), bytes);
    for (;;) {
      const Status status =
          timedCall("put", [&] { return queue_->put(content.data(), content.size()); });
      const Go go = after("put", status, bytes);
      if (go == Go::away) return withdraw(message);
      if (go == Go::on) return arrived(message);
    }
  }

  void putMany() {
    const auto count = static_cast<uint32_t>(dice_.between(2, 12));
    std::vector<MessageId> messages;
    std::vector<uint32_t> sizes;
    std::vector<std::byte> packed;
    for (uint32_t index = 0; index < count; ++index) {
      messages.push_back(announce());
      sizes.push_back(size(2000));
      const std::vector<std::byte> content = messageOf(messages.back().id(), sizes.back());
      packed.insert(packed.end(), content.begin(), content.end());
    }
    const std::byte* bytes = packed.data();
    for (uint32_t done = 0; done < count;) {
      uint32_t put = 0;
      const Status status = timedCall(
          "putPacked", [&] { return queue_->putPacked(bytes, &sizes[done], count - done, put); });
      const Go go = after("putPacked", status, sizes[done]);
      if (go == Go::away) {
        for (uint32_t index = done; index < count; ++index) withdraw(messages[index]);
        return;
      }
      if (go == Go::again) continue;
      for (; put > 0; --put, ++done) {
        bytes += sizes[done];
        arrived(messages[done]);
      }
    }
  }

  // Several at once, larger than what comes of them, settled in any order, some of them given up.
  void reserveSome() {
    struct Reserved {
      MessageId message;
      Cursor cursor = 0;
      uint32_t bytes = 0;
    };
    std::vector<Reserved> out;
    const uint64_t count = dice_.between(1, 3);
    while (out.size() < count) {
      Reserved one;
      one.bytes = size(4000);
      const uint64_t room = std::min<uint64_t>(one.bytes + dice_.below(200), plan_.largest);
      uint64_t offset = 0;
      const Status status =
          timedCall("reserve", [&] { return queue_->reserve(room, one.cursor, offset); });
      if (status != Status::ok) {
        // While something is reserved nobody may wait.
        if (out.empty()) after("reserve", status, room);
        break;
      }
      one.message = announce();
      fillMessage(queue_->data() + offset, one.message.id(), one.bytes);
      out.push_back(one);
    }
    while (!out.empty()) {
      const size_t index = dice_.below(out.size());
      const Reserved one = out[index];
      out.erase(out.begin() + static_cast<std::ptrdiff_t>(index));
      if (dice_.oneIn(8)) {
        withdraw(one.message);
        timedCall("abort", [&] { return queue_->abort(one.cursor); });
        continue;
      }
      const Status status =
          timedCall("commit", [&] { return queue_->commit(one.cursor, one.bytes); });
      if (mayEnd(status)) {
        withdraw(one.message);
      } else if (status != Status::ok) {
        refused("commit", status);
      } else {
        arrived(one.message);
      }
    }
  }

  // With reservations out, which nobody may ever see.
  void closeMidway() {
    if (!plan_.steady) return;
    for (uint64_t count = dice_.between(1, 3); count > 0; --count) {
      Cursor cursor = 0;
      uint64_t offset = 0;
      const uint32_t bytes = size(2000);
      if (queue_->reserve(bytes, cursor, offset) != Status::ok) break;
      const MessageId message = announce();
      fillMessage(queue_->data() + offset, message.id(), bytes);
      withdraw(message);
    }
    timedCall("close", [&] {
      queue_->close();
      return true;
    });
    stage_.tally.did(Deed::closed_midway);
    reopen();
  }

  // From the old segment to the new one.
  void moveOn() {
    leave_ = false;
    queue_->close();
    reopen();
  }

  bool leave_ = false;
};

}  // namespace zoo::test
