#include "addon/environment.h"

#include "addon/leftovers.h"

namespace zoo::addon {

namespace {

napi_value closeHandle(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  ZOO_TRY(napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data));
  auto& handle = *static_cast<Handle*>(data);
  handle.environment().close(handle);
  return undefined(env);
}

napi_value unlinkHandle(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  ZOO_TRY(napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data));
  return boolean(env, static_cast<Handle*>(data)->unlinkName());
}

napi_value corruptionOf(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  ZOO_TRY(napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data));
  return text(env, static_cast<Handle*>(data)->corruption());
}

bool bind(napi_env env, napi_value target, const char* name, napi_callback callback, void* data) {
  napi_value function = nullptr;
  return napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, data, &function) == napi_ok &&
         set(env, target, name, function);
}

}  // namespace

Environment* Environment::of(napi_env env) {
  void* data = nullptr;
  if (napi_get_instance_data(env, &data) != napi_ok) return nullptr;
  return static_cast<Environment*>(data);
}

napi_value Environment::initialise(napi_env env, napi_value exports) {
  auto* environment = new Environment(env);
  ZOO_TRY(napi_set_instance_data(
      env, environment,
      [](napi_env, void* data, void*) {
        auto* ending = static_cast<Environment*>(data);
        // Finalizers that never ran (a terminated worker) leave their mappings to us.
        for (Shown* shown : ending->shown_->all) shown->mapping.reset();
        ending->shown_->all.clear();
        delete ending;
      },
      nullptr));
  // Handles first: what this thread held counts as held by the dead from here on.
  ZOO_TRY(napi_add_async_cleanup_hook(
      env,
      [](napi_async_cleanup_hook_handle hook, void* data) {
        auto* ending = static_cast<Environment*>(data);
        for (Handle* handle : ending->open_) handle->abandon();
        ending->open_.clear();
        ending->stopPolling(hook);
      },
      environment, &environment->cleanup_));

  napi_value buffer = nullptr;
  void* bytes = nullptr;
  const size_t count = size_t{kMostInBatch} * kFieldsPerView;
  ZOO_TRY(napi_create_arraybuffer(env, count * sizeof(double), &bytes, &buffer));
  environment->scratch_ = static_cast<double*>(bytes);
  napi_value scratch = nullptr;
  ZOO_TRY(napi_create_typedarray(env, napi_float64_array, count, buffer, 0, &scratch));
  napi_ref kept = nullptr;
  ZOO_TRY(napi_create_reference(env, scratch, 1, &kept));
  if (!set(env, exports, "scratch", scratch)) return nullptr;
  return exports;
}

napi_value Environment::setSlab(napi_value buffer) {
  void* bytes = nullptr;
  size_t length = 0;
  ZOO_TRY(napi_get_arraybuffer_info(env_, buffer, &bytes, &length));
  napi_ref reference = nullptr;
  ZOO_TRY(napi_create_reference(env_, buffer, 1, &reference));
  if (slab_reference_ != nullptr) napi_delete_reference(env_, slab_reference_);
  slab_reference_ = reference;
  slab_ = static_cast<std::byte*>(bytes);
  slab_bytes_ = length;
  return undefined(env_);
}

void Environment::forgetShown(napi_env, void*, void* hint) {
  auto* shown = static_cast<Shown*>(hint);
  shown->list->all.erase(shown);
  delete shown;
}

napi_value Environment::show(Handle& handle, const std::shared_ptr<Mapping>& mapping,
                             uint64_t bytes) {
  auto* shown = new Shown{mapping, shown_};
  shown_->all.insert(shown);
  napi_value buffer = nullptr;
  // On failure some runtimes call the finalizer and some do not: the list settles both.
  ZOO_TRY(
      napi_create_external_arraybuffer(env_, mapping->data(), bytes, forgetShown, shown, &buffer));
  ZOO_TRY(napi_create_reference(env_, buffer, 0, &handle.memory));
  return buffer;
}

void Environment::detach(Handle& handle) {
  if (handle.memory == nullptr) return;
  napi_value buffer = nullptr;
  if (napi_get_reference_value(env_, handle.memory, &buffer) == napi_ok && buffer != nullptr) {
    napi_detach_arraybuffer(env_, buffer);
  }
  napi_delete_reference(env_, handle.memory);
  handle.memory = nullptr;
}

napi_value Environment::adopt(std::unique_ptr<Handle> handle) {
  Handle* added = handle.get();
  added->id = next_id_++;
  handles_.emplace(added->id, std::move(handle));
  open_.insert(added);
  napi_value result = object(env_);
  if (!set(env_, result, "id", integer(env_, added->id)) ||
      !set(env_, result, "created", boolean(env_, added->created)) ||
      !bind(env_, result, "close", closeHandle, added) ||
      !bind(env_, result, "unlink", unlinkHandle, added) ||
      !bind(env_, result, "corruption", corruptionOf, added)) {
    return nullptr;
  }
  // A handle that nobody can reach any more is closed. Where the environment ends first, it has
  // taken its handles along.
  struct Unreachable {
    std::weak_ptr<const bool> environment_lives;
    Environment* environment;
    uint32_t id;
  };
  ZOO_TRY(napi_wrap(
      env_, result, new Unreachable{lives_, this, added->id},
      [](napi_env, void* data, void*) {
        const std::unique_ptr<Unreachable> collected(static_cast<Unreachable*>(data));
        if (!collected->environment_lives.expired()) {
          collected->environment->forget(collected->id);
        }
      },
      nullptr, nullptr));
  return result;
}

void Environment::close(Handle& handle) {
  detach(handle);
  open_.erase(&handle);
  handle.close();
}

void Environment::forget(uint32_t id) {
  const auto found = handles_.find(id);
  if (found == handles_.end()) return;
  Handle& handle = *found->second;
  if (open_.erase(&handle) != 0) handle.close();
  if (handle.memory != nullptr) napi_delete_reference(env_, handle.memory);
  handles_.erase(found);
}

const Doorbell* Environment::bell(Error& error) {
  if (bell_) return &*bell_;
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env_, &loop) != napi_ok) {
    error = Error::of(ErrorCode::platform, 0, "this runtime has no libuv event loop to wait on");
    return nullptr;
  }
  Result<Doorbell> made = Doorbell::make();
  if (!made) {
    error = made.error();
    return nullptr;
  }
  bell_.emplace(made.take());
  poll_ = new uv_poll_t;
  if (uv_poll_init(loop, poll_, bell_->descriptor()) != 0) {
    delete poll_;
    poll_ = nullptr;
    bell_.reset();
    error = Error::of(ErrorCode::platform, 0, "this runtime's event loop cannot watch a FIFO");
    return nullptr;
  }
  poll_->data = this;
  uv_poll_start(poll_, UV_READABLE,
                [](uv_poll_t* poll, int, int) { static_cast<Environment*>(poll->data)->ring(); });
  // A signal may end the process without any of its code being run.
  rememberName(bell_->name(), identityOf(bell_->descriptor()), RemoveWhen::even_after_failure);
  keepAlive(keep_alive_);
  return &*bell_;
}

void Environment::ring() {
  bell_->silence();
  uint32_t count = 0;
  for (const Handle* handle : open_) {
    if (count < kMostInBatch && handle->woken()) scratch_[count++] = handle->id;
  }
  if (count == 0 || wake_callback_ == nullptr) return;
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return;
  napi_value callback = nullptr;
  napi_value receiver = nullptr;
  napi_value argument = integer(env_, count);
  napi_value result = nullptr;
  if (argument != nullptr && napi_get_reference_value(env_, wake_callback_, &callback) == napi_ok &&
      napi_get_global(env_, &receiver) == napi_ok &&
      napi_make_callback(env_, wake_context_, receiver, callback, 1, &argument, &result) ==
          napi_pending_exception) {
    napi_value thrown = nullptr;
    if (napi_get_and_clear_last_exception(env_, &thrown) == napi_ok)
      napi_fatal_exception(env_, thrown);
  }
  napi_close_handle_scope(env_, scope);
}

napi_value Environment::onWake(napi_value callback) {
  napi_value name = text(env_, "zoosync");
  ZOO_TRY(napi_async_init(env_, nullptr, name, &wake_context_));
  ZOO_TRY(napi_create_reference(env_, callback, 1, &wake_callback_));
  return undefined(env_);
}

void Environment::keepAlive(bool on) {
  keep_alive_ = on;
  if (poll_ == nullptr) return;
  auto* handle = reinterpret_cast<uv_handle_t*>(poll_);
  if (on)
    uv_ref(handle);
  else
    uv_unref(handle);
}

void Environment::leave(bool proper) {
  const bool is_main_thread = getpid() == gettid();
  if (!proper) {
    if (is_main_thread) endsImproperly();
    return;
  }
  while (!open_.empty()) close(**open_.begin());
}

void Environment::stopPolling(napi_async_cleanup_hook_handle hook) {
  struct Closing {
    napi_async_cleanup_hook_handle hook;
    std::optional<Doorbell> bell;
  };
  if (poll_ == nullptr) {
    napi_remove_async_cleanup_hook(hook);
    return;
  }
  uv_poll_stop(poll_);
  forgetName(bell_->name());
  poll_->data = new Closing{hook, std::move(bell_)};
  bell_.reset();
  uv_close(reinterpret_cast<uv_handle_t*>(poll_), [](uv_handle_t* closed) {
    auto* closing = static_cast<Closing*>(closed->data);
    napi_remove_async_cleanup_hook(closing->hook);
    delete closing;
    delete reinterpret_cast<uv_poll_t*>(closed);
  });
  poll_ = nullptr;
}

}  // namespace zoo::addon
