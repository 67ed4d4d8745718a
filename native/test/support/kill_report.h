// What the processes of a run have done between them, in memory that they all
// share.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "support/processes.h"

namespace zoo::test {

inline constexpr size_t kMostSteps = 512;
inline constexpr size_t kMostVictims = 3;

struct KillReport {
  std::atomic<uint64_t> visits[kMostSteps];
  std::atomic<uint64_t> deaths[kMostSteps];
  std::atomic<uint64_t> trials;
  std::atomic<uint64_t> with_victims[kMostVictims + 1];  // trials in which so many died
  std::atomic<uint64_t> at_once;                         // of these, with both dead at once
  std::atomic<uint64_t> sleeps;                          // of somebody who waited for the victim
  std::atomic<uint64_t> longest_sleep_ns;                // from the death until he had his answer
  char longest_sleep[400];

  void noteSleep(uint64_t nanoseconds, const char* context) {
    ++sleeps;
    uint64_t longest = longest_sleep_ns.load();
    while (nanoseconds > longest) {
      if (!longest_sleep_ns.compare_exchange_weak(longest, nanoseconds)) continue;
      std::strncpy(longest_sleep, context, sizeof longest_sleep - 1);
      break;
    }
  }
};

// The names of all steps, and how often each was come to and died at.
class StepTable {
 public:
  StepTable() : report_(sharedWithChildren<KillReport>()) {}

  void useNames(std::vector<std::string> names) { names_ = std::move(names); }
  KillReport& report() { return report_; }
  size_t size() const { return names_.size(); }

  void visit(const char* name) { count(report_.visits, name); }
  void die(const char* name) { count(report_.deaths, name); }

  std::vector<std::string> neverVisited() const { return without(report_.visits); }
  std::vector<std::string> neverDiedAt() const { return without(report_.deaths); }

  void print() const {
    for (size_t index = 0; index < names_.size(); ++index) {
      std::printf("%9llu deaths %11llu visits  %s\n",
                  static_cast<unsigned long long>(report_.deaths[index].load()),
                  static_cast<unsigned long long>(report_.visits[index].load()),
                  names_[index].c_str());
    }
  }

 private:
  std::vector<std::string> without(const std::atomic<uint64_t>* counts) const {
    std::vector<std::string> names;
    for (size_t index = 0; index < names_.size(); ++index) {
      if (counts[index].load() == 0) names.push_back(names_[index]);
    }
    return names;
  }

  void count(std::atomic<uint64_t>* counts, const char* name) {
    const auto found = std::lower_bound(names_.begin(), names_.end(), name);
    if (found != names_.end() && *found == name) ++counts[found - names_.begin()];
  }

  KillReport& report_;
  std::vector<std::string> names_;  // in order
};

}  // namespace zoo::test
