// The one place where the order of memory accesses decides: the sleeper sets its bit and then looks
// whether there is a message, the waker publishes and then looks whether anybody sleeps. The model of
// the queue runs on a machine without store buffers; here each processor has one, and what is stored
// comes to memory at any time later, unless a full fence comes between.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

namespace zoo::model {

// Two processors: 0 sleeps (its store is the bit), 1 wakes (its store is the message).
struct Fenced {
  uint8_t memory[2] = {};  // bit, message
  uint8_t buffered[2] = {};
  uint8_t at[2] = {};     // 0 before its store, 1 before its fence, 2 before its load, 3 over
  uint8_t found[2] = {};  // what its load saw: a message, a bit
  bool operator<(const Fenced& other) const { return key() < other.key(); }
  uint32_t key() const {
    uint32_t all = 0;
    for (const uint8_t* fields : {memory, buffered, found})
      all = all << 2 | fields[0] << 1 | fields[1];
    return all << 4 | at[0] << 2 | at[1];
  }
};

// Whether it can happen that the message is there, the sleeper sleeps, and nobody wakes it.
inline bool losesWake(bool fences) {
  std::set<Fenced> known{Fenced{}};
  std::vector<Fenced> open{Fenced{}};
  bool lost = false;
  while (!open.empty()) {
    const Fenced state = open.back();
    open.pop_back();
    lost = lost ||
           (state.at[0] == 3 && state.at[1] == 3 && state.found[0] == 0 && state.found[1] == 0);
    for (int processor = 0; processor < 2; ++processor) {
      std::vector<Fenced> after;
      Fenced next = state;
      if (state.buffered[processor] != 0) {
        next.buffered[processor] = 0;
        next.memory[processor] = 1;
        after.push_back(next);
        next = state;
      }
      const bool drained = state.buffered[processor] == 0;
      if (state.at[processor] == 0) {
        next.buffered[processor] = 1;
        next.at[processor] = 1;
        after.push_back(next);
      } else if (state.at[processor] == 1 && (drained || !fences)) {
        next.at[processor] = 2;
        after.push_back(next);
      } else if (state.at[processor] == 2) {
        next.found[processor] = state.memory[1 - processor];
        next.at[processor] = 3;
        after.push_back(next);
      }
      for (const Fenced& one : after) {
        if (known.insert(one).second) open.push_back(one);
      }
    }
  }
  return lost;
}

}  // namespace zoo::model
