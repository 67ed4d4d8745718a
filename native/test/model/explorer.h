// Tries all orders: breadth first from the first state, every actor at every step, deaths included.
// What is found first is therefore a shortest way to it.
//
// States are remembered by 128 bits of hash; those still to be visited are kept whole. The way to a
// state is found by going it once more.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "core/os/clock.h"
#include "model/machine.h"
#include "model/promises.h"

namespace zoo::model {

// One decision: who, and what.
struct Move {
  enum Kind : uint8_t { step, begin, crash };
  uint8_t actor = 0;
  Kind kind = step;
  uint8_t operation = kNothing;  // begin
  uint8_t way = 0;
};

inline constexpr const char* kOperationNames[kOperations] = {
    "nothing", "put",          "put large",     "reserve and abort", "take",
    "claim",   "release",      "reject",        "claim dead letter", "release dead letter",
    "end",     "wait to read", "wait to write", "look around",       "join"};

inline State firstState(const Config& config) {
  State state;
  state.shared.tail = config.ring ? 0 : 1;
  state.shared.puts = static_cast<uint8_t>(config.puts);
  state.shared.crashes = static_cast<uint8_t>(config.crashes);
  state.shared.joins = static_cast<uint8_t>(config.joins);
  for (int number = 0; number < config.actors(); ++number) {
    Actor& actor = state.actors[number];
    actor.slot = static_cast<uint8_t>(number);
    actor.generation = 1;
    SlotState& slot = state.shared.slots[number];
    slot.active = slot.alive = slot.generation = 1;
    slot.group = static_cast<uint8_t>(config.group_of[number]);
    if (!config.producer(number)) actor.position = config.ring ? 0 : 1;
  }
  return state;
}

// Does it, and all that follows without anybody noticing. Null: no promise of a step was broken.
inline const char* doMove(const Config& config, State& state, const Move& move) {
  Machine machine(config, state, move.actor);
  if (move.kind == Move::crash) {
    --state.shared.crashes;
    machine.crash();
    return nullptr;
  }
  if (move.kind == Move::begin) machine.begin(static_cast<Operation>(move.operation));
  machine.take(move.way);
  while (machine.violation() == nullptr && machine.ways() == 1 && machine.quiet()) machine.take();
  return machine.violation();
}

inline void movesOf(const Config& config, State& state, int actor, std::vector<Move>& moves) {
  Machine machine(config, state, actor);
  Move move;
  move.actor = static_cast<uint8_t>(actor);
  for (int way = 0; way < machine.ways(); ++way) {
    move.way = static_cast<uint8_t>(way);
    moves.push_back(move);
  }
  move.way = 0;
  move.kind = Move::begin;
  for (int operation = kPut; operation < kOperations; ++operation) {
    if (!machine.mayBegin(static_cast<Operation>(operation))) continue;
    move.operation = static_cast<uint8_t>(operation);
    // A begin is nothing that anybody sees; the first step comes with it.
    const bool locks = operation == kReject || operation == kClaimDead || operation == kJoin ||
                       operation == kReleaseDead || operation == kEnd;
    const uint8_t guard = state.shared.guard;
    if (!locks || guard == kGuardFree || guard == kGuardDied) moves.push_back(move);
  }
  if (state.shared.crashes == 0 || state.actors[actor].dead != 0) return;
  const Step at = static_cast<Step>(state.actors[actor].at);
  const bool wakes = at == Step::wake_add || at == Step::wake_flag || at == Step::wake_futex;
  if (wakes && config.whole_wakes) return;
  move.kind = Move::crash;
  move.operation = kNothing;
  moves.push_back(move);
}

struct Hash {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const Hash& other) const { return low == other.low && high == other.high; }
};

inline Hash hashOf(const State& state) {
  // Four independent chains, so that one multiplication does not wait for the other.
  uint64_t chains[4] = {0x9e3779b97f4a7c15ull, 0xc2b2ae3d27d4eb4full, 0x165667b19e3779f9ull,
                        0x27d4eb2f165667c5ull};
  const auto* bytes = reinterpret_cast<const uint8_t*>(&state);
  for (size_t at = 0; at < sizeof state; at += 32) {
    uint64_t words[4] = {};
    std::memcpy(words, bytes + at, sizeof state - at < 32 ? sizeof state - at : 32);
    for (int chain = 0; chain < 4; ++chain) {
      chains[chain] = (chains[chain] ^ words[chain]) * 0xff51afd7ed558ccdull;
      chains[chain] ^= chains[chain] >> 32;
    }
  }
  Hash hash;
  hash.low = (chains[0] ^ (chains[1] >> 31)) * 0xc4ceb9fe1a85ec53ull ^ (chains[1] << 7);
  hash.high = (chains[2] ^ (chains[3] >> 29)) * 0x9fb21c651e98df25ull ^ (chains[3] << 9);
  hash.low ^= hash.high * 0x9e3779b97f4a7c15ull;
  hash.low ^= hash.low >> 29;
  hash.high ^= hash.low * 0xff51afd7ed558ccdull;
  return hash;
}

struct Outcome {
  uint64_t states = 0;
  uint64_t transitions = 0;
  uint32_t depth = 0;
  double seconds = 0;
  bool complete = true;
  std::string broken;  // empty: nothing
  std::vector<Move> way;
  bool seen[kStepCount] = {};
};

class Explorer {
 public:
  Explorer(const Config& config, uint64_t most_states)
      : config_(config), most_states_(most_states), table_(1u << 16, kNone) {}

  Outcome run() {
    const uint64_t start = monotonicNow();
    State first = firstState(config_);
    note(hashOf(first), kNone, Move{});
    std::vector<State> level{first};
    uint32_t index = 0;
    while (!level.empty() && outcome_.broken.empty() && outcome_.complete) {
      std::vector<State> next;
      for (State& state : level) {
        if (!visit(state, index++, next)) break;
      }
      level = std::move(next);
      ++outcome_.depth;
    }
    outcome_.states = hashes_.size();
    if (outcome_.broken.empty() && outcome_.complete) checkRest();
    outcome_.seconds = static_cast<double>(monotonicNow() - start) / 1e9;
    return std::move(outcome_);
  }

 private:
  static constexpr uint32_t kNone = 0xffffffffu;

  // False: found something.
  bool visit(State& state, uint32_t index, std::vector<State>& next) {
    edges_begin_.push_back(static_cast<uint32_t>(edges_.size()));
    resting_.push_back(atRest(config_, state));
    moves_.clear();
    for (int actor = 0; actor < config_.actors(); ++actor) {
      movesOf(config_, state, actor, moves_);
      outcome_.seen[state.actors[actor].at] = true;
    }
    for (const Move& move : moves_) {
      State after = state;
      ++outcome_.transitions;
      const char* broken = doMove(config_, after, move);
      if (broken == nullptr) broken = brokenPromise(config_, after);
      if (broken != nullptr) {
        outcome_.broken = broken;
        outcome_.way = wayTo(index);
        outcome_.way.push_back(move);
        return false;
      }
      const Hash hash = hashOf(after);
      const uint32_t known = note(hash, index, move);
      if (known == kNone) next.push_back(after);
      // What a further death would repair does not count as a way out.
      if (move.kind != Move::crash) {
        edges_.push_back(known == kNone ? static_cast<uint32_t>(hashes_.size() - 1) : known);
      }
    }
    if (hashes_.size() >= most_states_) outcome_.complete = false;
    return outcome_.complete;
  }

  // kNone: new, and now the last one.
  uint32_t note(const Hash& hash, uint32_t from, const Move& move) {
    if (hashes_.size() * 2 >= table_.size()) grow();
    size_t place = hash.low & (table_.size() - 1);
    for (; table_[place] != kNone; place = (place + 1) & (table_.size() - 1)) {
      if (hashes_[table_[place]] == hash) return table_[place];
    }
    table_[place] = static_cast<uint32_t>(hashes_.size());
    hashes_.push_back(hash);
    from_.push_back(from);
    by_.push_back(move);
    return kNone;
  }

  void grow() {
    table_.assign(table_.size() * 2, kNone);
    for (uint32_t index = 0; index < hashes_.size(); ++index) {
      size_t place = hashes_[index].low & (table_.size() - 1);
      while (table_[place] != kNone) place = (place + 1) & (table_.size() - 1);
      table_[place] = index;
    }
  }

  std::vector<Move> wayTo(uint32_t index) const {
    std::vector<Move> way;
    for (; from_[index] != kNone; index = from_[index]) way.push_back(by_[index]);
    return {way.rbegin(), way.rend()};
  }

  // From everywhere there is a way to rest, without another death.
  void checkRest() {
    edges_begin_.push_back(static_cast<uint32_t>(edges_.size()));
    bool changed = true;
    while (changed) {
      changed = false;
      for (size_t index = resting_.size(); index-- > 0;) {
        if (resting_[index]) continue;
        for (uint32_t edge = edges_begin_[index]; edge < edges_begin_[index + 1]; ++edge) {
          if (!resting_[edges_[edge]]) continue;
          resting_[index] = changed = true;
          break;
        }
      }
    }
    for (uint32_t index = 0; index < resting_.size(); ++index) {
      if (resting_[index]) continue;
      outcome_.broken = "from here there is no way to the end of all messages";
      outcome_.way = wayTo(index);
      return;
    }
  }

  const Config& config_;
  const uint64_t most_states_;
  std::vector<uint32_t> table_;
  std::vector<Hash> hashes_;
  std::vector<uint32_t> from_;
  std::vector<Move> by_;
  std::vector<uint32_t> edges_begin_;
  std::vector<uint32_t> edges_;
  std::vector<bool> resting_;
  std::vector<Move> moves_;
  Outcome outcome_;
};

// The way to a broken promise, in words.
inline void tell(const Config& config, const Outcome& outcome) {
  State state = firstState(config);
  std::printf("    %s, after %zu moves:\n", outcome.broken.c_str(), outcome.way.size());
  size_t left_out = outcome.way.size() > 150 ? outcome.way.size() - 150 : 0;
  if (left_out > 0) std::printf("      (the last 150)\n");
  for (const Move& move : outcome.way) {
    if (left_out > 0) {
      --left_out;
      doMove(config, state, move);
      continue;
    }
    const char* who = config.producer(move.actor) ? "producer" : "consumer";
    std::printf("      %s %d ", who, move.actor);
    if (move.kind == Move::crash) {
      std::printf("is killed before it %s\n", factsOf(state.actors[move.actor].at).words);
    } else {
      State before = state;
      Machine machine(config, before, move.actor);
      if (move.kind == Move::begin) {
        machine.begin(static_cast<Operation>(move.operation));
        std::printf("begins to %s: ", kOperationNames[move.operation]);
      }
      std::printf("%s\n", factsOf(before.actors[move.actor].at).words);
    }
    doMove(config, state, move);
  }
  for (int index = 0; index < config.records; ++index) {
    const RecordState& record = state.records[index];
    std::printf("      then record %d is message %d, producer state %d,", index, record.seq,
                record.producer);
    for (int group = 0; group < config.groups; ++group) {
      std::printf(" delivery state %d (%d deliveries)", record.delivery[group].state,
                  record.delivery[group].deliveries);
    }
    std::printf("\n");
  }
}

}  // namespace zoo::model
