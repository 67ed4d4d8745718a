#include <memory>

#include "addon/bindings.h"
#include "addon/calls.h"
#include "addon/environment.h"
#include "addon/leftovers.h"
#include "core/memory/memory.h"

namespace zoo::addon {

namespace {

class MemoryHandle final : public Handle {
 public:
  MemoryHandle(Environment& environment, std::unique_ptr<Memory> memory)
      : Handle(environment), memory_(std::move(memory)) {
    created = memory_->created();
  }
  void close() override { memory_->close(); }
  void abandon() override {
    if (!memory_->closed()) memory_->abandon();
  }
  bool woken() const override { return false; }
  bool unlinkName() override {
    const bool removed = memory_->unlinkName();
    if (removed) forgetName(memory_->name());
    return removed;
  }
  std::string corruption() const override { return {}; }
  Memory& core() { return *memory_; }
  // The bytes as a new buffer; the one before is empty from now on, with all views of it.
  napi_value show() {
    environment().detach(*this);
    return environment().show(*this, memory_->mapping(), memory_->byteLength());
  }

 private:
  std::unique_ptr<Memory> memory_;
};

napi_value renewMemory(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  if (!arguments.valid()) return nullptr;
  auto& handle = arguments.handle<MemoryHandle>();
  if (handle.core().closed()) return undefined(env);
  if (handle.core().takenAway()) {
    return throwError(env,
                      Error::of(ErrorCode::corrupt, 0,
                                "renew: the shared memory of memory '%s' is damaged (%s); stop "
                                "its users, remove the name with unlink() and make it again",
                                handle.core().name().c_str(), kTakenAway));
  }
  return handle.show();
}

constexpr Function kFunctions[] = {{"renew", renewMemory}};

}  // namespace

napi_value openMemory(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  if (!arguments.valid()) return nullptr;
  Environment* environment = Environment::of(env);
  if (environment == nullptr) return nullptr;
  const napi_value given = arguments.value(1);
  const std::string name = textOf(env, arguments.value(0)).value_or("");
  MemoryOptions options;
  options.bytes = static_cast<uint64_t>(numberOption(env, given, "bytes").value_or(0));
  options.mode = static_cast<uint32_t>(numberOption(env, given, "mode").value_or(0600));
  options.set_aside = booleanOption(env, given, "reserve").value_or(true);
  const bool create = textOption(env, given, "openMode").value_or("open") == "create";
  Result<std::unique_ptr<Memory>> opened =
      Memory::open(name, create ? OpenMode::create : OpenMode::open, options);
  if (!opened) return throwError(env, opened.error());
  auto owned = std::make_unique<MemoryHandle>(*environment, opened.take());
  MemoryHandle* handle = owned.get();
  if (handle->created && !booleanOption(env, given, "persist").value_or(false)) {
    rememberName(name, handle->core().identity(), RemoveWhen::always);
  }
  const auto bytes = static_cast<double>(handle->core().byteLength());
  napi_value result = environment->adopt(std::move(owned));
  if (!set(env, result, "memory", handle->show()) ||
      !set(env, result, "byteLength", number(env, bytes)) ||
      !bindFunctions(env, result, kFunctions, handle)) {
    return nullptr;
  }
  return result;
}

napi_value unlinkMemory(napi_env env, napi_callback_info info) {
  return unlinkCall<&Memory::unlink>(env, info);
}

}  // namespace zoo::addon
