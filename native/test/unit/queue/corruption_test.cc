// Nothing that is read from shared memory is trusted: whatever the bytes are, a call answers,
// and nothing outside the mapping is touched (the sanitizers watch).
#include <functional>
#include <random>

#include "support/unit.h"

using namespace zoo;
using namespace zoo::test;

namespace {

QueueHeader& headerOf(Queue& queue) {
  return *reinterpret_cast<QueueHeader*>(queue.mapping()->base() + kBlockOffset);
}
Record& firstRecord(Queue& queue) { return *reinterpret_cast<Record*>(queue.data()); }

// The right answer to damage: corrupt, with a note of what; or an answer that a sound queue gives.
void useAll(Queue& queue) {
  std::byte target[4096];
  for (int round = 0; round < 3; ++round) {
    put(queue, 1, 100);
    put(queue, 2, 1500);
    uint64_t size = 0;
    queue.take(target, sizeof target, size);
    Cursor cursor = 0;
    Claim claim;
    if (queue.claim(cursor, claim) == Status::ok) {
      const uint64_t offset = queue.payloadOffset(claim);
      CHECK(offset + claim.payload_bytes <= queue.mapping()->reachable());
      if (claim.payload_bytes > 0) {
        volatile std::byte last = queue.data()[offset + claim.payload_bytes - 1];
        (void)last;
      }
      round == 0 ? queue.reject(cursor) : queue.release(cursor);
    }
    if (queue.claimDead(cursor, claim) == Status::ok) queue.release(cursor);
    uint64_t offset = 0;
    if (queue.reserve(800, cursor, offset) == Status::ok) {
      CHECK(offset + 800 <= queue.mapping()->reachable());
      std::memset(queue.data() + offset, 1, 800);
      queue.commit(cursor, 700);
    }
    queue.waitWritable(100, 1000);
    queue.waitReadable(1000);
    queue.lookAround();
    queue.stats();
    queue.length();
  }
}

}  // namespace

TEST_CASE("a record in no known state") {
  ON_BOTH_STORES
  const std::function<void(Record&)> damages[] = {
      [](Record& record) { record.producer.store(0x77); },
      [](Record& record) { record.delivery[0].store(0x66); },
      [](Record& record) { record.delivery[0].fetch_xor(uint64_t{1} << 40); },
      [](Record& record) { record.payload_bytes.store(0xfffffff0u); },
      [&](Record& record) {
        if (store == StoreKind::frames)
          record.seq.store(99);
        else
          record.span.store(0);
      }};
  for (const auto& damage : damages) {
    TemporaryName name("unit");
    const auto queue = openQueue(name, optionsFor(store));
    CHECK(put(*queue, 1) == Status::ok);
    damage(firstRecord(*queue));
    CHECK(claim(*queue).status == Status::corrupt);
    CHECK(queue->corruption().size() > 5);
    useAll(*queue);
  }
}

TEST_CASE("ends that do not fit") {
  ON_BOTH_STORES
  const std::function<void(QueueHeader&, Record&)> damages[] = {
      [](QueueHeader& header, Record& record) {
        header.tail.store(uint64_t{1} << 40);
        record.span.store(0xffffffffu);
        record.payload_bytes.store(0xfffff000u);
      },
      [](QueueHeader& header, Record&) { header.tail.fetch_add(13); },
      [](QueueHeader& header, Record&) { header.head.store(header.tail.load() + 640); },
      [](QueueHeader& header, Record&) { header.head.store(7); },
      [](QueueHeader& header, Record&) { header.head.store(~uint64_t{63}); },
      [](QueueHeader& header, Record&) { header.tail.store(~uint64_t{0}); }};
  for (const auto& damage : damages) {
    TemporaryName name("unit");
    const auto queue = openQueue(name, optionsFor(store));
    CHECK(put(*queue, 1) == Status::ok);
    CHECK(put(*queue, 2) == Status::ok);
    damage(headerOf(*queue), firstRecord(*queue));
    useAll(*queue);
  }
}

TEST_CASE("a header that changes after it was checked, and ends that are far apart") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto queue = openQueue(name, optionsFor(store));
  auto& segment = *reinterpret_cast<SegmentHeader*>(queue->mapping()->base());
  // As if it were written between the check of the file and the look at the constants.
  segment.data_bytes *= 64;
  headerOf(*queue).constants.capacity *= 64;
  CHECK(whyNot(name, {}) == ErrorCode::corrupt);
  segment.data_bytes /= 64;
  CHECK(whyNot(name, {}) == ErrorCode::corrupt);
  headerOf(*queue).constants.capacity /= 64;
  // A walk would go round and round for years.
  CHECK(put(*queue, 1) == Status::ok);
  headerOf(*queue).tail.store(uint64_t{1} << 62);
  useAll(*queue);
}

TEST_CASE("a guard whose bytes were overwritten") {
  ON_BOTH_STORES
  TemporaryName name("unit");
  const auto queue = openQueue(name, optionsFor(store));
  auto& segment = *reinterpret_cast<SegmentHeader*>(queue->mapping()->base());
  const SharedMutex before = segment.guard;
  std::memset(static_cast<void*>(&segment.guard), 0x5a, sizeof segment.guard);
  CHECK(put(*queue, 1) == Status::corrupt);
  CHECK(whyNot(name, {}) == ErrorCode::corrupt);
  segment.guard = before;
  CHECK(put(*queue, 1) == Status::ok);
}

TEST_CASE("constants that are damaged after the header was made") {
  ON_BOTH_STORES
  const std::function<void(QueueConstants&)> damages[] = {
      [](QueueConstants& constants) { constants.group_count = 9; },
      [](QueueConstants& constants) { constants.group_count = 0; },
      [](QueueConstants& constants) { constants.overflow[0] = static_cast<Overflow>(2 + 5); },
      [](QueueConstants& constants) { constants.capacity *= 2; },
      [](QueueConstants& constants) { constants.max_deliveries = 0; },
      [](QueueConstants& constants) { constants.store = static_cast<StoreKind>(5); }};
  for (const auto& damage : damages) {
    TemporaryName name("unit");
    const auto queue = openQueue(name, optionsFor(store));
    damage(headerOf(*queue).constants);
    CHECK(whyNot(name, {}) == ErrorCode::corrupt);
    // Who has it open goes by his own copy.
    CHECK(put(*queue, 1) == Status::ok);
    CHECK(take(*queue) == 1);
  }
}

TEST_CASE("hints that lead to no slot") {
  TemporaryName name("unit");
  const auto queue = openQueue(name, optionsFor(StoreKind::frames));
  CHECK(put(*queue, 1) == Status::ok);
  auto* seqs =
      reinterpret_cast<std::atomic<uint64_t>*>(queue->mapping()->base() + kFrameTableOffset);
  auto* hints = reinterpret_cast<std::atomic<uint32_t>*>(seqs + queue->slots());
  for (uint64_t hint = 0; hint < queue->slots() * kFrameHints; ++hint) hints[hint] = 0xfffffff0u;
  CHECK(take(*queue) == 1);
  useAll(*queue);
}

TEST_CASE("counts that no sum may overflow") {
  ON_BOTH_STORES
  for (const int64_t value : {INT64_MAX, INT64_MIN, int64_t{-1}}) {
    TemporaryName name("unit");
    const auto queue = openQueue(name, optionsFor(store));
    CHECK(put(*queue, 1) == Status::ok);
    QueueHeader& header = headerOf(*queue);
    for (GroupTotals& totals : header.groups) {
      totals.backlog_correction = value;
      totals.claimed_correction = value;
      totals.claims = static_cast<uint64_t>(value);
      totals.dropped = static_cast<uint64_t>(value);
    }
    useAll(*queue);
    header.recount_due = 1;
    useAll(*queue);
  }
}

TEST_CASE("random bytes anywhere behind the guard") {
  ON_BOTH_STORES
  std::mt19937_64 random(store == StoreKind::ring ? 11 : 12);
  for (int round = 0; round < 150; ++round) {
    TemporaryName name("unit");
    QueueOptions options = optionsFor(store);
    options.groups = std::vector<GroupOptions>{{"a"}, {"b", Overflow::drop_oldest}};
    options.max_deliveries = 2;
    const auto queue = openQueue(name, options);
    const auto other = openQueue(name, options);
    for (uint64_t id = 1; id <= 6; ++id)
      put(*queue, id, 16 + static_cast<uint32_t>(random() % 1200));
    claim(*other);
    for (int damage = 0; damage < 6; ++damage) {
      // The participants, the queue's own block with the table, or a record's header.
      uint64_t offset = 0;
      switch (random() % 3) {
        case 0:
          offset = kParticipantsOffset + random() % (8 * sizeof(Participant));
          break;
        case 1:
          offset = kBlockOffset + random() % 4500;
          break;
        default:
          offset =
              static_cast<uint64_t>(queue->data() - queue->mapping()->base()) + random() % 8192;
          break;
      }
      offset &= ~uint64_t{7};
      const uint64_t value = random() % 2 == 0 ? random() : random() % 300;
      std::memcpy(queue->mapping()->base() + offset, &value, sizeof value);
    }
    useAll(*queue);
    useAll(*other);
    if (Result<std::unique_ptr<Queue>> late = Queue::open(name, OpenMode::open, {}); late)
      useAll(**late);
  }
}
