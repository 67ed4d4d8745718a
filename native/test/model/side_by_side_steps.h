// One step of both, and whether they are still the same.
#pragma once

#include "model/side_by_side.h"

namespace zoo::model {

inline std::string SideBySide::describe(const Pending& pending) const {
  static constexpr const char* kFields[] = {
      "nothing", "guard",    "tail",         "head",     "table",    "rewinds",
      "writers", "readers",  "writers mask", "wake",     "sleeping", "active",
      "role",    "epoch",    "claims",       "finished", "returned", "producer",
      "seq",     "delivery", "payload",      "futex",    "life"};
  switch (pending.kind) {
    case Pending::asleep:
      return "sleeps";
    case Pending::finished:
      return "has finished";
    case Pending::none:
      return "does nothing";
    default:
      return std::string(pending.store ? "stores " : "loads ") +
             kFields[static_cast<int>(pending.field)] + " " + std::to_string(pending.index) + "/" +
             std::to_string(pending.group);
  }
}

// Which of the model's states have become what the code has become. False: none.
inline bool SideBySide::compare(int actor, const std::vector<State>& candidates, const char* did) {
  history_.push_back("actor " + std::to_string(actor) + " " + did);
  if (!difference_.empty()) return false;
  const State there = seen();
  const Pending& pending = actors_[actor].pending;
  states_.clear();
  for (const State& candidate : candidates) {
    const Actor& model = candidate.actors[actor];
    const bool idle = isAt(model, Step::idle);
    if (idle != (pending.kind == Pending::finished)) continue;
    if (isAt(model, Step::asleep) != (pending.kind == Pending::asleep)) continue;
    if (idle && model.result != actors_[actor].result) continue;
    if (sameSegment(candidate, there)) states_.push_back(candidate);
  }
  if (!states_.empty()) return true;
  difference_ = "actor " + std::to_string(actor) + " did '" + did + "' and " + describe(pending);
  if (candidates.empty()) difference_ += "; the model cannot do that";
  for (const State& candidate : candidates) {
    const Actor& model = candidate.actors[actor];
    difference_ += "; the model then " + std::string(factsOf(model.at).words) + ", result " +
                   std::to_string(model.result) + " (code " +
                   std::to_string(actors_[actor].result) + ")";
    if (!sameSegment(candidate, there)) {
      difference_ += ", and its segment is another at";
      const State one = bareState(candidate), other = bareState(there);
      const auto* left = reinterpret_cast<const uint8_t*>(&one);
      const auto* right = reinterpret_cast<const uint8_t*>(&other);
      for (size_t at = 0; at < offsetof(State, actors); ++at) {
        if (left[at] == right[at]) continue;
        difference_ += " " + std::to_string(at) + " (" + std::to_string(left[at]) + ", code " +
                       std::to_string(right[at]) + ")";
      }
    }
  }
  return false;
}

inline bool SideBySide::begin(int actor, Operation operation) {
  Real& real = actors_[actor];
  real.operation = operation;
  real.result = kNoResult;
  if (operation == kJoin) {
    real.dead = false;
    real.slot = kNoSlot;
    real.clock = 0;
  }
  if (real.stack == nullptr) real.stack = std::make_unique<std::byte[]>(kStackBytes);
  getcontext(&real.context);
  real.context.uc_stack.ss_sp = real.stack.get();
  real.context.uc_stack.ss_size = kStackBytes;
  real.context.uc_link = nullptr;
  current_ = this;
  makecontext(&real.context, &SideBySide::entry, 0);
  const Observed before = observed();
  run(actor);
  std::vector<State> candidates;
  for (State state : states_) {
    Machine machine(config_, state, actor, before);
    machine.begin(operation);
    candidates.push_back(state);
  }
  return compare(actor, candidates, kOperationNames[operation]);
}

inline bool SideBySide::step(int actor, bool (&visited)[kStepCount]) {
  Real& real = actors_[actor];
  const Pending pending = real.pending;
  // A newcomer's slot is known to others from the moment that it is active.
  if (isAt(state().actors[actor], Step::join_active)) {
    real.slot = static_cast<uint32_t>(pending.index);
  }
  run(actor);
  Observed after = observed();
  std::vector<State> candidates;
  bool matched[kStepCount] = {};
  std::string expected;
  for (const State& state : states_) {
    State before = state;
    const Machine here(config_, before, actor);
    const StepFacts& facts = factsOf(before.actors[actor].at);
    if (here.field() != pending.field || (facts.how == How::store) != pending.store ||
        here.index() != pending.index || here.group() != pending.group) {
      expected = std::string("; the model ") + facts.words + " " + std::to_string(here.index()) +
                 "/" + std::to_string(here.group());
      continue;
    }
    matched[before.actors[actor].at] = true;
    const bool writers = before.actors[actor].mask == config_.groups;
    const uint32_t turn =
        (writers ? header().writer_turn : header().reader_turn).bare() + kSlots - 1;
    after.wake_from = static_cast<uint8_t>(std::min<uint32_t>(turn % kSlots, kModelSlots));
    for (int way = 0; way < here.ways(); ++way) {
      State next = state;
      Machine machine(config_, next, actor, after);
      machine.take(way);
      if (machine.violation() != nullptr) difference_ = machine.violation();
      candidates.push_back(next);
    }
  }
  const bool same = compare(actor, candidates, describe(pending).c_str());
  if (!same) difference_ += expected;
  for (int index = 0; same && index < kStepCount; ++index) {
    visited[index] = visited[index] || matched[index];
  }
  for (int other = 0; other < config_.actors(); ++other) {
    if (!actors_[other].was_woken) continue;
    actors_[other].was_woken = false;
    run(other);
  }
  return same;
}

inline bool SideBySide::timeOut(int actor) {
  Real& real = actors_[actor];
  real.clock += real.sleep_ns < kLongestSleep ? kLongestSleep : real.sleep_ns;
  run(actor);
  std::vector<State> candidates;
  for (State state : states_) {
    Machine machine(config_, state, actor, observed());
    machine.take();
    candidates.push_back(state);
  }
  return compare(actor, candidates, "has slept long enough");
}

// At any point: what it was doing is never gone on with, its locks are gone.
inline void SideBySide::kill(int actor) {
  Real& real = actors_[actor];
  if ((guardWord() & 0xf) == static_cast<uint32_t>(actor + 1)) guardWord() = kDiedBit;
  // A newcomer that did not get to the end of joining has its handle on its lost stack.
  if (real.queue == nullptr && real.slot_lock >= 0) close(real.slot_lock);
  if (real.queue != nullptr) real.queue->abandon();
  real.queue.reset();
  real.slot_lock = -1;
  real.dead = true;
  real.pending = {};
  for (State& state : states_) {
    --state.shared.crashes;
    Machine(config_, state, actor).crash();
  }
  history_.push_back("actor " + std::to_string(actor) + " is killed");
}

}  // namespace zoo::model
