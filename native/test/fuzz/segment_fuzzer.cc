// A segment is made and used, a neighbour writes into it, and every operation has to answer: a
// status, an error or a value, within a second, without a byte outside the mapping.
//
// The input is a script: kind and options, then steps of two sorts, a call from one of three
// handles (which are closed and opened again) or some bytes written anywhere.
#include "fuzz/guarded_mapping.h"

#include "core/lock/lock.h"
#include "core/memory/memory.h"
#include "fuzz/queue_script.h"
#include "support/names.h"

namespace zoo::test {
namespace {

constexpr int kMostSteps = 200;
// Once the guard names an owner that there is not, every call waits for it for a while.
constexpr uint64_t kLongestScript = 300 * kMillisecond;

template <typename Subject>
void play(Script& script, const std::string& name, Subject& subject) {
  Neighbour neighbour(name);
  const uint64_t end = monotonicNow() + kLongestScript;
  for (int step = 0; step < kMostSteps && !script.over(); ++step) {
    const Stopwatch stopwatch;
    if (monotonicNow() > end) return;
    if (script.byte() % 4 == 0)
      neighbour.damage(script);
    else
      subject.step();
  }
  subject.askAll(end);
}

class LockScript {
 public:
  LockScript(Script& script, const std::string& name) : script_(script), name_(name) {
    for (auto& handle : handles_) open(handle);
    if (!handles_[0]) giveUp("the lock is not made", "");
  }

  void step() { call(handles_[script_.byte() % 2], script_.byte()); }
  void askAll(uint64_t end) {
    for (auto& handle : handles_) {
      for (uint8_t what = 0; what < 8 && monotonicNow() < end; ++what) {
        const Stopwatch stopwatch;
        call(handle, what);
      }
    }
  }

 private:
  void open(std::unique_ptr<Lock>& handle) {
    Result<std::unique_ptr<Lock>> opened = Lock::open(name_, {});
    handle.reset();
    if (opened) handle = opened.take();
  }

  void call(std::unique_ptr<Lock>& handle, uint8_t what) {
    if (!handle) return open(handle);
    LockTaken taken;
    LockOwner owner;
    switch (what % 8) {
      case 0:
        expectAnswer(handle->tryAcquire(taken));
        break;
      case 1:
        expectAnswer(handle->acquire(100'000, taken));
        break;
      case 2:
      case 3:
        expectAnswer(handle->release(what % 8 == 2));
        break;
      case 4:
        expectAnswer(handle->arm(0));
        handle->woken();
        break;
      case 5:
        handle->disarm();
        break;
      case 6:
        handle->owner(owner);
        handle->generation();
        break;
      default:
        handle.reset();
        break;
    }
  }

  Script& script_;
  const std::string& name_;
  std::array<std::unique_ptr<Lock>, 2> handles_;
};

class MemoryScript {
 public:
  MemoryScript(Script& script, const std::string& name) : script_(script), name_(name) {
    MemoryOptions options;
    options.bytes = script.word();
    open(handles_[0], OpenMode::create, options);
    open(handles_[1], OpenMode::open, {});
    if (!handles_[0] || !handles_[1]) giveUp("the memory is not made", "");
  }

  void step() {
    std::unique_ptr<Memory>& handle = handles_[script_.byte() % 2];
    if (script_.byte() % 2 == 0) handle.reset();
    use(handle);
  }
  void askAll(uint64_t) {
    const Stopwatch stopwatch;
    for (auto& handle : handles_) use(handle);
  }

 private:
  void open(std::unique_ptr<Memory>& handle, OpenMode mode, const MemoryOptions& options) {
    Result<std::unique_ptr<Memory>> opened = Memory::open(name_, mode, options);
    handle.reset();
    if (opened) handle = opened.take();
  }

  void use(std::unique_ptr<Memory>& handle) {
    if (!handle) open(handle, OpenMode::open, {});
    if (!handle) return;
    const uint64_t size = handle->byteLength();
    if (size > handle->mapping()->reachable()) giveUp("a memory is larger than its mapping", "");
    std::memset(handle->data(), 1, size);
  }

  Script& script_;
  const std::string& name_;
  std::array<std::unique_ptr<Memory>, 2> handles_;
};

void playAll(Script& script) {
  const TemporaryName name("fuzz");
  switch (script.byte() % 8) {
    case 0: {
      LockScript subject(script, name);
      play(script, name, subject);
      break;
    }
    case 1: {
      MemoryScript subject(script, name);
      play(script, name, subject);
      break;
    }
    case 2: {
      QueueScript subject(script, SegmentKind::channel, name);
      play(script, name, subject);
      break;
    }
    case 3: {
      QueueScript subject(script, SegmentKind::pipe, name);
      play(script, name, subject);
      break;
    }
    default: {
      QueueScript subject(script, SegmentKind::queue, name);
      play(script, name, subject);
      break;
    }
  }
}

}  // namespace
}  // namespace zoo::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
  zoo::test::Script script(bytes, count);
  zoo::test::playAll(script);
  return 0;
}
