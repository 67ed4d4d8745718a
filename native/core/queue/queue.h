// A handle on a queue of messages between processes. One thread at a time uses a handle.
//
//   auto queue = zoo::Queue::open("frames", zoo::OpenMode::either, options);
//   if (!queue) die(queue.error().text);
//   (*queue)->put(bytes, size);
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/queue/options.h"
#include "core/queue/read.h"
#include "core/queue/stats.h"
#include "core/queue/write.h"
#include "core/segment/attach.h"
#include "core/segment/trust.h"

namespace zoo {

class Queue {
 public:
  static Result<std::unique_ptr<Queue>> open(const std::string& name, OpenMode mode,
                                             const QueueOptions& options) {
    std::unique_ptr<Queue> queue;
    const auto adopt = [&]() -> Result<Adopted> {
      Result<Segment> segment = Segment::open(name, options.kind, &isMirrored);
      if (!segment) return segment.error();
      Result<Done> trusted = mayBeUsed(*segment, mode, options.mode);
      if (!trusted) return trusted.error();
      queue.reset(new Queue(segment.take()));
      return queue->adopt(options);
    };
    const auto make = [&]() -> Result<Done> {
      Result<QueueConstants> constants = constantsFor(options);
      if (!constants) return constants.error();
      Result<uint32_t> group = findGroup(name, *constants, options.group);
      if (!group) return group.error();
      SegmentPlan plan;
      plan.kind = options.kind;
      plan.block_bytes = kFrameTableOffset - kBlockOffset + tableBytes(*constants, options.kind);
      plan.data_bytes = constants->capacity;
      plan.mirrored = constants->store == StoreKind::ring;
      plan.mode = options.mode.value_or(kDefaultMode);
      plan.set_aside = options.set_aside;
      const auto initialise = [&](Segment& fresh) {
        initialiseHeader(fresh, *constants);
        initialiseChannel(fresh, options);
      };
      Result<Segment> segment = Segment::make(name, plan, initialise);
      if (!segment) return segment.error();
      queue.reset(new Queue(segment.take()));
      queue->bind(*constants, options.kind, *group);
      if (queue->context_.me.join(options.label) != Membership::Join::joined) {
        return Error::of(ErrorCode::platform, 0,
                         "cannot lock '%s': this system has no open file description locks",
                         name.c_str());
      }
      queue->takePlace();
      // Before the name is there, so that a creator who dies at once has not left in silence.
      if (options.kind == SegmentKind::pipe) queue->takeEnd(options.end);
      if (options.kind == SegmentKind::channel || options.writer) queue->becomeWriter();
      return Done{};
    };
    Result<bool> made = openOrMake(name, options.kind, mode, adopt, make,
                                   [&]() -> const Segment& { return queue->context_.segment; });
    if (!made) return made.error();
    queue->created_ = *made;
    const bool frames = !queue->context_.store.isRing();
    if (options.prefault.value_or(frames)) queue->context_.segment.mapping()->prefault();
    return queue;
  }

  template <SegmentKind kind = SegmentKind::queue>
  static Result<bool> unlink(const std::string& name) {
    return zoo::unlinkName(name, kind);
  }

  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  ~Queue() { close(); }

  // --- facts
  const std::string& name() const { return context_.segment.name(); }
  bool created() const { return created_; }
  bool closed() const { return closed_; }
  uint64_t capacity() const { return context_.constants.capacity; }
  uint64_t limit() const { return context_.store.limit(); }
  uint32_t slots() const { return context_.store.slots(); }
  const QueueConstants& constants() const { return context_.constants; }
  uint32_t group() const { return context_.group; }
  uint32_t slot() const { return context_.me.self().slot; }
  PipeEnd pipeEnd() const { return end_; }
  std::string codec() const {
    const char* name = context_.channel->constants.codec;
    return std::string(name, strnlen(name, kCodecNameBytes));
  }
  const std::string& corruption() const { return context_.corruption; }
  const FileIdentity& identity() const { return context_.segment.identity(); }
  const std::shared_ptr<Mapping>& mapping() const { return context_.segment.mapping(); }

  // --- putting: ok, would_block (full), ended, too_large, corrupt
  Status put(const void* bytes, uint64_t size) {
    return sound(lookedAround(writer_.put(bytes, size)));
  }
  Status putPacked(const std::byte* bytes, const uint32_t* sizes, uint32_t count, uint32_t& put) {
    return sound(lookedAround(writer_.putPacked(bytes, sizes, count, put)));
  }
  Status reserve(uint64_t size, Cursor& cursor, uint64_t& offset) {
    return sound(lookedAround(writer_.reserve(size, cursor, offset)));
  }
  Status commit(Cursor cursor, uint64_t size) { return sound(writer_.commit(cursor, size)); }
  Status abort(Cursor cursor) { return sound(writer_.abort(cursor)); }
  Status becomeWriter() { return sound(writer_.becomeWriter()); }
  void holdWakes(bool on) { writer_.holdWakes(on); }
  void end() { writer_.end(); }

  // --- channels and pipes
  // This handle's end, and with it everybody's: readers get these bytes after what was put.
  void fail(const void* bytes, uint64_t size) {
    if (context_.is_plain || size > kFailureBytes) return writer_.end();
    writer_.fail(bytes, size);
  }
  // What a writer failed with, after Status::failed; null when that is damaged.
  const std::byte* failure(uint64_t& size) const {
    size = context_.channel->failure_bytes.load(std::memory_order_relaxed);
    return context_.is_plain || size > kFailureBytes ? nullptr : context_.failure();
  }
  // Shows as a reader in statistics from now on.
  void becomeReader() {
    context_.me.own().role.fetch_or(kRoleReader, std::memory_order_relaxed);
    ZOO_STEP("reader.role");
  }
  // Whether a pipe's reader has left, and the process id of one that died (0: it closed).
  bool readerLeft(uint32_t& pid) const {
    pid = context_.readersWord().pid();
    return context_.readerLeft();
  }
  // Bytes of the largest message that fits now.
  uint64_t room() {
    Section section(context_);
    if (!section.held()) return 0;
    return Room(context_).largest();
  }

  // --- taking: ok, would_block (empty), ended, peer_died, corrupt
  Status take(std::byte* target, uint64_t room, uint64_t& size) {
    lookAroundNowAndThen();
    return sound(lookedAround(reader_.take(target, room, size)));
  }
  // Up to `most` messages behind one another, each at a multiple of `alignment`; `taken` says how
  // many, `sizes` how long they are.
  Status takePacked(std::byte* target, uint64_t room, uint64_t alignment, uint32_t* sizes,
                    uint32_t most, uint32_t& taken) {
    lookAroundNowAndThen();
    return sound(lookedAround(reader_.takePacked(target, room, alignment, sizes, most, taken)));
  }
  Status claim(Cursor& cursor, Claim& claim) {
    lookAroundNowAndThen();
    return sound(lookedAround(reader_.claim(cursor, claim)));
  }
  Status claimDead(Cursor& cursor, Claim& claim) { return sound(reader_.claimDead(cursor, claim)); }
  Status release(Cursor cursor) { return sound(reader_.release(cursor)); }
  Status reject(Cursor cursor) { return sound(reader_.reject(cursor)); }
  uint64_t payloadOffset(const Claim& claim) const {
    return context_.store.offsetOf(claim.record) + sizeof(Record);
  }
  std::byte* data() const { return context_.segment.mapping()->data(); }
  // Of the writer that died, after peer_died.
  uint32_t deadPid() const { return context_.writersWord().pid(); }

  // --- waiting
  // Blocks at most `nanoseconds` and never longer than kLongestSleep. ok: try again.
  Status waitReadable(uint64_t nanoseconds) {
    return sleepUntil(context_.readers(context_.group), nanoseconds, kLongestSleep, watch_reading_,
                      [&] { return reader_.readable(); });
  }
  Status waitWritable(uint64_t size, uint64_t nanoseconds) {
    return sleepUntil(context_.writers(), nanoseconds, kLongestSleepForRoom, watch_writing_,
                      [&] { return writable(size); });
  }

  // Asks to be woken through a bell. Try once more afterwards.
  // An event loop watches a little before it sleeps, too; not when it only looks again although
  // nobody has woken it.
  Status armRead(BellId bell) {
    const bool looks_again = read_armed_ && !wokenToRead();
    if (!gone_ && !looks_again) watch_on_loop_.until([&] { return reader_.readable(); });
    return arm(context_.readers(context_.group), bell, read_armed_);
  }
  Status armWrite(BellId bell) { return arm(context_.writers(), bell, write_armed_); }

  // Whether somebody has woken what was armed.
  bool wokenToRead() const {
    return read_armed_ && !context_.readers(context_.group).has(context_.me.self().slot);
  }
  bool wokenToWrite() const {
    return write_armed_ && !context_.writers().has(context_.me.self().slot);
  }
  // A wake that came and is not used is passed on: it may have been meant for anybody.
  void disarmRead() {
    disarm(context_.readers(context_.group), context_.header->reader_turn, read_armed_);
  }
  void disarmWrite() { disarm(context_.writers(), context_.header->writer_turn, write_armed_); }

  // Looks for the dead and repairs what they left; notices when the name was made anew.
  uint32_t lookAround() {
    last_look_ns_ = monotonicCoarse();
    if (!gone_ && context_.segment.nameLeadsElsewhere()) gone_ = true;
    // Also one that was truncated and made long again: somewhere behind its header it is all zeros.
    const bool ours = context_.me.isCurrent(context_.me.self()) &&
                      context_.header->constants.capacity == context_.constants.capacity;
    if (context_.segment.takenAway() || (!ours && context_.segment.giveUp())) return 0;
    const bool due = context_.header->recount_due.load(std::memory_order_relaxed) != 0;
    if (!due && !context_.me.anyDead()) return 0;
    Section section(context_);
    if (!section.held()) return 0;
    const uint32_t found = reapTheDead(context_);
    recount(context_);
    return found;
  }

  // --- the rest
  uint64_t length() const { return countsOf(context_, context_.group).backlog; }
  QueueStats stats() { return statsOf(context_); }

  // Lets go in good order: what is held is given back, what is reserved is given up, and a writer
  // counts as ended.
  void close() {
    if (closed_) return;
    closed_ = true;
    if (context_.me.joined()) {
      writer_.abortAll();
      ZOO_STEP("close.aborted");
      Section section(context_);
      if (section.held()) {
        writer_.endUnderGuard();
        ZOO_STEP("close.ended");
        if (!ZOO_MUTATED(21)) reader_.giveBackAll();
        if (context_.is_pipe && end_ == PipeEnd::reader) {
          noteReaderLeft(context_, WritersState::ended, 0);
          context_.writers().wakeAll();
        }
        ZOO_STEP("close.given_back");
        const uint32_t slot = context_.me.self().slot;
        for (uint32_t group = 0; group < context_.constants.group_count; ++group) {
          context_.readers(group).remove(slot);
        }
        ZOO_STEP("close.no_reader");
        context_.writers().remove(slot);
        ZOO_STEP("close.no_writer");
        handIn(context_, slot);
        ZOO_STEP("close.handed_in");
        context_.me.clear(slot);
        ZOO_STEP("close.cleared");
      }
    }
    context_.segment.letGo();
    context_.segment.unmap();
  }

  // Lets go as a death would: others find out and repair.
  void abandon() {
    closed_ = true;
    context_.segment.letGo();
    context_.segment.unmap();
  }

  bool unlinkName() const { return context_.segment.removeName(); }

 private:
  explicit Queue(Segment segment) : writer_(context_), reader_(context_) {
    context_.segment = std::move(segment);
    context_.header = &context_.segment.block<QueueHeader>();
    context_.channel =
        reinterpret_cast<ChannelHeader*>(context_.segment.mapping()->base() + kChannelOffset);
    context_.me = Membership(context_.segment.participants(), context_.segment.lockDescriptor());
  }

  static bool isMirrored(const std::byte* block) {
    return reinterpret_cast<const QueueHeader*>(block)->constants.store == StoreKind::ring;
  }

  static void initialiseHeader(Segment& fresh, const QueueConstants& constants) {
    QueueHeader& header = *new (&fresh.block<QueueHeader>()) QueueHeader{};
    header.constants = constants;
    if (getrandom(&header.constants.salt, sizeof header.constants.salt, 0) < 0) {
      header.constants.salt = nanoseconds(CLOCK_MONOTONIC);
    }
    header.tail.store(constants.store == StoreKind::ring ? 0 : 1, std::memory_order_relaxed);
    header.next_seq.store(1, std::memory_order_relaxed);
  }

  // What lies between the block and the data.
  static uint64_t tableBytes(const QueueConstants& constants, SegmentKind kind) {
    return kind == SegmentKind::queue ? Store::tableBytes(constants) : kFailureBytes;
  }

  static void initialiseChannel(Segment& fresh, const QueueOptions& options) {
    ChannelHeader& channel = *new (fresh.mapping()->base() + kChannelOffset) ChannelHeader{};
    channel.constants.most_messages = options.most_messages;
    channel.constants.creator_end = options.end;
    std::strncpy(channel.constants.codec, options.codec.c_str(), kCodecNameBytes - 1);
  }

  void bind(const QueueConstants& constants, SegmentKind kind, uint32_t group) {
    context_.most_messages = context_.channel->constants.most_messages;
    context_.is_plain = kind == SegmentKind::queue;
    context_.is_pipe = kind == SegmentKind::pipe;
    context_.constants = constants;
    context_.constants.salt = context_.header->constants.salt;
    context_.store = Store(context_.segment, *context_.header, constants);
    context_.group = group;
  }

  Result<Adopted> adopt(const QueueOptions& options) {
    const QueueConstants constants = context_.header->constants;
    // Judged by what is mapped, not by what the header says of it: that may have changed since.
    const Mapping& mapping = *context_.segment.mapping();
    const uint64_t copies = constants.store == StoreKind::ring ? 2 : 1;
    const auto data_offset = static_cast<uint64_t>(mapping.data() - mapping.base());
    if (!plausible(constants, mapping.reachable() / copies) ||
        kFrameTableOffset + tableBytes(constants, options.kind) > data_offset) {
      return Error::of(ErrorCode::corrupt, 0,
                       "queue '%s': its constants are damaged; remove it and make it anew",
                       name().c_str());
    }
    Result<Done> agreed = agreement(name(), options, constants);
    if (!agreed) return agreed.error();
    Result<uint32_t> group = findGroup(name(), constants, options.group);
    if (!group) return group.error();
    bind(constants, options.kind, *group);
    Section section(context_);
    if (!section.held()) {
      return Error::of(ErrorCode::corrupt, 0,
                       "queue '%s': its guard cannot be locked; remove it and make it anew",
                       name().c_str());
    }
    reapTheDead(context_);
    const PipeEnd end = otherEnd(context_.channel->constants.creator_end);
    if (context_.is_pipe && endIsTaken(end)) return taken(end);
    switch (context_.me.join(options.label)) {
      case Membership::Join::full:
        return Error::of(ErrorCode::full, 0, "queue '%s' has %u handles open, and no more fit",
                         name().c_str(), kSlots);
      case Membership::Join::segment_is_being_replaced:
        return Adopted::try_again;
      case Membership::Join::joined:
        break;
    }
    takePlace();
    if (context_.is_pipe) takeEnd(end);
    return Adopted::yes;
  }

  // An end of a pipe is taken once: what its first owner has read or written, no second one knows.
  bool endIsTaken(PipeEnd end) const {
    const WritersWord word =
        end == PipeEnd::writer ? context_.writersWord() : context_.readersWord();
    return word.state() != WritersState::none;
  }

  Error taken(PipeEnd end) const {
    const char* role = end == PipeEnd::writer ? "writer" : "reader";
    for (uint32_t slot = 0; slot < kSlots; ++slot) {
      if (!context_.me.isActive(slot)) continue;
      return Error::of(ErrorCode::full, 0,
                       "pipe '%s' has or had a %s, and can have only one; make another pipe",
                       name().c_str(), role);
    }
    return Error::of(ErrorCode::notFound, ENOENT,
                     "pipe '%s' was used up by processes that have left; make it anew",
                     name().c_str());
  }

  // Under the guard, or before anybody else sees the pipe.
  void takeEnd(PipeEnd end) {
    end_ = end;
    context_.me.own().role.fetch_or(end == PipeEnd::writer ? kRoleWriter : kRoleReader,
                                    std::memory_order_relaxed);
    ZOO_STEP("take_end.role");
    // if killed here: the role is enough for those who clean up.
    const uint64_t open = WritersWord::of(WritersState::open, 0);
    if (end == PipeEnd::writer) {
      context_.header->writers.store(open, std::memory_order_release);
      writer_.isWriterAlready();
    } else {
      context_.channel->readers.store(open, std::memory_order_release);
    }
    ZOO_STEP("take_end.noted");
  }

  void takePlace() {
    context_.me.own().group.store(context_.group, std::memory_order_relaxed);
    ZOO_STEP("join.group");
    reader_.start();
  }

  bool writable(uint64_t size) {
    Section section(context_);
    if (!section.held()) return true;
    if (!context_.writersWord().mayJoin() || context_.readerLeft()) return true;
    return Room(context_).mayFit(unitsFor(size));
  }

  template <typename Ready>
  Status sleepUntil(Sleepers sleepers, uint64_t nanoseconds, uint64_t longest, Watching& watching,
                    Ready ready) {
    if (gone_) return Status::gone;
    if (watching.until(ready)) return Status::ok;
    Participant& own = context_.me.own();
    const uint32_t slot = context_.me.self().slot;
    const uint64_t limit = nanoseconds < longest ? nanoseconds : longest;
    const uint32_t wake = own.wake.load(std::memory_order_seq_cst);
    own.sleeping.fetch_or(kSleepsOnFutex, std::memory_order_seq_cst);
    ZOO_STEP("wait.sleeping");
    sleepers.add(slot);
    ZOO_STEP("wait.armed");
    if (ZOO_MUTATED(14) || !ready()) futexWait(own.wake, wake, limit);
    ZOO_STEP("wait.woken");
    sleepers.remove(slot);
    ZOO_STEP("wait.removed");
    own.sleeping.fetch_and(~kSleepsOnFutex, std::memory_order_seq_cst);
    ZOO_STEP("wait.awake");
    // Also when woken: others may call again and again about what does not help.
    if (monotonicCoarse() - last_look_ns_ >= longest) lookAround();
    return gone_ ? Status::gone : Status::ok;
  }

  Status arm(Sleepers sleepers, BellId bell, bool& armed) {
    if (gone_) return Status::gone;
    Participant& own = context_.me.own();
    own.bell.store(bell, std::memory_order_relaxed);
    ZOO_STEP("arm.bell");
    own.sleeping.fetch_or(kSleepsOnBell, std::memory_order_seq_cst);
    ZOO_STEP("arm.sleeping");
    armed = true;
    sleepers.add(context_.me.self().slot);
    ZOO_STEP("arm.added");
    return Status::ok;
  }

  void disarm(Sleepers sleepers, std::atomic<uint32_t>& turn, bool& armed) {
    if (!armed) return;
    armed = false;
    const bool unused = !sleepers.remove(context_.me.self().slot);
    ZOO_STEP("disarm.removed");
    if (!read_armed_ && !write_armed_) {
      context_.me.own().sleeping.fetch_and(~kSleepsOnBell, std::memory_order_seq_cst);
    }
    ZOO_STEP("disarm.awake");
    if (unused) sleepers.wakeSome(1, turn);
  }

  // Somebody who always finds a message never waits, and would never learn of a death.
  void lookAroundNowAndThen() {
    if (++calls_ % 8 != 0 || monotonicCoarse() - last_look_ns_ < kLongestSleep) return;
    lookAround();
  }

  // Nothing that a call did counts once the memory was taken away.
  Status sound(Status status) {
    return context_.segment.mapping()->taken() ? context_.takenAway() : status;
  }

  // Nor would somebody who only ever tries.
  Status lookedAround(Status status) {
    if (status == Status::would_block &&
        monotonicCoarse() - last_look_ns_ >= kLongestSleepForRoom) {
      lookAround();
    }
    return status;
  }

  Context context_;
  PipeEnd end_ = PipeEnd::none;
  Writer writer_;
  Reader reader_;
  Watching watch_reading_{50'000};
  Watching watch_writing_{50'000};
  Watching watch_on_loop_{50'000};
  bool created_ = false;
  bool closed_ = false;
  bool gone_ = false;
  bool read_armed_ = false;
  bool write_armed_ = false;
  uint32_t calls_ = 0;
  uint64_t last_look_ns_ = monotonicCoarse();
};

}  // namespace zoo
