// The robust mutexes that a thread holds, as the kernel wants to be told: when the thread dies it
// walks this list, marks each mutex as one whose owner died, and wakes a waiter.
//
// The nodes of the list lie in shared memory, where a neighbour may write anything at any moment.
// The C library believes its pointers: pthread_mutex_unlock writes through them, wherever they lead
// by then. So the list is kept here, in the C library's form and in its head (a thread has only
// one), but no pointer is ever read from shared memory: what follows a node is noted in private.
// The worst that a neighbour can do is to cut the list, which the kernel survives.
#pragma once

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/layout/shared_mutex.h"
#include "core/os/bus_guard.h"
#include "core/os/pid_namespace.h"

namespace zoo {

// Where the parts of a mutex lie: as in a pthread_mutex_t, so that both can be in one list.
inline constexpr uint64_t kMutexWord =
#ifdef __GLIBC__
    0;
#else
    4;  // musl
#endif
inline constexpr uint64_t kMutexMark = 16;
inline constexpr uint64_t kMutexPrevious = 24;
inline constexpr uint64_t kMutexNext = 32;
// Behind it: the pid namespace in which the owner's thread id counts.
inline constexpr uint64_t kMutexNamespace = 56;
static_assert(sizeof(pthread_mutex_t) >= kMutexNext + sizeof(void*));
static_assert(sizeof(pthread_mutex_t) <= kMutexNamespace &&
              sizeof(SharedMutex) >= kMutexNamespace + sizeof(uint32_t));
#ifdef __GLIBC__
static_assert(offsetof(pthread_mutex_t, __data.__lock) == kMutexWord);
static_assert(offsetof(pthread_mutex_t, __data.__list.__prev) == kMutexPrevious);
static_assert(offsetof(pthread_mutex_t, __data.__list.__next) == kMutexNext);
#endif

class HeldMutexes {
 public:
  static HeldMutexes& ofThisThread() {
    HeldMutexes* own = mine;
    return own != nullptr ? *own : begin();
  }

  // Without a list that the kernel knows no death would be noticed.
  bool usable() const { return head_ != nullptr; }
  uint32_t thread() const { return thread_; }
  // In which the thread's id counts.
  uint32_t pidNamespace() const { return pid_namespace_; }

  // Before the mutex is taken or given back, and after the list says so too. If killed in between,
  // the kernel looks at this one as well, and takes whoever has our thread id for us: also a living
  // owner in another pid namespace. So only for the moment in which it can be ours.
  void announce(SharedMutex* mutex) {
    head_->list_op_pending = entryOf(nodeOf(mutex));
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  void settle() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    head_->list_op_pending = nullptr;
  }

  void add(SharedMutex* mutex) {
    const uintptr_t node = nodeOf(mutex);
    const uintptr_t next = first();
    write(node, next);
    writePrevious(node, headNode());
    if (isForeign(next)) writePrevious(next, node);
    held_.push_back({node, next});
    std::atomic_signal_fence(std::memory_order_seq_cst);
    head_->list.next = entryOf(node);
  }

  void remove(SharedMutex* mutex) {
    const uintptr_t node = nodeOf(mutex);
    size_t place = held_.size();
    while (place > 0 && held_[place - 1].node != node) --place;
    if (place == 0) return;
    refresh(held_[place - 1]);
    const uintptr_t next = held_[place - 1].next;
    if (first() == node)
      head_->list.next = entryOf(next);
    else
      unlinkBehindOthers(node, next);
    if (isForeign(next) && first() == next) writePrevious(next, headNode());
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(place) - 1);
  }

  // Whoever has waited in vain for a mutex a moment ago does not wait as long again.
  void noteBroken(const SharedMutex* mutex, uint64_t now_ns) {
    broken_ = mutex;
    broken_ns_ = now_ns;
  }
  bool wasBroken(const SharedMutex* mutex, uint64_t now_ns) const {
    return mutex == broken_ && now_ns - broken_ns_ < kBrokenFor;
  }

 private:
  struct Held {
    uintptr_t node;
    uintptr_t next;
  };

  static constexpr uint64_t kBrokenFor = 2'000'000'000;
  static constexpr int kMostInList = 2048;  // the kernel walks no further

  static HeldMutexes& begin() {
    static const bool prepared = prepare();
    auto* own = new HeldMutexes;
    if (!prepared || pthread_setspecific(key, own) != 0) own->head_ = nullptr;
    return *(mine = own);
  }

  static bool prepare() {
    const auto atEnd = [](void* own) {
      mine = nullptr;
      delete static_cast<HeldMutexes*>(own);
    };
    // A forked child holds nothing, and its thread has another number.
    const auto inChild = [] {
      delete mine;
      mine = nullptr;
      pthread_setspecific(key, nullptr);
    };
    BusGuard::restoreWith(linkAgain);
    return pthread_key_create(&key, atEnd) == 0 && pthread_atfork(nullptr, nullptr, inChild) == 0;
  }

  // After zeros were put in place of shared memory, so that the kernel still finds what follows.
  static void linkAgain(uintptr_t begin, uintptr_t end) {
    if (mine == nullptr) return;
    for (const Held& held : mine->held_) {
      if (held.node >= begin && held.node < end) write(held.node, held.next);
    }
  }

  HeldMutexes() : thread_(static_cast<uint32_t>(syscall(SYS_gettid))) {
    // musl tells the kernel about its list when a thread locks such a mutex for the first time.
    pthread_mutexattr_t robust;
    pthread_mutexattr_init(&robust);
    pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_t sample;
    if (pthread_mutex_init(&sample, &robust) == 0) {
      pthread_mutex_lock(&sample);
      pthread_mutex_unlock(&sample);
      pthread_mutex_destroy(&sample);
    }
    pthread_mutexattr_destroy(&robust);
    robust_list_head* found = nullptr;
    size_t bytes = 0;
    constexpr auto offset = static_cast<long>(kMutexWord) - static_cast<long>(kMutexNext);
    const bool known = syscall(SYS_get_robust_list, 0, &found, &bytes) == 0 && found != nullptr;
    if (known && found->futex_offset == offset) head_ = found;
  }

  uintptr_t headNode() const { return reinterpret_cast<uintptr_t>(head_); }
  uintptr_t first() const { return reinterpret_cast<uintptr_t>(head_->list.next); }

  static uintptr_t nodeOf(SharedMutex* mutex) {
    return reinterpret_cast<uintptr_t>(mutex) + kMutexNext;
  }
  static robust_list* entryOf(uintptr_t node) { return reinterpret_cast<robust_list*>(node); }
  // The lowest bit marks mutexes of another kind.
  static uintptr_t untagged(uintptr_t node) { return node & ~uintptr_t{1}; }

  static uintptr_t read(uintptr_t node) {
    return __atomic_load_n(reinterpret_cast<uintptr_t*>(untagged(node)), __ATOMIC_RELAXED);
  }
  static void write(uintptr_t node, uintptr_t next) {
    __atomic_store_n(reinterpret_cast<uintptr_t*>(untagged(node)), next, __ATOMIC_RELAXED);
  }
  static void writePrevious(uintptr_t node, uintptr_t previous) {
    write(untagged(node) - (kMutexNext - kMutexPrevious), previous);
  }

  Held* find(uintptr_t node) {
    for (Held& held : held_) {
      if (held.node == node) return &held;
    }
    return nullptr;
  }
  // A robust mutex that another library holds.
  bool isForeign(uintptr_t node) { return node != headNode() && find(node) == nullptr; }

  // The other library may have given back a mutex that followed ours, and written what follows
  // now. Believed only when it names what we know.
  void refresh(Held& held) {
    if (!isForeign(held.next)) return;
    const uintptr_t now = read(held.node);
    if (now == headNode() || find(now) != nullptr) held.next = now;
  }

  void unlinkBehindOthers(uintptr_t node, uintptr_t next) {
    uintptr_t at = first();
    for (int step = 0; step < kMostInList && at != headNode(); ++step) {
      Held* ours = find(at);
      if (ours != nullptr) refresh(*ours);
      const uintptr_t following = ours != nullptr ? ours->next : read(at);
      if (following == node) {
        if (ours != nullptr) ours->next = next;
        write(at, next);
        if (isForeign(next)) writePrevious(next, untagged(at));
        return;
      }
      at = following;
    }
  }

  // A plain pointer, for its speed; the key frees what it points to when the thread ends.
#ifdef __GLIBC__
  [[gnu::tls_model("initial-exec")]]
#endif
  static inline thread_local HeldMutexes* mine = nullptr;
  static inline pthread_key_t key;

  robust_list_head* head_ = nullptr;
  uint32_t thread_ = 0;
  uint32_t pid_namespace_ = ownPidNamespace();
  const SharedMutex* broken_ = nullptr;
  uint64_t broken_ns_ = 0;
  std::vector<Held> held_;  // in the order of taking
};

}  // namespace zoo
