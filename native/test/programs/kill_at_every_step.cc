// Kills processes at every step of everything a queue, a channel, a pipe, a
// lock, a memory and a segment can do, and checks each time that nothing is
// lost, torn, repeated without need, miscounted or left behind, and that
// whoever waits for the dead comes back.
//
//   kill_at_every_step [part of an operation's name] [--long] [--steps]
//
// `--long`: every combination of steps and scenes, instead of a part of them
// for the second and third victim. `--steps`: how often each step was come to
// and died at.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "support/chain_trials.h"
#include "support/channel_operations.h"
#include "support/guard_trials.h"
#include "support/lock_sleepers.h"
#include "support/lock_trials.h"
#include "support/name_trials.h"
#include "support/sleep_scenes.h"
#include "support/slices.h"
#include "support/step_names.h"

namespace zoo::test {
namespace {

struct Wanted {
  Effort effort;
  bool table = false;
};

Wanted wantedBy(int count, char** arguments) {
  Wanted wanted;
  // A process costs several times as much with a sanitizer.
#if defined(__SANITIZE_THREAD__)
  wanted.effort.thin = 5;
#elif defined(__SANITIZE_ADDRESS__)
  wanted.effort.thin = 3;
#endif
  for (int index = 1; index < count; ++index) {
    const std::string argument = arguments[index];
    if (argument == "--long") {
      wanted.effort.all = true;
    } else if (argument == "--steps") {
      wanted.table = true;
    } else {
      wanted.effort.chosen = argument;
    }
  }
  return wanted;
}

std::vector<Slice> slicesFor(const Effort& effort) {
  std::vector<Slice> slices;
  addSleepers(slices, effort);
  addLockSleepers(slices, effort);
  addGuardTrials(slices, effort);
  addDeathsInRepair(slices, effort);
  addThreeDeaths(slices, effort);
  addTwoAtOnce(slices, effort);
  addSingleDeaths(slices, effort);
  addChannelDeaths(slices, effort);
  addLockDeaths(slices, effort);
  addSegmentDeaths(slices, effort);
  return slices;
}

unsigned long long number(const std::atomic<uint64_t>& value) { return value.load(); }

int run(const Wanted& wanted) {
  KillDriver& driver = KillDriver::instance();
  StepTable& steps = driver.steps();
  const std::vector<std::string> names = stepNames(__FILE__);
  if (names.empty() || names.size() > kMostSteps) driver.fail("found %zu step names", names.size());
  steps.useNames(names);
  const uint64_t start = monotonicNow();
  const size_t workers = std::max(2l, sysconf(_SC_NPROCESSORS_ONLN));
  const bool good = SliceRunner(slicesFor(wanted.effort), workers).run();
  if (wanted.table) steps.print();
  const bool all = wanted.effort.chosen.empty();
  const std::vector<std::string> missing = all ? steps.neverVisited() : std::vector<std::string>();
  for (const std::string& name : missing) {
    std::fprintf(stderr, "FAILED: no process came to step %s\n", name.c_str());
  }
  const KillReport& report = steps.report();
  std::printf(
      "%llu trials: %llu with one death, %llu with two (%llu of them "
      "at once), %llu with three; "
      "%zu of %zu steps died at; %.1f s\n",
      number(report.trials), number(report.with_victims[1]), number(report.with_victims[2]),
      number(report.at_once), number(report.with_victims[3]),
      names.size() - steps.neverDiedAt().size(), names.size(),
      static_cast<double>(monotonicNow() - start) / 1e9);
  if (report.sleeps.load() > 0) {
    std::printf("%llu waited for the dead, the longest %.1f ms after the death: %s\n",
                number(report.sleeps), static_cast<double>(report.longest_sleep_ns.load()) / 1e6,
                report.longest_sleep);
  }
  return good && missing.empty() ? 0 : 1;
}

}  // namespace
}  // namespace zoo::test

int main(int count, char** arguments) {
  return zoo::test::run(zoo::test::wantedBy(count, arguments));
}
