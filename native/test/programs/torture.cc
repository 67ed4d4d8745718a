// Kills, stops and continues processes at random while they use queues, channels, locks and
// memories in every way there is, and then looks for anything lost, torn, invented, repeated, out of
// order, miscounted, left behind or stuck.
//
//   torture [--store ring|frames|both] [--seconds S] [--kills N] [--seed X] [--round S]
//           [--report FILE]
//
// --seconds and --kills are for each store; whichever is reached first ends it. Without arguments:
// 300 kills, at most 20 seconds, a fresh seed, which is printed. It goes in rounds of --round
// seconds, each with queues, sizes and actors of its own, judged for itself. A report file is for
// one store.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "support/step_names.h"
#include "support/torture_report.h"
#include "support/torture_round.h"

namespace zoo::test {
namespace {

struct Request {
  uint64_t kills = 300;
  double seconds = 20;
  double round_seconds = 6;
  uint64_t seed = 0;
  bool ring = true, frames = true;
  std::string report;
};

// Whether a small file system can be mounted here, tried in a process of its own.
bool mayMount() {
  return waitForEnd(startChild([] { _exit(mountTinyShm(1 << 20) ? 0 : 1); })).exit_code == 0;
}

class Run {
 public:
  Run(const Request& request, StoreKind store)
      : request_(request), store_(store), steps_(stepNames(__FILE__)) {}

  bool go() {
    facts_.part = store_ == StoreKind::ring ? "ring" : "frames";
    facts_.seed = request_.seed;
    facts_.steps = steps_.size();
    const uint64_t start = monotonicNow();
    const bool may_mount = mayMount();
    if (!may_mount)
      std::printf("%s: no right to mount: the rounds in a small file system are left out\n",
                  facts_.part);
    double said = 0;
    for (uint64_t index = 0; tally_.allFindings() == 0; ++index) {
      facts_.seconds = static_cast<double>(monotonicNow() - start) / 1e9;
      const double left = request_.seconds - facts_.seconds;
      if (left < 0.5 || tally_.deeds(Deed::kills) >= request_.kills) break;
      if (facts_.seconds - said >= 30) {
        said = facts_.seconds;
        std::printf("%s: %.0f s, %" PRIu64 " kills, %" PRIu64 " puts\n", facts_.part, said,
                    tally_.deeds(Deed::kills), tally_.deeds(Deed::puts));
        std::fflush(stdout);
      }
      RoundPlan plan = planRound(request_.seed, index, store_, may_mount);
      plan.seconds = std::min(request_.round_seconds, left);
      plan.kills = request_.kills - tally_.deeds(Deed::kills);
      oneRound(plan, index);
    }
    facts_.seconds = static_cast<double>(monotonicNow() - start) / 1e9;
    for (const uint64_t deaths : died_at_) facts_.steps_died_at += deaths > 0;
    for (const std::string& name : leftovers(namePrefix()))
      tally_.report(Finding::left, "%s is left in %s", name.c_str(), kShmDirectory);
    printReport(facts_, tally_);
    const bool written = request_.report.empty() || writeReport(request_.report, facts_, tally_);
    return tally_.allFindings() == 0 && tally_.deeds(Deed::puts) > 0 && written;
  }

 private:
  // In a process of its own, which may mount what it likes.
  void oneRound(const RoundPlan& plan, uint64_t index) {
    Stage& stage = sharedWithChildren<Stage>();
    const pid_t child = startChild([&] {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      Round(plan, stage, steps_).run();
    });
    const Ending ending = waitForEnd(child);
    if (ending.exit_code != 0) {
      stage.tally.report(Finding::crashed, "the round itself ended with exit code %d, signal %d",
                         ending.exit_code, ending.signal);
    }
    if (stage.tally.allFindings() > 0) {
      std::fprintf(stderr, "%s: in round %" PRIu64 " of seed %" PRIu64 "\n", facts_.part, index,
                   request_.seed);
      for (const std::string& name : leftovers(namePrefix())) unlink(shmPath(name).c_str());
    }
    tally_.add(stage.tally);
    died_at_.resize(steps_.size());
    for (size_t step = 0; step < steps_.size(); ++step) died_at_[step] += stage.died_at[step];
    munmap(&stage, sizeof stage);
  }

  const Request& request_;
  StoreKind store_;
  std::vector<std::string> steps_;
  Tally tally_{};
  RunFacts facts_;
  std::vector<uint64_t> died_at_;
};

[[noreturn]] void usage(const std::string& what) {
  std::fprintf(stderr,
               "torture: %s; usage: torture [--store ring|frames|both] [--seconds S] [--kills N] "
               "[--seed X] [--round S] [--report FILE]\n",
               what.c_str());
  std::exit(2);
}

double numberFrom(const std::string& option, const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != 0 || number <= 0) usage(option + " '" + text + "' is no number");
  return number;
}

Request requestFrom(int count, char** arguments) {
  Request request;
  request.seed = mixed(monotonicNow()) % 1'000'000;
  bool kills_given = false, seconds_given = false;
  for (int index = 1; index < count; index += 2) {
    const std::string option = arguments[index];
    if (index + 1 == count) usage(option + " needs a value");
    const std::string value = arguments[index + 1];
    if (option == "--kills") {
      request.kills = static_cast<uint64_t>(numberFrom(option, value));
      kills_given = true;
    } else if (option == "--seconds") {
      request.seconds = numberFrom(option, value);
      seconds_given = true;
    } else if (option == "--round") {
      request.round_seconds = numberFrom(option, value);
    } else if (option == "--seed") {
      request.seed = static_cast<uint64_t>(numberFrom(option, value));
    } else if (option == "--report") {
      request.report = value;
    } else if (option == "--store" && (value == "ring" || value == "frames" || value == "both")) {
      request.ring = value != "frames";
      request.frames = value != "ring";
    } else {
      usage("'" + option + " " + value + "' is not known");
    }
  }
  if (seconds_given && !kills_given) request.kills = ~0ull;
  if (kills_given && !seconds_given) request.seconds = 24 * 3600;
  if (!request.report.empty() && request.ring && request.frames)
    usage("--report is for one --store");
  return request;
}

}  // namespace
}  // namespace zoo::test

int main(int count, char** arguments) {
  using namespace zoo;
  const test::Request request = test::requestFrom(count, arguments);
  bool good = true;
  for (const StoreKind store : {StoreKind::ring, StoreKind::frames}) {
    if (store == StoreKind::ring ? !request.ring : !request.frames) continue;
    std::printf("%s: seed %" PRIu64 "\n", store == StoreKind::ring ? "ring" : "frames",
                request.seed);
    std::fflush(stdout);
    good = test::Run(request, store).go() && good;
  }
  return good ? 0 : 1;
}
