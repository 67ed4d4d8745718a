#include "addon/warm_memory.h"

#include <sys/mman.h>

#include <map>
#include <mutex>

#include "addon/calls.h"
#include "addon/status.h"

namespace zoo::addon {

namespace {

// What is kept for the next copies; more is given back to the system.
constexpr size_t kMostKeptBytes = size_t{128} << 20;
constexpr size_t kGranularity = size_t{64} << 10;

// Blocks that nobody uses, by size. One for all threads of the process.
class Blocks {
 public:
  static Blocks& ofThisProcess() {
    static Blocks* blocks = new Blocks;  // outlives the threads that still return blocks
    return *blocks;
  }

  // The smallest kept block that is large enough and not wasteful, or a new one. Null: no memory.
  void* take(size_t bytes, size_t& capacity) {
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      const auto found = kept_.lower_bound(bytes);
      if (found != kept_.end() && found->first <= bytes + bytes / 2) {
        capacity = found->first;
        void* block = found->second;
        kept_bytes_ -= capacity;
        kept_.erase(found);
        return block;
      }
    }
    capacity = (bytes + kGranularity - 1) / kGranularity * kGranularity;
    void* block =
        mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return block == MAP_FAILED ? nullptr : block;
  }

  void giveBack(void* block, size_t capacity) {
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      if (kept_bytes_ + capacity <= kMostKeptBytes) {
        kept_.emplace(capacity, block);
        kept_bytes_ += capacity;
        return;
      }
    }
    munmap(block, capacity);
  }

 private:
  std::mutex mutex_;
  std::multimap<size_t, void*> kept_;
  size_t kept_bytes_ = 0;
};

}  // namespace

napi_value warmBuffer(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  if (!arguments.valid()) return nullptr;
  double bytes = 0;
  napi_get_value_double(env, arguments.value(0), &bytes);
  size_t capacity = 0;
  void* block = Blocks::ofThisProcess().take(static_cast<size_t>(bytes), capacity);
  if (block == nullptr) {
    napi_throw_error(env, "ERR_ZOO_SYSTEM", "no memory for a large value");
    return nullptr;
  }
  napi_value buffer = nullptr;
  const auto finalize = [](napi_env, void* data, void* hint) {
    Blocks::ofThisProcess().giveBack(data, reinterpret_cast<size_t>(hint));
  };
  if (napi_create_external_arraybuffer(env, block, static_cast<size_t>(bytes), finalize,
                                       reinterpret_cast<void*>(capacity), &buffer) != napi_ok) {
    Blocks::ofThisProcess().giveBack(block, capacity);
    return nullptr;
  }
  return buffer;
}

}  // namespace zoo::addon
