// One process waits for a lock, and the one who has it dies at each of its
// steps.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/lock_trials.h"
#include "support/sleep_trials.h"

namespace zoo::test {

struct LockSleepScene {
  const char* name;
  std::function<void(LockUser&)> act;  // by the one who has the lock
};

inline std::vector<LockSleepScene> lockSleepScenes() {
  return {
      {"lock: wait for one who writes and releases",
       [](LockUser& user) {
         user.write();
         user.releaseNoted(true);
       }},
      {"lock: wait for one who releases in doubt",
       [](LockUser& user) { user.releaseNoted(false); }},
      {"lock: wait for one who closes", [](LockUser& user) { user.lock().close(); }},
      {"lock: wait for one who takes it again",
       [](LockUser& user) {
         user.write();
         user.releaseNoted(true);
         LockTaken taken;
         if (user.lock().tryAcquire(taken) == Status::ok) user.report().holding = true;
       }},
  };
}

class LockSleepTrial {
 public:
  LockSleepTrial(const LockSleepScene& scene, Sleep sleep)
      : scene_(scene),
        sleep_(sleep),
        lock_report_(sharedWithChildren<LockReport>()),
        report_(sharedWithChildren<SleepReport>()) {}

  bool dieAt(int target) {
    KillDriver& driver = KillDriver::instance();
    driver.setContext(std::string(scene_.name) + " (" + textOf(sleep_) + "), step " +
                      std::to_string(target));
    name_ = freshName("lock-sleep");
    new (&lock_report_) LockReport{};
    new (&report_) SleepReport{};
    const pid_t victim = startChild([&] { beVictim(target); });
    waitFor(report_.victim_ready);
    const Peek peek(name_);
    const pid_t sleeper = startChild([&] { beSleeper(); });
    const bool asleep = within(20'000 * kMillisecond, [&] {
      return report_.falls_asleep.load() && processState(sleeper) == 'S' &&
             (sleep_ == Sleep::blocked || peek.anybodyWaitsForLock());
    });
    if (!asleep) driver.fail("nobody fell asleep");
    announce(report_.go);
    const Ending ending = waitForEnd(victim);
    const uint64_t dead_ns = monotonicNow();
    int status = 0;
    const auto ended = [&] { return waitpid(sleeper, &status, WNOHANG) == sleeper; };
    if (!within(kLongestSleepAllowed, ended)) driver.fail("nobody got the lock");
    if (status != 0) driver.fail("the sleeper failed");
    const uint64_t answered = report_.answered_ns.load();
    driver.report().noteSleep(answered > dead_ns ? answered - dead_ns : 0, driver.context());
    ++driver.report().trials;
    ++driver.report().with_victims[ending.killed ? 1 : 0];
    for (const std::string& part : {name_, name_ + "-words"}) unlink(shmPath(part).c_str());
    return ending.killed;
  }

 private:
  void beVictim(int target) {
    LockUser user(name_, lock_report_);
    user.acquireNoted();
    announce(report_.victim_ready);
    waitFor(report_.go);
    KillDriver::instance().armStep(target, [] { dieHere(); });
    scene_.act(user);
    step_hook = nullptr;
    _exit(0);
  }

  void beSleeper() {
    LockUser user(name_, lock_report_);
    Sleeper sleeper(report_, sleep_);
    LockTaken taken;
    const Status status = sleeper.again(
        [&] { return taken.generation != 0 ? Status::ok : user.lock().tryAcquire(taken); },
        [&] { return user.lock().acquire(kLongestSleep, taken); },
        [&](BellId bell) { return user.lock().arm(bell); }, [&] { user.lock().disarm(); }, [] {});
    report_.answered(status);
    user.checked(status, taken);
    if ((lock_report_.holding || lock_report_.in_doubt) && !taken.recovered) {
      KillDriver::instance().fail("the owner died, but nobody says so");
    }
    if (user.word(0) < lock_report_.done) KillDriver::instance().fail("a write is lost");
    user.write();
    user.release(true);
  }

  LockSleepScene scene_;
  Sleep sleep_;
  LockReport& lock_report_;
  SleepReport& report_;
  std::string name_;
};

inline void addLockSleepers(std::vector<Slice>& slices, const Effort& effort) {
  for (const LockSleepScene& scene : lockSleepScenes()) {
    if (!effort.wants(scene.name)) continue;
    for (const Sleep sleep : {Sleep::blocked, Sleep::on_bell}) {
      slices.push_back({scene.name,
                        [scene, sleep] {
                          LockSleepTrial trial(scene, sleep);
                          for (int target = 1; trial.dieAt(target); ++target) {
                          }
                        },
                        true});
    }
  }
}

}  // namespace zoo::test
