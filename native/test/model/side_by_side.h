// The code and the model side by side: what each actor of the real core does next must be what the
// model says it does next, and must leave the bytes that the model says it leaves.
//
// Every actor is a handle of its own on a real segment, on a stack of its own. It is stopped before
// each access that the model knows; the test says who goes on, who is killed and whose sleep is over.
#pragma once

#include "model/watched.h"

#include <ucontext.h>

#include <random>

#include "model/explorer.h"
#include "support/names.h"

namespace zoo::model {

// What an actor stands before.
struct Pending {
  enum Kind : uint8_t { none, access, asleep, finished };
  Kind kind = none;
  Field field = Field::nothing;
  bool store = false;
  int index = 0;
  int group = 0;
};

class SideBySide : public watched::Watcher {
 public:
  SideBySide(const Config& config, uint64_t payload_bytes, const std::string& name)
      : config_(config), payload_bytes_(payload_bytes), name_(name) {
    QueueOptions options;
    if (config_.ring) {
      options.bytes = static_cast<uint64_t>(config_.records) * (payload_bytes_ + sizeof(Record));
    } else {
      options.slots = static_cast<uint32_t>(config_.records);
      options.slot_bytes = payload_bytes_;
    }
    options.max_deliveries = static_cast<uint32_t>(config_.most_deliveries);
    std::vector<GroupOptions> groups;
    for (int group = 0; group < config_.groups; ++group) groups.push_back({groupName(group)});
    options.groups = groups;
    options.prefault = false;
    watched::watcher = this;
    for (int number = 0; number < config_.actors(); ++number) {
      options.group = groupName(config_.group_of[number]);
      zoo::Result<std::unique_ptr<Queue>> queue = Queue::open(name_, OpenMode::either, options);
      if (!queue) fail(queue.error().text);
      actors_[number].queue = queue.take();
      actors_[number].slot = actors_[number].queue->slot();
    }
    const int file = open(shmPath(name_).c_str(), O_RDWR | O_CLOEXEC);
    struct stat facts = {};
    fstat(file, &facts);
    bytes_ = static_cast<size_t>(facts.st_size);
    base_ = static_cast<std::byte*>(
        ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    close(file);
    if (base_ == MAP_FAILED) fail("mmap");
    states_.push_back(firstState(config_));
    if (!sameSegment(states_[0], seen())) fail("the first state is another");
  }
  SideBySide(const SideBySide&) = delete;
  SideBySide& operator=(const SideBySide&) = delete;
  ~SideBySide() override {
    watched::watcher = nullptr;
    for (Real& real : actors_) {
      if (real.queue != nullptr) real.queue->abandon();
    }
    munmap(base_, bytes_);
    unlink(shmPath(name_).c_str());
  }

  // The model's state; when there are several that fit, the first.
  const State& state() const { return states_[0]; }
  const std::string& difference() const { return difference_; }
  const std::vector<std::string>& history() const { return history_; }

  // Whether the actor can go on: it may have to wait for the guard.
  bool mayGo(int actor) const {
    const Real& real = actors_[actor];
    if (real.dead || real.pending.kind != Pending::access) return false;
    const bool locks = real.pending.field == Field::guard && real.pending.group == 0;
    return !locks || guardWord() == 0 || (guardWord() & kDiedBit) != 0;
  }
  bool sleeps(int actor) const { return actors_[actor].pending.kind == Pending::asleep; }

  // Each answers false when code and model are no longer the same.
  bool begin(int actor, Operation operation);
  bool step(int actor, bool (&visited)[kStepCount]);
  bool timeOut(int actor);
  void kill(int actor);

  // --- what the core tells
  void access(const void* address, bool store) override;
  void payload(void* target, const void* source, size_t bytes) override;
  void asksForLife(uint32_t slot) override {
    if (slot < kModelSlots) stopBefore({Pending::access, Field::life, false, int(slot), 0});
  }
  void takesSlotLock(int descriptor) override {
    if (running_ >= 0) actors_[running_].slot_lock = descriptor;
  }
  void maps(void* base, size_t bytes) override {
    mappings_.push_back({static_cast<std::byte*>(base), bytes});
  }
  void sleeps(const void* word, uint32_t expected, uint64_t nanoseconds) override;
  void wakes(const void* word) override;
  uint64_t now() override { return running_ < 0 ? kBegin : kBegin + actors_[running_].clock; }
  bool locks(uint32_t& word) override;
  void unlocks(uint32_t& word) override;
  void callsConsistent(uint32_t& word) override;

 private:
  static constexpr uint64_t kBegin = 1'000'000'000'000;
  static constexpr uint32_t kDiedBit = 0x80;
  static constexpr uint32_t kDoubtBit = 0x40;
  static constexpr size_t kStackBytes = 64 << 10;

  struct Real {
    std::unique_ptr<Queue> queue;
    std::unique_ptr<std::byte[]> stack;
    ucontext_t context = {};
    Pending pending;
    Operation operation = kNothing;
    Result result = kNoResult;
    bool dead = false;
    bool counting_again = false;  // in `recount`, which only statistics depend on
    uint32_t slot = kNoSlot;
    int slot_lock = -1;
    uint64_t clock = 0;
    const void* sleeps_on = nullptr;
    uint64_t sleep_ns = 0;
    bool was_woken = false;
    Cursor cursor = 0;
  };
  struct Range {
    std::byte* base;
    size_t bytes;
  };

  static std::string groupName(int group) { return group == 0 ? "one" : "two"; }
  [[noreturn]] static void fail(const char* what) {
    std::fprintf(stderr, "FAILED: %s\n", what);
    std::exit(1);
  }

  uint32_t& guardWord() const {
    return *reinterpret_cast<uint32_t*>(&reinterpret_cast<SegmentHeader*>(base_)->guard);
  }
  QueueHeader& header() const { return *reinterpret_cast<QueueHeader*>(base_ + kBlockOffset); }
  Participant* participants() const {
    return reinterpret_cast<Participant*>(base_ + kParticipantsOffset);
  }
  uint64_t span() const { return unitsFor(payload_bytes_) * kRecordUnit; }
  std::byte* data() const { return base_ + reinterpret_cast<SegmentHeader*>(base_)->data_offset; }

  bool classify(const void* address, bool store, Pending& pending);
  bool classifyParticipant(size_t offset, bool store, bool holds_guard, Pending& pending);
  bool classifyHeader(size_t offset, bool store, bool holds_guard, Pending& pending);
  bool classifyRecord(size_t offset, bool store, bool holds_guard, Pending& pending);
  void stopBefore(const Pending& pending);
  void run(int actor);
  static void entry();
  void act();
  void put(Queue& queue, Operation operation);
  Result resultOf(Status status);
  bool compare(int actor, const std::vector<State>& candidates, const char* did);
  Observed observed() const;
  State seen() const;
  Word wordOf(const Record& record, int group) const;
  std::string describe(const Pending& pending) const;

  const Config& config_;
  const uint64_t payload_bytes_;
  const std::string name_;
  std::byte* base_ = nullptr;
  size_t bytes_ = 0;
  Real actors_[kMostActors];
  std::vector<Range> mappings_;
  std::vector<State> states_;
  ucontext_t driver_ = {};
  int running_ = -1;
  std::string difference_;
  std::vector<std::string> history_;

  static inline SideBySide* current_ = nullptr;
};

}  // namespace zoo::model

#include "model/side_by_side_access.h"
#include "model/side_by_side_bytes.h"
#include "model/side_by_side_code.h"
#include "model/side_by_side_steps.h"
