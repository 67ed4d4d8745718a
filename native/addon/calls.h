// Hot functions: bound to their handle by the function's data pointer, numbers in and out.
#pragma once

#include <node_api.h>

#include <array>
#include <cstdint>

#include "addon/leftovers.h"
#include "addon/status.h"
#include "addon/values.h"
#include "core/status.h"

namespace zoo::addon {

// Up to two arguments of a call. What is no number reads as 0: the JavaScript layer has checked.
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = values_.size();
    valid_ = napi_get_cb_info(env, info, &count, values_.data(), nullptr, &data_) == napi_ok;
  }
  bool valid() const { return valid_; }
  template <typename T>
  T& handle() const {
    return *static_cast<T*>(data_);
  }
  napi_env env() const { return env_; }
  napi_value value(size_t index) const { return values_[index]; }
  double number(size_t index) const {
    double result = 0;
    napi_get_value_double(env_, values_[index], &result);
    return result;
  }
  // Of a typed array; its length counts elements.
  bool bytes(size_t index, void*& data, size_t& length) const {
    napi_typedarray_type type;
    return napi_get_typedarray_info(env_, values_[index], &type, &length, &data, nullptr,
                                    nullptr) == napi_ok;
  }

 private:
  napi_env env_;
  std::array<napi_value, 2> values_{};
  void* data_ = nullptr;
  bool valid_ = false;
};

// Makes a Node-API callback of `int64_t body(Handle&, const Arguments&)`.
template <typename Handle, int64_t (*body)(Handle&, const Arguments&)>
napi_value hotCall(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  if (!arguments.valid()) return nullptr;
  return integer(env, body(arguments.handle<Handle>(), arguments));
}

struct Function {
  const char* name;
  napi_callback callback;
};

// Hangs functions on `target` that work on `handle`.
template <typename Handle, size_t count>
bool bindFunctions(napi_env env, napi_value target, const Function (&functions)[count],
                   Handle* handle) {
  for (const Function& function : functions) {
    napi_value value = nullptr;
    if (napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.callback, handle,
                             &value) != napi_ok ||
        !set(env, target, function.name, value)) {
      return false;
    }
  }
  return true;
}

// Makes a Node-API callback that removes the name in its argument.
template <Result<bool> (*unlink)(const std::string&)>
napi_value unlinkCall(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  if (!arguments.valid()) return nullptr;
  const std::string name = textOf(env, arguments.value(0)).value_or("");
  Result<bool> removed = unlink(name);
  if (!removed) return throwError(env, removed.error());
  if (*removed) forgetName(name);
  return boolean(env, *removed);
}

inline constexpr int64_t statusNumber(Status status) { return static_cast<int64_t>(status); }

}  // namespace zoo::addon
