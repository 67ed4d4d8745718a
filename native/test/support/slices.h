// Runs parts of the trials in processes of their own, several at the same time.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "support/kill_driver.h"

namespace zoo::test {

struct Slice {
  std::string name;
  std::function<void()> run;
  bool waits = false;  // most of the time, so many of them fit beside each other
};

inline constexpr size_t kMostWaiting = 12;

class SliceRunner {
 public:
  SliceRunner(std::vector<Slice> slices, size_t most_busy) : most_busy_(most_busy) {
    for (Slice& slice : slices) (slice.waits ? waiting_ : busy_).todo.push_back(std::move(slice));
  }

  // False when one of them failed; those that still run are ended then.
  bool run() {
    for (;;) {
      while (good_ && startOne(busy_, most_busy_)) {
      }
      while (good_ && startOne(waiting_, kMostWaiting)) {
      }
      if (running_.empty()) return good_;
      int status = 0;
      const pid_t ended = waitpid(-1, &status, 0);
      if (running_.count(ended) != 0) noteEnd(ended, status);
    }
  }

 private:
  struct Queue {
    std::vector<Slice> todo;
    size_t next = 0;
    size_t running = 0;
  };
  struct Running {
    std::string name;
    Queue* queue;
  };

  bool startOne(Queue& queue, size_t most) {
    if (queue.running >= most || queue.next == queue.todo.size()) return false;
    const Slice& slice = queue.todo[queue.next++];
    const pid_t child = startChild([&] {
      KillDriver& driver = KillDriver::instance();
      driver.begin();
      slice.run();
      driver.finish();
    });
    running_[child] = {slice.name, &queue};
    ++queue.running;
    return true;
  }

  void noteEnd(pid_t ended, int status) {
    const Running slice = running_[ended];
    running_.erase(ended);
    --slice.queue->running;
    for (const std::string& name : leftovers(namePrefix(ended))) unlink(shmPath(name).c_str());
    if (status == 0 || !good_) return;
    std::fprintf(stderr, "FAILED: in %s\n", slice.name.c_str());
    good_ = false;
    for (const auto& other : running_) kill(other.first, SIGTERM);
  }

  size_t most_busy_;
  Queue busy_, waiting_;
  std::map<pid_t, Running> running_;
  bool good_ = true;
};

}  // namespace zoo::test
