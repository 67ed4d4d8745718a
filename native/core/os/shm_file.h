// Files under /dev/shm: made without a name, given one when they are complete.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "core/error.h"
#include "core/kill_step.h"
#include "core/os/descriptor.h"

namespace zoo {

inline constexpr const char* kShmDirectory = "/dev/shm";

inline std::string shmPath(const std::string& name) {
  return std::string(kShmDirectory) + "/" + name;
}

struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity& other) const {
    return device == other.device && inode == other.inode;
  }
};

inline FileIdentity identityOf(int descriptor) {
  struct stat facts = {};
  fstat(descriptor, &facts);
  return {facts.st_dev, facts.st_ino};
}

struct FileAccess {
  uid_t owner = 0;
  uint32_t mode = 0;
};

inline FileAccess accessOf(int descriptor) {
  struct stat facts = {};
  fstat(descriptor, &facts);
  return {facts.st_uid, static_cast<uint32_t>(facts.st_mode & 0777)};
}

enum class NameLeadsTo { nothing, this_file, another_file };

inline NameLeadsTo nameLeadsTo(const std::string& name, const FileIdentity& file) {
  struct stat facts = {};
  if (lstat(shmPath(name).c_str(), &facts) != 0) return NameLeadsTo::nothing;
  return FileIdentity{facts.st_dev, facts.st_ino} == file ? NameLeadsTo::this_file
                                                          : NameLeadsTo::another_file;
}

inline Error systemError(const char* system_call, const std::string& name) {
  const int number = errno;
  if (number == ENOSPC) {
    Error error = Error::of(ErrorCode::noSpace, number,
                            "%s: %s can hold no more files, so there is no room for '%s'; remove "
                            "what is no longer used, or mount it with more inodes",
                            system_call, kShmDirectory, name.c_str());
    error.system_call = system_call;
    return error;
  }
  if (number == EMFILE || number == ENFILE) {
    Error error = Error::of(ErrorCode::system, number,
                            "%s failed for '%s': %s; close what is no longer used, or raise the "
                            "limit (ulimit -n)",
                            system_call, name.c_str(), std::strerror(number));
    error.system_call = system_call;
    return error;
  }
  const bool refused = number == EACCES || number == EPERM;
  Error error = Error::of(
      refused ? ErrorCode::access : ErrorCode::system, number,
      refused ? "%s: permission denied for '%s' (%s); ask its owner for access, or make it with a "
                "wider mode"
              : "%s failed for '%s': %s",
      system_call, name.c_str(), std::strerror(number));
  error.system_call = system_call;
  return error;
}

inline Error notFound(const std::string& name) {
  return Error::of(ErrorCode::notFound, ENOENT,
                   "there is no '%s' in %s; create it first, or wait for it", name.c_str(),
                   kShmDirectory);
}

// Opens what the name leads to, when it is a plain file. Never follows a link, never blocks.
inline Result<Descriptor> openShmFile(const std::string& name) {
  const int number =
      open(shmPath(name).c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (number < 0) {
    if (errno == ENOENT) return notFound(name);
    if (errno == ELOOP || errno == EISDIR || errno == ENXIO) {
      return Error::of(ErrorCode::corrupt, errno,
                       "'%s' in %s is not a file of ours (%s); left alone", name.c_str(),
                       kShmDirectory, std::strerror(errno));
    }
    return systemError("open", name);
  }
  Descriptor descriptor(number);
  struct stat facts = {};
  if (fstat(number, &facts) != 0) return systemError("fstat", name);
  if (!S_ISREG(facts.st_mode)) {
    return Error::of(ErrorCode::corrupt, 0, "'%s' in %s is not a plain file; left alone",
                     name.c_str(), kShmDirectory);
  }
  return descriptor;
}

// A second description of the same file, for locks.
inline Result<Descriptor> reopen(int descriptor, const std::string& name) {
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  const int number = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (number < 0 && errno == ENOENT) {
    return Error::of(ErrorCode::platform, errno, "'%s' needs /proc, which is not mounted here",
                     name.c_str());
  }
  if (number < 0) return systemError("open", name);
  return Descriptor(number);
}

// What a file may hold at most, as the limits of this process say. Beyond it the system sends
// SIGXFSZ, which ends a program that does not ignore it.
inline Result<Done> checkFileLimit(const std::string& name, uint64_t bytes) {
  struct rlimit limit = {};
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
      bytes <= limit.rlim_cur) {
    return Done{};
  }
  const auto most = static_cast<uint64_t>(limit.rlim_cur);
  Error error = Error::of(ErrorCode::noSpace, EFBIG,
                          "'%s' needs %llu bytes, and files of this process may have %llu at most "
                          "(RLIMIT_FSIZE); make it smaller, or raise the limit (ulimit -f)",
                          name.c_str(), static_cast<unsigned long long>(bytes),
                          static_cast<unsigned long long>(most));
  error.needed = bytes;
  error.free = most;
  return error;
}

// A file without a name. `set_aside`: its memory is reserved now, so a full file system is an
// error here and not a SIGBUS at the first touch.
inline Result<Descriptor> makeUnnamedFile(const std::string& name, uint64_t bytes, uint32_t mode,
                                          bool set_aside) {
  Result<Done> allowed = checkFileLimit(name, bytes);
  if (!allowed) return allowed.error();
  const int number = open(kShmDirectory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (number < 0 && errno == ENOENT) {
    return Error::of(ErrorCode::platform, errno, "there is no %s for '%s'; mount a tmpfs there",
                     kShmDirectory, name.c_str());
  }
  if (number < 0) return systemError("open", name);
  Descriptor descriptor(number);
  // Not left to open(): the umask would take bits away that were asked for.
  if (fchmod(number, mode) != 0) return systemError("fchmod", name);
  struct statvfs space = {};
  if (set_aside && !ZOO_MUTATED(20) && fstatvfs(number, &space) == 0) {
    const uint64_t free = static_cast<uint64_t>(space.f_bavail) * space.f_frsize;
    if (space.f_blocks != 0 && bytes > free)
      errno = ENOSPC;
    else
      errno = posix_fallocate(number, 0, static_cast<off_t>(bytes));
    if (errno != 0) {
      if (errno != ENOSPC && errno != EFBIG && errno != ENOMEM) {
        return systemError("posix_fallocate", name);
      }
      Error error = Error::of(
          ErrorCode::noSpace, errno,
          "%s has no room for '%s': %llu bytes needed, %llu free; make it smaller, remove what is "
          "no longer used, or enlarge %s (in a container: --shm-size)",
          kShmDirectory, name.c_str(), static_cast<unsigned long long>(bytes),
          static_cast<unsigned long long>(free), kShmDirectory);
      error.system_call = "posix_fallocate";
      error.needed = bytes;
      error.free = free;
      return error;
    }
  } else if (ftruncate(number, static_cast<off_t>(bytes)) != 0) {
    return systemError("ftruncate", name);
  }
  return descriptor;
}

enum class Linked { yes, name_taken, failed };

inline Linked giveName(int descriptor, const std::string& name) {
  const std::string from = "/proc/self/fd/" + std::to_string(descriptor);
  if (linkat(AT_FDCWD, from.c_str(), AT_FDCWD, shmPath(name).c_str(), AT_SYMLINK_FOLLOW) == 0) {
    return Linked::yes;
  }
  return errno == EEXIST ? Linked::name_taken : Linked::failed;
}

}  // namespace zoo
