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

// A deliberate fault, compiled in by one number, which the crash tests have to find.
#ifdef ZOO_MUTATION
#define ZOO_MUTATED(number) (ZOO_MUTATION == (number))
#else
#define ZOO_MUTATED(number) false
#endif
