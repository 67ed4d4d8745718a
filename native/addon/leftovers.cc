#include "addon/leftovers.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "core/layout/participants.h"
#include "core/os/slot_lock.h"

namespace zoo::addon {

namespace {

// Read by a signal handler, so nodes are never freed and a node is filled before it is `active`.
struct Remembered {
  std::atomic<bool> active{false};
  char path[300] = {};
  FileIdentity identity;
  RemoveWhen when = RemoveWhen::always;
  std::atomic<int> handle{-1};
  int afterwards = -1;
  Remembered* next = nullptr;
};

std::atomic<Remembered*> first{nullptr};
std::mutex changing;
std::atomic<bool> improper{false};
struct sigaction before[2];
constexpr int kSignals[2] = {SIGINT, SIGTERM};

// Only calls that a signal handler may make.
void removeOne(Remembered& remembered) {
  if (!remembered.active.exchange(false, std::memory_order_acq_rel)) return;
  struct stat facts = {};
  if (lstat(remembered.path, &facts) != 0) return;
  if (!(FileIdentity{facts.st_dev, facts.st_ino} == remembered.identity)) return;
  const int handle = remembered.handle.load(std::memory_order_acquire);
  const int probe = handle >= 0 ? handle : remembered.afterwards;
  if (remembered.when == RemoveWhen::nobody_uses_it &&
      lockAllSlots(probe, kSlots) != LockAttempt::taken) {
    return;
  }
  unlink(remembered.path);
}

}  // namespace

void removeRememberedNames() {
  for (Remembered* place = first.load(std::memory_order_acquire); place != nullptr;
       place = place->next) {
    removeOne(*place);
  }
}

namespace {

void onSignal(int signal) {
  const int saved = errno;
  removeRememberedNames();
  sigaction(signal, &before[signal == SIGINT ? 0 : 1], nullptr);
  raise(signal);  // delivered to whoever handled it before, as soon as we return
  errno = saved;
}

}  // namespace

// A program that handles a signal itself decides itself: libuv's handler stays installed. Node's
// own default (which resets itself) and the system's are ours to precede.
void watchSignals() {
  for (int index = 0; index < 2; ++index) {
    struct sigaction present = {};
    sigaction(kSignals[index], nullptr, &present);
    const bool is_plain = (present.sa_flags & SA_SIGINFO) == 0;
    const bool is_default = is_plain && present.sa_handler == SIG_DFL;
    const bool resets_itself = (present.sa_flags & static_cast<int>(SA_RESETHAND)) != 0;
    if (!is_default && !resets_itself) continue;
    before[index] = present;
    struct sigaction ours = {};
    ours.sa_handler = onSignal;
    sigemptyset(&ours.sa_mask);
    sigaction(kSignals[index], &ours, nullptr);
  }
}

bool anythingRemembered() {
  for (Remembered* place = first.load(); place != nullptr; place = place->next) {
    if (place->active.load()) return true;
  }
  return false;
}

void rememberName(const std::string& name, const FileIdentity& identity, RemoveWhen when,
                  UseProbe probe) {
  const std::lock_guard<std::mutex> guard(changing);
  watchSignals();
  // At the very end, when the worker threads are gone too: what they had open counts no more.
  static const bool registered = std::atexit([] {
                                   if (!improper.load(std::memory_order_relaxed)) {
                                     removeRememberedNames();
                                   }
                                 }) == 0;
  static_cast<void>(registered);
  Remembered* place = first.load(std::memory_order_acquire);
  while (place != nullptr && place->active.load(std::memory_order_acquire)) place = place->next;
  if (place == nullptr) {
    place = new Remembered;
    place->next = first.load(std::memory_order_relaxed);
    first.store(place, std::memory_order_release);
  }
  std::strncpy(place->path, shmPath(name).c_str(), sizeof place->path - 1);
  place->identity = identity;
  place->when = when;
  place->handle.store(probe.handle, std::memory_order_relaxed);
  if (place->afterwards >= 0) close(place->afterwards);
  place->afterwards = probe.afterwards;
  place->active.store(true, std::memory_order_release);
}

void handleCloses(int descriptor) {
  const std::lock_guard<std::mutex> guard(changing);
  for (Remembered* place = first.load(); place != nullptr; place = place->next) {
    if (place->active.load() && place->handle.load() == descriptor) place->handle.store(-1);
  }
}

void forgetName(const std::string& name) {
  const std::lock_guard<std::mutex> guard(changing);
  const std::string path = shmPath(name);
  for (Remembered* place = first.load(); place != nullptr; place = place->next) {
    if (place->active.load() && path == place->path) place->active.store(false);
  }
}

void endsImproperly() { improper.store(true, std::memory_order_relaxed); }

}  // namespace zoo::addon
