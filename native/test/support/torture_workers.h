// What the processes of the torture run do until they are killed.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/lock/lock.h"
#include "core/memory/memory.h"
#include "core/queue/queue.h"
#include "support/processes.h"
#include "support/torture_oracle.h"

namespace zoo::test {

class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(mixed(seed + 0x1234567)) {}
  uint64_t next() { return mixed(state_ += 0x9e3779b97f4a7c15ull); }
  uint64_t below(uint64_t limit) { return next() % limit; }
  uint64_t between(uint64_t least, uint64_t most) { return least + below(most - least + 1); }
  bool oneIn(uint64_t chances) { return below(chances) == 0; }

 private:
  uint64_t state_;
};

inline constexpr uint32_t kLargestMessage = 12'000;

struct TortureNames {
  std::string queue, lock, memory;
};

inline const char* groupNameOf(uint32_t group) {
  static constexpr const char* kNames[] = {"all", "old", "new"};
  return kNames[group];
}

inline QueueOptions tortureQueue(StoreKind store, uint32_t group) {
  QueueOptions options;
  if (store == StoreKind::ring) {
    options.bytes = 256 << 10;
  } else {
    options.slots = 48;
    options.slot_bytes = kLargestMessage;
  }
  options.groups = std::vector<GroupOptions>{
      {"all", Overflow::block}, {"old", Overflow::drop_oldest}, {"new", Overflow::latest}};
  options.max_deliveries = 4;
  options.group = groupNameOf(group);
  return options;
}

// A process that cannot go on says why and ends with a code of its own.
[[noreturn]] inline void giveUp(const char* what, const char* why) {
  std::fprintf(stderr, "VIOLATION: %s: %s\n", what, why);
  _exit(3);
}

inline std::unique_ptr<Queue> tortureOpen(const std::string& name, StoreKind store,
                                          uint32_t group) {
  Result<std::unique_ptr<Queue>> queue =
      Queue::open(name, OpenMode::either, tortureQueue(store, group));
  if (!queue) giveUp("open", queue.error().text);
  return queue.take();
}

// Dies by itself now and then, between two stores, which a kill from outside hardly ever meets;
// and notes which message is about to be taken.
class Suicidal {
 public:
  static Suicidal& instance() {
    static Suicidal* suicidal = new Suicidal;
    return *suicidal;
  }
  void begin(uint64_t seed, WorkerNotes& notes) {
    dice_ = Dice(seed);
    notes_ = &notes;
    countdown_ = dice_.between(1, kLongestLife);
    step_hook = [](const char* name) { instance().onStep(name); };
  }
  const std::byte* target = nullptr;  // where `take` copies to

 private:
  static constexpr uint64_t kLongestLife = 40'000;  // in steps

  void onStep(const char* name) {
    if (target != nullptr && std::strncmp(name, "take.copied", 11) == 0) {
      MessageHead head;
      std::memcpy(&head, target, sizeof head);
      const bool whole = head.check == headCheck(head.id, head.bytes);
      notes_->taking.store(whole ? head.id : 0);
    }
    if (--countdown_ == 0) dieHere();
  }

  Dice dice_{0};
  WorkerNotes* notes_ = nullptr;
  uint64_t countdown_ = 0;
};

class Producer {
 public:
  Producer(Oracle& oracle, uint32_t worker, uint32_t number, Dice dice,
           std::unique_ptr<Queue> queue)
      : oracle_(oracle),
        notes_(oracle.workers[worker]),
        number_(number),
        dice_(dice),
        queue_(std::move(queue)) {}

  void run() {
    while (!oracle_.stop_producers.load()) {
      ++notes_.beats;
      if (oracle_.numbers[number_].load() + 100 >= kMostMessages) {
        usleep(1000);
        continue;
      }
      switch (dice_.below(10)) {
        case 0:
          putMany();
          break;
        case 1:
          reserveTwo();
          break;
        case 2:
          putOne(static_cast<uint32_t>(dice_.between(1025, kLargestMessage)));
          break;
        default:
          putOne(static_cast<uint32_t>(dice_.between(kSmallestMessage, 300)));
          break;
      }
      if (dice_.oneIn(50)) usleep(static_cast<useconds_t>(dice_.below(300)));
    }
    queue_->abandon();
  }

 private:
  MessageId announce() {
    const MessageId message = {number_, oracle_.numbers[number_].load() + 1};
    oracle_.put(message).store(PutState::started);
    oracle_.numbers[number_].store(message.number);
    return message;
  }
  void arrived(MessageId message) { oracle_.put(message).store(PutState::returned); }

  // Whether to try again; everything but a full queue ends the process.
  bool full(Status status, uint64_t size) {
    if (status == Status::ok) return false;
    if (status != Status::would_block) {
      Oracle::report(oracle_.refused, "put answers %lld (%s)", static_cast<long long>(status),
                     queue_->corruption().c_str());
      _exit(3);
    }
    ++notes_.beats;
    queue_->waitWritable(size, 20 * kMillisecond);
    return true;
  }

  void putOne(uint32_t bytes) {
    const MessageId message = announce();
    const std::vector<std::byte> content = messageOf(message.id(), bytes);
    while (full(queue_->put(content.data(), content.size()), bytes)) {
    }
    arrived(message);
  }

  void putMany() {
    const uint32_t count = static_cast<uint32_t>(dice_.between(2, 12));
    std::vector<MessageId> messages;
    std::vector<double> sizes, offsets(count);
    for (uint32_t index = 0; index < count; ++index) {
      messages.push_back(announce());
      sizes.push_back(static_cast<double>(dice_.between(kSmallestMessage, 2000)));
    }
    for (uint32_t done = 0; done < count;) {
      uint32_t reserved = 0;
      const Status status =
          queue_->reserveBatch(&sizes[done], count - done, offsets.data(), reserved);
      if (full(status, static_cast<uint64_t>(sizes[done]))) continue;
      for (uint32_t index = 0; index < reserved; ++index) {
        fillMessage(queue_->data() + static_cast<uint64_t>(offsets[index]),
                    messages[done + index].id(), static_cast<uint32_t>(sizes[done + index]));
      }
      queue_->commitBatch();
      for (uint32_t index = 0; index < reserved; ++index) arrived(messages[done + index]);
      done += reserved;
    }
  }

  // Two at once, settled in either order, some of them given up.
  void reserveTwo() {
    MessageId messages[2];
    Cursor cursors[2];
    uint32_t bytes[2];
    int out = 0;
    for (; out < 2; ++out) {
      bytes[out] = static_cast<uint32_t>(dice_.between(kSmallestMessage, 4000));
      uint64_t offset = 0;
      const Status status = queue_->reserve(bytes[out] + 64, cursors[out], offset);
      if (status != Status::ok) {
        if (out == 0) full(status, bytes[0]);  // while something is reserved nobody may wait
        break;
      }
      messages[out] = announce();
      fillMessage(queue_->data() + offset, messages[out].id(), bytes[out]);
    }
    const bool backwards = dice_.oneIn(2);
    for (int step = 0; step < out; ++step) {
      const int index = backwards ? out - 1 - step : step;
      if (dice_.oneIn(8)) {
        oracle_.put(messages[index]).store(PutState::aborted);
        queue_->abort(cursors[index]);
      } else {
        queue_->commit(cursors[index], bytes[index]);
        arrived(messages[index]);
      }
    }
  }

  Oracle& oracle_;
  WorkerNotes& notes_;
  uint32_t number_;
  Dice dice_;
  std::unique_ptr<Queue> queue_;
};

class Consumer {
 public:
  Consumer(Oracle& oracle, uint32_t worker, uint32_t group, Dice dice, std::unique_ptr<Queue> queue)
      : oracle_(oracle),
        notes_(oracle.workers[worker]),
        group_(group),
        dice_(dice),
        queue_(std::move(queue)) {}

  void run(const std::string& name, StoreKind store) {
    while (!oracle_.stop_all.load()) {
      step();
      if (!dice_.oneIn(2000)) continue;
      queue_->close();
      queue_ = tortureOpen(name, store, group_);
      for (uint64_t& newest : newest_) newest = 0;
    }
    queue_->abandon();
  }

  // Until nothing is left for this group, in a process that is not killed.
  void drainGroup() {
    queue_->lookAround();
    for (uint64_t& newest : newest_) newest = 0;
    do {
      while (claimSome(8)) {
      }
    } while (oneDeadLetter());
    queue_->lookAround();
  }

  Queue& queue() { return *queue_; }

 private:
  struct Held {
    Cursor cursor = 0;
    MessageId message;
  };

  void step() {
    ++notes_.beats;
    if (dice_.oneIn(32)) {
      while (oneDeadLetter()) {
      }
    }
    const bool found = dice_.oneIn(4) ? takeOne() : claimSome(dice_.between(1, 4));
    if (found) return;
    if (over_)
      usleep(500);  // all producers are dead at the moment: waiting would not wait
    else
      queue_->waitReadable(20 * kMillisecond);
  }

  bool good(Status status, const char* call) {
    over_ = status == Status::peer_died;
    if (status == Status::ok) return true;
    if (status == Status::would_block || status == Status::peer_died) return false;
    Oracle::report(oracle_.refused, "%s answers %lld (%s)", call, static_cast<long long>(status),
                   queue_->corruption().c_str());
    _exit(3);
  }

  bool read(const std::byte* bytes, uint64_t size, MessageId& message) {
    uint64_t id = 0;
    const bool whole = readMessage(bytes, size, id);
    message = MessageId::of(id);
    if (whole && message.known()) return true;
    Oracle::report(oracle_.corrupt, "group %s: a message of %llu bytes is torn",
                   groupNameOf(group_), static_cast<unsigned long long>(size));
    return false;
  }

  bool takeOne() {
    target_.resize(kLargestMessage);
    Suicidal::instance().target = target_.data();
    uint64_t size = 0;
    if (!good(queue_->take(target_.data(), target_.size(), size), "take")) return false;
    MessageId message;
    if (read(target_.data(), size, message)) oracle_.saw(group_, message);
    notes_.taking.store(0);
    return true;
  }

  bool claimSome(uint64_t most) {
    std::vector<Held> held;
    while (held.size() < most) {
      Held one;
      Claim claim;
      if (!good(queue_->claim(one.cursor, claim), "claim")) break;
      if (!read(queue_->data() + queue_->payloadOffset(claim), claim.payload_bytes, one.message))
        _exit(3);
      if (claim.deliveries == 1) inOrder(one.message);
      held.push_back(one);
    }
    const bool found = !held.empty();
    while (!held.empty()) {
      const size_t index = dice_.below(held.size());
      settle(held[index]);
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(index));
    }
    return found;
  }

  void settle(const Held& held) {
    if (dice_.oneIn(20)) {
      ++oracle_.rejected;
      queue_->reject(held.cursor);
      return;
    }
    release(held);
  }
  void release(const Held& held) {
    notes_.releasing.store(held.message.id());
    oracle_.saw(group_, held.message);
    queue_->release(held.cursor);
    notes_.releasing.store(0);
  }

  bool oneDeadLetter() {
    Held held;
    Claim claim;
    if (!good(queue_->claimDead(held.cursor, claim), "claimDead")) return false;
    if (read(queue_->data() + queue_->payloadOffset(claim), claim.payload_bytes, held.message))
      release(held);
    return true;
  }

  void inOrder(MessageId message) {
    uint64_t& newest = newest_[message.producer];
    if (message.number <= newest) {
      Oracle::report(oracle_.disorder, "group %s: producer %u's message %llu came after %llu",
                     groupNameOf(group_), message.producer,
                     static_cast<unsigned long long>(message.number),
                     static_cast<unsigned long long>(newest));
    }
    newest = message.number;
  }

  Oracle& oracle_;
  WorkerNotes& notes_;
  uint32_t group_;
  Dice dice_;
  std::unique_ptr<Queue> queue_;
  std::vector<std::byte> target_;
  uint64_t newest_[kProducers] = {};
  bool over_ = false;
};

// Two words that are equal whenever nobody holds the lock.
class Locker {
 public:
  Locker(Oracle& oracle, const TortureNames& names) : oracle_(oracle) {
    Result<std::unique_ptr<Lock>> lock = Lock::open(names.lock, {});
    if (!lock) giveUp("open lock", lock.error().text);
    lock_ = lock.take();
    Result<std::unique_ptr<Memory>> memory = Memory::open(names.memory, OpenMode::open, {});
    if (!memory) giveUp("open memory", memory.error().text);
    memory_ = memory.take();
  }

  void run(uint32_t worker, Dice dice) {
    while (!oracle_.stop_all.load()) {
      ++oracle_.workers[worker].beats;
      once();
      usleep(static_cast<useconds_t>(dice.below(400)));
    }
    lock_->abandon();
    memory_->abandon();
  }

  void once() {
    LockTaken taken;
    const Status status = lock_->acquire(100 * kMillisecond, taken);
    if (status == Status::would_block) return;
    if (status != Status::ok) {
      Oracle::report(oracle_.broken_lock, "acquire answers %lld", static_cast<long long>(status));
      return;
    }
    if (word(0) != word(1) && !taken.recovered) {
      Oracle::report(oracle_.broken_lock, "the words differ and nobody says so");
    }
    word(0) = word(0) + 1;
    ZOO_STEP("torture.half_written");
    word(1) = word(0);
    lock_->release(true);
    ++oracle_.lock_done;
  }

  uint64_t written() { return word(0); }

 private:
  volatile uint64_t& word(int index) {
    return reinterpret_cast<volatile uint64_t*>(memory_->data())[index * 64];
  }
  Oracle& oracle_;
  std::unique_ptr<Lock> lock_;
  std::unique_ptr<Memory> memory_;
};

}  // namespace zoo::test
