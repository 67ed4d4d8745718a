#include "addon/leftovers.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "core/layout/participants.h"
#include "core/os/name_removal.h"
#include "core/os/slot_lock.h"

namespace zoo::addon {

namespace {

// Read by a signal handler, so nodes of both lists are never freed, and filled before they count.
struct Remembered {
  std::atomic<bool> active{false};
  char path[300] = {};
  FileIdentity identity;
  RemoveWhen when = RemoveWhen::always;
  int probe = -1;
  Remembered* next = nullptr;
};

// A handle of this process on a lock, while its descriptor is not -1.
struct OpenLock {
  std::atomic<int> descriptor{-1};
  FileIdentity file;
  OpenLock* next = nullptr;
};

std::atomic<Remembered*> first{nullptr};
std::atomic<OpenLock*> first_open{nullptr};
std::mutex changing;
std::atomic<Ending> ending{Ending::proper};
struct sigaction before[2];
constexpr int kSignals[2] = {SIGINT, SIGTERM};

// This process ends: its own handles do not count as users.
void leaveOpenLocks(const FileIdentity& file) {
  for (OpenLock* open = first_open.load(std::memory_order_acquire); open != nullptr;
       open = open->next) {
    const int descriptor = open->descriptor.load(std::memory_order_acquire);
    if (descriptor >= 0 && open->file == file) unlockAllSlots(descriptor, kSlots);
  }
}

// Only calls that a signal handler may make.
void removeOne(Remembered& remembered) {
  if (!remembered.active.exchange(false, std::memory_order_acq_rel)) return;
  if (remembered.when == RemoveWhen::nobody_uses_it) {
    leaveOpenLocks(remembered.identity);
    if (lockAllSlots(remembered.probe, kSlots) != LockAttempt::taken) return;
  }
  removeNameOf(remembered.path, remembered.identity, kRemovalByte);
}

}  // namespace

void removeRememberedNames(Ending ending) {
  for (Remembered* place = first.load(std::memory_order_acquire); place != nullptr;
       place = place->next) {
    if (ending == Ending::proper || place->when == RemoveWhen::even_after_failure) {
      removeOne(*place);
    }
  }
}

namespace {

void onSignal(int signal) {
  const int saved = errno;
  removeRememberedNames(Ending::proper);
  sigaction(signal, &before[signal == SIGINT ? 0 : 1], nullptr);
  raise(signal);  // delivered to whoever handled it before, as soon as we return
  errno = saved;
}

}  // namespace

// A program that handles a signal itself decides itself: libuv's handler stays installed. Node's
// own default (which resets itself) and the system's are ours to precede.
void watchSignals() {
  // Process 1 of a pid namespace does not end by a signal that nobody handles, so its names stay.
  if (getpid() == 1) return;
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
                  int probe) {
  const std::lock_guard<std::mutex> guard(changing);
  watchSignals();
  // At the very end, when the worker threads are gone too: what they had open counts no more.
  static const bool registered =
      std::atexit([] { removeRememberedNames(ending.load(std::memory_order_relaxed)); }) == 0;
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
  if (place->probe >= 0) close(place->probe);
  place->probe = probe;
  place->active.store(true, std::memory_order_release);
}

void lockOpens(int descriptor, const FileIdentity& file) {
  const std::lock_guard<std::mutex> guard(changing);
  OpenLock* place = first_open.load();
  while (place != nullptr && place->descriptor.load() >= 0) place = place->next;
  if (place == nullptr) {
    place = new OpenLock;
    place->next = first_open.load();
    first_open.store(place, std::memory_order_release);
  }
  place->file = file;
  place->descriptor.store(descriptor, std::memory_order_release);
}

void lockCloses(int descriptor) {
  const std::lock_guard<std::mutex> guard(changing);
  for (OpenLock* place = first_open.load(); place != nullptr; place = place->next) {
    if (place->descriptor.load() == descriptor) place->descriptor.store(-1);
  }
}

void forgetName(const std::string& name) {
  const std::lock_guard<std::mutex> guard(changing);
  const std::string path = shmPath(name);
  for (Remembered* place = first.load(); place != nullptr; place = place->next) {
    // Whoever makes it inactive has its descriptor: this, or a signal handler.
    if (!place->active.load() || path != place->path || !place->active.exchange(false)) continue;
    if (place->probe >= 0) close(place->probe);
    place->probe = -1;
  }
}

void endsImproperly() { ending.store(Ending::failure, std::memory_order_relaxed); }

}  // namespace zoo::addon
