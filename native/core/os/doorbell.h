// Waking an event loop in another process: a FIFO that the loop polls, one per process or worker.
//
// The FIFO lies in /dev/shm as `.zoosync-bell-<16 hexadecimal digits>`, so whoever can open a
// segment finds the bells of its participants. It is made under another name and renamed when its
// owner has it open: a bell without a reader is therefore one whose owner is gone, and whoever
// makes a bell removes those.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <iterator>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/error.h"
#include "core/kill_step.h"
#include "core/os/descriptor.h"
#include "core/os/shm_file.h"

namespace zoo {

using BellId = uint64_t;  // 0: none

namespace detail {
inline constexpr const char* kBellPrefix = ".zoosync-bell-";
inline constexpr const char* kNewBellPrefix = ".zoosync-newbell-";

inline std::string bellName(const char* prefix, BellId id) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(id));
  return std::string(prefix) + digits;
}

inline std::string bellPath(const char* prefix, BellId id) { return shmPath(bellName(prefix, id)); }

// The end of a bell that rings it. -1: there is none, errno says why; ENXIO: nobody has it. Its
// number comes out of shared memory, so what bears its name may be anything: only a FIFO is opened.
inline int openRope(const std::string& path) {
  struct stat facts = {};
  const int number = open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
  const int reason = errno;
  if (number >= 0 && fstat(number, &facts) == 0 && S_ISFIFO(facts.st_mode)) return number;
  if (number >= 0) ::close(number);
  const bool unused =
      number < 0 && reason == ENXIO && lstat(path.c_str(), &facts) == 0 && S_ISFIFO(facts.st_mode);
  errno = unused ? ENXIO : ENOENT;
  return -1;
}
}  // namespace detail

// Removes the bell of a participant that was found dead, unless somebody still has it.
inline void removeOrphanedBell(BellId id) {
  if (id == 0 || ZOO_MUTATED(30)) return;
  const std::string path = detail::bellPath(detail::kBellPrefix, id);
  const int number = detail::openRope(path);
  if (number >= 0)
    ::close(number);
  else if (errno == ENXIO)
    unlink(path.c_str());
}

class Doorbell {
 public:
  static Result<Doorbell> make() {
    removeOrphans();
    Doorbell bell;
    while (bell.id_ == 0) {
      if (getrandom(&bell.id_, sizeof bell.id_, 0) != sizeof bell.id_) bell.id_ = 0;
    }
    const std::string fresh = detail::bellPath(detail::kNewBellPrefix, bell.id_);
    const std::string path = detail::bellPath(detail::kBellPrefix, bell.id_);
    if (mkfifo(fresh.c_str(), 0600) != 0) return systemError("mkfifo", fresh);
    ZOO_STEP("bell.made");
    // Bells are rung by everybody who may open the segment, whatever its mode: one byte that only
    // says "look". The umask must not take that away.
    chmod(fresh.c_str(), 0622);
    bell.descriptor_ = Descriptor(open(fresh.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    ZOO_STEP("bell.opened");
    if (!bell.descriptor_.valid() || rename(fresh.c_str(), path.c_str()) != 0) {
      const Error error = systemError("open", fresh);
      unlink(fresh.c_str());
      return error;
    }
    ZOO_STEP("bell.named");
    return bell;
  }

  Doorbell(Doorbell&& other) noexcept
      : id_(std::exchange(other.id_, 0)), descriptor_(std::move(other.descriptor_)) {}
  Doorbell& operator=(Doorbell&&) = delete;
  ~Doorbell() {
    if (id_ != 0) unlink(detail::bellPath(detail::kBellPrefix, id_).c_str());
  }

  BellId id() const { return id_; }
  // The name under /dev/shm.
  std::string name() const { return detail::bellName(detail::kBellPrefix, id_); }
  int descriptor() const { return descriptor_.get(); }

  // Takes all rings that have come so far.
  void silence() const {
    char bytes[256];
    while (read(descriptor_.get(), bytes, sizeof bytes) == static_cast<ssize_t>(sizeof bytes)) {
    }
  }

  // Removes the bells whose owners are gone.
  static void removeOrphans() {
    DIR* directory = opendir(kShmDirectory);
    if (directory == nullptr) return;
    while (const dirent* entry = readdir(directory)) {
      const bool fresh = std::strncmp(entry->d_name, detail::kNewBellPrefix,
                                      std::strlen(detail::kNewBellPrefix)) == 0;
      const bool ready =
          std::strncmp(entry->d_name, detail::kBellPrefix, std::strlen(detail::kBellPrefix)) == 0;
      if (!fresh && !ready) continue;
      const std::string path = shmPath(entry->d_name);
      struct stat facts = {};
      if (lstat(path.c_str(), &facts) != 0 || !S_ISFIFO(facts.st_mode)) continue;
      // One that is being made has no reader yet for some microseconds.
      if (fresh && time(nullptr) - facts.st_mtime < 60) continue;
      const int number = detail::openRope(path);
      if (number >= 0)
        ::close(number);
      else if (errno == ENXIO)
        unlink(path.c_str());
    }
    closedir(directory);
  }

 private:
  Doorbell() = default;

  BellId id_ = 0;
  Descriptor descriptor_;
};

// The other ends: descriptors of bells this process has rung, kept open.
class BellRopes {
 public:
  static BellRopes& ofThisProcess() {
    static BellRopes* ropes =
        new BellRopes;  // lives as long as the process: threads may still ring
    return *ropes;
  }

  // A bell that is full has been rung already; one without an owner needs no ring.
  void ring(BellId id) {
    if (id == 0) return;
    const std::lock_guard<std::mutex> guard(mutex_);
    auto found = ropes_.find(id);
    if (found == ropes_.end()) {
      const int number = detail::openRope(detail::bellPath(detail::kBellPrefix, id));
      if (number < 0) return;
      letGoOfAbandoned();
      if (ropes_.size() >= kMostRopes) ropes_.clear();
      found = ropes_.emplace(id, Descriptor(number)).first;
    }
    const char byte = 1;
    // MSG_NOSIGNAL does not exist for a FIFO; Node ignores SIGPIPE, a C++ program has to as well.
    if (write(found->second.get(), &byte, 1) < 0 && errno == EPIPE) ropes_.erase(found);
  }

 private:
  // A FIFO without a reader is in error for its writers: its owner is gone.
  void letGoOfAbandoned() {
    for (auto rope = ropes_.begin(); rope != ropes_.end();) {
      pollfd state = {rope->second.get(), POLLOUT, 0};
      const bool abandoned = poll(&state, 1, 0) > 0 && (state.revents & POLLERR) != 0;
      rope = abandoned ? ropes_.erase(rope) : std::next(rope);
    }
  }

  static constexpr size_t kMostRopes = 256;
  std::mutex mutex_;
  std::unordered_map<BellId, Descriptor> ropes_;
};

}  // namespace zoo
