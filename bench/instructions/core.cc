// Hot calls of the core, each a fixed number of times, for callgrind to count.
//
//   valgrind --tool=callgrind --collect-atstart=no core
//
// Prints how many calls stand behind each name that callgrind reports.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "core/lock/lock.h"
#include "core/queue/queue.h"
#include "section.h"
#include "still_clock.h"

namespace zoo::bench {
namespace {

constexpr uint32_t kRounds = 16;
constexpr uint32_t kBatch = 256;

void demand(bool fine, const char* what) {
  if (fine) return;
  std::fprintf(stderr, "%s: not the answer that this count needs\n", what);
  std::exit(1);
}

// A queue that one handle writes and one handle of each group reads.
class Bench {
 public:
  Bench(const std::string& kind, QueueOptions options, uint32_t groups) : kind_(kind) {
    const std::string name = "zoosync-instructions-" + std::to_string(getpid());
    options.groups.emplace();
    for (uint32_t group = 0; group < groups; ++group) {
      options.groups->push_back({"group-" + std::to_string(group), Overflow::block});
    }
    writer_ = open(name, OpenMode::create, options);
    for (const GroupOptions& group : *options.groups) {
      options.group = group.name;
      readers_.push_back(open(name, OpenMode::open, options));
    }
    writer_->unlinkName();
  }

  void copies(const char* size_name, uint64_t bytes, uint32_t messages) {
    const std::vector<std::byte> message(bytes);
    std::vector<std::byte> target(bytes);
    count({part("put", size_name, messages,
                [=, &message] {
                  for (uint32_t index = 0; index < messages; ++index) {
                    demand(writer_->put(message.data(), message.size()) == Status::ok, "put");
                  }
                }),
           part("take", size_name, messages,
                [=, &target] {
                  for (const auto& reader : readers_) {
                    for (uint32_t index = 0; index < messages; ++index) {
                      uint64_t size = 0;
                      demand(reader->take(target.data(), target.size(), size) == Status::ok,
                             "take");
                    }
                  }
                })},
          kRounds);
  }

  void inPlace(const char* size_name, uint64_t bytes, uint32_t messages) {
    std::vector<Cursor> reserved(messages), claimed(messages * readers_.size());
    uint64_t offset = 0;
    Claim one;
    count({part("reserve", size_name, messages,
                [&] {
                  for (Cursor& cursor : reserved) {
                    demand(writer_->reserve(bytes, cursor, offset) == Status::ok, "reserve");
                  }
                }),
           part("commit", size_name, messages,
                [&] {
                  for (const Cursor cursor : reserved) {
                    demand(writer_->commit(cursor, bytes) == Status::ok, "commit");
                  }
                }),
           part("claim", size_name, messages,
                [&] {
                  for (size_t index = 0; index < claimed.size(); ++index) {
                    Queue& reader = *readers_[index / messages];
                    demand(reader.claim(claimed[index], one) == Status::ok, "claim");
                  }
                }),
           part("release", size_name, messages,
                [&] {
                  for (size_t index = 0; index < claimed.size(); ++index) {
                    Queue& reader = *readers_[index / messages];
                    demand(reader.release(claimed[index]) == Status::ok, "release");
                  }
                })},
          kRounds);
  }

  // Per message, of which there are 256 in one call.
  void packed(const char* size_name, uint32_t bytes) {
    std::array<uint32_t, kBatch> sizes, taken_sizes;
    sizes.fill(bytes);
    std::vector<std::byte> packed(size_t{kBatch} * bytes);
    count({part("put packed", size_name, kBatch,
                [&] {
                  uint32_t put = 0;
                  writer_->putPacked(packed.data(), sizes.data(), kBatch, put);
                  demand(put == kBatch, "putPacked");
                }),
           part("take packed", size_name, kBatch,
                [&] {
                  for (const auto& reader : readers_) {
                    uint32_t taken = 0;
                    reader->takePacked(packed.data(), packed.size(), 1, taken_sizes.data(), kBatch,
                                       taken);
                    demand(taken == kBatch, "takePacked");
                  }
                })},
          kRounds);
  }

  // What a call costs that finds nothing, or no room.
  void vain(uint64_t bytes, uint32_t tries) {
    std::vector<std::byte> message(bytes);
    uint64_t size = 0;
    count({part("take, empty", "", tries,
                [&] {
                  for (uint32_t index = 0; index < tries; ++index) {
                    demand(readers_[0]->take(message.data(), bytes, size) == Status::would_block,
                           "take of an empty queue");
                  }
                })},
          kRounds);
    while (writer_->put(message.data(), bytes) == Status::ok) continue;
    count({part("put, full", "", tries,
                [&] {
                  for (uint32_t index = 0; index < tries; ++index) {
                    demand(writer_->put(message.data(), bytes) == Status::would_block,
                           "put into a full queue");
                  }
                })},
          kRounds);
  }

 private:
  static std::unique_ptr<Queue> open(const std::string& name, OpenMode mode,
                                     const QueueOptions& options) {
    Result<std::unique_ptr<Queue>> queue = Queue::open(name, mode, options);
    demand(static_cast<bool>(queue), name.c_str());
    return queue.take();
  }

  // Says how many messages are behind the name, and lets callgrind report under it.
  Part part(const std::string& call, const std::string& size_name, uint32_t messages,
            std::function<void()> run) {
    names_.push_back(std::make_unique<std::string>(kind_ + ": " + call +
                                                   (size_name.empty() ? "" : ", ") + size_name));
    std::printf("%u %s\n", messages * kRounds, names_.back()->c_str());
    return {names_.back()->c_str(), std::move(run)};
  }

  std::string kind_;
  std::unique_ptr<Queue> writer_;
  std::vector<std::unique_ptr<Queue>> readers_;
  std::vector<std::unique_ptr<std::string>> names_;
};

QueueOptions ring(uint64_t bytes) {
  QueueOptions options;
  options.bytes = bytes;
  return options;
}

QueueOptions frames(uint32_t slots, uint64_t bytes) {
  QueueOptions options;
  options.slots = slots;
  options.slot_bytes = bytes;
  return options;
}

void countLock() {
  const std::string name = "zoosync-instructions-lock-" + std::to_string(getpid());
  Result<std::unique_ptr<Lock>> opened = Lock::open(name, {});
  demand(static_cast<bool>(opened), name.c_str());
  const std::unique_ptr<Lock> lock = opened.take();
  lock->unlinkName();
  constexpr uint32_t kTimes = 64;
  std::printf("%u lock: acquire and release\n", kTimes * kRounds);
  count({{"lock: acquire and release",
          [&] {
            for (uint32_t index = 0; index < kTimes; ++index) {
              LockTaken taken;
              demand(lock->tryAcquire(taken) == Status::ok, "tryAcquire");
              demand(lock->release(true) == Status::ok, "release of the lock");
            }
          }}},
        kRounds);
}

void countStore(const std::string& kind, const QueueOptions& small, const QueueOptions& large) {
  {
    Bench bench(kind, small, 1);
    bench.copies("64 B", 64, 64);
    bench.copies("1 KiB", 1024, 64);
    bench.inPlace("1 KiB", 1024, 64);
    bench.packed("64 B", 64);
    bench.vain(1024, 64);
  }
  Bench bench(kind, large, 1);
  bench.copies("64 KiB", 65536, 4);
}

void countGroups(const QueueOptions& options) {
  Bench bench("two groups", options, 2);
  bench.copies("64 B", 64, 64);
  bench.inPlace("1 KiB", 1024, 64);
  bench.packed("64 B", 64);
}

}  // namespace
}  // namespace zoo::bench

int main() {
  using namespace zoo::bench;
  // Smaller than what a count puts in, so that rings go round and make room.
  countStore("ring", ring(256 << 10), ring(1 << 20));
  countStore("frames", frames(512, 1024), frames(8, 65536));
  // Each message is taken twice.
  countGroups(ring(256 << 10));
  countLock();
  return 0;
}
