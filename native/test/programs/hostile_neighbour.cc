// Processes that use queues, locks, memory, channels and pipes, while another one that may write
// their segments does so, at random and on purpose.
//
//   hostile_neighbour [--seconds S] [--seed X] [--aim NAME]
//
// Without arguments: 10 seconds with a fresh seed, which is printed. A round lasts a fraction of a
// second and has segments of its own; the neighbour aims at two or three parts of them. Passes when
// nobody crashed, no call took longer than five seconds, no byte outside the segments changed, no
// file of others was touched and no process got a signal.
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "support/hostile_decoys.h"
#include "support/hostile_user.h"
#include "support/hostile_writer.h"
#include "support/names.h"
#include "support/processes.h"

namespace zoo::test {
namespace {

constexpr uint32_t kUsers = 4;

struct Shared {
  std::array<HostileJournal, kUsers> users;
  std::atomic<uint32_t> over{0};
  std::atomic<uint64_t> attacks{0};
  std::atomic<uint64_t> slow_rounds{0};
};

struct Plan {
  double seconds = 10;
  uint64_t seed = 0;
  std::string aim;  // empty: all
};

class Round {
 public:
  Round(Shared& shared, const HostileBait& bait, uint64_t seed, const std::string& only)
      : shared_(shared), bait_(bait), dice_(seed), seed_(seed), names_{freshName("ring"),
                                                                       freshName("frames"),
                                                                       freshName("channel"),
                                                                       freshName("pipe"),
                                                                       freshName("lock"),
                                                                       freshName("memory"),
                                                                       freshName("witness")} {
    for (uint64_t count = 1 + dice_.below(3); aims_.size() < count;) {
      const auto aim = static_cast<HostileAim>(dice_.below(kHostileAims));
      if (only.empty() || only == nameOfAim(aim)) aims_.push_back(aim);
    }
  }
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;
  ~Round() {
    for (const std::string* name : all()) unlink(shmPath(*name).c_str());
    unlink(shmPath(names_.witness).c_str());
  }

  // How many violations there were.
  uint64_t run() {
    shared_.over = 0;
    if (!HostileUser::makeWitness(names_.witness)) return complain("no witness");
    for (uint32_t user = 0; user < kUsers; ++user) startUser(user);
    const pid_t neighbour = startChild([&] { beHostile(); });
    const uint64_t end = monotonicNow() + (100 + dice_.below(200)) * kMillisecond;
    uint64_t violations = 0;
    while (monotonicNow() < end) {
      usleep(5000);
      violations += buryUsers(true);
    }
    shared_.over = 1;
    if (waitForEnd(neighbour).exit_code != 0) violations += complain("the neighbour crashed");
    while (anyLeft()) {
      usleep(1000);
      violations += buryUsers(false);
    }
    for (HostileJournal& journal : shared_.users) {
      if (journal.slow.exchange(0) == 0) continue;
      ++shared_.slow_rounds;
      complain("a call that took over a second");
    }
    return violations;
  }

 private:
  struct User {
    pid_t pid = -1;
    bool hanging = false;
  };

  std::array<const std::string*, 6> all() const {
    return {&names_.ring, &names_.frames, &names_.channel,
            &names_.pipe, &names_.lock,   &names_.memory};
  }

  void startUser(uint32_t index) {
    HostileJournal& journal = shared_.users[index];
    const uint64_t seed = dice_.next();
    users_[index].pid = startChild([&] {
      setCanary();
      HostileUser(journal, names_, HostileDice(seed)).run(shared_.over);
    });
  }

  // The names are opened again and again: they come and go.
  void beHostile() {
    HostileDice dice(dice_.next());
    bait_.threads.push_back(static_cast<uint32_t>(getpid()));
    for (const User& user : users_) bait_.threads.push_back(static_cast<uint32_t>(user.pid));
    HostileWriter writer(HostileDice(dice.next()), bait_);
    usleep(static_cast<useconds_t>(dice.below(40'000)));
    while (shared_.over == 0) {
      HostileMapping segment(*all()[dice.below(6)]);
      if (!segment.valid()) {
        usleep(200);
        continue;
      }
      for (uint64_t burst = 1 + dice.below(60); burst > 0 && shared_.over == 0; --burst) {
        writer.attack(segment, aims_[dice.below(aims_.size())]);
        shared_.attacks.fetch_add(1, std::memory_order_relaxed);
        if (dice.oneIn(3)) usleep(static_cast<useconds_t>(dice.below(1500)));
      }
    }
  }

  bool anyLeft() const {
    for (const User& user : users_) {
      if (user.pid > 0) return true;
    }
    return false;
  }

  // Users that have ended, and those that hang. `again`: others come in their places.
  uint64_t buryUsers(bool again) {
    uint64_t violations = 0;
    for (uint32_t index = 0; index < kUsers; ++index) {
      User& user = users_[index];
      if (user.pid < 0) continue;
      HostileJournal& journal = shared_.users[index];
      int status = 0;
      if (waitpid(user.pid, &status, WNOHANG) == user.pid) {
        user.pid = -1;
        if (!user.hanging && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
          const char* call = journal.call.load();
          std::fprintf(stderr, "VIOLATION: a user crashed in '%s' (status %#x)\n",
                       call == nullptr ? "nothing" : call, static_cast<unsigned>(status));
          violations += complain("a crash");
        }
        user.hanging = false;
        if (again) startUser(index);
        continue;
      }
      const uint64_t since = journal.since_ns.load(std::memory_order_acquire);
      if (user.hanging || since == 0 || monotonicNow() < since + kHostileHang) continue;
      user.hanging = true;
      std::fprintf(stderr, "VIOLATION: '%s' does not come back\n", journal.call.load());
      violations += complain("a hang");
      if (std::getenv("ZOO_HOSTILE_STOP") != nullptr) {
        std::fprintf(stderr, "process %d is left for a debugger\n", user.pid);
        pause();
      }
      kill(user.pid, SIGKILL);
    }
    return violations;
  }

  uint64_t complain(const char* what) const {
    std::fprintf(stderr, "%s in the round with seed %llu, which aims at:", what,
                 static_cast<unsigned long long>(seed_));
    for (const HostileAim aim : aims_) std::fprintf(stderr, " %s,", nameOfAim(aim));
    std::fprintf(stderr, "\n");
    return 1;
  }

  Shared& shared_;
  HostileBait bait_;
  HostileDice dice_;
  uint64_t seed_;
  HostileNames names_;
  std::vector<HostileAim> aims_;
  std::array<User, kUsers> users_;
};

Plan planFrom(int count, char** arguments) {
  Plan plan;
  plan.seed = mixed(monotonicNow()) % 1'000'000;
  for (int index = 1; index + 1 < count; index += 2) {
    const std::string option = arguments[index], value = arguments[index + 1];
    if (option == "--seconds") {
      plan.seconds = std::strtod(value.c_str(), nullptr);
    } else if (option == "--seed") {
      plan.seed = std::strtoull(value.c_str(), nullptr, 10);
    } else if (option == "--aim") {
      plan.aim = value;
    } else {
      std::fprintf(stderr, "unknown option %s\n", option.c_str());
      std::exit(2);
    }
  }
  return plan;
}

int attackAll(const Plan& plan) {
  Shared& shared = sharedWithChildren<Shared>();
  uint64_t violations = 0, rounds = 0;
  {
    const HostileDecoys decoys(plan.seed);
    const HostileStranger stranger;
    HostileBait bait;
    bait.threads = {static_cast<uint32_t>(stranger.pid()), deadThread(), 1, 0x3fffffff};
    bait.bells = decoys.bells();
    for (const uint64_t bell : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}, uint64_t{0x2e2e2f2e2e2f}}) {
      bait.bells.push_back(bell);
    }
    bait.canary = reinterpret_cast<uintptr_t>(&hostile_canary);
    HostileDice dice(plan.seed);
    const uint64_t start = monotonicNow();
    while (static_cast<double>(monotonicNow() - start) < plan.seconds * 1e9 && violations < 20) {
      violations += Round(shared, bait, dice.next(), plan.aim).run();
      ++rounds;
    }
    violations += static_cast<uint64_t>(decoys.harmed());
    if (!stranger.wasLeftAlone()) {
      std::fprintf(stderr, "VIOLATION: a process that has nothing to do with it got a signal\n");
      ++violations;
    }
  }
  uint64_t calls = 0, good = 0, corrupt = 0, longest = 0, longest_work = 0, fenced = 0,
           unfenced = 0;
  const char* longest_call = "nothing";
  for (const HostileJournal& journal : shared.users) {
    calls += journal.calls;
    good += journal.good;
    corrupt += journal.corrupt;
    fenced += journal.fenced;
    unfenced += journal.unfenced;
    violations += journal.wrong;
    if (journal.longest_ns <= longest) continue;
    longest = journal.longest_ns;
    longest_work = journal.longest_work_ns;
    longest_call = journal.longest_call;
  }
  for (const std::string& name : leftovers(namePrefix())) {
    std::fprintf(stderr, "VIOLATION: %s is left\n", name.c_str());
    ++violations;
  }
  std::printf(
      "seed %llu: rounds %llu, attacks %llu, calls %llu (%llu good, %llu corrupt), longest %.0f ms "
      "(%s, %.0f ms of work), over a second in %llu rounds, mappings fenced %llu of %llu, "
      "violations %llu\n",
      static_cast<unsigned long long>(plan.seed), static_cast<unsigned long long>(rounds),
      static_cast<unsigned long long>(shared.attacks.load()),
      static_cast<unsigned long long>(calls), static_cast<unsigned long long>(good),
      static_cast<unsigned long long>(corrupt), static_cast<double>(longest) / 1e6, longest_call,
      static_cast<double>(longest_work) / 1e6,
      static_cast<unsigned long long>(shared.slow_rounds.load()),
      static_cast<unsigned long long>(fenced), static_cast<unsigned long long>(fenced + unfenced),
      static_cast<unsigned long long>(violations));
  return violations == 0 && good > 0 && corrupt > 0 ? 0 : 1;
}

}  // namespace
}  // namespace zoo::test

int main(int count, char** arguments) {
  // A bell whose owner has gone answers with this signal (core/os/doorbell.h).
  signal(SIGPIPE, SIG_IGN);
  return zoo::test::attackAll(zoo::test::planFrom(count, arguments));
}
