// Decisions that follow from a seed.
#pragma once

#include <cstdint>

#include "support/messages.h"

namespace zoo::test {

class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(mixed(seed + 0x1234567)) {}
  uint64_t next() { return mixed(state_ += 0x9e3779b97f4a7c15ull); }
  uint64_t below(uint64_t limit) { return next() % limit; }
  uint64_t between(uint64_t least, uint64_t most) { return least + below(most - least + 1); }
  bool oneIn(uint64_t chances) { return below(chances) == 0; }

 private:
  uint64_t state_;
};

}  // namespace zoo::test
