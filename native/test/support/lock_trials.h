// Deaths of those who use a lock, and of those who repair after them. What the lock protects are
// two words that are equal whenever nobody is in between.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/lock/lock.h"
#include "core/memory/memory.h"
#include "support/kill_driver.h"

namespace zoo::test {

// Not shared through the library under test.
struct LockReport {
  std::atomic<bool> holding;   // acquire has returned, release has not been called
  std::atomic<bool> in_doubt;  // released with data not in order
  std::atomic<uint64_t> done;  // how often both words were written and the lock released
};

class LockUser {
 public:
  LockUser(const std::string& name, LockReport& report) : report_(report) {
    Result<std::unique_ptr<Lock>> lock = Lock::open(name, {});
    if (!lock) KillDriver::instance().fail("open lock: %s", lock.error().text);
    lock_ = lock.take();
    MemoryOptions options;
    options.bytes = 64;
    for (OpenMode mode : {OpenMode::open, OpenMode::create}) {
      Result<std::unique_ptr<Memory>> memory = Memory::open(name + "-words", mode, options);
      if (memory) memory_ = memory.take();
      if (memory) break;
    }
    if (memory_ == nullptr) KillDriver::instance().fail("the memory cannot be opened");
  }
  LockUser(const LockUser&) = delete;
  LockUser& operator=(const LockUser&) = delete;
  ~LockUser() = default;

  Lock& lock() { return *lock_; }
  volatile uint64_t& word(int index) {
    return reinterpret_cast<volatile uint64_t*>(memory_->data())[index];
  }

  LockTaken acquire() {
    LockTaken taken;
    Status status = Status::would_block;
    while (status == Status::would_block) status = lock_->acquire(100 * kMillisecond, taken);
    if (status != Status::ok)
      KillDriver::instance().fail("acquire answers %lld", static_cast<long long>(status));
    if (word(0) != word(1) && !taken.recovered) {
      KillDriver::instance().fail("the data is half written, but nobody says so");
    }
    return taken;
  }
  void write() {
    word(0) = word(0) + 1;
    ZOO_STEP("test.half_written");
    word(1) = word(0);
  }
  void release(bool in_order) {
    if (lock_->release(in_order) != Status::ok) KillDriver::instance().fail("release failed");
  }

  // For the process that dies.
  void acquireNoted() {
    acquire();
    report_.holding = true;
  }
  void releaseNoted(bool in_order) {
    if (!in_order) report_.in_doubt = true;
    report_.holding = false;
    release(in_order);
    if (in_order) ++report_.done;
  }
  void abandon() {
    lock_->abandon();
    memory_->abandon();
  }

 private:
  LockReport& report_;
  std::unique_ptr<Lock> lock_;
  std::unique_ptr<Memory> memory_;
};

struct LockOperation {
  const char* name;
  std::function<void(const std::string& name, LockReport&, const std::function<void()>& arm)> act;
};

inline std::vector<LockOperation> lockOperations() {
  const auto died_holding = [](const std::string& name, LockReport& report) {
    KillDriver::instance().dieAt("test.half_written", [&](const auto& arm) {
      LockUser victim(name, report);
      arm();
      victim.acquireNoted();
      victim.write();
    });
  };
  return {
      {"lock: acquire, write, release",
       [](const std::string& name, LockReport& report, const auto& arm) {
         LockUser user(name, report);
         arm();
         user.acquireNoted();
         user.write();
         user.releaseNoted(true);
         user.abandon();
       }},
      {"lock: release in doubt",
       [](const std::string& name, LockReport& report, const auto& arm) {
         LockUser user(name, report);
         arm();
         user.acquireNoted();
         user.releaseNoted(false);
         user.abandon();
       }},
      {"lock: recover, repair, release",
       [=](const std::string& name, LockReport& report, const auto& arm) {
         LockUser user(name, report);
         died_holding(name, report);
         arm();
         user.acquireNoted();
         user.write();
         user.releaseNoted(true);
         user.abandon();
       }},
      {"lock: close while held",
       [](const std::string& name, LockReport& report, const auto& arm) {
         LockUser user(name, report);
         user.acquireNoted();
         arm();
         user.lock().close();
       }},
      {"lock: open",
       [](const std::string& name, LockReport& report, const auto& arm) {
         arm();
         LockUser user(name, report);
         user.abandon();
       }},
  };
}

inline void killInLocks(const std::string& chosen) {
  KillDriver& driver = KillDriver::instance();
  LockReport& report = sharedWithChildren<LockReport>();
  for (const LockOperation& operation : lockOperations()) {
    if (std::string(operation.name).find(chosen) == std::string::npos) continue;
    std::unique_ptr<LockUser> survivor;
    std::unique_ptr<Doorbell> bell;
    std::string name;
    driver.atEveryStep(
        operation.name,
        [&] {
          name = freshName("lock");
          new (&report) LockReport{};
          survivor = std::make_unique<LockUser>(name, report);
          Result<Doorbell> made = Doorbell::make();
          if (!made) driver.fail("%s", made.error().text);
          bell = std::make_unique<Doorbell>(made.take());
          if (survivor->lock().arm(bell->id()) != Status::ok) driver.fail("arm failed");
        },
        [&](const auto& arm) { operation.act(name, report, arm); },
        [&](bool) {
          survivor->lock().disarm();
          const LockTaken taken = survivor->acquire();
          if ((report.holding || report.in_doubt) && !taken.recovered) {
            driver.fail("the owner died, but nobody says so");
          }
          if (survivor->word(0) < report.done) driver.fail("a write is lost");
          survivor->write();
          survivor->release(true);
          if (survivor->acquire().recovered) driver.fail("repaired, but still in doubt");
          survivor->release(true);
          LockUser newcomer(name, report);
          newcomer.acquire();
          newcomer.release(true);
          survivor.reset();
          bell.reset();
          for (const std::string& part : {name, name + "-words"}) {
            const Result<bool> removed = part == name ? Lock::unlink(part) : Memory::unlink(part);
            (void)removed;
            if (nameLeadsTo(part, {}) != NameLeadsTo::nothing)
              driver.fail("%s is left", part.c_str());
          }
        });
  }
}

}  // namespace zoo::test
