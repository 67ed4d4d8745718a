// Random walks of code and model side by side, until every step of the model was seen in the code and
// somebody was killed before each of them.
#pragma once

#include "model/side_by_side.h"

namespace zoo::model {

struct WalkReport {
  uint64_t walks = 0;
  uint64_t steps = 0;
  uint64_t kills = 0;
  bool visited[kStepCount] = {};
  bool killed[kStepCount] = {};
  std::string difference;
};

// The stores: frames; a ring of four for small messages; one of two, which only large ones fill.
inline Config walkConfig(uint64_t kind, std::mt19937_64& random) {
  Config config;
  config.ring = kind != 0;
  config.records = kind == 1 ? 4 : 2;
  config.groups = 1 + static_cast<int>(random() % 2);
  config.producers = 1 + static_cast<int>(random() % 2);
  config.consumers = 2;
  config.group_of[config.producers + 1] = config.groups - 1;
  config.puts = 7;  // hints of frames are kept for eight
  config.most_deliveries = 1 + static_cast<int>(random() % 2);
  config.crashes = 4;
  config.joins = 4;
  config.operations = kind == 2 ? ~bitOf(kPut) : ~0u;
  config.counts = true;
  return config;
}

class Walk {
 public:
  Walk(uint64_t seed, WalkReport& report)
      : random_(seed), report_(report), kind_(random_() % 3), config_(walkConfig(kind_, random_)) {}

  bool go() {
    SideBySide both(config_, kind_ == 2 ? 1984 : 960, test::freshName("model"));
    ++report_.walks;
    bool same = true;
    for (int turn = 0; same && turn < kTurns; ++turn) {
      const int actor = static_cast<int>(random_() % static_cast<uint64_t>(config_.actors()));
      if (!dies(both, actor)) same = turnOf(both, actor);
    }
    if (same) return true;
    report_.difference = both.difference() + "\n    before that:";
    const std::vector<std::string>& history = both.history();
    const size_t shown = history.size() < 40 ? history.size() : 40;
    for (size_t at = history.size() - shown; at < history.size(); ++at) {
      report_.difference += "\n      " + history[at];
    }
    return false;
  }

 private:
  static constexpr int kTurns = 500;

  bool dies(SideBySide& both, int actor) {
    const Actor& model = both.state().actors[actor];
    if (model.dead != 0 || both.state().shared.crashes == 0) return false;
    // More likely where nobody has died yet.
    if (random_() % (report_.killed[model.at] ? 200 : 3) != 0) return false;
    report_.killed[model.at] = true;
    ++report_.kills;
    both.kill(actor);
    return true;
  }

  bool turnOf(SideBySide& both, int actor) {
    const Actor& model = both.state().actors[actor];
    if (model.dead != 0 || isAt(model, Step::idle)) return beginsSomething(both, actor);
    if (both.sleeps(actor)) {
      if (random_() % 30 != 0) return true;
      report_.visited[static_cast<int>(Step::asleep)] = true;
      return both.timeOut(actor);
    }
    // Mostly a few steps, sometimes many: what is rare in both is a look that gets old.
    uint64_t steps = 1 + random_() % (random_() % 4 == 0 ? 40 : 3);
    for (; steps > 0 && both.mayGo(actor); --steps) {
      ++report_.steps;
      if (!both.step(actor, report_.visited)) return false;
    }
    return true;
  }

  bool beginsSomething(SideBySide& both, int actor) {
    State state = both.state();
    Observed side_by_side;
    side_by_side.on = true;
    const Machine machine(config_, state, actor, side_by_side);
    std::vector<Operation> possible;
    for (int number = kPut; number < kOperations; ++number) {
      const auto operation = static_cast<Operation>(number);
      if (machine.mayBegin(operation)) possible.push_back(operation);
    }
    if (possible.empty()) return true;
    const Operation operation = possible[random_() % possible.size()];
    const bool rarely = operation == kEnd || operation == kLookAround;
    if (rarely && random_() % 5 != 0) return true;
    return both.begin(actor, operation);
  }

  std::mt19937_64 random_;
  WalkReport& report_;
  const uint64_t kind_;
  const Config config_;
};

// Steps that cannot be seen: an actor does not stand before an access there.
inline bool isNoAccess(int step) {
  return step == static_cast<int>(Step::idle) || step == static_cast<int>(Step::over);
}

inline int missing(const bool (&seen)[kStepCount]) {
  int count = 0;
  for (int step = 0; step < kStepCount; ++step) count += !seen[step] && !isNoAccess(step);
  return count;
}

}  // namespace zoo::model
