#include <memory>

#include "addon/bindings.h"
#include "addon/calls.h"
#include "addon/environment.h"
#include "addon/leftovers.h"
#include "core/lock/lock.h"

namespace zoo::addon {

namespace {

class LockHandle final : public Handle {
 public:
  LockHandle(Environment& environment, std::unique_ptr<Lock> lock)
      : Handle(environment), lock_(std::move(lock)) {
    created = lock_->created();
    lockOpens(lock_->descriptor(), lock_->identity());
  }
  ~LockHandle() override { close(); }
  void close() override {
    if (lock_->closed()) return;
    lockCloses(lock_->descriptor());
    lock_->close();
  }
  void abandon() override {
    if (lock_->closed()) return;
    lockCloses(lock_->descriptor());
    lock_->abandon();
  }
  bool woken() const override { return !lock_->closed() && lock_->woken(); }
  bool unlinkName() override {
    const bool removed = lock_->unlinkName();
    if (removed) forgetName(lock_->name());
    return removed;
  }
  std::string corruption() const override { return lock_->corruption(); }
  Lock& lock() { return *lock_; }
  bool closed() const { return lock_->closed(); }

 private:
  std::unique_ptr<Lock> lock_;
};

constexpr int64_t kTakenFromTheDead = 1;

int64_t taken(LockHandle& handle, Status status, const LockTaken& result) {
  if (status != Status::ok) return statusNumber(status);
  double* scratch = handle.environment().scratch();
  scratch[0] = static_cast<double>(result.generation);
  scratch[1] = result.dead_pid;
  return result.recovered ? kTakenFromTheDead : 0;
}

int64_t tryAcquire(LockHandle& handle, const Arguments&) {
  if (handle.closed()) return statusNumber(Status::closed);
  LockTaken result;
  const Status status = handle.lock().tryAcquire(result);
  return taken(handle, status, result);
}

int64_t acquire(LockHandle& handle, const Arguments& arguments) {
  if (handle.closed()) return statusNumber(Status::closed);
  const double milliseconds = arguments.number(0);
  LockTaken result;
  const Status status = handle.lock().acquire(
      milliseconds >= 100 ? kLongestSleep : static_cast<uint64_t>(milliseconds * 1e6), result);
  return taken(handle, status, result);
}

int64_t release(LockHandle& handle, const Arguments& arguments) {
  if (handle.closed()) return statusNumber(Status::closed);
  bool in_order = true;
  napi_get_value_bool(arguments.env(), arguments.value(0), &in_order);
  return statusNumber(handle.lock().release(in_order));
}

napi_value arm(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  if (!arguments.valid()) return nullptr;
  auto& handle = arguments.handle<LockHandle>();
  if (handle.closed()) return integer(env, statusNumber(Status::closed));
  Error error;
  const Doorbell* bell = handle.environment().bell(error);
  if (bell == nullptr) return throwError(env, error);
  return integer(env, statusNumber(handle.lock().arm(bell->id())));
}

int64_t disarm(LockHandle& handle, const Arguments&) {
  if (!handle.closed()) handle.lock().disarm();
  return 0;
}

napi_value owner(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  if (!arguments.valid()) return nullptr;
  auto& handle = arguments.handle<LockHandle>();
  LockOwner found;
  if (handle.closed() || !handle.lock().owner(found)) return undefined(env);
  napi_value result = object(env);
  if (!set(env, result, "pid", integer(env, found.pid)) ||
      !set(env, result, "label", text(env, found.label)) ||
      !set(env, result, "since", number(env, found.since_ms))) {
    return nullptr;
  }
  return result;
}

constexpr Function kFunctions[] = {
    {"tryAcquire", hotCall<LockHandle, tryAcquire>}, {"acquire", hotCall<LockHandle, acquire>},
    {"release", hotCall<LockHandle, release>},       {"arm", arm},
    {"disarm", hotCall<LockHandle, disarm>},         {"owner", owner},
};

}  // namespace

napi_value openLock(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  if (!arguments.valid()) return nullptr;
  Environment* environment = Environment::of(env);
  if (environment == nullptr) return nullptr;
  const std::string name = textOf(env, arguments.value(0)).value_or("");
  LockOptions options;
  if (const auto mode = numberOption(env, arguments.value(1), "mode")) {
    options.mode = static_cast<uint32_t>(*mode);
  }
  options.label = textOption(env, arguments.value(1), "label").value_or("");
  Result<std::unique_ptr<Lock>> opened = Lock::open(name, options);
  if (!opened) return throwError(env, opened.error());
  auto owned = std::make_unique<LockHandle>(*environment, opened.take());
  LockHandle* handle = owned.get();
  if (handle->created) {
    Result<Descriptor> probe = handle->lock().probe();
    if (probe) {
      rememberName(name, handle->lock().identity(), RemoveWhen::nobody_uses_it, probe->release());
    }
  }
  napi_value result = environment->adopt(std::move(owned));
  return bindFunctions(env, result, kFunctions, handle) ? result : nullptr;
}

napi_value unlinkLock(napi_env env, napi_callback_info info) {
  return unlinkCall<&Lock::unlink>(env, info);
}

}  // namespace zoo::addon
