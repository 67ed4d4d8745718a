// Deaths of those who use a memory, make a doorbell, or take a name away from
// those who use it.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "support/segment_trials.h"

namespace zoo::test {

inline constexpr uint64_t kMemoryBytes = 10'000;

inline std::unique_ptr<Memory> mustOpenMemory(const std::string& name, OpenMode mode) {
  MemoryOptions options;
  options.bytes = kMemoryBytes;
  Result<std::unique_ptr<Memory>> memory = Memory::open(name, mode, options);
  if (!memory) KillDriver::instance().fail("open memory: %s", memory.error().text);
  if ((*memory)->byteLength() != kMemoryBytes) KillDriver::instance().fail("the size is wrong");
  return memory.take();
}

inline std::vector<SegmentOperation> memoryOperations() {
  KillDriver& driver = KillDriver::instance();
  const auto filled = [](const std::string& name, StoreKind) {
    waitForEnd(startChild([&] {
      const auto memory = mustOpenMemory(name, OpenMode::create);
      fillMessage(memory->data(), 1, kMemoryBytes);
      dieHere();
    }));
  };
  const auto holds = [](Memory& memory, uint64_t id) {
    uint64_t found = 0;
    return readMessage(memory.data(), kMemoryBytes, found) && found == id;
  };
  return {
      {"segment: create a memory", nullptr,
       [](const std::string& name, StoreKind, SegmentReport& report) {
         const auto memory = mustOpenMemory(name, OpenMode::create);
         ++report.returned;
         memory->abandon();
       },
       [&](const std::string& name, StoreKind, uint32_t returned) {
         MemoryOptions options;
         auto memory = Memory::open(name, OpenMode::open, options);
         if (!memory && (returned > 0 || memory.error().code != ErrorCode::notFound)) {
           driver.fail("%s", memory.error().text);
         }
         if (memory) (*memory)->close();
         mustOpenMemory(name, OpenMode::create);
       }},
      {"segment: open and close a memory", filled,
       [](const std::string& name, StoreKind, SegmentReport&) {
         mustOpenMemory(name, OpenMode::open)->close();
       },
       [=, &driver](const std::string& name, StoreKind, uint32_t) {
         if (!holds(*mustOpenMemory(name, OpenMode::open), 1)) driver.fail("its bytes are gone");
         // Nobody is in it, so that it may be replaced.
         if (holds(*mustOpenMemory(name, OpenMode::create), 1)) driver.fail("it is the old one");
       }},
      {"segment: replace a memory", filled,
       [](const std::string& name, StoreKind, SegmentReport& report) {
         const auto memory = mustOpenMemory(name, OpenMode::create);
         ++report.returned;
         memory->abandon();
       },
       [=, &driver](const std::string& name, StoreKind, uint32_t returned) {
         auto memory = Memory::open(name, OpenMode::open, {});
         if (memory && returned > 0 && holds(**memory, 1)) driver.fail("it is the old one");
         if (!memory && returned > 0) driver.fail("%s", memory.error().text);
         if (memory) (*memory)->close();
         mustOpenMemory(name, OpenMode::create);
       }},
      {"segment: remove a memory", filled,
       [&](const std::string& name, StoreKind, SegmentReport& report) {
         if (Result<bool> removed = Memory::unlink(name); !removed)
           driver.fail("%s", removed.error().text);
         ++report.returned;
       },
       [&](const std::string& name, StoreKind, uint32_t returned) {
         if (returned > 0 && nameLeadsTo(name, {}) != NameLeadsTo::nothing)
           driver.fail("the name is still there");
         mustOpenMemory(name, OpenMode::create);
       }},
  };
}

namespace detail {

// Bells that were being made, by somebody who is gone: they stay as they are.
inline std::vector<std::string> unfinishedBells() {
  std::vector<std::string> before = leftovers(zoo::detail::kNewBellPrefix);
  usleep(20'000);
  std::vector<std::string> unfinished;
  for (const std::string& name : leftovers(zoo::detail::kNewBellPrefix)) {
    const int number = ::open(shmPath(name).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (number >= 0) ::close(number);
    const bool same = std::find(before.begin(), before.end(), name) != before.end();
    if (number < 0 && same) unfinished.push_back(name);
  }
  return unfinished;
}

}  // namespace detail

inline std::vector<SegmentOperation> nameOperations() {
  KillDriver& driver = KillDriver::instance();
  const auto used = std::make_shared<std::unique_ptr<Queue>>();
  return {
      {"segment: take the name from those who use it, and make it anew",
       [used](const std::string& name, StoreKind store) {
         *used = mustOpen(name, OpenMode::create, store);
         mustPut(**used, 1);
       },
       [&](const std::string& name, StoreKind store, SegmentReport& report) {
         if (Result<bool> removed = Queue::unlink(name); !removed)
           driver.fail("%s", removed.error().text);
         ++report.returned;
         const auto queue = mustOpen(name, OpenMode::either, store);
         ++report.returned;
         queue->abandon();
       },
       [used, &driver](const std::string& name, StoreKind store, uint32_t returned) {
         const NameLeadsTo leads = nameLeadsTo(name, (*used)->identity());
         if (returned > 0 && leads == NameLeadsTo::this_file) driver.fail("still the old one");
         if (returned > 1 && leads == NameLeadsTo::nothing) driver.fail("the new one is gone");
         (*used)->lookAround();
         const bool gone = (*used)->waitReadable(kMillisecond) == Status::gone;
         if (gone != (leads == NameLeadsTo::another_file)) {
           driver.fail(gone ? "told that it is gone, but it is not" : "not told that it is gone");
         }
         if (takeOne(**used) != 1) driver.fail("the message in the old one is lost");
         mustPut(**used, 2);
         const auto queue = mustOpen(name, OpenMode::either, store);
         if ((takeOne(*queue) == 2) != (leads == NameLeadsTo::this_file)) {
           driver.fail("the name leads to a queue where nobody would be met");
         }
         used->reset();
       }},
      {"segment: make a bell", nullptr,
       [&](const std::string&, StoreKind, SegmentReport&) {
         if (Result<Doorbell> bell = Doorbell::make(); !bell) {
           driver.fail("%s", bell.error().text);
         }
       },
       [&](const std::string&, StoreKind, uint32_t) {
         for (const std::string& name : detail::unfinishedBells()) {
           const timespec long_ago[2] = {{1'000'000, 0}, {1'000'000, 0}};
           utimensat(AT_FDCWD, shmPath(name).c_str(), long_ago, 0);
           Doorbell::removeOrphans();
           if (access(shmPath(name).c_str(), F_OK) == 0) {
             driver.fail("a bell that was never finished stays for ever");
           }
         }
       }},
  };
}

inline void addSegmentDeaths(std::vector<Slice>& slices, const Effort& effort) {
  std::vector<SegmentOperation> operations = segmentOperations();
  for (const auto& part : {memoryOperations(), nameOperations()}) {
    operations.insert(operations.end(), part.begin(), part.end());
  }
  for (const SegmentOperation& operation : operations) {
    const std::string name = operation.name;
    if (!effort.wants(name)) continue;
    slices.push_back(
        {name, [operation, name, effort] {
           for (const StoreKind store : {StoreKind::ring, StoreKind::frames}) {
             SegmentTrial trial(operation, store);
             const std::string what = name + (store == StoreKind::ring ? " (ring)" : " (frames)");
             trial.run({trial.victim()}, {}, what);
             trial.run({trial.victim(), trial.victim()}, effort.strides(5, 9), what + ", twice");
             if (!effort.all) continue;
             trial.run({trial.victim(), trial.victim(), trial.victim()}, {3, 5},
                       what + ", three times");
           }
         }});
  }
}

}  // namespace zoo::test
