// Deaths of those who use a channel or a pipe: whoever is at the other end gets
// everything that was put, and then the end, the error, or that the other one
// died; a pipe has each end only once.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/chain_trials.h"

namespace zoo::test {

class ChannelTrial;

struct ChannelOperation {
  const char* name;
  SegmentKind kind;
  PipeEnd creators_end;  // of a pipe; the driver makes it, and whoever opens it
                         // has the other
  bool victim_makes;     // the victim does, and opens it first
  std::function<void(ChannelTrial&, Actor&, const Hook& arm)> act;
};

struct ChannelReport {
  std::atomic<bool> opened, ended, failed, left;  // what has returned
};

inline constexpr uint32_t kChannelMessages = 3;
inline constexpr uint64_t kErrorId = 4'000'000;

class ChannelTrial {
 public:
  explicit ChannelTrial(ChannelOperation operation)
      : operation_(std::move(operation)),
        ledger_(sharedWithChildren<QueueLedger>()),
        report_(sharedWithChildren<ChannelReport>()) {}

  ChannelReport& report() { return report_; }

  Act victim() {
    return [this](const Hook& earlier, const Hook& arm) {
      const bool arms_first = operation_.victim_makes || isPipe();
      if (arms_first) arm();
      const std::unique_ptr<Queue> queue = open(operation_.creators_end);
      report_.opened = true;
      Actor actor(ledger_, *queue);
      if (!isPipe() && !operation_.victim_makes) queue->becomeWriter();
      earlier();
      operation_.act(*this, actor, arms_first ? Hook([] {}) : arm);
      step_hook = nullptr;
      dieIfNotClosed(*queue);
    };
  }
  Act repairer() {
    return [this](const Hook& earlier, const Hook& arm) {
      const std::unique_ptr<Queue> queue = open(PipeEnd::none);
      earlier();
      arm();
      queue->lookAround();
      step_hook = nullptr;
      queue->abandon();
    };
  }

  void run(const std::vector<Act>& acts, Strides strides, const std::string& what) {
    KillDriver::instance().everyDeath(
        what, acts, strides, [this] { prepare(); }, [this] { check(); });
  }

 private:
  static KillDriver& driver() { return KillDriver::instance(); }
  bool isPipe() const { return operation_.kind == SegmentKind::pipe; }

  QueueOptions options(PipeEnd end) const {
    QueueOptions options;
    options.kind = operation_.kind;
    options.bytes = Scene::kRingBytes;
    if (!isPipe()) options.most_messages = kChannelMessages;
    options.end = end;
    options.codec = "test";
    return options;
  }
  std::unique_ptr<Queue> open(PipeEnd end) {
    Result<std::unique_ptr<Queue>> queue = Queue::open(name_, OpenMode::either, options(end));
    if (!queue) driver().fail("open: %s", queue.error().text);
    return queue.take();
  }

  void prepare() {
    name_ = freshName("channel");
    ledger_.clear();
    new (&report_) ChannelReport{};
    host_.reset();
    if (operation_.victim_makes) return;
    if (isPipe()) {
      host_ = open(operation_.creators_end);
    } else {
      // The one who made it has died since, so that all of its writers are
      // those of the trial.
      waitForEnd(startChild([&] {
        open(PipeEnd::none).release();
        dieHere();
      }));
      host_ = open(PipeEnd::none);
      host_->becomeReader();
    }
    if (host_->pipeEnd() == PipeEnd::writer) Actor(ledger_, *host_).put(kSmall);
    ledger_.settle(5);
  }

  void check() {
    if (host_ == nullptr && !openAsNewcomer()) return;
    host_->lookAround();
    if (host_->pipeEnd() == PipeEnd::writer)
      checkReaderGone();
    else
      checkMessagesAndEnd();
    host_->close();
    host_.reset();
    unlink(shmPath(name_).c_str());
  }

  // The victim was to make it: then it is whole, or not there.
  bool openAsNewcomer() {
    Result<std::unique_ptr<Queue>> queue =
        Queue::open(name_, OpenMode::open, options(PipeEnd::none));
    if (!queue) {
      if (report_.opened || queue.error().code != ErrorCode::notFound) {
        driver().fail("open: %s", queue.error().text);
      }
      return false;
    }
    host_ = queue.take();
    if (host_->codec() != "test") driver().fail("the codec's name is gone");
    return true;
  }

  void checkMessagesAndEnd() {
    if (!isPipe()) checkBound();
    std::vector<std::byte> target(1 << 15);
    uint64_t size = 0, last = 0, id = 0;
    std::vector<bool> came(ledger_.next_id.load() + 1);
    Status status = Status::ok;
    while ((status = host_->take(target.data(), target.size(), size)) == Status::ok) {
      if (!readMessage(target.data(), size, id)) driver().fail("a message is torn");
      if (id <= last || id >= ledger_.next_id.load())
        driver().fail("a message came late, or twice");
      if (ledger_.lines[id].given_up) driver().fail("an aborted message came");
      if (ledger_.lines[id].finish == Phase::returned) driver().fail("a message came again");
      came[last = id] = true;
    }
    for (uint64_t put = 1; put < ledger_.next_id.load(); ++put) {
      const LedgerLine& line = ledger_.lines[put];
      if (line.put == Phase::returned && line.finish == Phase::none && !came[put]) {
        driver().fail("message %llu is lost", printable(put));
      }
    }
    checkLast(status);
  }

  void checkLast(Status status) {
    if (status == Status::failed) {
      uint64_t size = 0, id = 0;
      const std::byte* bytes = host_->failure(size);
      if (bytes == nullptr || !readMessage(bytes, size, id) || id != kErrorId) {
        driver().fail("what it failed with is torn");
      }
    }
    const bool nobody_came = isPipe() && !operation_.victim_makes && status == Status::would_block;
    const bool fine = report_.failed ? status == Status::failed
                      : report_.ended
                          ? status == Status::ended
                          : status == Status::ended || status == Status::failed ||
                                status == Status::peer_died || (nobody_came && !report_.opened);
    if (!fine) driver().fail("the reader is told %lld", static_cast<long long>(status));
    if (nobody_came) checkEndIsFree();
  }

  void checkReaderGone() {
    const std::vector<std::byte> message = messageOf(1, kSmall);
    const Status status = host_->put(message.data(), message.size());
    const bool nobody_came = status == Status::ok && !report_.opened;
    if (status != Status::no_reader && !nobody_came) {
      driver().fail("the writer is told %lld", static_cast<long long>(status));
    }
    if (nobody_came) checkEndIsFree();
  }

  // Nobody took the other end, so that it is there for the next.
  void checkEndIsFree() {
    Result<std::unique_ptr<Queue>> other =
        Queue::open(name_, OpenMode::open, options(PipeEnd::none));
    if (!other) driver().fail("nobody has the other end: %s", other.error().text);
    if ((*other)->pipeEnd() == host_->pipeEnd()) driver().fail("both have the same end");
  }

  // As many as are allowed fit in, and not one more.
  void checkBound() {
    const WritersWord writers = {
        reinterpret_cast<const QueueHeader*>(host_->mapping()->base() + kBlockOffset)
            ->writers.load()};
    if (!writers.mayJoin()) return;
    const std::unique_ptr<Queue> writer = open(PipeEnd::none);
    const uint64_t waiting = writer->length();
    Actor actor(ledger_, *writer);
    uint64_t fit = 0;
    while (actor.tryPut(kSmall) != 0) ++fit;
    if (waiting + fit != kChannelMessages) {
      driver().fail("%llu wait and %llu fit, but %u are allowed", printable(waiting),
                    printable(fit), kChannelMessages);
    }
    writer->abandon();
    host_->lookAround();
  }

  ChannelOperation operation_;
  QueueLedger& ledger_;
  ChannelReport& report_;
  std::unique_ptr<Queue> host_;
  std::string name_;
};

}  // namespace zoo::test
