// Somebody who is really asleep, waiting for a process that is about to die,
// and for how long.
#pragma once

#include <poll.h>

#include <cstdint>
#include <memory>
#include <string>

#include "core/lock/lock.h"
#include "core/os/doorbell.h"
#include "core/os/futex.h"
#include "core/queue/queue.h"
#include "support/kill_driver.h"
#include "support/messages.h"

namespace zoo::test {

enum class Sleep { blocked, on_bell };

inline const char* textOf(Sleep sleep) { return sleep == Sleep::blocked ? "blocked" : "on bell"; }

// The promise is one second; a machine that is busy with other things gets a
// little more.
inline constexpr uint64_t kLongestSleepAllowed = 2'000 * kMillisecond;
// What an event loop adds of its own (src/wait.ts).
inline constexpr int kLoopLooksEvery = 20;

inline constexpr size_t kMostAnswers = 64;

// Between the driver, the victim and the sleeper, and not through the library.
struct SleepReport {
  std::atomic<uint32_t> victim_ready, go;
  std::atomic<bool> falls_asleep;
  std::atomic<bool> act_returned;  // what the victim was to do
  std::atomic<int64_t> status;     // what the sleeper was told in the end
  std::atomic<uint64_t> answered_ns;
  std::atomic<uint32_t> answers;  // messages that it got
  uint64_t ids[kMostAnswers];
  uint32_t deliveries[kMostAnswers];

  void answered(Status with) {
    status = static_cast<int64_t>(with);
    answered_ns = monotonicNow();
  }
  void got(uint64_t id, uint32_t times) {
    const uint32_t index = answers.load();
    if (index >= kMostAnswers) KillDriver::instance().fail("too many messages");
    ids[index] = id;
    deliveries[index] = times;
    answers = index + 1;
  }
};

inline void waitFor(std::atomic<uint32_t>& word) {
  while (word.load() == 0) futexWait(word, 0, 100 * kMillisecond);
}
inline void announce(std::atomic<uint32_t>& word) {
  word.store(1);
  futexWakeAll(word);
}

// Waits as a blocked thread or as an event loop does.
class Sleeper {
 public:
  Sleeper(SleepReport& report, Sleep how) : report_(report) {
    if (how == Sleep::blocked) return;
    Result<Doorbell> made = Doorbell::make();
    if (!made) KillDriver::instance().fail("%s", made.error().text);
    bell_ = std::make_unique<Doorbell>(made.take());
  }

  // Messages until one call answers something else, or until `most` have come.
  void readUntilEnd(Queue& queue, uint32_t most) {
    for (;;) {
      const Status status =
          again([&] { return readOne(queue); }, [&] { return queue.waitReadable(kLongestSleep); },
                [&](BellId bell) { return queue.armRead(bell); }, [&] { queue.disarmRead(); },
                [&] { queue.lookAround(); });
      if (status != Status::ok || report_.answers.load() >= most) return report_.answered(status);
    }
  }
  // Puts until a call answers something else than ok, or `most` times.
  void writeUntilEnd(Queue& queue, uint32_t bytes, uint32_t most) {
    const std::vector<std::byte> message = messageOf(1'000'000, bytes);
    for (uint32_t count = 0;; ++count) {
      const Status status = again([&] { return queue.put(message.data(), message.size()); },
                                  [&] { return queue.waitWritable(bytes, kLongestSleep); },
                                  [&](BellId bell) { return queue.armWrite(bell); },
                                  [&] { queue.disarmWrite(); }, [&] { queue.lookAround(); });
      if (status != Status::ok || count + 1 == most) return report_.answered(status);
    }
  }

  template <typename Attempt, typename Block, typename Arm, typename Disarm, typename Look>
  Status again(Attempt attempt, Block block, Arm arm, Disarm disarm, Look look) {
    for (;;) {
      Status status = attempt();
      if (status != Status::would_block) return status;
      if (bell_ == nullptr) {
        report_.falls_asleep = true;
        block();
        continue;
      }
      arm(bell_->id());
      status = attempt();
      if (status == Status::would_block) {
        report_.falls_asleep = true;
        pollfd ring = {bell_->descriptor(), POLLIN, 0};
        if (poll(&ring, 1, kLoopLooksEvery) == 0) look();
        bell_->silence();
      }
      disarm();
      if (status != Status::would_block) return status;
    }
  }

 private:
  Status readOne(Queue& queue) {
    Cursor cursor = 0;
    Claim claim;
    const Status status = queue.claim(cursor, claim);
    if (status != Status::ok) return status;
    uint64_t id = 0;
    if (!readMessage(queue.data() + queue.payloadOffset(claim), claim.payload_bytes, id)) {
      KillDriver::instance().fail("a message is torn");
    }
    report_.got(id, claim.deliveries);
    return queue.release(cursor);
  }

  SleepReport& report_;
  std::unique_ptr<Doorbell> bell_;
};

// The segment as anybody sees it who takes no part.
class Peek {
 public:
  explicit Peek(const std::string& name) {
    Result<Descriptor> file = openShmFile(name);
    if (!file) KillDriver::instance().fail("%s", file.error().text);
    struct stat facts = {};
    fstat(file->get(), &facts);
    Result<std::shared_ptr<Mapping>> mapping =
        Mapping::map(file->get(), static_cast<uint64_t>(facts.st_size), 0, false);
    if (!mapping) KillDriver::instance().fail("%s", mapping.error().text);
    mapping_ = mapping.take();
  }

  bool guardIsFree() const {
    return at<std::atomic<uint32_t>>(offsetof(SegmentHeader, guard)) == 0;
  }
  // Somebody's bit in one of the queue's masks.
  bool anybodyWaits() const {
    const auto& header = at<QueueHeader>(kBlockOffset);
    const auto any = [](const SlotMask& mask) {
      return (mask.bits[0].load() | mask.bits[1].load()) != 0;
    };
    bool found = any(header.writers_waiting);
    for (const SlotMask& mask : header.readers_waiting) found = found || any(mask);
    return found;
  }
  bool anybodyWaitsForLock() const {
    const auto& block = at<LockBlock>(kBlockOffset);
    return (block.waiting[0].load() | block.waiting[1].load()) != 0;
  }
  // Of the record at the very beginning of the store.
  DeliveryState firstDelivery() const {
    const uint64_t data = at<SegmentHeader>(0).data_offset;
    return at<Record>(data).deliveryWord(0, std::memory_order_seq_cst).state();
  }

 private:
  template <typename T>
  const T& at(uint64_t offset) const {
    return *reinterpret_cast<const T*>(mapping_->base() + offset);
  }
  std::shared_ptr<Mapping> mapping_;
};

// The letter that the kernel gives for what the process does: S, it sleeps.
inline char processState(pid_t process) {
  char path[40], text[256] = "";
  std::snprintf(path, sizeof path, "/proc/%d/stat", process);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return '?';
  const ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return '?';
  const char* behind_name = std::strrchr(text, ')');
  return behind_name != nullptr && behind_name[1] == ' ' ? behind_name[2] : '?';
}

// Until `done`, looking twice in a millisecond. False: not within the time.
template <typename Done>
bool within(uint64_t nanoseconds, Done done) {
  const uint64_t end = monotonicNow() + nanoseconds;
  while (!done()) {
    if (monotonicNow() > end) return false;
    usleep(500);
  }
  return true;
}

}  // namespace zoo::test
