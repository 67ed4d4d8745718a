// What the addon keeps for one environment (the main thread or a worker).
#pragma once

#include <node_api.h>
#include <uv.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>

#include "addon/values.h"
#include "core/os/doorbell.h"
#include "core/os/mapping.h"

namespace zoo::addon {

inline constexpr uint32_t kMostInBatch = 1024;
inline constexpr uint32_t kFieldsPerView = 6;

class Environment;

// A handle as the environment sees it. It lives as long as the JavaScript object that its functions
// hang on.
class Handle {
 public:
  explicit Handle(Environment& environment) : environment_(environment) {}
  virtual ~Handle() = default;
  virtual void close() = 0;    // in good order
  virtual void abandon() = 0;  // as a death would
  virtual bool woken() const = 0;
  virtual bool unlinkName() = 0;
  virtual std::string corruption() const = 0;

  Environment& environment() { return environment_; }
  uint32_t id = 0;
  bool created = false;
  napi_ref memory = nullptr;  // weak, on the buffer that shows the memory

 private:
  Environment& environment_;
};

class Environment {
 public:
  static napi_value initialise(napi_env env, napi_value exports);
  static Environment* of(napi_env env);

  napi_env env() const { return env_; }
  double* scratch() { return scratch_; }
  std::byte* slab() { return slab_; }
  uint64_t slabBytes() const { return slab_bytes_; }
  napi_value setSlab(napi_value buffer);

  // The memory as an ArrayBuffer. It unmaps when the buffer is collected or the environment ends.
  napi_value show(Handle& handle, const std::shared_ptr<Mapping>& mapping, uint64_t bytes);
  // Empties the buffer: every view on it has length 0 from now on.
  void detach(Handle& handle);

  // The common part of every handle: an object with id, created, close, unlink, corruption.
  napi_value adopt(std::unique_ptr<Handle> handle);
  // In good order; its views have length 0 from now on.
  void close(Handle& handle);

  // The bell that wakes this event loop, made when first needed. Null: it cannot be made.
  const Doorbell* bell(Error& error);
  napi_value onWake(napi_value callback);
  void keepAlive(bool on);
  void leave(bool proper);

 private:
  explicit Environment(napi_env env) : env_(env) {}
  void ring();
  void forget(uint32_t id);
  void stopPolling(napi_async_cleanup_hook_handle hook);

  // Mappings shown to JavaScript whose buffers were not collected yet.
  struct Shown;
  struct ShownList {
    std::set<Shown*> all;
  };
  struct Shown {
    std::shared_ptr<Mapping> mapping;
    std::shared_ptr<ShownList> list;
  };
  static void forgetShown(napi_env env, void* data, void* hint);

  napi_env env_;
  double* scratch_ = nullptr;
  std::byte* slab_ = nullptr;
  uint64_t slab_bytes_ = 0;
  napi_ref slab_reference_ = nullptr;
  napi_ref wake_callback_ = nullptr;
  napi_async_context wake_context_ = nullptr;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  std::optional<Doorbell> bell_;
  uv_poll_t* poll_ = nullptr;
  bool keep_alive_ = false;
  std::unordered_map<uint32_t, std::unique_ptr<Handle>> handles_;
  std::set<Handle*> open_;
  uint32_t next_id_ = 0;
  std::shared_ptr<const bool> lives_ = std::make_shared<const bool>(true);
  std::shared_ptr<ShownList> shown_ = std::make_shared<ShownList>();
};

}  // namespace zoo::addon
