// What callgrind counts of a program: the instructions between two calls of `toggle`, reported and
// forgotten by `report`.
#pragma once

#include <valgrind/callgrind.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace zoo::bench {

inline void toggle() { CALLGRIND_TOGGLE_COLLECT; }
inline void report(const char* name) { CALLGRIND_DUMP_STATS_AT(name); }

// A part of a round that is counted by itself, for example 64 puts.
struct Part {
  const char* name;  // nullptr: needed by the others, and not counted itself
  std::function<void()> run;
};

// The same rounds once for each part, so that each is counted without the others. A first round
// that is not counted grows what grows only once.
inline void count(const std::vector<Part>& parts, uint32_t rounds) {
  for (const Part& part : parts) part.run();
  for (const Part& counted : parts) {
    if (counted.name == nullptr) continue;
    for (uint32_t round = 0; round < rounds; ++round) {
      for (const Part& part : parts) {
        if (&part != &counted) {
          part.run();
          continue;
        }
        toggle();
        part.run();
        toggle();
      }
    }
    report(counted.name);
  }
}

}  // namespace zoo::bench
