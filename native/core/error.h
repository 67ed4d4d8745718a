// What can go wrong when a segment is opened, made or closed, with the values a person needs.
// Calls that messages pass through answer a `Status` instead (status.h).
#pragma once

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>

namespace zoo {

enum class ErrorCode : uint32_t {
  notFound,
  exists,
  gone,
  wrongKind,
  incompatible,
  corrupt,
  noSpace,
  full,
  access,
  invalid,   // an argument that only the core can judge: an unknown group, a size of zero
  ended,     // the queue is at its end
  platform,  // this system lacks something we need
  system,    // a system call failed; see error_number and system_call
};

struct Error {
  ErrorCode code = ErrorCode::system;
  int error_number = 0;
  const char* system_call = nullptr;
  uint64_t needed = 0;
  uint64_t free = 0;
  char text[480] = {};

  [[gnu::format(printf, 3, 4)]] static Error of(ErrorCode code, int error_number,
                                                const char* format, ...) {
    Error error;
    error.code = code;
    error.error_number = error_number;
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(error.text, sizeof error.text, format, arguments);
    va_end(arguments);
    return error;
  }
};

// A value, or the reason why there is none.
template <typename T>
class Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) : error_(error) {}

  explicit operator bool() const { return value_.has_value(); }
  T& operator*() { return *value_; }
  T* operator->() { return &*value_; }
  T take() { return std::move(*value_); }
  const Error& error() const { return error_; }

 private:
  std::optional<T> value_;
  Error error_;
};

struct Done {};

}  // namespace zoo
