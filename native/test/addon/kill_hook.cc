// Lets a Node process die at a chosen kill step of the core.
//
// The environment variable ZOO_KILL_CONTROL names a file that this process and the test have mapped
// or write to: the test arms it, says at which step the process is to die, and reads which steps
// were visited, also after the death. Its layout is repeated in test/kill-steps/control.js.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "core/kill_step.h"

namespace {

constexpr size_t kNameBytes = 40;
constexpr size_t kMostNames = 256;

struct Visit {
  std::atomic<uint32_t> state;  // 0: free, 1: being filled, 2: valid
  uint32_t unused;
  std::atomic<uint64_t> times;
  char name[kNameBytes];
  char padding[8];
};

struct Control {
  std::atomic<uint32_t> armed;
  std::atomic<uint32_t> died;
  std::atomic<uint64_t> kill_at;  // 0: never
  std::atomic<uint64_t> count;
  char only[kNameBytes];  // empty: all steps count
  char died_at[kNameBytes];
  char padding[24];
  Visit visits[kMostNames];
};
static_assert(offsetof(Control, visits) == 128);
static_assert(sizeof(Visit) == 64);

Control* control = nullptr;

void visit(const char* name) {
  for (Visit& one : control->visits) {
    uint32_t state = one.state.load();
    if (state == 0 && one.state.compare_exchange_strong(state, 1)) {
      std::strncpy(one.name, name, kNameBytes - 1);
      one.state.store(2);
      state = 2;
    }
    if (state == 2 && std::strncmp(one.name, name, kNameBytes) == 0) {
      one.times.fetch_add(1);
      return;
    }
  }
}

void onStep(const char* name) {
  if (control->armed.load() == 0) return;
  visit(name);
  if (control->only[0] != '\0' && std::strncmp(control->only, name, kNameBytes) != 0) return;
  if (control->count.fetch_add(1) + 1 != control->kill_at.load()) return;
  // Whoever takes this process's place lives.
  control->armed.store(0);
  std::strncpy(control->died_at, name, kNameBytes - 1);
  control->died.store(1);
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

[[gnu::constructor]] void attach() {
  const char* path = std::getenv("ZOO_KILL_CONTROL");
  if (path == nullptr) return;
  const int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void* memory = mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (memory == MAP_FAILED) return;
  control = static_cast<Control*>(memory);
  zoo::step_hook = onStep;
}

}  // namespace
