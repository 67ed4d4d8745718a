// Deaths of those who use a lock, and of those who repair after them. What the
// lock protects are two words that are equal whenever nobody is in between.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/lock/lock.h"
#include "core/memory/memory.h"
#include "support/chain_trials.h"

namespace zoo::test {

// Not shared through the library under test.
struct LockReport {
  std::atomic<bool> holding;           // acquire has returned, release has not been called
  std::atomic<bool> in_doubt;          // released with data not in order
  std::atomic<uint64_t> done;          // how often both words were written and the lock released
  std::atomic<uint64_t> victims_bell;  // 0: it had none
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
  LockReport& report() { return report_; }
  volatile uint64_t& word(int index) {
    return reinterpret_cast<volatile uint64_t*>(memory_->data())[index];
  }

  LockTaken acquire() {
    LockTaken taken;
    Status status = Status::would_block;
    while (status == Status::would_block) status = lock_->acquire(100 * kMillisecond, taken);
    return checked(status, taken);
  }
  LockTaken tryAcquire() {
    LockTaken taken;
    return checked(lock_->tryAcquire(taken), taken);
  }
  LockTaken checked(Status status, const LockTaken& taken) {
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
  void tryAcquireNoted() {
    tryAcquire();
    report_.holding = true;
  }
  void releaseNoted(bool in_order) {
    report_.in_doubt = !in_order;
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
  std::function<void(const std::string& name, LockReport&, const Hook& earlier, const Hook& arm)>
      act;
};

inline std::vector<LockOperation> lockOperations() {
  return {
      {"lock: acquire, write, release",
       [](const std::string& name, LockReport& report, const Hook& earlier, const Hook& arm) {
         LockUser user(name, report);
         earlier();
         arm();
         user.acquireNoted();
         user.write();
         user.releaseNoted(true);
         user.abandon();
       }},
      {"lock: try to acquire, twice",
       [](const std::string& name, LockReport& report, const Hook& earlier, const Hook& arm) {
         LockUser user(name, report);
         earlier();
         arm();
         for (int count = 0; count < 2; ++count) {
           user.tryAcquireNoted();
           user.write();
           user.releaseNoted(true);
         }
         user.abandon();
       }},
      {"lock: release in doubt",
       [](const std::string& name, LockReport& report, const Hook& earlier, const Hook& arm) {
         LockUser user(name, report);
         earlier();
         arm();
         user.acquireNoted();
         user.releaseNoted(false);
         user.abandon();
       }},
      {"lock: close while held",
       [](const std::string& name, LockReport& report, const Hook& earlier, const Hook& arm) {
         LockUser user(name, report);
         earlier();
         user.acquireNoted();
         arm();
         user.lock().close();
       }},
      {"lock: open, arm, disarm and close",
       [](const std::string& name, LockReport& report, const Hook& earlier, const Hook& arm) {
         Result<Doorbell> bell = Doorbell::make();
         if (!bell) KillDriver::instance().fail("%s", bell.error().text);
         earlier();
         arm();
         LockUser user(name, report);
         report.victims_bell = bell->id();
         user.lock().arm(bell->id());
         user.lock().disarm();
         user.lock().close();
       }},
      {"lock: be woken and pass it on",
       [](const std::string& name, LockReport& report, const Hook& earlier, const Hook& arm) {
         LockUser user(name, report), other(name, report);
         earlier();
         other.acquireNoted();
         other.write();
         user.lock().arm(KillDriver::instance().bell().id());
         other.releaseNoted(true);
         arm();
         user.lock().disarm();
         user.abandon();
         other.abandon();
       }},
  };
}

class LockTrial {
 public:
  LockTrial() : report_(sharedWithChildren<LockReport>()) {}

  Act victim(const LockOperation& operation) {
    return [this, &operation](const Hook& earlier, const Hook& arm) {
      operation.act(name_, report_, earlier, arm);
    };
  }
  void prepare() {
    name_ = freshName("lock");
    new (&report_) LockReport{};
    survivor_ = std::make_unique<LockUser>(name_, report_);
    KillDriver& driver = KillDriver::instance();
    if (survivor_->lock().arm(driver.bell().id()) != Status::ok) driver.fail("arm failed");
  }
  void check() {
    KillDriver& driver = KillDriver::instance();
    survivor_->lock().disarm();
    const LockTaken taken = survivor_->acquire();
    if ((report_.holding || report_.in_doubt) && !taken.recovered) {
      driver.fail("the owner died, but nobody says so");
    }
    if (survivor_->word(0) < report_.done) driver.fail("a write is lost");
    survivor_->write();
    survivor_->release(true);
    if (survivor_->acquire().recovered) driver.fail("repaired, but still in doubt");
    survivor_->release(true);
    LockUser newcomer(name_, report_);
    if (newcomer.acquire().recovered) driver.fail("in doubt for a newcomer");
    newcomer.release(true);
    checkTable(newcomer.lock());
    checkNoBell();
    survivor_.reset();
    newcomer.lock().close();
    for (const std::string& part : {name_, name_ + "-words"}) {
      const Result<bool> removed = part == name_ ? Lock::unlink(part) : Memory::unlink(part);
      (void)removed;
      if (nameLeadsTo(part, {}) != NameLeadsTo::nothing) driver.fail("%s is left", part.c_str());
    }
  }

 private:
  // Only the survivor and the newcomer are in the table, and nobody waits.
  void checkTable(Lock& lock) {
    KillDriver& driver = KillDriver::instance();
    Result<Descriptor> file = openShmFile(name_);
    if (!file) driver.fail("%s", file.error().text);
    Result<std::shared_ptr<Mapping>> mapping =
        Mapping::map(file->get(), kBlockOffset + sizeof(LockBlock), kBlockOffset, false);
    if (!mapping) driver.fail("%s", mapping.error().text);
    const std::byte* base = (*mapping)->base();
    const auto* participants = reinterpret_cast<const Participant*>(base + kParticipantsOffset);
    const auto& block = *reinterpret_cast<const LockBlock*>(base + kBlockOffset);
    size_t active = 0;
    for (uint32_t slot = 0; slot < kSlots; ++slot) {
      active += participants[slot].state.load() == SlotState::active;
    }
    if (active != 2) driver.fail("%zu have the lock open, not 2", active);
    if ((block.waiting[0].load() | block.waiting[1].load()) != 0) driver.fail("somebody waits");
    LockOwner owner;
    if (lock.owner(owner)) driver.fail("somebody holds it in statistics");
  }

  void checkNoBell() {
    const BellId bell = report_.victims_bell.load();
    if (bell == 0) return;
    Doorbell::removeOrphans();
    const std::string path = zoo::detail::bellPath(zoo::detail::kBellPrefix, bell);
    if (access(path.c_str(), F_OK) == 0) {
      KillDriver::instance().fail("the bell of a dead process is left");
    }
  }

  LockReport& report_;
  std::unique_ptr<LockUser> survivor_;
  std::string name_;
};

inline void addLockDeaths(std::vector<Slice>& slices, const Effort& effort) {
  for (size_t index = 0; index < lockOperations().size(); ++index) {
    const char* name = lockOperations()[index].name;
    if (!effort.wants(name)) continue;
    slices.push_back({name, [=] {
                        const std::vector<LockOperation> operations = lockOperations();
                        LockTrial trial;
                        KillDriver& driver = KillDriver::instance();
                        const auto run = [&](const std::vector<Act>& acts, Strides strides,
                                             const std::string& what) {
                          driver.everyDeath(
                              what, acts, strides, [&] { trial.prepare(); },
                              [&] { trial.check(); });
                        };
                        run({trial.victim(operations[index])}, {}, name);
                        for (const LockOperation& second : operations) {
                          run({trial.victim(operations[index]), trial.victim(second)},
                              effort.strides(5, 9), std::string(name) + ", then " + second.name);
                        }
                        if (index != 0 && !effort.all) return;
                        // Nearly all that is in doubt after a death is here.
                        run({trial.victim(operations[0]), trial.victim(operations[0])}, {},
                            std::string(name) + ", and another one the same");
                        run({trial.victim(operations[index]), trial.victim(operations[0]),
                             trial.victim(operations[0])},
                            effort.wideStrides(4, 5), std::string(name) + ", then two more");
                      }});
  }
}

}  // namespace zoo::test
