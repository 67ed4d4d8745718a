// Kills, stops and continues processes at random while they put, take, claim, reject and lock, and
// then looks for anything lost, torn, invented, repeated, out of order or stuck.
//
//   torture [--kills N] [--seconds S] [--seed X] [--store ring|frames|both]
//
// Without arguments: 400 kills, half of them in each store, with a fresh seed, which is printed.
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "support/names.h"
#include "support/torture_workers.h"

namespace zoo::test {
namespace {

struct Plan {
  uint64_t kills = 400;
  double seconds = 0;  // 0: as long as it takes
  uint64_t seed = 0;
  bool ring = true, frames = true;
};

enum class Role { producer, consumer, locker };

struct Worker {
  Role role;
  uint32_t number;  // producer number, consumer's group
  pid_t pid = -1;
  bool stopped = false;
  uint64_t beats = 0;
  uint64_t beats_changed_ns = 0;
};

class Torture {
 public:
  Torture(const Plan& plan, StoreKind store, uint64_t kills, double seconds)
      : store_(store),
        wanted_kills_(kills),
        seconds_(seconds),
        seed_(plan.seed),
        dice_(plan.seed),
        oracle_(sharedWithChildren<Oracle>()),
        names_{freshName("torture-queue"), freshName("torture-lock"), freshName("torture-memory")} {
    for (uint32_t number = 0; number < kProducers; ++number) add(Role::producer, number);
    for (uint32_t group : {0u, 0u, 0u, 1u, 2u}) add(Role::consumer, group);
    for (uint32_t number = 0; number < kLockers; ++number) add(Role::locker, number);
  }
  Torture(const Torture&) = delete;
  Torture& operator=(const Torture&) = delete;
  ~Torture() {
    for (const std::string& name : {names_.queue, names_.lock, names_.memory})
      unlink(shmPath(name).c_str());
    munmap(&oracle_, sizeof oracle_);
  }

  bool run() {
    const uint64_t start = monotonicNow();
    MemoryOptions options;
    options.bytes = 4096;
    {
      auto memory = Memory::open(names_.memory, OpenMode::create, options);
      if (!memory) giveUp("memory", memory.error().text);
    }
    tortureOpen(names_.queue, store_, 0)->abandon();  // not closed: nobody ends the queue
    for (uint32_t index = 0; index < workers_.size(); ++index) spawn(index);
    while (stuck_ == 0 && crashed_ == 0 && kills_ < wanted_kills_ &&
           (seconds_ == 0 || static_cast<double>(monotonicNow() - start) < seconds_ * 1e9)) {
      torment();
    }
    stopAll();
    return verdict(static_cast<double>(monotonicNow() - start) / 1e9);
  }

 private:
  static constexpr uint64_t kPatience = 30'000 * kMillisecond;

  void add(Role role, uint32_t number) {
    Worker worker;
    worker.role = role;
    worker.number = number;
    workers_.push_back(worker);
  }

  void spawn(uint32_t index) {
    Worker& worker = workers_[index];
    const uint64_t seed = mixed(seed_ * 1000 + index) + ++lives_;
    worker.stopped = false;
    worker.beats_changed_ns = monotonicNow();
    worker.pid = startChild([&] {
      Suicidal::instance().begin(seed, oracle_.workers[index]);
      switch (worker.role) {
        case Role::producer:
          Producer(oracle_, index, worker.number, Dice(seed), tortureOpen(names_.queue, store_, 0))
              .run();
          break;
        case Role::consumer:
          Consumer(oracle_, index, worker.number, Dice(seed),
                   tortureOpen(names_.queue, store_, worker.number))
              .run(names_.queue, store_);
          break;
        case Role::locker:
          Locker(oracle_, names_).run(index, Dice(seed));
          break;
      }
    });
  }

  void torment() {
    usleep(static_cast<useconds_t>(dice_.below(5000)));
    const uint32_t index = static_cast<uint32_t>(dice_.below(workers_.size()));
    Worker& worker = workers_[index];
    switch (dice_.below(10)) {
      case 0:
        break;
      case 1:
      case 2:
        kill(worker.pid, worker.stopped ? SIGCONT : SIGSTOP);
        worker.stopped = !worker.stopped;
        worker.beats_changed_ns = monotonicNow();
        break;
      default:
        kill(worker.pid, SIGKILL);
        bury(index, 0);
        spawn(index);
    }
    for (uint32_t other = 0; other < workers_.size(); ++other) {
      if (bury(other, WNOHANG))
        spawn(other);
      else
        watch(workers_[other]);
    }
  }

  // Whether it is gone; then what it was at is excused.
  bool bury(uint32_t index, int options) {
    Worker& worker = workers_[index];
    if (worker.pid < 0) return true;
    int status = 0;
    pid_t gone;
    while ((gone = waitpid(worker.pid, &status, options)) < 0 && errno == EINTR) {
    }
    if (gone != worker.pid) return false;
    worker.pid = -1;
    const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    const bool ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (killed) ++kills_;
    if (!killed && !ended) {
      ++crashed_;
      std::fprintf(stderr, "VIOLATION: a process crashed (status %#x)\n",
                   static_cast<unsigned>(status));
    }
    if (worker.role == Role::consumer) oracle_.excuse(index, worker.number);
    return true;
  }

  // A process that runs and gets nowhere for a long time is stuck.
  void watch(Worker& worker) {
    const auto index = static_cast<size_t>(&worker - workers_.data());
    const uint64_t beats = oracle_.workers[index].beats.load();
    const uint64_t now = monotonicNow();
    if (beats != worker.beats || worker.stopped) {
      // One that is stopped may be in the guard, where nobody gets past it.
      for (Worker& other : workers_) {
        if (worker.stopped) other.beats_changed_ns = now;
      }
      worker.beats = beats;
      worker.beats_changed_ns = now;
      return;
    }
    if (now - worker.beats_changed_ns < kPatience) return;
    ++stuck_;
    worker.beats_changed_ns = now;
    std::fprintf(stderr, "VIOLATION: process %d is stuck\n", worker.pid);
  }

  void stopAll() {
    for (Worker& worker : workers_) {
      if (worker.pid > 0) kill(worker.pid, SIGCONT);
    }
    oracle_.stop_producers = true;
    waitFor(Role::producer);
    oracle_.stop_all = true;
    waitFor(Role::consumer);
    waitFor(Role::locker);
  }

  void waitFor(Role role) {
    const uint64_t patience = monotonicNow() + kPatience;
    for (uint32_t index = 0; index < workers_.size(); ++index) {
      if (workers_[index].role != role) continue;
      while (!bury(index, WNOHANG)) {
        if (monotonicNow() > patience) {
          ++stuck_;
          std::fprintf(stderr, "VIOLATION: process %d does not come to an end\n",
                       workers_[index].pid);
          kill(workers_[index].pid, SIGKILL);
          bury(index, 0);
          break;
        }
        usleep(500);
      }
    }
  }

  bool verdict(double took) {
    QueueStats stats;
    uint64_t left = 0;
    Status end = Status::ok;
    for (uint32_t round = 0; round < 2; ++round) {
      // Twice: a group is empty for good only when the others have let go too.
      for (uint32_t group = 0; group < kGroups; ++group) {
        Consumer consumer(oracle_, 0, group, Dice(1), tortureOpen(names_.queue, store_, group));
        consumer.drainGroup();
        if (round == 0) continue;
        stats = consumer.queue().stats();
        left += stats.groups[group].backlog + stats.groups[group].claimed;
        Cursor cursor = 0;
        Claim claim;
        end = consumer.queue().claim(cursor, claim);
        if (end != Status::peer_died) ++crashed_;
      }
    }
    left += stats.messages + stats.bytes;
    if (left != 0 || end != Status::peer_died) {
      std::fprintf(
          stderr,
          "VIOLATION: drained, but %llu messages, %llu bytes are left, claim answers %lld\n",
          static_cast<unsigned long long>(stats.messages),
          static_cast<unsigned long long>(stats.bytes), static_cast<long long>(end));
    }
    Locker locker(oracle_, names_);
    locker.once();
    const uint64_t written = locker.written();
    const uint64_t done = oracle_.lock_done.load();
    const bool lock_good =
        oracle_.broken_lock.load() == 0 && written >= done && written <= done + kills_;
    if (!lock_good)
      std::fprintf(stderr, "VIOLATION: %llu writes under the lock, %llu found\n",
                   static_cast<unsigned long long>(done), static_cast<unsigned long long>(written));
    const Verdict verdict = judge(oracle_, stats.dead_given_up);
    const uint64_t corrupt = oracle_.corrupt.load() + verdict.invented;
    std::printf(
        "%s: seed %llu, kills %llu, puts %llu, lost %llu, corrupt %llu, stuck %llu, duplicates "
        "%llu "
        "(%llu unexplained), disorder %llu, rejected %llu, redelivered %llu, recoveries %llu, "
        "locked "
        "%llu, %.1f s\n",
        store_ == StoreKind::ring ? "ring" : "frames", static_cast<unsigned long long>(seed_),
        static_cast<unsigned long long>(kills_), static_cast<unsigned long long>(verdict.puts),
        static_cast<unsigned long long>(verdict.lost), static_cast<unsigned long long>(corrupt),
        static_cast<unsigned long long>(stuck_),
        static_cast<unsigned long long>(verdict.duplicates),
        static_cast<unsigned long long>(verdict.repeated),
        static_cast<unsigned long long>(oracle_.disorder.load()),
        static_cast<unsigned long long>(oracle_.rejected.load()),
        static_cast<unsigned long long>(stats.redelivered),
        static_cast<unsigned long long>(stats.recoveries), static_cast<unsigned long long>(done),
        took);
    return lock_good &&
           verdict.lost + corrupt + stuck_ + crashed_ + verdict.repeated + left +
                   oracle_.disorder.load() + oracle_.refused.load() ==
               0 &&
           verdict.puts > 0;
  }

  StoreKind store_;
  uint64_t wanted_kills_;
  double seconds_;
  uint64_t seed_;
  Dice dice_;
  Oracle& oracle_;
  TortureNames names_;
  std::vector<Worker> workers_;
  uint64_t lives_ = 0, kills_ = 0, stuck_ = 0, crashed_ = 0;
};

Plan planFrom(int count, char** arguments) {
  Plan plan;
  plan.seed = mixed(monotonicNow()) % 1'000'000;
  bool kills_given = false;
  for (int index = 1; index + 1 < count; index += 2) {
    const std::string option = arguments[index], value = arguments[index + 1];
    if (option == "--kills") {
      plan.kills = std::strtoull(value.c_str(), nullptr, 10);
      kills_given = true;
    } else if (option == "--seconds") {
      plan.seconds = std::strtod(value.c_str(), nullptr);
    } else if (option == "--seed") {
      plan.seed = std::strtoull(value.c_str(), nullptr, 10);
    } else if (option == "--store" && (value == "ring" || value == "frames" || value == "both")) {
      plan.ring = value != "frames";
      plan.frames = value != "ring";
    } else {
      count = 0;
    }
  }
  if (count == 0 || count % 2 == 0) {
    std::fprintf(
        stderr, "usage: torture [--kills N] [--seconds S] [--seed X] [--store ring|frames|both]\n");
    std::exit(2);
  }
  if (plan.seconds > 0 && !kills_given) plan.kills = ~0ull;
  return plan;
}

}  // namespace
}  // namespace zoo::test

int main(int count, char** arguments) {
  using namespace zoo;
  const test::Plan plan = test::planFrom(count, arguments);
  const uint64_t parts = plan.ring && plan.frames ? 2 : 1;
  bool good = true;
  for (const StoreKind store : {StoreKind::ring, StoreKind::frames}) {
    if (store == StoreKind::ring ? !plan.ring : !plan.frames) continue;
    test::Torture torture(plan, store, plan.kills / parts,
                          plan.seconds / static_cast<double>(parts));
    good = torture.run() && good;
  }
  for (const std::string& name : test::leftovers(test::namePrefix())) {
    std::fprintf(stderr, "VIOLATION: %s is left in /dev/shm\n", name.c_str());
    good = false;
  }
  return good ? 0 : 1;
}
