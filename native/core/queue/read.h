// Taking messages. No lock: a reader walks from its own place towards the tail and takes what is
// ready by one compare-and-exchange on a word that only this very message can have.
//
// A reader's place moves over everything its group has dealt with. When a message is offered again
// the group's `rewinds` grows, and readers begin once more at the oldest record.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>

#include "core/queue/cursors.h"
#include "core/queue/reap.h"

namespace zoo {

struct Claim {
  Record* record = nullptr;
  uint64_t word = 0;  // the delivery word while we hold it
  uint64_t seq = 0;
  uint64_t claimed_ns = 0;  // monotonic clock
  uint64_t timestamp_ns = 0;
  uint32_t payload_bytes = 0;
  uint32_t deliveries = 0;
  bool dead_letter = false;
};

class Reader {
 public:
  explicit Reader(Context& context) : context_(context) {}

  // Begins at the oldest message there is.
  void start() { position_ = context_.store.first(); }

  // Copies the next message to `target` and is done with it. `size` is its size, also when it does
  // not fit into `room` and stays where it is.
  Status take(std::byte* target, uint64_t room, uint64_t& size) {
    for (;;) {
      Found found;
      DeliveryWord word{};
      const Status look = next(found, word);
      if (look != Status::ok) return look;
      size = found.payload_bytes;
      if (size > room) return Status::slab_too_small;
      if (size > kCopyBeforeTaking) {
        Claim claim;
        if (!tryClaim(found, word, claim)) continue;
        ZOO_STEP("take.claimed");
        std::memcpy(target, claim.record->payload(), size);
        ZOO_STEP("take.copied");
        finish(claim);
        return Status::ok;
      }
      // The copy may be of bytes that another reader is already done with and a producer is
      // writing over; then the exchange below fails and the copy is worth nothing.
      copyPerhapsTorn(target, found.record->payload(), size);
      ZOO_STEP("take.copied_small");
      if (!tryTake(found, word)) continue;
      wakeWriter();
      return Status::ok;
    }
  }

  // Copies the next messages to `target`, each behind the one before at a multiple of `alignment`.
  // Ok as soon as there was one.
  Status takePacked(std::byte* target, uint64_t room, uint64_t alignment, uint32_t* sizes,
                    uint32_t most, uint32_t& taken) {
    Status status = Status::ok;
    uint64_t at = 0;
    for (taken = 0; taken < most; ++taken) {
      uint64_t size = 0;
      status = take(target + at, room > at ? room - at : 0, size);
      if (status != Status::ok) break;
      sizes[taken] = static_cast<uint32_t>(size);
      at = roundUp(at + size, alignment);
    }
    return taken > 0 ? Status::ok : status;
  }

  // Takes the next message for this handle's own use until it is released, rejected or we die.
  Status claim(Cursor& cursor, Claim& claim) {
    if (claims_.full()) return Status::would_block;
    for (;;) {
      Found found;
      DeliveryWord word{};
      const Status look = next(found, word);
      if (look != Status::ok) return look;
      if (!tryClaim(found, word, claim)) continue;
      ZOO_STEP("claim.claimed");
      cursor = keep(claim);
      return Status::ok;
    }
  }

  Status claimDead(Cursor& cursor, Claim& claim) {
    if (claims_.full()) return Status::would_block;
    Section section(context_);
    if (!section.held()) return Status::corrupt;
    bool taken = false;
    const bool walked = context_.forEachRecord([&](const Found& found) {
      const DeliveryWord word =
          found.record->deliveryWord(context_.group, std::memory_order_acquire);
      if (taken || word.state() != DeliveryState::dead ||
          found.record->producerWord(std::memory_order_acquire).state() !=
              ProducerState::committed) {
        return;
      }
      const DeliveryWord mine =
          DeliveryWord::owned(DeliveryState::dead_claimed, word.deliveries(), context_.me.self());
      found.record->delivery[context_.group].store(mine.bits, std::memory_order_release);
      ZOO_STEP("claim_dead.claimed");
      claim = claimOf(found, mine);
      claim.dead_letter = true;
      taken = true;
    });
    if (!walked) return Status::corrupt;
    if (!taken) return Status::would_block;
    cursor = keep(claim);
    return Status::ok;
  }

  Status release(Cursor cursor) {
    const Claim* claim = claims_.find(cursor);
    if (claim == nullptr) return Status::bad_cursor;
    if (claim->dead_letter)
      finishDeadLetter(*claim);
    else
      finish(*claim);
    drop(cursor);
    return Status::ok;
  }

  // Offered again, to whoever is first, with one delivery more.
  Status reject(Cursor cursor) {
    const Claim* claim = claims_.find(cursor);
    if (claim == nullptr) return Status::bad_cursor;
    {
      Section section(context_);
      if (!section.held()) return Status::corrupt;
      giveBackOne(*claim);
    }
    drop(cursor);
    ZOO_STEP("reject.before_wake");
    wakeGroup(1);
    return Status::ok;
  }

  // When the handle closes. Under the guard.
  void giveBackAll() {
    if (claims_.out() == 0) return;
    claims_.forEach([&](const Claim& claim) { giveBackOne(claim); });
    claims_.clear();
    order_.clear();
    wakeGroup(kSlots);
  }

  // Whether `take` or `claim` would find something, or the end.
  bool readable() {
    Found found;
    DeliveryWord word{};
    return next(found, word) != Status::would_block;
  }

 private:
  // Copying first saves an exchange, but is in vain when another reader is faster.
  static constexpr uint64_t kCopyBeforeTaking =
#ifdef __SANITIZE_THREAD__
      0;  // a torn copy is harmless here, but rightly a race in the sanitizer's eyes
#else
      4096;
#endif

  static void copyPerhapsTorn(std::byte* target, const std::byte* source, uint64_t size) {
    if (size > 0) std::memcpy(target, source, size);  // either may be null then
  }

  // The next message this reader may take: ok with its word, or why there is none.
  Status next(Found& found, DeliveryWord& word) {
    const Status look = lookFor(found, word);
    return look == Status::would_block ? whyNone(found, word) : look;
  }

  // Kept apart, and so is the search for the newest: they would burden every message that is there.
  [[gnu::noinline]] Status whyNone(Found& found, DeliveryWord& word) {
    const WritersWord writers = context_.writersWord();  // CONSUME writers
    if (!writers.over()) return Status::would_block;
    // Looked at the writers after the records: what was put before the end has to be seen first.
    const Status again = lookFor(found, word);
    if (again != Status::would_block) return again;
    Epochs epochs;
    if (!ZOO_MUTATED(22) && othersHold(epochs)) return Status::would_block;  // it may come back
    const Status once_more = lookFor(found, word);
    if (once_more != Status::would_block) return once_more;
    // What came back before this look may have been claimed by then, but not without a trace.
    if (!ZOO_MUTATED(22) && haveMoved(epochs)) return Status::would_block;
    // There are messages behind it, or it becomes one that comes before an error.
    if (stoppedAtReservation()) return Status::would_block;
    switch (writers.state()) {
      case WritersState::died:
        return Status::peer_died;
      case WritersState::failed:
        return Status::failed;
      default:
        return Status::ended;
    }
  }

  bool stoppedAtReservation() const {
    return position_ < context_.header->tail.load(std::memory_order_acquire);
  }

  Status lookFor(Found& found, DeliveryWord& word) {
    const Status look = lookFrom(found, word);
    const bool newest = context_.constants.overflow[context_.group] == Overflow::latest;
    return newest && look == Status::ok ? lookForNewest(found, word) : look;
  }

  // The newest is what counts: as long as there is a newer one, the older gives way.
  [[gnu::noinline]] Status lookForNewest(Found& found, DeliveryWord& word) {
    for (;;) {
      const uint64_t stay = position_;
      position_ = found.next;
      Found newer;
      DeliveryWord newer_word{};
      const Status look = lookFrom(newer, newer_word);
      if (look == Status::corrupt) return look;
      if (look != Status::ok) {
        position_ = stay;
        return Status::ok;
      }
      dropOlder(found, word);
      found = newer;
      word = newer_word;
      position_ = newer.position;
    }
  }

  void dropOlder(const Found& found, DeliveryWord word) {
    const DeliveryWord done = DeliveryWord::unowned(DeliveryState::done, word.deliveries(), 0);
    const Counting counting(context_.counters());
    if (found.record->delivery[context_.group].compare_exchange_strong(word.bits, done.bits,
                                                                       std::memory_order_acq_rel)) {
      ZOO_STEP("drop_older.done");
      context_.header->groups[context_.group].dropped.fetch_add(1, std::memory_order_relaxed);
      ZOO_STEP("drop_older.counted");
    }
  }

  // The first ready message from this reader's place on.
  Status lookFrom(Found& found, DeliveryWord& word) {
    QueueHeader& header = *context_.header;
    Store& store = context_.store;
    const uint64_t rewinds =
        header.rewinds[context_.group].load(std::memory_order_acquire);  // CONSUME rewinds
    if (rewinds != rewinds_) {
      rewinds_ = rewinds;
      position_ = store.first();
    }
    for (;;) {
      // Producers write this line all the time: it is looked at once for all that lies before it.
      if (position_ >= tail_) tail_ = header.tail.load(std::memory_order_acquire);  // CONSUME tail
      if (position_ >= tail_) {
        if (position_ == tail_ || !store.isRing()) return Status::would_block;
        return context_.damaged("the tail lies before what was read", tail_);
      }
      if (!store.find(position_, tail_, found)) {
        position_ = tail_;
        continue;
      }
      word =
          found.record->deliveryWord(context_.group, std::memory_order_acquire);  // CONSUME ready
      if (!store.stillThere(found)) {                                             // CONSUME head
        position_ = store.isRing() ? store.first() : found.next;
        continue;
      }
      if (!found.sane) return context_.damaged("a record's sizes do not fit", found.position);
      switch (found.producer.state()) {
        case ProducerState::reserved:
          if (ZOO_MUTATED(28)) break;
          // First in, first out: what lies behind it waits until it is committed or given up.
          position_ = found.position;
          return Status::would_block;
        case ProducerState::committed:
          if (word.state() == DeliveryState::ready) {
            if (word.salt() != context_.salt(found.seq)) {
              return context_.damaged("a record does not bear its own mark", found.position);
            }
            position_ = found.position;
            store.prefetchBehind(found, tail_);
            return Status::ok;
          }
          if (word.state() == DeliveryState::none || word.state() > DeliveryState::dead_claimed) {
            return context_.damaged("a record is in no known state", found.position);
          }
          break;
        case ProducerState::aborted:
        case ProducerState::padding:
          break;
        default:
          return context_.damaged("a record is in no known state", found.position);
      }
      position_ = found.next;
    }
  }

  bool tryTake(const Found& found, DeliveryWord word) {
    const DeliveryWord done = DeliveryWord::unowned(DeliveryState::done, word.deliveries(), 0);
    Counters& counters = context_.counters();
    const Counting counting(counters);
    const bool taken = found.record->delivery[context_.group].compare_exchange_strong(
        word.bits, done.bits, std::memory_order_seq_cst);  // PUBLISH done
    if (!taken) return false;
    ZOO_STEP("take.done");
    position_ = found.next;
    Counting::add(counters.claims);
    ZOO_STEP("take.claim_counted");
    Counting::add(counters.finished);
    ZOO_STEP("take.counted");
    return true;
  }

  bool tryClaim(const Found& found, DeliveryWord word, Claim& claim) {
    const DeliveryWord mine =
        DeliveryWord::owned(DeliveryState::claimed, word.deliveries(), context_.me.self());
    Counters& counters = context_.counters();
    const Counting counting(counters);
    const bool claimed = found.record->delivery[context_.group].compare_exchange_strong(
        word.bits, mine.bits, std::memory_order_acq_rel);
    if (!claimed) return false;
    // if killed here: the word says whose it is, and it is offered again.
    ZOO_STEP("claim.exchanged");
    position_ = found.next;
    Counting::add(counters.claims);
    ZOO_STEP("claim.counted");
    claim = claimOf(found, mine);
    return true;
  }

  static Claim claimOf(const Found& found, DeliveryWord mine) {
    Claim claim;
    claim.record = found.record;
    claim.word = mine.bits;
    claim.seq = found.seq;
    claim.claimed_ns = monotonicCoarse();
    claim.timestamp_ns = found.record->timestamp_ns.load(std::memory_order_relaxed);
    claim.payload_bytes = found.payload_bytes;
    claim.deliveries = mine.deliveries();
    return claim;
  }

  // Only we leave this state while we live; a word that is another's was damaged, and stays.
  bool stillOurs(const Claim& claim) const {
    return claim.record->delivery[context_.group].load(std::memory_order_relaxed) == claim.word;
  }

  void finish(const Claim& claim) {
    Counters& counters = context_.counters();
    {
      const Counting counting(counters);
      if (stillOurs(claim)) {
        ZOO_STEP("release.before");
        // if killed here: offered again, though the work was done: at least once.
        claim.record->delivery[context_.group].exchange(
            DeliveryWord::unowned(DeliveryState::done, claim.deliveries, 0).bits,
            std::memory_order_seq_cst);
        ZOO_STEP("release.done");
      }
      Counting::add(counters.finished);
      ZOO_STEP("release.counted");
    }
    wakeWriter();
  }

  void finishDeadLetter(const Claim& claim) {
    Section section(context_);
    if (!section.held() || !stillOurs(claim)) return;
    Record& record = *claim.record;
    record.delivery[context_.group].store(
        DeliveryWord::unowned(DeliveryState::done, claim.deliveries, 0).bits,
        std::memory_order_release);
    ZOO_STEP("release.dead");
    for (uint32_t group = 0; group < context_.constants.group_count; ++group) {
      const DeliveryState state = record.deliveryWord(group, std::memory_order_relaxed).state();
      if (state == DeliveryState::dead || state == DeliveryState::dead_claimed) return;
    }
    const uint64_t units =
        context_.store.isRing() ? record.span.load(std::memory_order_relaxed) : 1;
    const uint64_t dead = context_.header->dead_units.load(std::memory_order_relaxed);
    context_.header->dead_units.store(dead > units ? dead - units : 0, std::memory_order_relaxed);
    ZOO_STEP("release.dead_units");
    if (context_.writers().any()) context_.writers().wakeSome(1, context_.header->writer_turn);
  }

  // Under the guard.
  void giveBackOne(const Claim& claim) {
    if (!stillOurs(claim)) return;
    const Counting counting(context_.counters());
    giveBack(context_, *claim.record, context_.group);
    ZOO_STEP("reject.given_back");
    // Before it is counted as returned: a reader who finds that nobody holds anything looks once
    // more, and has to find it then instead of the end.
    rewindReaders(context_, context_.group);
    ZOO_STEP("reject.rewound");
    if (!claim.dead_letter) Counting::add(context_.counters().returned);
    ZOO_STEP("reject.counted");
  }

  Cursor keep(const Claim& claim) {
    const Cursor cursor = claims_.add(claim);
    order_.push_back(cursor);
    if (order_.size() == 1) noteOldest(claim.claimed_ns);
    ZOO_STEP("claim.noted");
    return cursor;
  }

  void drop(Cursor cursor) {
    claims_.remove(cursor);
    const auto settled = [&](Cursor other) { return claims_.find(other) == nullptr; };
    // One that is held for ever must not let the list of those behind it grow.
    if (order_.size() > 2 * claims_.out() + 64) {
      order_.erase(std::remove_if(order_.begin(), order_.end(), settled), order_.end());
    }
    if (!order_.empty() && !settled(order_.front())) return;
    while (!order_.empty() && settled(order_.front())) order_.pop_front();
    noteOldest(order_.empty() ? 0 : claims_.find(order_.front())->claimed_ns);
  }

  void noteOldest(uint64_t claimed_ns) {
    context_.counters().oldest_claim_ns.store(claimed_ns, std::memory_order_relaxed);
  }

  // Of the participants of this group, or kNotThere.
  struct Epochs {
    uint64_t of[kSlots];
  };
  static constexpr uint64_t kNotThere = ~uint64_t{0};

  uint64_t epochOf(uint32_t slot) const {
    if (slot == context_.me.self().slot || !context_.me.isActive(slot)) return kNotThere;
    const Participant& other = context_.participants()[slot];
    if (other.group.load(std::memory_order_relaxed) != context_.group) return kNotThere;
    return other.counters.epoch.load(std::memory_order_acquire);
  }

  // Whether another participant of the group holds a message, which might come back. True for as
  // long as the epochs stay as they are noted: nobody claims or gives back without moving his own.
  bool othersHold(Epochs& epochs) const {
    for (uint32_t slot = 0; slot < kSlots; ++slot) {
      epochs.of[slot] = epochOf(slot);
      if (epochs.of[slot] == kNotThere) continue;
      const Counters& counters = context_.participants()[slot].counters;
      const uint64_t settled = counters.finished.load(std::memory_order_acquire) +
                               counters.returned.load(std::memory_order_acquire);
      if (epochs.of[slot] % 2 != 0 || counters.claims.load(std::memory_order_acquire) > settled) {
        return true;
      }
    }
    return false;
  }

  bool haveMoved(const Epochs& epochs) const {
    for (uint32_t slot = 0; slot < kSlots; ++slot) {
      if (epochOf(slot) != epochs.of[slot]) return true;
    }
    return false;
  }

  void wakeWriter() {
    Sleepers writers = context_.writers();
    if (!writers.any()) return;
    writers.wakeSome(1, context_.header->writer_turn);
  }

  void wakeGroup(uint64_t messages) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    Sleepers readers = context_.readers(context_.group);
    if (readers.any()) readers.wakeSome(messages, context_.header->reader_turn);
  }

  Context& context_;
  uint64_t position_ = 0;
  uint64_t rewinds_ = 0;
  uint64_t tail_ = 0;  // as it was last seen
  Cursors<Claim> claims_;
  std::deque<Cursor> order_;  // in the order of claiming, for the age of the oldest
};

}  // namespace zoo
