#include <algorithm>
#include <array>
#include <memory>
#include <numeric>

#include "addon/bindings.h"
#include "addon/calls.h"
#include "addon/environment.h"
#include "addon/leftovers.h"
#include "core/queue/queue.h"

namespace zoo::addon {

namespace {

class QueueHandle final : public Handle {
 public:
  QueueHandle(Environment& environment, std::unique_ptr<Queue> queue)
      : Handle(environment), queue_(std::move(queue)) {
    created = queue_->created();
  }
  void close() override {
    if (!queue_->closed()) queue_->close();
  }
  void abandon() override {
    if (!queue_->closed()) queue_->abandon();
  }
  bool woken() const override {
    return !queue_->closed() && (queue_->wokenToRead() || queue_->wokenToWrite());
  }
  bool unlinkName() override {
    const bool removed = queue_->unlinkName();
    if (removed) forgetName(queue_->name());
    return removed;
  }
  std::string corruption() const override { return queue_->corruption(); }

  Queue& queue() { return *queue_; }
  bool closed() const { return queue_->closed(); }
  double* scratch() { return environment().scratch(); }

 private:
  std::unique_ptr<Queue> queue_;
};

// What a failed take or claim has to add to its status.
int64_t explained(QueueHandle& handle, Status status) {
  if (status == Status::peer_died || status == Status::failed) {
    handle.scratch()[0] = handle.queue().deadPid();
  } else if (status == Status::no_reader) {
    uint32_t pid = 0;
    handle.queue().readerLeft(pid);
    handle.scratch()[0] = pid;
  }
  return statusNumber(status);
}

int64_t put(QueueHandle& handle, const Arguments& arguments) {
  if (handle.closed()) return statusNumber(Status::closed);
  void* data = nullptr;
  size_t length = 0;
  if (!arguments.bytes(0, data, length)) return statusNumber(Status::would_block);
  return explained(handle, handle.queue().put(data, length));
}

// The sizes may lie where somebody else can change them: what is used was looked at before.
int64_t putPacked(QueueHandle& handle, const Arguments& arguments) {
  if (handle.closed()) return statusNumber(Status::closed);
  void* data = nullptr;
  void* size_data = nullptr;
  size_t left = 0;
  size_t count = 0;
  if (!arguments.bytes(0, data, left) || !arguments.bytes(1, size_data, count)) {
    return statusNumber(Status::misfit);
  }
  const auto* sizes = static_cast<const uint32_t*>(size_data);
  if (std::accumulate(sizes, sizes + count, uint64_t{0}) != left) {
    return statusNumber(Status::misfit);
  }
  const auto* bytes = static_cast<const std::byte*>(data);
  std::array<uint32_t, kMostInBatch> portion;
  size_t done = 0;
  while (done < count) {
    const size_t most = std::min(count - done, portion.size());
    std::copy_n(sizes + done, most, portion.begin());
    const uint64_t needed = std::accumulate(portion.begin(), portion.begin() + most, uint64_t{0});
    if (needed > left && done > 0) break;  // the next call, with what is left, says so
    if (needed > left) return statusNumber(Status::misfit);
    uint32_t put = 0;
    const Status status =
        handle.queue().putPacked(bytes, portion.data(), static_cast<uint32_t>(most), put);
    if (status != Status::ok && done == 0) return explained(handle, status);
    done += put;
    if (put < most) break;
    bytes += needed;
    left -= needed;
  }
  return static_cast<int64_t>(done);
}

int64_t reserve(QueueHandle& handle, const Arguments& arguments) {
  if (handle.closed()) return statusNumber(Status::closed);
  Cursor cursor = 0;
  uint64_t offset = 0;
  const Status status =
      handle.queue().reserve(static_cast<uint64_t>(arguments.number(0)), cursor, offset);
  if (status != Status::ok) return explained(handle, status);
  handle.scratch()[0] = static_cast<double>(offset);
  return cursor;
}

int64_t commit(QueueHandle& handle, const Arguments& arguments) {
  if (handle.closed()) return statusNumber(Status::closed);
  return statusNumber(handle.queue().commit(static_cast<Cursor>(arguments.number(0)),
                                            static_cast<uint64_t>(arguments.number(1))));
}

int64_t abort(QueueHandle& handle, const Arguments& arguments) {
  if (handle.closed()) return statusNumber(Status::closed);
  return statusNumber(handle.queue().abort(static_cast<Cursor>(arguments.number(0))));
}

int64_t take(QueueHandle& handle, const Arguments& arguments) {
  if (handle.closed()) return statusNumber(Status::closed);
  Environment& environment = handle.environment();
  const auto at = static_cast<uint64_t>(arguments.number(0));
  const uint64_t room = at < environment.slabBytes() ? environment.slabBytes() - at : 0;
  uint64_t size = 0;
  const Status status = handle.queue().take(environment.slab() + at, room, size);
  if (status == Status::ok) return static_cast<int64_t>(size);
  if (status == Status::slab_too_small) handle.scratch()[0] = static_cast<double>(size);
  return explained(handle, status);
}

template <uint64_t alignment>
int64_t takePacked(QueueHandle& handle, const Arguments& arguments) {
  if (handle.closed()) return statusNumber(Status::closed);
  Environment& environment = handle.environment();
  const auto most = std::min(static_cast<uint32_t>(arguments.number(0)), kMostInBatch);
  const auto at = static_cast<uint64_t>(arguments.number(1));
  const uint64_t room = at < environment.slabBytes() ? environment.slabBytes() - at : 0;
  auto* sizes = reinterpret_cast<uint32_t*>(handle.scratch());
  uint32_t taken = 0;
  const Status status =
      handle.queue().takePacked(environment.slab() + at, room, alignment, sizes, most, taken);
  return status == Status::ok ? taken : explained(handle, status);
}

void describe(QueueHandle& handle, uint32_t index, Cursor cursor, const Claim& claim) {
  double* fields = handle.scratch() + size_t{index} * kFieldsPerView;
  fields[0] = static_cast<double>(handle.queue().payloadOffset(claim));
  fields[1] = claim.payload_bytes;
  fields[2] = static_cast<double>(claim.seq);
  fields[3] = claim.deliveries;
  fields[4] = static_cast<double>(claim.timestamp_ns) / 1e6;
  fields[5] = static_cast<double>(cursor);
}

int64_t claim(QueueHandle& handle, const Arguments& arguments) {
  if (handle.closed()) return statusNumber(Status::closed);
  const auto most = std::min(static_cast<uint32_t>(arguments.number(0)), kMostInBatch);
  uint32_t claimed = 0;
  for (; claimed < most; ++claimed) {
    Cursor cursor = 0;
    Claim one;
    const Status status = handle.queue().claim(cursor, one);
    if (status != Status::ok) {
      if (claimed > 0) break;
      return explained(handle, status);
    }
    describe(handle, claimed, cursor, one);
  }
  return claimed;
}

int64_t claimDead(QueueHandle& handle, const Arguments&) {
  if (handle.closed()) return statusNumber(Status::closed);
  Cursor cursor = 0;
  Claim one;
  const Status status = handle.queue().claimDead(cursor, one);
  if (status != Status::ok) return statusNumber(status);
  describe(handle, 0, cursor, one);
  return 1;
}

int64_t release(QueueHandle& handle, const Arguments& arguments) {
  if (handle.closed()) return statusNumber(Status::closed);
  return statusNumber(handle.queue().release(static_cast<Cursor>(arguments.number(0))));
}

int64_t releaseBatch(QueueHandle& handle, const Arguments& arguments) {
  if (handle.closed()) return statusNumber(Status::closed);
  const auto count = std::min(static_cast<uint32_t>(arguments.number(0)), kMostInBatch);
  uint32_t first_bad = count;
  for (uint32_t index = 0; index < count; ++index) {
    const auto cursor = static_cast<Cursor>(handle.scratch()[index]);
    const Status status = handle.queue().release(cursor);
    if (status == Status::corrupt) return statusNumber(status);
    if (status != Status::ok && first_bad == count) first_bad = index;
  }
  if (first_bad == count) return 0;
  handle.scratch()[0] = first_bad;
  return statusNumber(Status::bad_cursor);
}

int64_t reject(QueueHandle& handle, const Arguments& arguments) {
  if (handle.closed()) return statusNumber(Status::closed);
  return statusNumber(handle.queue().reject(static_cast<Cursor>(arguments.number(0))));
}

uint64_t nanosecondsOf(double milliseconds) {
  return milliseconds >= 100 ? kLongestSleep : static_cast<uint64_t>(milliseconds * 1e6);
}

int64_t waitReadable(QueueHandle& handle, const Arguments& arguments) {
  if (handle.closed()) return statusNumber(Status::closed);
  return statusNumber(handle.queue().waitReadable(nanosecondsOf(arguments.number(0))));
}

int64_t waitWritable(QueueHandle& handle, const Arguments& arguments) {
  if (handle.closed()) return statusNumber(Status::closed);
  return statusNumber(handle.queue().waitWritable(static_cast<uint64_t>(arguments.number(0)),
                                                  nanosecondsOf(arguments.number(1))));
}

template <Status (Queue::*arm)(BellId)>
napi_value armCall(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  if (!arguments.valid()) return nullptr;
  auto& handle = arguments.handle<QueueHandle>();
  if (handle.closed()) return integer(env, statusNumber(Status::closed));
  Error error;
  const Doorbell* bell = handle.environment().bell(error);
  if (bell == nullptr) return throwError(env, error);
  return integer(env, statusNumber((handle.queue().*arm)(bell->id())));
}

int64_t disarmRead(QueueHandle& handle, const Arguments&) {
  if (!handle.closed()) handle.queue().disarmRead();
  return 0;
}

int64_t disarmWrite(QueueHandle& handle, const Arguments&) {
  if (!handle.closed()) handle.queue().disarmWrite();
  return 0;
}

int64_t lookAround(QueueHandle& handle, const Arguments&) {
  return handle.closed() ? 0 : handle.queue().lookAround();
}

int64_t end(QueueHandle& handle, const Arguments&) {
  if (handle.closed()) return statusNumber(Status::closed);
  handle.queue().end();
  return 0;
}

int64_t becomeWriter(QueueHandle& handle, const Arguments&) {
  if (handle.closed()) return statusNumber(Status::closed);
  return statusNumber(handle.queue().becomeWriter());
}

int64_t holdWakes(QueueHandle& handle, const Arguments& arguments) {
  if (handle.closed()) return statusNumber(Status::closed);
  handle.queue().holdWakes(arguments.number(0) != 0);
  return statusNumber(Status::ok);
}

int64_t fail(QueueHandle& handle, const Arguments& arguments) {
  if (handle.closed()) return statusNumber(Status::closed);
  void* data = nullptr;
  size_t length = 0;
  if (!arguments.bytes(0, data, length) || length == 0) return statusNumber(Status::would_block);
  handle.queue().fail(data, length);
  return 0;
}

napi_value failure(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  if (!arguments.valid()) return nullptr;
  auto& handle = arguments.handle<QueueHandle>();
  if (handle.closed()) return undefined(env);
  uint64_t size = 0;
  const std::byte* bytes = handle.queue().failure(size);
  if (bytes == nullptr) return undefined(env);
  napi_value copy = nullptr;
  void* target = nullptr;
  ZOO_TRY(napi_create_buffer_copy(env, size, bytes, &target, &copy));
  return copy;
}

int64_t becomeReader(QueueHandle& handle, const Arguments&) {
  if (handle.closed()) return statusNumber(Status::closed);
  handle.queue().becomeReader();
  return 0;
}

int64_t readerLeft(QueueHandle& handle, const Arguments&) {
  if (handle.closed()) return statusNumber(Status::closed);
  uint32_t pid = 0;
  const bool left = handle.queue().readerLeft(pid);
  handle.scratch()[0] = pid;
  return left ? 1 : 0;
}

int64_t room(QueueHandle& handle, const Arguments&) {
  return handle.closed() ? 0 : static_cast<int64_t>(handle.queue().room());
}

int64_t length(QueueHandle& handle, const Arguments&) {
  return handle.closed() ? 0 : static_cast<int64_t>(handle.queue().length());
}

napi_value stats(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  if (!arguments.valid()) return nullptr;
  auto& handle = arguments.handle<QueueHandle>();
  if (handle.closed()) return undefined(env);
  return statsObject(env, handle.queue().stats());
}

template <int64_t (*body)(QueueHandle&, const Arguments&)>
constexpr napi_callback hot = hotCall<QueueHandle, body>;

constexpr Function kFunctions[] = {
    {"put", hot<put>},
    {"putPacked", hot<putPacked>},
    {"reserve", hot<reserve>},
    {"commit", hot<commit>},
    {"abort", hot<abort>},
    {"take", hot<take>},
    {"takeMany", hot<takePacked<8>>},
    {"takePacked", hot<takePacked<1>>},
    {"claim", hot<claim>},
    {"claimDead", hot<claimDead>},
    {"release", hot<release>},
    {"releaseBatch", hot<releaseBatch>},
    {"reject", hot<reject>},
    {"waitReadable", hot<waitReadable>},
    {"waitWritable", hot<waitWritable>},
    {"armRead", armCall<&Queue::armRead>},
    {"armWrite", armCall<&Queue::armWrite>},
    {"disarmRead", hot<disarmRead>},
    {"disarmWrite", hot<disarmWrite>},
    {"lookAround", hot<lookAround>},
    {"end", hot<end>},
    {"becomeWriter", hot<becomeWriter>},
    {"holdWakes", hot<holdWakes>},
    {"fail", hot<fail>},
    {"failure", failure},
    {"becomeReader", hot<becomeReader>},
    {"readerLeft", hot<readerLeft>},
    {"room", hot<room>},
    {"length", hot<length>},
    {"stats", stats},
};

std::optional<std::vector<GroupOptions>> groupsOption(napi_env env, napi_value options) {
  napi_value list = property(env, options, "groups");
  uint32_t count = 0;
  if (list == nullptr || napi_get_array_length(env, list, &count) != napi_ok) return std::nullopt;
  std::vector<GroupOptions> groups;
  for (uint32_t index = 0; index < count; ++index) {
    napi_value entry = nullptr;
    if (napi_get_element(env, list, index, &entry) != napi_ok) return std::nullopt;
    GroupOptions group;
    group.name = textOption(env, entry, "name").value_or("");
    group.overflow = static_cast<Overflow>(numberOption(env, entry, "overflow").value_or(0));
    groups.push_back(group);
  }
  return groups;
}

SegmentKind kindOf(const std::string& text) {
  if (text == "channel") return SegmentKind::channel;
  return text == "pipe" ? SegmentKind::pipe : SegmentKind::queue;
}

OpenMode openModeOf(const std::string& text) {
  if (text == "create") return OpenMode::create;
  return text == "open" ? OpenMode::open : OpenMode::either;
}

}  // namespace

napi_value openQueue(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  if (!arguments.valid()) return nullptr;
  Environment* environment = Environment::of(env);
  if (environment == nullptr) return nullptr;
  const napi_value given = arguments.value(1);
  const std::string name = textOf(env, arguments.value(0)).value_or("");
  QueueOptions options;
  if (const auto bytes = numberOption(env, given, "bytes"))
    options.bytes = static_cast<uint64_t>(*bytes);
  if (const auto slots = numberOption(env, given, "slots"))
    options.slots = static_cast<uint32_t>(*slots);
  if (const auto bytes = numberOption(env, given, "slotBytes")) {
    options.slot_bytes = static_cast<uint64_t>(*bytes);
  }
  options.groups = groupsOption(env, given);
  if (const auto most = numberOption(env, given, "maxDeliveries")) {
    options.max_deliveries = static_cast<uint32_t>(*most);
  }
  if (const auto mode = numberOption(env, given, "mode")) {
    options.mode = static_cast<uint32_t>(*mode);
  }
  options.set_aside = booleanOption(env, given, "reserve").value_or(true);
  options.prefault = booleanOption(env, given, "prefault");
  options.group = textOption(env, given, "group");
  options.label = textOption(env, given, "label").value_or("");
  options.writer = booleanOption(env, given, "writer").value_or(false);
  options.kind = kindOf(textOption(env, given, "kind").value_or("queue"));
  options.codec = textOption(env, given, "codec").value_or("");
  options.most_messages =
      static_cast<uint32_t>(numberOption(env, given, "mostMessages").value_or(0));
  options.end = textOption(env, given, "end").value_or("writer") == "writer" ? PipeEnd::writer
                                                                             : PipeEnd::reader;
  const OpenMode mode = openModeOf(textOption(env, given, "openMode").value_or("either"));

  Result<std::unique_ptr<Queue>> opened = Queue::open(name, mode, options);
  if (!opened) return throwError(env, opened.error());
  if (options.writer && (*opened)->becomeWriter() == Status::ended) {
    return throwError(
        env, Error::of(ErrorCode::ended, 0,
                       "queue '%s' is at its end: no writer can join it any more", name.c_str()));
  }
  auto owned = std::make_unique<QueueHandle>(*environment, opened.take());
  QueueHandle* handle = owned.get();
  Queue& queue = handle->queue();
  if (queue.created() && !booleanOption(env, given, "persist").value_or(false)) {
    rememberName(name, queue.identity(), RemoveWhen::always);
  }
  napi_value result = environment->adopt(std::move(owned));
  napi_value groups = array(env);
  for (uint32_t group = 0; group < queue.constants().group_count; ++group) {
    ZOO_TRY(napi_set_element(env, groups, group, text(env, groupName(queue.constants(), group))));
  }
  if (!set(env, result, "memory",
           environment->show(*handle, queue.mapping(), queue.mapping()->reachable())) ||
      !set(env, result, "capacity", number(env, static_cast<double>(queue.capacity()))) ||
      !set(env, result, "limit", number(env, static_cast<double>(queue.limit()))) ||
      !set(env, result, "slots", integer(env, queue.slots())) ||
      !set(env, result, "group", text(env, groupName(queue.constants(), queue.group()))) ||
      !set(env, result, "groups", groups) || !set(env, result, "codec", text(env, queue.codec())) ||
      !set(env, result, "pipeEnd",
           text(env, queue.pipeEnd() == PipeEnd::reader ? "reader" : "writer"))) {
    return nullptr;
  }
  return bindFunctions(env, result, kFunctions, handle) ? result : nullptr;
}

napi_value unlinkQueue(napi_env env, napi_callback_info info) {
  return unlinkCall<&Queue::unlink<SegmentKind::queue>>(env, info);
}

napi_value unlinkChannel(napi_env env, napi_callback_info info) {
  return unlinkCall<&Queue::unlink<SegmentKind::channel>>(env, info);
}

napi_value unlinkPipe(napi_env env, napi_callback_info info) {
  return unlinkCall<&Queue::unlink<SegmentKind::pipe>>(env, info);
}

}  // namespace zoo::addon
