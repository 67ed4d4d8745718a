// A user of damaged segments: every call of the core in any order, on handles of every kind.
//
// Whatever the neighbour does, each call answers within a second with something that it may answer,
// and what it gives lies inside the mapping.
#pragma once

#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include "core/lock/lock.h"
#include "core/memory/memory.h"
#include "core/os/doorbell.h"
#include "core/queue/queue.h"
#include "support/hostile_dice.h"
#include "support/hostile_fences.h"

namespace zoo::test {

// Lies in every user's own memory, at the same address; nobody may write there.
inline constexpr uint64_t kCanaryWords = 4096;
inline uint64_t hostile_canary[kCanaryWords];

inline void setCanary() {
  for (uint64_t word = 0; word < kCanaryWords; ++word) hostile_canary[word] = mixed(word);
}
inline bool canaryIsWhole() {
  for (uint64_t word = 0; word < kCanaryWords; ++word) {
    if (hostile_canary[word] != mixed(word)) return false;
  }
  return true;
}

inline constexpr uint32_t kWitnessBytes = 8192;

class HostileUser {
 public:
  HostileUser(HostileJournal& journal, const HostileNames& names, HostileDice dice)
      : journal_(journal), names_(names), dice_(dice) {
    if (Result<Doorbell> bell = Doorbell::make()) bell_.emplace(bell.take());
  }

  // Until `over` says so.
  void run(const std::atomic<uint32_t>& over) {
    openWitness();
    while (over.load(std::memory_order_relaxed) == 0) step();
    for (auto& handle : queues_) closeQueue(handle);
    closeLock();
    closeMemory();
    if (!witnessIsWhole()) wrong("a segment that nobody damaged has changed");
    if (!canaryIsWhole()) wrong("memory of this process was overwritten");
  }

  static QueueOptions ringOptions(uint64_t group) {
    QueueOptions options;
    options.bytes = 16384;
    options.groups =
        std::vector<GroupOptions>{{"a"}, {"b", Overflow::drop_oldest}, {"c", Overflow::latest}};
    options.group = std::string(1, static_cast<char>('a' + group % 3));
    options.max_deliveries = 2;
    return options;
  }
  static QueueOptions frameOptions(uint64_t group) {
    QueueOptions options;
    options.slots = 12;
    options.slot_bytes = 1000;
    options.groups = std::vector<GroupOptions>{{"a"}, {"b", Overflow::drop_oldest}};
    options.group = std::string(1, static_cast<char>('a' + group % 2));
    options.max_deliveries = 2;
    return options;
  }
  static QueueOptions channelOptions() {
    QueueOptions options;
    options.kind = SegmentKind::channel;
    options.bytes = 16384;
    options.most_messages = 8;
    options.codec = "bytes";
    return options;
  }
  static QueueOptions pipeOptions() {
    QueueOptions options;
    options.kind = SegmentKind::pipe;
    options.bytes = 16384;
    options.end = PipeEnd::writer;
    return options;
  }
  static bool makeWitness(const std::string& name) {
    MemoryOptions options;
    options.bytes = kWitnessBytes;
    auto memory = Memory::open(name, OpenMode::create, options);
    if (!memory) return false;
    std::memset((*memory)->data(), 0x6b, kWitnessBytes);
    return true;
  }

 private:
  enum class Kind { ring, frames, channel, pipe };
  struct Open {
    Kind kind = Kind::ring;
    std::unique_ptr<Queue> queue;
    std::vector<Cursor> claims, reservations;
    uint32_t reserved_bytes = 0;
  };

  template <typename Body>
  auto timed(const char* name, uint64_t may_wait_ns, Body body) {
    const HostileCall call(journal_, name, may_wait_ns);
    return body();
  }

  void wrong(const char* what) {
    journal_.wrong.fetch_add(1, std::memory_order_relaxed);
    std::fprintf(stderr, "VIOLATION: %s (process %d)\n", what, getpid());
  }

  void judge(Status status) {
    if (status == Status::ok) journal_.good.fetch_add(1, std::memory_order_relaxed);
    if (status == Status::corrupt) journal_.corrupt.fetch_add(1, std::memory_order_relaxed);
    if (static_cast<int64_t>(status) > 0 || status < Status::no_reader) wrong("an unknown status");
  }

  void judge(const Error& error) {
    if (error.code == ErrorCode::corrupt) journal_.corrupt.fetch_add(1, std::memory_order_relaxed);
    if (error.code > ErrorCode::system || std::strlen(error.text) < 10) {
      wrong("an error without a reason");
    }
  }

  void step() {
    switch (dice_.below(24)) {
      case 0:
        return openQueue(queues_[dice_.below(queues_.size())]);
      case 1:
        if (dice_.oneIn(3)) closeQueue(queues_[dice_.below(queues_.size())]);
        return;
      case 2:
      case 3:
      case 4:
        return useLock();
      case 5:
        return useMemory();
      case 6:
        if (dice_.oneIn(40)) unlinkSomething();
        return;
      default:
        return useQueue(queues_[dice_.below(queues_.size())]);
    }
  }

  // --- queues, channels, pipes

  void openQueue(Open& handle) {
    if (handle.queue) return;
    static constexpr OpenMode kModes[] = {OpenMode::either, OpenMode::either, OpenMode::open,
                                          OpenMode::create};
    handle.kind = static_cast<Kind>(dice_.below(4));
    // A pipe is made by one and opened by another.
    const OpenMode mode = kModes[handle.kind == Kind::pipe ? 2 + dice_.below(2) : dice_.below(4)];
    const std::string* names[] = {&names_.ring, &names_.frames, &names_.channel, &names_.pipe};
    QueueOptions options = handle.kind == Kind::ring      ? ringOptions(dice_.below(3))
                           : handle.kind == Kind::frames  ? frameOptions(dice_.below(2))
                           : handle.kind == Kind::channel ? channelOptions()
                                                          : pipeOptions();
    if (mode == OpenMode::open) options.groups.reset();
    options.label = "user";
    fences_.prepare();
    auto opened = timed("Queue::open", 0, [&] {
      return Queue::open(*names[static_cast<uint32_t>(handle.kind)], mode, options);
    });
    if (!opened) return judge(opened.error());
    handle.queue = opened.take();
    fence(*handle.queue->mapping());
    if (handle.queue->capacity() > handle.queue->mapping()->reachable()) {
      wrong("a capacity that is not mapped");
    }
  }

  void closeQueue(Open& handle) {
    if (!handle.queue) return;
    timed("Queue::close", 0, [&] {
      // Sometimes as a death would.
      dice_.oneIn(5) ? handle.queue->abandon() : handle.queue->close();
      return 0;
    });
    handle = {};
  }

  bool inside(const Open& handle, uint64_t offset, uint64_t bytes) {
    const uint64_t all = handle.queue->mapping()->reachable();
    if (offset <= all && bytes <= all - offset) return true;
    wrong("a view outside the mapping");
    return false;
  }

  void useQueue(Open& handle) {
    if (!handle.queue) return openQueue(handle);
    Queue& queue = *handle.queue;
    const uint64_t wait = dice_.below(20) * kMillisecond;
    switch (dice_.below(26)) {
      case 0:
      case 1:
      case 2: {
        const uint64_t size = dice_.oneIn(4) ? dice_.below(7000) : dice_.below(400);
        return judge(timed("put", 0, [&] { return queue.put(buffer_.data(), size); }));
      }
      case 3:
      case 4:
        return reserve(handle);
      case 5:
      case 6:
        return settleReservation(handle);
      case 7:
      case 8:
      case 9: {
        uint64_t size = 0;
        return judge(timed("take", 0, [&] {
          return queue.take(buffer_.data(), dice_.oneIn(8) ? 64 : buffer_.size(), size);
        }));
      }
      case 10:
      case 11:
      case 12:
        return claim(handle, false);
      case 13:
        return claim(handle, true);
      case 14:
      case 15:
        return settleClaim(handle);
      case 16:
        return judge(timed("waitReadable", wait, [&] { return queue.waitReadable(wait); }));
      case 17:
        return judge(timed("waitWritable", wait,
                           [&] { return queue.waitWritable(dice_.below(2000), wait); }));
      case 18:
        return arm(queue);
      case 19:
        timed("lookAround", 0, [&] { return queue.lookAround(); });
        return;
      case 20:
        return readStats(queue);
      case 21:
        return putPacked(queue);
      case 22:
        timed("room", 0, [&] { return queue.room() + queue.length() + queue.limit(); });
        if (queue.codec().size() > kCodecNameBytes) wrong("a codec's name that is too long");
        return;
      case 23:
        return handle.kind == Kind::ring || handle.kind == Kind::frames ? holdWakes(queue)
                                                                        : readFailure(queue);
      case 24:
        if (dice_.oneIn(10)) return endQueue(handle);
        return judge(timed("becomeWriter", 0, [&] { return queue.becomeWriter(); }));
      default:
        if (queue.readerLeft(pid_)) return;
        queue.becomeReader();
        return;
    }
  }

  void reserve(Open& handle) {
    if (handle.reservations.size() > 6) return settleReservation(handle);
    Cursor cursor = 0;
    uint64_t offset = 0;
    const uint64_t size = dice_.oneIn(4) ? dice_.below(6000) : dice_.below(900);
    const Status status =
        timed("reserve", 0, [&] { return handle.queue->reserve(size, cursor, offset); });
    judge(status);
    if (status != Status::ok) return;
    if (inside(handle, offset, size)) {
      std::memset(handle.queue->data() + offset, 0x31, size);
    }
    handle.reservations.push_back(cursor);
  }

  void settleReservation(Open& handle) {
    if (handle.reservations.empty()) return;
    const Cursor cursor = handle.reservations.back();
    handle.reservations.pop_back();
    judge(timed("commit or abort", 0, [&] {
      return dice_.oneIn(4) ? handle.queue->abort(cursor) : handle.queue->commit(cursor, 0);
    }));
  }

  void claim(Open& handle, bool dead_letter) {
    if (handle.claims.size() > 6) return settleClaim(handle);
    Cursor cursor = 0;
    Claim claim;
    const Status status = timed(dead_letter ? "claimDead" : "claim", 0, [&] {
      return dead_letter ? handle.queue->claimDead(cursor, claim)
                         : handle.queue->claim(cursor, claim);
    });
    judge(status);
    if (status != Status::ok) return;
    const uint64_t offset = handle.queue->payloadOffset(claim);
    if (inside(handle, offset, claim.payload_bytes)) {
      const volatile std::byte* bytes = handle.queue->data() + offset;
      for (uint64_t at = 0; at < claim.payload_bytes; at += 61) (void)bytes[at];
      if (claim.payload_bytes > 0) (void)bytes[claim.payload_bytes - 1];
    }
    handle.claims.push_back(cursor);
  }

  void settleClaim(Open& handle) {
    if (handle.claims.empty()) return;
    const size_t place = dice_.below(handle.claims.size());
    const Cursor cursor = handle.claims[place];
    handle.claims.erase(handle.claims.begin() + static_cast<std::ptrdiff_t>(place));
    if (dice_.oneIn(3))
      judge(timed("reject", 0, [&] { return handle.queue->reject(cursor); }));
    else
      judge(timed("release", 0, [&] { return handle.queue->release(cursor); }));
  }

  void putPacked(Queue& queue) {
    std::array<uint32_t, 8> sizes;
    for (uint32_t& size : sizes) size = static_cast<uint32_t>(dice_.below(500));
    const std::vector<std::byte> bytes(8 * 500);
    uint32_t put = 0;
    judge(
        timed("putPacked", 0, [&] { return queue.putPacked(bytes.data(), sizes.data(), 8, put); }));
    if (put > sizes.size()) wrong("more messages put than there were");
  }

  void arm(Queue& queue) {
    if (!bell_) return;
    const bool reading = dice_.oneIn(2);
    judge(timed("arm", kMillisecond, [&] {
      return reading ? queue.armRead(bell_->id()) : queue.armWrite(bell_->id());
    }));
    reading ? queue.wokenToRead() : queue.wokenToWrite();
    bell_->silence();
    timed("disarm", 0, [&] {
      reading ? queue.disarmRead() : queue.disarmWrite();
      return 0;
    });
  }

  void readStats(Queue& queue) {
    const QueueStats stats = timed("stats", 0, [&] { return queue.stats(); });
    for (const ParticipantStats& one : stats.participants) {
      if (one.label.size() > kLabelBytes || one.group.size() > kGroupNameBytes) {
        wrong("a name that is too long");
      }
    }
  }

  void holdWakes(Queue& queue) {
    timed("holdWakes", 0, [&] {
      queue.holdWakes(true);
      queue.put(buffer_.data(), 100);
      queue.holdWakes(false);
      return 0;
    });
  }

  void readFailure(Queue& queue) {
    uint64_t size = 0;
    const std::byte* bytes = queue.failure(size);
    if (bytes != nullptr) std::memcpy(buffer_.data(), bytes, size);
  }

  void endQueue(Open& handle) {
    timed("end", 0, [&] {
      dice_.oneIn(2) ? handle.queue->end() : handle.queue->fail(buffer_.data(), 200);
      return 0;
    });
    closeQueue(handle);
  }

  // --- lock

  void useLock() {
    const uint64_t wait = dice_.below(20) * kMillisecond;
    if (!lock_) {
      fences_.prepare();
      auto opened = timed("Lock::open", 0, [&] { return Lock::open(names_.lock, {0600, "user"}); });
      if (!opened) return judge(opened.error());
      lock_ = opened.take();
      return;
    }
    LockTaken taken;
    LockOwner owner;
    switch (dice_.below(12)) {
      case 0:
      case 1:
      case 2:
        return judge(timed("tryAcquire", 0, [&] { return lock_->tryAcquire(taken); }));
      case 3:
      case 4:
        return judge(timed("acquire", wait, [&] { return lock_->acquire(wait, taken); }));
      case 5:
      case 6:
      case 7:
      case 8:
        return judge(timed("release", 0, [&] { return lock_->release(!dice_.oneIn(4)); }));
      case 9:
        if (!bell_ || lock_->held()) return;
        judge(timed("Lock::arm", 0, [&] { return lock_->arm(bell_->id()); }));
        lock_->woken();
        timed("Lock::disarm", 0, [&] {
          lock_->disarm();
          return 0;
        });
        return;
      case 10:
        lock_->generation();
        if (lock_->owner(owner) && owner.label.size() > kLabelBytes) {
          wrong("a label that is too long");
        }
        return;
      default:
        if (dice_.oneIn(3)) closeLock();
    }
  }

  void closeLock() {
    if (!lock_) return;
    timed("Lock::close", 0, [&] {
      dice_.oneIn(5) && !lock_->held() ? lock_->abandon() : lock_->close();
      return 0;
    });
    lock_.reset();
  }

  // --- memory

  void useMemory() {
    if (memory_) {
      if (dice_.oneIn(3)) return closeMemory();
      touch(*memory_);
      return;
    }
    MemoryOptions options;
    options.bytes = 10'000;
    fences_.prepare();
    auto opened = timed("Memory::open", 0, [&] {
      return Memory::open(names_.memory, dice_.oneIn(4) ? OpenMode::create : OpenMode::open,
                          options);
    });
    if (!opened) return judge(opened.error());
    memory_ = opened.take();
    fence(*memory_->mapping());
    touch(*memory_);
  }

  void touch(Memory& memory) {
    if (memory.byteLength() > memory.mapping()->reachable()) {
      return wrong("a memory that is longer than what is mapped");
    }
    std::memset(memory.data(), 0x41, memory.byteLength());
  }

  void closeMemory() {
    if (!memory_) return;
    timed("Memory::close", 0, [&] {
      memory_->close();
      return 0;
    });
    memory_.reset();
  }

  void openWitness() {
    if (auto opened = Memory::open(names_.witness, OpenMode::open, {})) witness_ = opened.take();
  }
  bool witnessIsWhole() const {
    if (!witness_) return false;
    for (uint64_t at = 0; at < kWitnessBytes; ++at) {
      if (witness_->data()[at] != std::byte{0x6b}) return false;
    }
    return true;
  }

  // --- names

  void unlinkSomething() {
    const auto judged = [&](Result<bool> result) {
      if (!result) judge(result.error());
    };
    const HostileCall call(journal_, "unlink");
    switch (dice_.below(6)) {
      case 0:
        return judged(Queue::unlink(names_.ring));
      case 1:
        return judged(Queue::unlink(names_.frames));
      case 2:
        return judged(Queue::unlink<SegmentKind::channel>(names_.channel));
      case 3:
        return judged(Queue::unlink<SegmentKind::pipe>(names_.pipe));
      case 4:
        return judged(Lock::unlink(names_.lock));
      default:
        return judged(Memory::unlink(names_.memory));
    }
  }

  void fence(const Mapping& mapping) {
    (fences_.around(mapping) ? journal_.fenced : journal_.unfenced).fetch_add(1);
  }

  HostileJournal& journal_;
  const HostileNames& names_;
  HostileDice dice_;
  HostileFences fences_;
  std::optional<Doorbell> bell_;
  std::array<Open, 5> queues_;
  std::unique_ptr<Lock> lock_;
  std::unique_ptr<Memory> memory_, witness_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(65536);
  uint32_t pid_ = 0;
};

}  // namespace zoo::test
