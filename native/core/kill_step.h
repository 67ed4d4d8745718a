// Numbered points at which a test kills the process. Empty in a release build.
//
// A step stands between two stores that another process could see apart. The driver
// (native/test/programs/kill_at_every_step.cc) lets a child die at each of them in turn.
#pragma once

#ifdef ZOO_KILL_STEPS
namespace zoo {
using StepHook = void (*)(const char* name);
inline StepHook step_hook = nullptr;
inline void step(const char* name) {
  if (step_hook != nullptr) step_hook(name);
}
}  // namespace zoo
#define ZOO_STEP(name) ::zoo::step(name)
#else
#define ZOO_STEP(name) static_cast<void>(0)
#endif

// A deliberate fault that the tests have to find (native/test/mutations.json). Only the build that
// is made for it knows them all; the environment variable ZOO_MUTATION says which one it has.
#ifdef ZOO_MUTATIONS
#include <cstdlib>
namespace zoo {
inline int chosenMutation() {
  static const int chosen = [] {
    const char* number = std::getenv("ZOO_MUTATION");
    return number == nullptr ? 0 : std::atoi(number);
  }();
  return chosen;
}
}  // namespace zoo
#define ZOO_MUTATED(number) (::zoo::chosenMutation() == (number))
#else
#define ZOO_MUTATED(number) false
#endif
