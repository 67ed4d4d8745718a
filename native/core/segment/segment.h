// A named piece of shared memory: made whole or not at all, checked in one place when opened.
#pragma once

#include <memory>
#include <new>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/kill_step.h"
#include "core/layout/participants.h"
#include "core/layout/segment_header.h"
#include "core/os/clock.h"
#include "core/os/descriptor.h"
#include "core/os/mapping.h"
#include "core/os/name_removal.h"
#include "core/os/shm_file.h"
#include "core/os/slot_lock.h"
#include "core/sync/robust_mutex.h"

namespace zoo {

struct SegmentPlan {
  SegmentKind kind = SegmentKind::memory;
  uint64_t block_bytes = 0;  // of the kind's own block, behind the participants
  uint64_t data_bytes = 0;
  bool mirrored = false;
  uint32_t mode = 0600;
  bool set_aside = true;
};

inline const char* nameOf(SegmentKind kind) {
  switch (kind) {
    case SegmentKind::queue:
      return "a queue";
    case SegmentKind::lock:
      return "a lock";
    case SegmentKind::memory:
      return "a memory";
    case SegmentKind::channel:
      return "a channel";
    case SegmentKind::pipe:
      return "a pipe";
  }
  return "something unknown";
}

// What is said of a segment that `Segment::takenAway`.
inline constexpr const char* kTakenAway =
    "its file was truncated or overwritten by another process";

// An open segment: its bytes, and a description of its file that holds our slot's lock.
class Segment {
 public:
  Segment() = default;

  // A complete segment without a name; `giveName` publishes it.
  template <typename Initialise>
  static Result<Segment> make(const std::string& name, const SegmentPlan& plan,
                              Initialise initialise) {
    const uint64_t data_offset = roundUp(kBlockOffset + plan.block_bytes, pageBytes());
    const uint64_t total = data_offset + roundUp(plan.data_bytes, pageBytes());
    Result<Descriptor> file = makeUnnamedFile(name, total, plan.mode, plan.set_aside);
    if (!file) return file.error();
    ZOO_STEP("make.file");
    Result<Segment> made = mapped(name, *file, total, data_offset, plan.mirrored);
    if (!made) return made.error();
    if (ZOO_MUTATED(19)) made->giveName();
    ZOO_STEP("make.mapped");

    SegmentHeader& header = *new (made->mapping_->base()) SegmentHeader{};
    header.magic = kMagic;
    header.layout_version = kLayoutVersion;
    header.kind = plan.kind;
    header.libc = kThisLibc;
    header.architecture = kThisArchitecture;
    header.mutex_bytes = sizeof(pthread_mutex_t);
    header.page_bytes = static_cast<uint32_t>(pageBytes());
    header.total_bytes = total;
    header.data_offset = data_offset;
    header.data_bytes = total - data_offset;
    header.created_ns = nanoseconds(CLOCK_REALTIME);
    header.creator_pid = static_cast<uint32_t>(getpid());
    header.check = headerCheck(header);
    header.state.store(SegmentState::live, std::memory_order_relaxed);
    RobustMutex(header.guard).initialise();
    initialise(*made);
    ZOO_STEP("make.initialised");
    return made;
  }

  // Opens what the name leads to and checks that it is what it says, whole, and ours.
  // `is_mirrored` reads from the kind's constants whether its data is mapped twice.
  static Result<Segment> open(const std::string& name, SegmentKind kind,
                              bool (*is_mirrored)(const std::byte* block)) {
    Result<Descriptor> file = openShmFile(name);
    if (!file) return file.error();
    struct stat facts = {};
    if (fstat(file->get(), &facts) != 0) return systemError("fstat", name);
    const auto bytes = static_cast<uint64_t>(facts.st_size);
    Result<uint64_t> data_offset = checkFile(name, kind, file->get(), bytes);
    if (!data_offset) return data_offset.error();
    Result<Segment> plain = mapped(name, *file, bytes, *data_offset, false);
    if (!plain || is_mirrored == nullptr || !is_mirrored(plain->mapping_->base() + kBlockOffset)) {
      return plain;
    }
    return mapped(name, *file, bytes, *data_offset, true);
  }

  SegmentHeader& header() const { return *reinterpret_cast<SegmentHeader*>(mapping_->base()); }
  Participant* participants() const {
    return reinterpret_cast<Participant*>(mapping_->base() + kParticipantsOffset);
  }
  template <typename Block>
  Block& block() const {
    return *reinterpret_cast<Block*>(mapping_->base() + kBlockOffset);
  }
  const std::shared_ptr<Mapping>& mapping() const { return mapping_; }
  const std::string& name() const { return name_; }
  int lockDescriptor() const { return locks_.get(); }
  const FileIdentity& identity() const { return identity_; }
  // Whose it is and who may open it, as it was when we did.
  const FileAccess& access() const { return access_; }
  bool valid() const { return mapping_ != nullptr; }

  Linked giveName() const { return zoo::giveName(locks_.get(), name_); }

  // Takes the name away if it still leads here. Works after `letGo`.
  bool removeName() const {
    if (!removeNameOf(shmPath(name_).c_str(), identity_, kRemovalByte)) return false;
    ZOO_STEP("remove.unlinked");
    // Whoever opened it a moment ago and has not joined yet sees that he has to try again.
    SegmentState live = SegmentState::live;
    if (mapping_ != nullptr) header().state.compare_exchange_strong(live, SegmentState::unlinked);
    ZOO_STEP("remove.marked");
    return true;
  }

  // Whether somebody else made the name anew: those who wait here would wait for ever.
  bool nameLeadsElsewhere() const {
    return nameLeadsTo(name_, identity_) == NameLeadsTo::another_file;
  }

  // Whether another process has truncated the file, or overwritten its beginning. What is mapped is
  // private memory from then on.
  bool takenAway() const {
    if (mapping_->taken()) return true;
    struct stat facts = {};
    const bool whole = fstat(locks_.get(), &facts) != 0 ||
                       static_cast<uint64_t>(facts.st_size) >= mapping_->range().file_bytes.load();
    return !(whole && header().magic == kMagic) && giveUp();
  }
  // Its bytes make no sense any more: from here on it counts as taken away.
  bool giveUp() const { return BusGuard::take(mapping_->range()); }

  // Drops the slot's lock: from here on this participant counts as gone.
  void letGo() {
    if (mapping_ != nullptr) mapping_->range().descriptor.store(-1, std::memory_order_release);
    locks_.reset();
  }
  void unmap() { mapping_.reset(); }

 private:
  static Result<Segment> mapped(const std::string& name, const Descriptor& file, uint64_t total,
                                uint64_t data_offset, bool mirrored) {
    Result<Descriptor> locks = reopen(file.get(), name);
    if (!locks) return locks.error();
    Result<std::shared_ptr<Mapping>> mapping =
        Mapping::map(file.get(), total, data_offset, mirrored);
    if (!mapping) return mapping.error();
    Segment segment;
    segment.name_ = name;
    segment.identity_ = identityOf(file.get());
    segment.access_ = accessOf(file.get());
    segment.locks_ = locks.take();
    segment.mapping_ = mapping.take();
    MappedRange& range = segment.mapping_->range();
    range.inode.store(segment.identity_.inode, std::memory_order_relaxed);
    range.descriptor.store(segment.locks_.get(), std::memory_order_release);
    return segment;
  }

  // The one place where a header is judged; answers where the data begins. Reads with pread: a
  // file that is too short must not be touched through a mapping.
  static Result<uint64_t> checkFile(const std::string& name, SegmentKind kind, int descriptor,
                                    uint64_t bytes) {
    SegmentHeader header;
    const bool whole = pread(descriptor, static_cast<void*>(&header), sizeof header, 0) ==
                       static_cast<ssize_t>(sizeof header);
    if (bytes < kBlockOffset || !whole || header.magic != kMagic) {
      return Error::of(ErrorCode::corrupt, 0,
                       "'%s' (%llu bytes) is no segment of zoosync; left alone. Choose another "
                       "name, or remove %s/%s if nobody needs it",
                       name.c_str(), static_cast<unsigned long long>(bytes), kShmDirectory,
                       name.c_str());
    }
    if (header.layout_version != kLayoutVersion) {
      return incompatible(name, "layout version", header.layout_version, kLayoutVersion);
    }
    if (header.architecture != kThisArchitecture) {
      return incompatible(name, "architecture", header.architecture, kThisArchitecture);
    }
    if (header.libc != kThisLibc) {
      return incompatible(name, "C library (1 glibc, 2 musl)", static_cast<uint32_t>(header.libc),
                          static_cast<uint32_t>(kThisLibc));
    }
    if (header.mutex_bytes != sizeof(pthread_mutex_t)) {
      return incompatible(name, "size of a mutex", header.mutex_bytes, sizeof(pthread_mutex_t));
    }
    const auto state = header.state.load(std::memory_order_relaxed);
    const bool known = state == SegmentState::live || state == SegmentState::superseded ||
                       state == SegmentState::unlinked;
    if (!known || header.check != headerCheck(header)) {
      return Error::of(ErrorCode::corrupt, 0,
                       "'%s': the header is damaged; remove it and make it anew", name.c_str());
    }
    if (header.page_bytes != pageBytes()) {
      return incompatible(name, "page size", header.page_bytes, pageBytes());
    }
    if (header.total_bytes != bytes || header.data_offset + header.data_bytes != bytes ||
        header.data_offset < kBlockOffset || header.data_offset % pageBytes() != 0) {
      return Error::of(ErrorCode::corrupt, 0,
                       "'%s' is %llu bytes where its header says %llu; remove it and make it anew",
                       name.c_str(), static_cast<unsigned long long>(bytes),
                       static_cast<unsigned long long>(header.total_bytes));
    }
    if (header.kind != kind) {
      return Error::of(ErrorCode::wrongKind, 0, "'%s' is %s, not %s; choose another name",
                       name.c_str(), nameOf(header.kind), nameOf(kind));
    }
    return uint64_t{header.data_offset};
  }

  static Error incompatible(const std::string& name, const char* what, uint64_t there,
                            uint64_t here) {
    return Error::of(ErrorCode::incompatible, 0,
                     "'%s' was made with another %s: %llu there, %llu here; use the same build of "
                     "zoosync on both sides",
                     name.c_str(), what, static_cast<unsigned long long>(there),
                     static_cast<unsigned long long>(here));
  }

  std::string name_;
  FileIdentity identity_;
  FileAccess access_;
  Descriptor locks_;
  std::shared_ptr<Mapping> mapping_;
};

}  // namespace zoo
