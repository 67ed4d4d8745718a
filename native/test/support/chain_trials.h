// Deaths in a queue: one, one more while it is repaired, a third one after
// that, and two at once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/queue_operations.h"
#include "support/slices.h"

namespace zoo::test {

// How much of the products is done.
struct Effort {
  bool all = false;    // every combination of scenes and of steps
  int thin = 1;        // otherwise one of so many
  std::string chosen;  // part of an operation's name

  bool wants(const std::string& name) const { return name.find(chosen) != std::string::npos; }
  Strides strides(int first, int later) const {
    return all ? Strides{} : Strides{first * thin, later * thin};
  }
  // For three deaths, of which nobody has the time to see all.
  Strides wideStrides(int first, int later) const {
    return all ? Strides{3, 5} : Strides{first * thin, later * thin};
  }
};

namespace detail {

// In both stores with one group; of the rest some, unless all are wanted.
inline std::vector<Scene> scenesOf(const QueueOperation& operation, const Effort& effort,
                                   size_t turn) {
  std::vector<Scene> scenes;
  for (const StoreKind store : {StoreKind::ring, StoreKind::frames}) {
    for (const Groups& groups : operation.groups) {
      for (const FirstComer first :
           {FirstComer::looks_around, FirstComer::puts, FirstComer::claims}) {
        const bool plain = first == FirstComer::looks_around && groups.size() == 1;
        if (!effort.all && !plain && turn++ % (12 * effort.thin) != 0) continue;
        Scene scene;
        scene.store = store;
        scene.groups = groups;
        scene.max_deliveries = operation.max_deliveries;
        scene.first = first;
        scenes.push_back(scene);
      }
    }
  }
  if (!effort.all && turn % 6 != 0) return scenes;
  Scene channel = scenes.front();
  channel.kind = SegmentKind::channel;
  channel.first = FirstComer::looks_around;
  scenes.push_back(channel);
  return scenes;
}

// What a survivor does when it finds a death, and dies doing.
enum class Repair { looks_around, opens, puts };

class QueueDeaths {
 public:
  QueueDeaths(const QueueOperation& operation, const Scene& scene)
      : operation_(operation), scene_(scene), ledger_(sharedWithChildren<QueueLedger>()) {}

  Act victim() {
    return [this](const Hook&, const Hook& arm) {
      const std::unique_ptr<Queue> queue = trial_->openHandle();
      Actor actor(ledger_, *queue);
      operation_.act(*trial_, actor, arm);
      step_hook = nullptr;
      dieIfNotClosed(*queue);
    };
  }
  // Another one, who is there at the same time.
  Act victimBeside(const QueueOperation& second) {
    return [this, second](const Hook& earlier, const Hook& arm) {
      const std::unique_ptr<Queue> queue = trial_->openHandle();
      Actor actor(ledger_, *queue);
      second.act(*trial_, actor, [&] {
        earlier();
        arm();
      });
      step_hook = nullptr;
      dieIfNotClosed(*queue);
    };
  }
  // It has to be there before the one it repairs after, unless it repairs while
  // it opens.
  Act repairer(Repair repair) {
    return [this, repair](const Hook& earlier, const Hook& arm) {
      std::unique_ptr<Queue> queue;
      if (repair != Repair::opens) queue = trial_->openHandle();
      earlier();
      arm();
      if (repair == Repair::opens) queue = trial_->openHandle();
      if (repair == Repair::looks_around) queue->lookAround();
      if (repair == Repair::puts) Actor(ledger_, *queue).tryPut(kSmall);
      step_hook = nullptr;
      queue->abandon();
    };
  }

  void run(const std::vector<Act>& acts, Strides strides, const char* how) {
    KillDriver::instance().everyDeath(
        operation_.name + std::string(" (") + scene_.text() + how + ")", acts, strides,
        [this] {
          trial_ = std::make_unique<QueueTrial>(scene_, ledger_);
          if (operation_.prepare) operation_.prepare(*trial_);
          trial_->ready();
        },
        [this] {
          trial_->check(operation_.dead_letters_may_go);
          trial_.reset();
        });
  }
  void parkFirst() {
    KillDriver::instance().parkFirst([this] { return trial_->guardIsFree(); });
  }

 private:
  QueueOperation operation_;
  Scene scene_;
  QueueLedger& ledger_;
  std::unique_ptr<QueueTrial> trial_;
};

inline void addSlice(std::vector<Slice>& slices, const QueueOperation& operation,
                     const std::function<void()>& run) {
  slices.push_back({operation.name, run});
}

}  // namespace detail

// One death.
inline void addSingleDeaths(std::vector<Slice>& slices, const Effort& effort) {
  std::vector<QueueOperation> operations = victimOperations();
  for (const QueueOperation& operation : repairOperations()) operations.push_back(operation);
  for (size_t index = 0; index < operations.size(); ++index) {
    const QueueOperation& operation = operations[index];
    if (!effort.wants(operation.name)) continue;
    detail::addSlice(slices, operation, [operation, effort, index] {
      for (const Scene& scene : detail::scenesOf(operation, effort, index)) {
        detail::QueueDeaths deaths(operation, scene);
        deaths.run({deaths.victim()}, {}, "");
      }
    });
  }
}

// A second one while the first death is repaired, in both stores.
inline void addDeathsInRepair(std::vector<Slice>& slices, const Effort& effort) {
  const std::vector<QueueOperation> operations = victimOperations();
  for (const QueueOperation& operation : operations) {
    if (!effort.wants(operation.name)) continue;
    for (const Scene& scene : detail::scenesOf(operation, effort, 1)) {
      const bool plain = scene.first == FirstComer::looks_around && scene.groups.size() == 1;
      if (!plain && !effort.all) continue;
      detail::addSlice(slices, operation, [operation, scene, effort] {
        detail::QueueDeaths deaths(operation, scene);
        using detail::Repair;
        deaths.run({deaths.victim(), deaths.repairer(Repair::looks_around)}, effort.strides(4, 13),
                   ", another repairs");
        deaths.run({deaths.victim(), deaths.repairer(Repair::opens)}, effort.strides(9, 29),
                   ", a newcomer repairs");
        deaths.run({deaths.victim(), deaths.repairer(Repair::puts)}, effort.strides(9, 29),
                   ", another puts");
      });
    }
  }
}

// A third one, where most is to be repaired.
inline void addThreeDeaths(std::vector<Slice>& slices, const Effort& effort) {
  for (const QueueOperation& operation : victimOperations()) {
    const std::string name = operation.name;
    const bool rich = name == "close" || name == "let a dead letter step aside" ||
                      name == "claim and reject" || name == "put a batch" ||
                      name == "give up dead letters" || name == "drop the oldest";
    if (!rich || !effort.wants(name)) continue;
    for (const StoreKind store : {StoreKind::ring, StoreKind::frames}) {
      Scene scene;
      scene.store = store;
      scene.groups = operation.groups[0];
      scene.max_deliveries = operation.max_deliveries;
      detail::addSlice(slices, operation, [operation, scene, effort] {
        detail::QueueDeaths deaths(operation, scene);
        deaths.run({deaths.victim(), deaths.repairer(detail::Repair::looks_around),
                    deaths.repairer(detail::Repair::looks_around)},
                   effort.wideStrides(9, 23), ", two repair");
      });
    }
  }
}

// Two dead before anybody looks: the first stands at one of its steps while the
// second dies.
inline void addTwoAtOnce(std::vector<Slice>& slices, const Effort& effort) {
  const auto add = [&](const QueueOperation& operation, const QueueOperation& second) {
    if (!effort.wants(operation.name)) return;
    for (const StoreKind store : {StoreKind::ring, StoreKind::frames}) {
      Scene scene;
      scene.store = store;
      scene.groups = operation.groups[0];
      scene.max_deliveries = operation.max_deliveries;
      detail::addSlice(slices, operation, [operation, second, scene, effort] {
        detail::QueueDeaths deaths(operation, scene);
        deaths.parkFirst();
        deaths.run({deaths.victim(), deaths.victimBeside(second)}, effort.strides(3, 13),
                   ", both at once");
      });
    }
  };
  const auto named = [](const std::vector<QueueOperation>& operations, const std::string& name) {
    for (const QueueOperation& operation : operations) {
      if (operation.name == name) return operation;
    }
    KillDriver::instance().fail("there is no operation %s", name.c_str());
  };
  for (const char* first : {"put large", "put a batch", "commit out of order", "close", "abort"}) {
    add(named(putOperations(), first), named(putOperations(), "put small"));
    add(named(putOperations(), first), named(putOperations(), "commit out of order"));
  }
  for (const char* first : {"claim and release out of order", "take", "claim and reject"}) {
    add(named(takeOperations(), first), named(putOperations(), "put large"));
  }
}

}  // namespace zoo::test
