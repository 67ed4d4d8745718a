// Lets children die at the first, second, third … step of what they do, until
// they get to the end.
//
// Victims come one after the other: each finds what the one before it left, and
// dies at every one of its own steps for every step of the one before. Or both
// are there at once: the first is stopped at its step, the second dies at its
// own, and the first is killed where it stands.
#pragma once

#include <sys/prctl.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/kill_step.h"
#include "core/os/doorbell.h"
#include "support/kill_report.h"
#include "support/names.h"
#include "support/processes.h"

namespace zoo::test {

using Hook = std::function<void()>;

// What a victim does: opens what it needs, calls `earlier` (in which those
// before it die), calls `arm`, and goes on. Whoever gets to the end of it must
// leave as a death would.
using Act = std::function<void(const Hook& earlier, const Hook& arm)>;

// Victims die only at every so-manieth of their steps, beginning at another one
// each time.
struct Strides {
  int first = 1;
  int later = 1;
};

class KillDriver {
 public:
  static KillDriver& instance() {
    static KillDriver* driver = new KillDriver;
    return *driver;
  }

  StepTable& steps() { return steps_; }
  KillReport& report() { return steps_.report(); }
  const char* context() const { return context_; }
  // How many are to die in this trial.
  size_t victims() const { return victims_; }

  // In a process of its own that runs some of the trials.
  void begin() {
    stages_ = &sharedWithChildren<Stages>();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    // Of somebody who had this process id before, and was ended from outside.
    removeLeftovers();
  }
  // The bell of this process, made when it is first needed.
  Doorbell& bell() {
    if (bell_ == nullptr) {
      Result<Doorbell> made = Doorbell::make();
      if (!made) fail("%s", made.error().text);
      bell_ = std::make_unique<Doorbell>(made.take());
    }
    return *bell_;
  }
  void finish() {
    bell_.reset();
    for (const std::string& name : leftovers(namePrefix())) fail("%s is left", name.c_str());
  }

  // For every combination of steps: `prepare` in this process, the victims in
  // children, `check` in this process again.
  template <typename Prepare, typename Check>
  void everyDeath(const std::string& what, const std::vector<Act>& acts, Strides strides,
                  Prepare prepare, Check check) {
    const size_t count = acts.size();
    victims_ = count;
    std::vector<int> targets(count, 1);
    targets[0] += static_cast<int>(std::hash<std::string>()(what) % strides.first);
    for (;;) {
      beginTrial(what, targets);
      prepare();
      runVictim(count - 1, acts);
      buryParked();
      describe(what, count);
      check();
      noteTrial(count);
      size_t turn = count - 1;
      while (!stage(turn).killed) {
        if (turn == 0) return;
        --turn;
      }
      targets[turn] += turn == 0 ? strides.first : strides.later;
      int sum = 0;
      for (size_t later = 0; later < count; ++later) {
        if (later > turn) targets[later] = 1 + sum % strides.later;
        sum += targets[later];
      }
    }
  }

  // From now on the first victim is stopped at its step instead of killed, if
  // `may_stay`, and killed when the second has died.
  void parkFirst(std::function<bool()> may_stay) { may_stay_ = std::move(may_stay); }

  // A child that dies at a step with this name.
  template <typename DoomedAct>
  void dieAt(const char* name, DoomedAct act) {
    const pid_t child = startChild([&] {
      act([&] { armAt(name); });
      fail("nobody came to step %s", name);
    });
    if (!waitForEnd(child).killed) fail("the first victim did not die");
  }

  // For a victim that is started by other means.
  void armStep(int target, std::function<void()> what_then) {
    countdown_ = target;
    wanted_ = nullptr;
    then_ = std::move(what_then);
    step_hook = [](const char* name) { instance().onStep(name); };
  }
  void setContext(const std::string& text) {
    std::snprintf(context_, sizeof context_, "%s", text.c_str());
    alarm(kPatienceSeconds);
  }
  void forgetDeaths() {
    for (Stage& one : stages_->of) one = {};
  }

  [[noreturn, gnu::format(printf, 2, 3)]] void fail(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char text[400];
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    std::fprintf(stderr, "FAILED: %s: %s\n", context_, text);
    bell_.reset();
    removeLeftovers();
    _exit(1);
  }

 private:
  static constexpr unsigned kPatienceSeconds = 60;

  struct Stage {
    int target;
    bool killed;
    pid_t parked;
    char died_at[48];
  };
  struct Stages {
    Stage of[kMostVictims];
  };

  KillDriver() {
    // A bell may be rung whose owner has just left.
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGALRM, [](int) { instance().fail("stuck for %u s", kPatienceSeconds); });
  }

  static void removeLeftovers() {
    for (const std::string& name : leftovers(namePrefix())) unlink(shmPath(name).c_str());
  }

  Stage& stage(size_t index) { return stages_->of[index]; }

  void beginTrial(const std::string& what, const std::vector<int>& targets) {
    std::string text = what + ", step";
    forgetDeaths();
    for (size_t index = 0; index < targets.size(); ++index) {
      text += (index == 0 ? " " : " then ") + std::to_string(targets[index]);
      stage(index).target = targets[index];
    }
    setContext(text);
  }

  void describe(const std::string& what, size_t count) {
    std::string text = what;
    for (size_t index = 0; index < count; ++index) {
      text += index == 0 ? ", step " : " then ";
      text += std::to_string(stage(index).target) + " (" +
              (stage(index).killed ? stage(index).died_at : "completed") + ")";
    }
    setContext(text);
  }

  void runVictim(size_t index, const std::vector<Act>& acts) {
    const bool parks = index == 0 && may_stay_ != nullptr;
    const pid_t child = startChild([&] {
      acts[index](
          [&] {
            if (index > 0) runVictim(index - 1, acts);
          },
          [&] {
            armStep(stage(index).target, [this, index, parks] {
              std::snprintf(stage(index).died_at, sizeof stage(index).died_at, "%s", at_);
              stage(index).killed = true;
              if (parks)
                raise(SIGSTOP);
              else
                dieHere();
            });
          });
      step_hook = nullptr;
    });
    if (parks && waitForStop(child)) {
      if (may_stay_()) {
        stage(0).parked = child;
        return;
      }
      kill(child, SIGKILL);
      waitForEnd(child);
      _exit(0);  // it would have kept the second one waiting: no two deaths at
                 // once here
    }
    const Ending ending = waitForEnd(child);
    if (!ending.killed && ending.exit_code != 0) {
      fail("victim %zu ended with exit code %d, signal %d", index + 1, ending.exit_code,
           ending.signal);
    }
    stage(index).killed = ending.killed;
  }

  // It died with the second one, whose child it was, and is ours to wait for
  // since.
  void buryParked() {
    if (stage(0).parked != 0) waitForEnd(stage(0).parked);
  }

  void noteTrial(size_t count) {
    KillReport& report = steps_.report();
    ++report.trials;
    size_t killed = 0;
    for (size_t index = 0; index < count; ++index) killed += stage(index).killed;
    ++report.with_victims[killed];
    if (stage(0).parked != 0 && killed == 2) ++report.at_once;
  }

  void armAt(const char* name) {
    armStep(0, [] { dieHere(); });
    wanted_ = name;
  }

  void onStep(const char* name) {
    steps_.visit(name);
    const bool now = wanted_ != nullptr ? std::strcmp(name, wanted_) == 0 : --countdown_ == 0;
    if (!now) return;
    at_ = name;
    steps_.die(name);
    then_();
  }

  StepTable steps_;
  Stages* stages_ = nullptr;
  std::unique_ptr<Doorbell> bell_;
  std::function<bool()> may_stay_;
  char context_[400] = "";
  size_t victims_ = 1;
  int countdown_ = 0;
  const char* wanted_ = nullptr;
  const char* at_ = "";
  std::function<void()> then_;
};

}  // namespace zoo::test
