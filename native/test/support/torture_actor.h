// What producers and consumers of the torture have in common: a handle that is opened with
// patience, and a segment that may be replaced under them.
#pragma once

#include <memory>
#include <utility>

#include "core/queue/queue.h"
#include "support/torture_plan.h"

namespace zoo::test {

// A process that cannot go on says why and ends with a code of its own.
[[noreturn]] inline void giveUp(Stage& stage, Finding finding, const char* what, const char* why) {
  stage.tally.report(finding, "%s: %s", what, why);
  _exit(3);
}

// Who they are: their place among the notes, and their number among the producers or their group.
struct ActorPlace {
  uint32_t index = 0;
  uint32_t number = 0;
  uint64_t seed = 0;
};

// Opens a queue. While a crowd has all slots, it waits for one.
inline std::unique_ptr<Queue> openPatiently(Stage& stage, std::atomic<uint64_t>& beats,
                                            const QueuePlan& plan, uint32_t group,
                                            OpenMode mode = OpenMode::either) {
  const uint64_t patience = monotonicNow() + kPatience;
  for (;;) {
    Result<std::unique_ptr<Queue>> queue =
        timed(stage, "open", [&] { return Queue::open(plan.name, mode, plan.optionsFor(group)); });
    if (queue) return queue.take();
    if (queue.error().code == ErrorCode::exists && mode == OpenMode::create) return nullptr;
    if (queue.error().code != ErrorCode::full || monotonicNow() > patience) {
      giveUp(stage, Finding::refused, "open", queue.error().text);
    }
    stage.tally.did(Deed::full);
    ++beats;
    usleep(2000);
  }
}

class QueueActor {
 public:
  QueueActor(Stage& stage, const QueuePlan& plan, ActorPlace place, uint32_t group)
      : stage_(stage),
        plan_(plan),
        place_(place),
        ledger_(stage.ledgers[plan.index]),
        notes_(stage.actors[place.index]),
        dice_(place.seed),
        group_(group) {
    adopt(openPatiently(stage_, notes_.beats, plan_, group_));
  }

  Queue& queue() { return *queue_; }

 protected:
  void reopen() {
    queue_.reset();
    adopt(openPatiently(stage_, notes_.beats, plan_, group_));
  }

  template <typename Call>
  auto timedCall(const char* name, Call call) {
    return timed(stage_, name, call);
  }

  void refused(const char* call, Status status) {
    stage_.tally.report(Finding::refused, "%s: %s answers %lld (%s)", plan_.name.c_str(), call,
                        static_cast<long long>(status), queue_->corruption().c_str());
    _exit(3);
  }

  Stage& stage_;
  const QueuePlan& plan_;
  ActorPlace place_;
  Ledger& ledger_;
  ActorNotes& notes_;
  Dice dice_;
  uint32_t group_;
  uint32_t epoch_ = 0;
  std::unique_ptr<Queue> queue_;

 private:
  void adopt(std::unique_ptr<Queue> queue) {
    queue_ = std::move(queue);
    if (!plan_.moves) return;
    epoch_ = ledger_.epochOf(queue_->identity());
    if (epoch_ == kMostEpochs) giveUp(stage_, Finding::refused, "moving", "too many segments");
  }
};

}  // namespace zoo::test
