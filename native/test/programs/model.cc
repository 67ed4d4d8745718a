// The model of the queue: every order of every step of a few actors, with deaths, and the proof that
// the code does what the model does.
//
//   model [--long] [--seed N] [--minutes N] [--states N] [explore | faults | code ...]
//
// explore: all orders in small configurations, every promise in each state. faults: each deliberate
// error in the model leads to a counterexample. code: real handles on real segments, side by side
// with the model (model/side_by_side.h). docs/model.md says what it means.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

// First, since it gives the core's headers another meaning.
#include "model/side_by_side.h"

#include "model/explorer.h"
#include "model/store_buffer.h"
#include "model/suite.h"
#include "model/walks.h"

namespace zoo::model {
namespace {

struct Wanted {
  bool long_run = false;
  bool explore = true, faults = true, code = true;
  uint64_t seed = 0;
  uint64_t most_states = 40'000'000;
  double seconds = 4;
};

unsigned long long number(uint64_t value) { return value; }

bool exploreShape(const Shape& shape, bool ring, const Wanted& wanted) {
  const Config config = configOf(shape, ring);
  Explorer explorer(config, wanted.most_states);
  const Outcome outcome = explorer.run();
  std::printf("%-32s %-6s %9llu states %10llu transitions  depth %3u %6.1f s%s\n", shape.name,
              ring ? "ring" : "frames", number(outcome.states), number(outcome.transitions),
              outcome.depth, outcome.seconds, outcome.complete ? "" : "  (not all)");
  std::fflush(stdout);
  if (!outcome.broken.empty()) tell(config, outcome);
  return outcome.broken.empty() && (outcome.complete || wanted.long_run);
}

bool explore(const Wanted& wanted) {
  bool holds = true;
  for (const bool ring : {true, false}) {
    for (const Shape& shape : shortShapes()) holds = exploreShape(shape, ring, wanted) && holds;
  }
  for (const Shape& shape : longShapes()) {
    for (const bool ring : {true, false}) {
      if (wanted.long_run) holds = exploreShape(shape, ring, wanted) && holds;
    }
  }
  return holds;
}

bool faults() {
  bool found_all = true;
  for (const FaultCase& fault : faultCases()) {
    Config config = configOf(fault.shape, fault.ring);
    const Outcome right = Explorer(config, 1'000'000).run();
    config.fault = fault.fault;
    const Outcome wrong = Explorer(config, 1'000'000).run();
    const bool found = !wrong.broken.empty() && right.broken.empty();
    std::printf("fault: %-55s %s, %zu moves\n", fault.words,
                found ? wrong.broken.c_str() : "NOT FOUND", wrong.way.size());
    if (!right.broken.empty()) tell(configOf(fault.shape, fault.ring), right);
    found_all = found_all && found;
  }
  const bool fences = losesWake(false) && !losesWake(true);
  std::printf("fault: %-55s %s\n", "no fence between the two accesses of sleeper and waker",
              fences ? "a message is there and the sleeper sleeps" : "NOT FOUND");
  return found_all && fences;
}

// The actors have stacks of their own, which the sanitizers do not follow; and under one of them the
// code takes another way (kCopyBeforeTaking in core/queue/read.h).
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

bool code(const Wanted& wanted) {
  const uint64_t start = kernelMonotonicNow();
  WalkReport report;
  bool same = true;
  // Goes on past the time while a step was never seen: which walk sees it is a matter of luck.
  const auto goesOn = [&] {
    const double seconds = static_cast<double>(kernelMonotonicNow() - start) / 1e9;
    return seconds < wanted.seconds ||
           (missing(report.visited) > 0 && seconds < 10 * wanted.seconds);
  };
  uint64_t seed = wanted.seed;
  for (; same && goesOn(); ++seed) same = Walk(seed, report).go();
  std::printf(
      "code and model side by side: %llu walks from seed %llu on, %llu steps, %llu deaths\n",
      number(report.walks), number(wanted.seed), number(report.steps), number(report.kills));
  if (!same) std::printf("  seed %llu: %s\n", number(seed - 1), report.difference.c_str());
  std::printf("  %d of %d steps seen in the code, deaths before %d of them\n",
              kStepCount - 2 - missing(report.visited), kStepCount - 2,
              kStepCount - 2 - missing(report.killed));
  if (!same) return false;
  for (int step = 0; step < kStepCount; ++step) {
    if (report.visited[step] || isNoAccess(step)) continue;
    std::printf("  never seen in the code: %s (%s)\n", kSteps[step].name, kSteps[step].words);
    same = false;
  }
  return same;
}

int run(const Wanted& wanted) {
  bool holds = true;
  if (kSanitized) {
    std::printf("under a sanitizer: only the faults, which go through all of the model\n");
    return faults() ? 0 : 1;
  }
  if (wanted.explore) holds = explore(wanted) && holds;
  if (wanted.faults) holds = faults() && holds;
  if (wanted.code) holds = code(wanted) && holds;
  std::printf(holds ? "ok\n" : "FAILED\n");
  return holds ? 0 : 1;
}

}  // namespace
}  // namespace zoo::model

int main(int count, char** arguments) {
  zoo::model::Wanted wanted;
  wanted.seed = zoo::kernelMonotonicNow() % 1'000'000'000;
  if (const char* seed = std::getenv("ZOO_SEED")) wanted.seed = std::strtoull(seed, nullptr, 10);
  bool chosen = false;
  const auto choose = [&](bool& part) {
    if (!chosen) wanted.explore = wanted.faults = wanted.code = false;
    chosen = part = true;
  };
  for (int at = 1; at < count; ++at) {
    const std::string argument = arguments[at];
    const char* value = at + 1 < count ? arguments[at + 1] : "";
    if (argument == "--long") {
      wanted.long_run = true;
      wanted.seconds = 120;
    } else if (argument == "--seed") {
      wanted.seed = std::strtoull(value, nullptr, 10);
      ++at;
    } else if (argument == "--minutes") {
      wanted.seconds = 60 * std::strtod(value, nullptr);
      ++at;
    } else if (argument == "--states") {
      wanted.most_states = std::strtoull(value, nullptr, 10);
      ++at;
    } else if (argument == "explore") {
      choose(wanted.explore);
    } else if (argument == "faults") {
      choose(wanted.faults);
    } else if (argument == "code") {
      choose(wanted.code);
    } else {
      std::fprintf(stderr, "'%s' is not known; see the top of programs/model.cc\n",
                   argument.c_str());
      return 2;
    }
  }
  return zoo::model::run(wanted);
}
