// Putting messages.
//
// A small message is copied under the guard and published by one store of the tail. A large one is
// reserved under the guard, copied without it, and published by one store of its producer word.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "core/queue/copy_in.h"
#include "core/queue/cursors.h"
#include "core/queue/reap.h"

namespace zoo {

class Writer {
 public:
  explicit Writer(Context& context) : context_(context) {}

  Status put(const void* bytes, uint64_t size) {
    if (size > kCopyUnderGuard) return putLarge(bytes, size);
    const Status allowed = mayPut(size);
    if (allowed != Status::ok) return allowed;
    const auto only = static_cast<uint32_t>(size);
    return putRun(static_cast<const std::byte*>(bytes), &only, 1);
  }

  // Messages that lie side by side at `bytes`. Ok as soon as there was room for one; `put` is for
  // how many.
  Status putPacked(const std::byte* bytes, const uint32_t* sizes, uint32_t count, uint32_t& put) {
    put = 0;
    Status status = Status::ok;
    uint32_t most = kMostInRun;
    while (put < count && status == Status::ok) {
      const uint32_t* const next = sizes + put;
      const uint32_t run = runLength(next, std::min(most, count - put));
      status = mayPut(*next);
      if (status == Status::ok)
        status = run > 0 ? putRun(bytes, next, run) : putLarge(bytes, *next);
      if (status == Status::would_block && run > 1) {
        most = run / 2;
        status = Status::ok;
      } else if (status == Status::ok) {
        const uint32_t done = std::max(run, 1u);
        for (uint32_t index = 0; index < done; ++index) bytes += next[index];
        put += done;
      }
    }
    return put > 0 ? Status::ok : status;
  }

  struct Reservation {
    Record* record = nullptr;
    uint32_t size = 0;
  };

  // Answers the cursor and the offset of the payload in the store.
  Status reserve(uint64_t size, Cursor& cursor, uint64_t& offset) {
    const Status allowed = mayPut(size);
    if (allowed != Status::ok) return allowed;
    if (reservations_.full()) return Status::would_block;
    Section section(context_);
    if (!section.held()) return Status::corrupt;
    Reservation reservation;
    const Status made = reserveOne(size, reservation);
    if (made != Status::ok) return made;
    cursor = reservations_.add(reservation);
    offset = context_.store.offsetOf(reservation.record) + sizeof(Record);
    return Status::ok;
  }

  Status commit(Cursor cursor, uint64_t size) {
    const Reservation* reservation = reservations_.find(cursor);
    if (reservation == nullptr) return Status::bad_cursor;
    if (size > reservation->size) return Status::too_large;
    const Status writer = becomeWriter();
    if (writer != Status::ok) {
      abort(cursor);
      return writer;
    }
    commitOne(*reservation->record, size);
    reservations_.remove(cursor);
    ZOO_STEP("commit.before_wake");
    wakeReaders(1);
    return Status::ok;
  }

  Status abort(Cursor cursor) {
    const Reservation* reservation = reservations_.find(cursor);
    if (reservation == nullptr) return Status::bad_cursor;
    abortOne(*reservation->record);
    reservations_.remove(cursor);
    // What was put behind it can be read now, and its space can be used.
    wakeReaders(1);
    wakeWriter();
    return Status::ok;
  }

  void abortAll() {
    reservations_.forEach([&](const Reservation& reservation) { abortOne(*reservation.record); });
    if (reservations_.out() > 0) wakeReaders(kSlots);
    reservations_.clear();
  }

  // Counts as a writer from now on: the queue has no end before this one has ended.
  Status becomeWriter() {
    if (is_writer_) return ended_ ? Status::ended : Status::ok;
    Section section(context_);
    return section.held() ? becomeWriterUnderGuard() : Status::corrupt;
  }

  // While on, nobody is woken by what is put: it is visible all the same. Off: who was not woken is.
  void holdWakes(bool on) {
    holding_ = on;
    if (on || held_ == 0) return;
    ZOO_STEP("hold.before_wake");
    wakeReaders(std::exchange(held_, 0));
  }

  // The role was taken when the pipe was opened.
  void isWriterAlready() { is_writer_ = true; }

  // This handle puts no more; what it has reserved is given up. Under the guard or not, both fine.
  void end() {
    if (ended_) return;
    abortAll();
    Section section(context_);
    if (section.held()) endUnderGuard();
  }

  // Ends the channel for all of its writers, with what went wrong (encoded, at most kFailureBytes).
  // The first failure stands, and a channel at its end cannot fail any more.
  void fail(const void* bytes, uint64_t size) {
    if (ended_) return;
    abortAll();
    Section section(context_);
    if (!section.held()) return;
    if (!atItsEnd()) {
      std::memcpy(context_.failure(), bytes, size);
      ZOO_STEP("fail.bytes");
      context_.channel->failure_bytes.store(static_cast<uint32_t>(size), std::memory_order_relaxed);
      ZOO_STEP("fail.size");
      // if killed here: not failed, but a writer has died.
      context_.header->writers.store(
          WritersWord::of(WritersState::failed, static_cast<uint32_t>(getpid())),
          std::memory_order_release);  // PUBLISH writers
      ZOO_STEP("fail.published");
      wakeEverybody(context_);
    }
    endUnderGuard();
  }

  void endUnderGuard() {
    if (ended_) return;  // who left earlier must not overrule who left later
    ended_ = true;
    if (!is_writer_) return;
    // A writer that died before us has left before us.
    reapTheDead(context_);
    context_.me.own().role.fetch_or(kRoleEnded, std::memory_order_relaxed);
    ZOO_STEP("end.role");
    noteWriterLeft(context_, context_.me.self().slot, WritersState::ended, 0);
    ZOO_STEP("end.noted");
    wakeEverybody(context_);
    ZOO_STEP("end.woken");
  }

 private:
  // Beyond this a copy costs more than the two more stores of a reservation.
  static constexpr uint64_t kCopyUnderGuard = 1024;
  // What is put under one guard: it is held for a few microseconds at most.
  static constexpr uint32_t kMostInRun = 64;
  static constexpr uint64_t kMostBytesInRun = 8192;

  // What can be said without the guard.
  Status mayPut(uint64_t size) const {
    if (size > context_.store.limit()) return Status::too_large;
    if (ended_ || atItsEnd()) return Status::ended;
    return context_.readerLeft() ? Status::no_reader : Status::ok;
  }

  bool atItsEnd() const { return !context_.writersWord().mayJoin(); }

  // A handle counts as a writer once it has put, not when it has only tried to.
  Status becomeWriterUnderGuard() {
    // Also for a writer: another one may have failed, and nothing comes behind a failure.
    if (atItsEnd()) return Status::ended;
    if (is_writer_) return Status::ok;
    context_.me.own().role.fetch_or(kRoleWriter, std::memory_order_relaxed);
    ZOO_STEP("writer.role");
    context_.header->writers.store(WritersWord::of(WritersState::open, 0),
                                   std::memory_order_release);
    ZOO_STEP("writer.open");
    is_writer_ = true;
    return Status::ok;
  }

  // How many of the next messages go into the store with one look for room; 0: the first is large.
  uint32_t runLength(const uint32_t* sizes, uint32_t count) const {
    if (sizes[0] > kCopyUnderGuard) return 0;
    if (!context_.store.isRing() || context_.most_messages != 0) return 1;
    const uint64_t most_bytes = std::min(kMostBytesInRun, context_.store.capacity() / 2);
    uint64_t bytes = 0;
    uint32_t run = 0;
    while (run < count && sizes[run] <= kCopyUnderGuard) {
      bytes += unitsFor(sizes[run]) * kRecordUnit;
      if (run > 0 && bytes > most_bytes) break;
      ++run;
    }
    return run;
  }

  // Small messages behind one another, which become part of the queue by one store. All or nothing.
  Status putRun(const std::byte* bytes, const uint32_t* sizes, uint32_t count) {
    uint64_t units = 0;
    for (uint32_t index = 0; index < count; ++index) units += unitsFor(sizes[index]);
    {
      Section section(context_);
      if (!section.held()) return Status::corrupt;
      Place place;
      const Status found = Room(context_).find(units, place);
      if (found != Status::ok) return found;
      const Status writer = becomeWriterUnderGuard();
      if (writer != Status::ok) return writer;
      const Counting counting(context_.counters());
      const uint64_t now = wallClockCoarse();
      if (ZOO_MUTATED(15)) wakeReaders(count);
      uint64_t seq = 0;
      for (uint32_t index = 0; index < count; ++index) {
        if (index > 0) place = behind(place);
        if (count > 1) place.units = static_cast<uint32_t>(unitsFor(sizes[index]));
        seq = writeHeader(place, sizes[index], ProducerState::committed, now);
        if (ZOO_MUTATED(1)) publish(place, seq);
        ZOO_STEP("put.header");
        // `bytes` may be null for a message of none.
        if (sizes[index] > 0) std::memcpy(place.record->payload(), bytes, sizes[index]);
        ZOO_STEP("put.payload");
        bytes += sizes[index];
      }
      if (!ZOO_MUTATED(1)) publish(place, seq);
      ZOO_STEP("put.published");
      Counting::add(context_.counters().puts, count);
      ZOO_STEP("put.counted");
    }
    if (!ZOO_MUTATED(15)) wakeReaders(count);
    return Status::ok;
  }

  // Where the next record of a run begins.
  Place behind(const Place& place) {
    Place next;
    next.position = place.position + uint64_t{place.units} * kRecordUnit;
    next.record = context_.store.recordAt(next.position);
    return next;
  }

  Status putLarge(const void* bytes, uint64_t size) {
    Cursor cursor = 0;
    uint64_t offset = 0;
    const Status reserved = reserve(size, cursor, offset);
    if (reserved != Status::ok) return reserved;
    ZOO_STEP("put_large.reserved");
    copyIn(reservations_.find(cursor)->record->payload(), bytes, size, context_.store.capacity());
    ZOO_STEP("put_large.copied");
    return commit(cursor, size);
  }

  Status reserveOne(uint64_t size, Reservation& reservation) {
    Place place;
    const Status found = Room(context_).find(unitsFor(size), place);
    if (found != Status::ok) return found;
    const uint64_t seq = writeHeader(place, size, ProducerState::reserved, wallClockCoarse());
    ZOO_STEP("reserve.header");
    publish(place, seq);
    ZOO_STEP("reserve.published");
    reservation = {place.record, static_cast<uint32_t>(size)};
    Counting::add(context_.counters().reserved);
    ZOO_STEP("reserve.counted");
    return Status::ok;
  }

  void commitOne(Record& record, uint64_t size) {
    const Counting counting(context_.counters());
    record.payload_bytes.store(static_cast<uint32_t>(size), std::memory_order_relaxed);
    ZOO_STEP("commit.size");
    record.timestamp_ns.store(wallClockCoarse(), std::memory_order_relaxed);
    ZOO_STEP("commit.header");
    // if killed here: the reservation is given up; the put had not returned.
    record.producer.store(ProducerWord::of(ProducerState::committed, context_.me.self()).bits,
                          std::memory_order_release);  // PUBLISH commit
    ZOO_STEP("commit.published");
    Counting::add(context_.counters().puts);
    ZOO_STEP("commit.counted");
    settleReservation();
  }

  void abortOne(Record& record) {
    record.producer.store(ProducerWord::of(ProducerState::aborted, {}).bits,
                          std::memory_order_release);
    ZOO_STEP("abort.published");
    settleReservation();
  }

  void settleReservation() {
    Counting::add(context_.counters().reserved, ~uint64_t{0});
    ZOO_STEP("reservation.settled");
  }

  uint64_t writeHeader(const Place& place, uint64_t size, ProducerState state, uint64_t now) {
    QueueHeader& header = *context_.header;
    const uint64_t seq =
        context_.store.isRing() ? header.next_seq.load(std::memory_order_relaxed) : place.position;
    // Before the record is published: a number may be missing after a death, never there twice.
    header.next_seq.store(seq + 1, std::memory_order_relaxed);
    ZOO_STEP("header.number");
    Record& record = *place.record;
    record.payload_bytes.store(static_cast<uint32_t>(size), std::memory_order_relaxed);
    record.span.store(place.units, std::memory_order_relaxed);
    record.seq.store(seq, std::memory_order_relaxed);
    record.timestamp_ns.store(now, std::memory_order_relaxed);
    const uint64_t ready = DeliveryWord::unowned(DeliveryState::ready, 1, context_.salt(seq)).bits;
    for (uint32_t group = 0; group < context_.constants.group_count; ++group) {
      record.delivery[group].store(ready, std::memory_order_relaxed);
    }
    record.producer.store(ProducerWord::of(state, context_.me.self()).bits,
                          std::memory_order_release);
    return seq;
  }

  // The one store that makes the record part of the queue.
  void publish(const Place& place, uint64_t seq) {
    Store& store = context_.store;
    if (store.isRing()) {
      context_.header->tail.store(place.position + uint64_t{place.units} * kRecordUnit,
                                  std::memory_order_release);  // PUBLISH tail
      return;
    }
    store.hint(seq, place.slot);
    ZOO_STEP("publish.hint");
    store.seqOfSlot(place.slot).store(seq, std::memory_order_release);  // PUBLISH frame
    ZOO_STEP("publish.slot");
    // if killed here: `repairEnds` takes the number out of the table again.
    context_.header->tail.store(seq + 1, std::memory_order_release);
  }

  void wakeReaders(uint64_t messages) {
    if (holding_) {
      held_ += messages;
      return;
    }
    std::atomic_thread_fence(std::memory_order_seq_cst);
    for (uint32_t group = 0; group < context_.constants.group_count; ++group) {
      Sleepers readers = context_.readers(group);
      if (readers.any()) readers.wakeSome(messages, context_.header->reader_turn);
    }
  }

  void wakeWriter() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (context_.writers().any()) context_.writers().wakeSome(1, context_.header->writer_turn);
  }

  Context& context_;
  bool is_writer_ = false;
  bool ended_ = false;
  bool holding_ = false;
  uint64_t held_ = 0;  // messages whose readers were not woken
  Cursors<Reservation> reservations_;
};

}  // namespace zoo
