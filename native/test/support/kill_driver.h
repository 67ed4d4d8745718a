// Lets a child die at the first, second, third … step of what it does, until it gets to the end.
#pragma once

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "core/kill_step.h"
#include "support/names.h"
#include "support/processes.h"
#include "support/step_names.h"

namespace zoo::test {

inline constexpr size_t kMostSteps = 256;

// Shared with the children.
struct KillReport {
  std::atomic<bool> visited[kMostSteps];
  char died_at[48];
};

class KillDriver {
 public:
  static KillDriver& instance() {
    static KillDriver* driver = new KillDriver;
    return *driver;
  }

  void useNames(std::vector<std::string> names) { names_ = std::move(names); }
  KillReport& report() { return report_; }
  uint64_t trials() const { return trials_; }
  const char* context() const { return context_; }

  // `prepare` in this process, `act` in a child with the steps counted, `check(killed)` in this
  // process again. `target`: the child dies at its target-th step. Answers how many steps there are.
  template <typename Prepare, typename Act, typename Check>
  int atEveryStep(const std::string& what, Prepare prepare, Act act, Check check) {
    for (int target = 1;; ++target) {
      ++trials_;
      std::snprintf(context_, sizeof context_, "%s, step %d", what.c_str(), target);
      alarm(kPatienceSeconds);
      std::memset(report_.died_at, 0, sizeof report_.died_at);
      prepare();
      const pid_t child = startChild([&] {
        act([&] { arm(target); });
        step_hook = nullptr;
      });
      const Ending ending = waitForEnd(child);
      if (!ending.killed && ending.exit_code != 0) {
        fail("the child ended with exit code %d, signal %d", ending.exit_code, ending.signal);
      }
      std::snprintf(context_, sizeof context_, "%s, step %d (%s)", what.c_str(), target,
                    ending.killed ? report_.died_at : "completed");
      check(ending.killed);
      if (!ending.killed) return target - 1;
    }
  }

  // A child that dies at a step with this name.
  template <typename Act>
  void dieAt(const char* name, Act act) {
    const pid_t child = startChild([&] {
      act([&] { armAt(name); });
      fail("nobody came to step %s", name);
    });
    if (!waitForEnd(child).killed) fail("the first victim did not die");
  }

  std::vector<std::string> neverVisited() const {
    std::vector<std::string> missing;
    for (size_t index = 0; index < names_.size(); ++index) {
      if (!report_.visited[index].load()) missing.push_back(names_[index]);
    }
    return missing;
  }

  [[noreturn, gnu::format(printf, 2, 3)]] void fail(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    std::fprintf(stderr, "FAILED: %s: ", context_);
    std::vfprintf(stderr, format, arguments);
    std::fprintf(stderr, "\n");
    va_end(arguments);
    for (const std::string& name : leftovers(namePrefix())) unlink(shmPath(name).c_str());
    _exit(1);
  }

 private:
  static constexpr unsigned kPatienceSeconds = 60;

  KillDriver() : report_(sharedWithChildren<KillReport>()) {
    std::signal(SIGALRM, [](int) { instance().fail("stuck for %u s", kPatienceSeconds); });
  }

  void arm(int target) {
    countdown_ = target;
    wanted_ = nullptr;
    step_hook = [](const char* name) { instance().onStep(name); };
  }
  void armAt(const char* name) {
    countdown_ = 0;
    wanted_ = name;
    step_hook = [](const char* step) { instance().onStep(step); };
  }

  void onStep(const char* name) {
    for (size_t index = 0; index < names_.size(); ++index) {
      if (names_[index] == name) report_.visited[index].store(true);
    }
    const bool now = wanted_ != nullptr ? std::strcmp(name, wanted_) == 0 : --countdown_ == 0;
    if (!now) return;
    std::strncpy(report_.died_at, name, sizeof report_.died_at - 1);
    dieHere();
  }

  KillReport& report_;
  std::vector<std::string> names_;
  uint64_t trials_ = 0;
  char context_[200] = "";
  int countdown_ = 0;
  const char* wanted_ = nullptr;
};

}  // namespace zoo::test
