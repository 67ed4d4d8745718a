// Deaths of those who make, open, replace or remove a name. Afterwards the name leads to a whole
// segment or to nothing, and whoever comes next gets what he asks for.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/lock/lock.h"
#include "core/memory/memory.h"
#include "core/queue/queue.h"
#include "support/kill_driver.h"
#include "support/messages.h"

namespace zoo::test {

struct SegmentReport {
  std::atomic<uint32_t> returned;  // how many calls of the process that dies have returned
};

inline QueueOptions smallQueue(StoreKind store) {
  QueueOptions options;
  if (store == StoreKind::ring) {
    options.bytes = 8192;
  } else {
    options.slots = 4;
    options.slot_bytes = 500;
  }
  return options;
}

inline std::unique_ptr<Queue> mustOpen(const std::string& name, OpenMode mode, StoreKind store) {
  Result<std::unique_ptr<Queue>> queue = Queue::open(name, mode, smallQueue(store));
  if (!queue) KillDriver::instance().fail("open: %s", queue.error().text);
  return queue.take();
}

inline void mustPut(Queue& queue, uint64_t id) {
  const std::vector<std::byte> message = messageOf(id, 200);
  if (queue.put(message.data(), message.size()) != Status::ok) {
    KillDriver::instance().fail("put of message %u failed", static_cast<unsigned>(id));
  }
}

// 0: there is none.
inline uint64_t takeOne(Queue& queue) {
  std::byte target[600];
  uint64_t size = 0, id = 0;
  if (queue.take(target, sizeof target, size) != Status::ok) return 0;
  if (!readMessage(target, size, id)) KillDriver::instance().fail("a message is torn");
  return id;
}

struct SegmentOperation {
  const char* name;
  bool stale;  // somebody made the queue, put message 1 into it, and died
  std::function<void(const std::string& name, StoreKind store, SegmentReport&)> act;
  std::function<void(const std::string& name, StoreKind store, uint32_t returned)> check;
};

inline std::vector<SegmentOperation> segmentOperations() {
  KillDriver& driver = KillDriver::instance();
  return {
      {"segment: create a queue", false,
       [](const std::string& name, StoreKind store, SegmentReport& report) {
         const auto queue = mustOpen(name, OpenMode::create, store);
         ++report.returned;
         mustPut(*queue, 7);
         ++report.returned;
         queue->abandon();
       },
       [&](const std::string& name, StoreKind store, uint32_t returned) {
         const auto queue = mustOpen(name, OpenMode::either, store);
         if (returned > 0 && queue->created()) driver.fail("the queue was made, but is gone");
         const uint64_t id = takeOne(*queue);
         if (returned > 1 && id != 7) driver.fail("the message is lost");
       }},
      {"segment: open or create a queue", false,
       [](const std::string& name, StoreKind store, SegmentReport&) {
         mustOpen(name, OpenMode::either, store)->abandon();
       },
       [](const std::string& name, StoreKind store, uint32_t) {
         mustOpen(name, OpenMode::create, store);
       }},
      {"segment: replace a queue that nobody uses", true,
       [](const std::string& name, StoreKind store, SegmentReport& report) {
         const auto queue = mustOpen(name, OpenMode::create, store);
         ++report.returned;
         queue->abandon();
       },
       [&](const std::string& name, StoreKind store, uint32_t returned) {
         const auto queue = mustOpen(name, OpenMode::either, store);
         if (returned > 0 && takeOne(*queue) != 0) driver.fail("the old message is still there");
         mustPut(*queue, 8);
       }},
      {"segment: take over a queue that nobody uses", true,
       [](const std::string& name, StoreKind store, SegmentReport& report) {
         const auto queue = mustOpen(name, OpenMode::open, store);
         mustPut(*queue, 2);
         ++report.returned;
         queue->abandon();
       },
       [&](const std::string& name, StoreKind store, uint32_t returned) {
         const auto queue = mustOpen(name, OpenMode::open, store);
         if (takeOne(*queue) != 1) driver.fail("the first message is lost");
         if (takeOne(*queue) != 2 && returned > 0) driver.fail("the second message is lost");
       }},
      {"segment: remove a queue that nobody uses", true,
       [&](const std::string& name, StoreKind, SegmentReport&) {
         if (Result<bool> removed = Queue::unlink(name); !removed)
           driver.fail("%s", removed.error().text);
       },
       [](const std::string& name, StoreKind store, uint32_t) {
         mustOpen(name, OpenMode::create, store);
       }},
      {"segment: create a memory", false,
       [&](const std::string& name, StoreKind, SegmentReport& report) {
         MemoryOptions options;
         options.bytes = 10'000;
         auto memory = Memory::open(name, OpenMode::create, options);
         if (!memory) driver.fail("%s", memory.error().text);
         ++report.returned;
         (*memory)->abandon();
       },
       [&](const std::string& name, StoreKind, uint32_t returned) {
         MemoryOptions options;
         options.bytes = 10'000;
         auto memory = Memory::open(name, OpenMode::open, options);
         if (!memory && (returned > 0 || memory.error().code != ErrorCode::notFound)) {
           driver.fail("%s", memory.error().text);
         }
         if (memory && (*memory)->byteLength() != 10'000) driver.fail("the size is wrong");
         if (memory) (*memory)->close();
         memory = Memory::open(name, OpenMode::create, options);
         if (!memory) driver.fail("%s", memory.error().text);
       }},
      {"segment: create a lock", false,
       [&](const std::string& name, StoreKind, SegmentReport& report) {
         auto lock = Lock::open(name, {});
         if (!lock) driver.fail("%s", lock.error().text);
         ++report.returned;
         (*lock)->abandon();
       },
       [&](const std::string& name, StoreKind, uint32_t returned) {
         auto lock = Lock::open(name, {});
         if (!lock) driver.fail("%s", lock.error().text);
         if (returned > 0 && (*lock)->created()) driver.fail("the lock was made, but is gone");
         LockTaken taken;
         if ((*lock)->tryAcquire(taken) != Status::ok || taken.recovered)
           driver.fail("not to be had");
         (*lock)->release(true);
       }},
  };
}

inline void killInSegments(const std::string& chosen) {
  KillDriver& driver = KillDriver::instance();
  SegmentReport& report = sharedWithChildren<SegmentReport>();
  for (const SegmentOperation& operation : segmentOperations()) {
    if (std::string(operation.name).find(chosen) == std::string::npos) continue;
    for (const StoreKind store : {StoreKind::ring, StoreKind::frames}) {
      std::string name;
      driver.atEveryStep(
          operation.name + std::string(store == StoreKind::ring ? " (ring)" : " (frames)"),
          [&] {
            name = freshName("segment");
            report.returned = 0;
            if (!operation.stale) return;
            const pid_t first = startChild([&] {
              mustPut(*mustOpen(name, OpenMode::create, store).release(), 1);
              dieHere();
            });
            waitForEnd(first);
          },
          [&](const auto& arm) {
            arm();
            operation.act(name, store, report);
          },
          [&](bool) {
            operation.check(name, store, report.returned);
            unlink(shmPath(name).c_str());
            if (!leftovers(namePrefix()).empty()) {
              driver.fail("%s is left", leftovers(namePrefix())[0].c_str());
            }
          });
    }
  }
}

}  // namespace zoo::test
