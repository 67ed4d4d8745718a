// Deaths of those who make, open, replace or remove a name. Afterwards the name
// leads to a whole segment or to nothing, and whoever comes next gets what he
// asks for.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/lock/lock.h"
#include "core/memory/memory.h"
#include "core/queue/queue.h"
#include "support/chain_trials.h"
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
  std::function<void(const std::string& name, StoreKind store)> prepare;
  std::function<void(const std::string& name, StoreKind store, SegmentReport&)> act;
  std::function<void(const std::string& name, StoreKind store, uint32_t returned)> check;
};

inline std::vector<SegmentOperation> segmentOperations() {
  KillDriver& driver = KillDriver::instance();
  // Somebody made the queue, put message 1 into it, and died.
  const auto stale = [](const std::string& name, StoreKind store) {
    waitForEnd(startChild([&] {
      mustPut(*mustOpen(name, OpenMode::create, store).release(), 1);
      dieHere();
    }));
  };
  return {
      {"segment: create a queue", nullptr,
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
      {"segment: open or create a queue", nullptr,
       [](const std::string& name, StoreKind store, SegmentReport&) {
         mustOpen(name, OpenMode::either, store)->abandon();
       },
       [](const std::string& name, StoreKind store, uint32_t) {
         mustOpen(name, OpenMode::create, store);
       }},
      {"segment: replace a queue that nobody uses", stale,
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
      {"segment: take over a queue that nobody uses", stale,
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
      {"segment: remove a queue that nobody uses", stale,
       [&](const std::string& name, StoreKind, SegmentReport&) {
         if (Result<bool> removed = Queue::unlink(name); !removed)
           driver.fail("%s", removed.error().text);
       },
       [](const std::string& name, StoreKind store, uint32_t) {
         mustOpen(name, OpenMode::create, store);
       }},
  };
}

class SegmentTrial {
 public:
  SegmentTrial(SegmentOperation operation, StoreKind store)
      : operation_(std::move(operation)),
        store_(store),
        report_(sharedWithChildren<SegmentReport>()) {}

  // All of them do the same, and what counts is what the last one was told.
  Act victim() {
    return [this](const Hook& earlier, const Hook& arm) {
      earlier();
      report_.returned = 0;
      arm();
      operation_.act(name_, store_, report_);
    };
  }

  void run(const std::vector<Act>& acts, Strides strides, const std::string& what) {
    KillDriver& driver = KillDriver::instance();
    driver.everyDeath(
        what, acts, strides,
        [&] {
          name_ = freshName("segment");
          report_.returned = 0;
          if (operation_.prepare) operation_.prepare(name_, store_);
        },
        [&] {
          operation_.check(name_, store_, report_.returned);
          unlink(shmPath(name_).c_str());
          if (!leftovers(namePrefix()).empty()) {
            driver.fail("%s is left", leftovers(namePrefix())[0].c_str());
          }
        });
  }

 private:
  SegmentOperation operation_;
  StoreKind store_;
  SegmentReport& report_;
  std::string name_;
};

}  // namespace zoo::test
