#include "addon/warm_memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <unordered_map>

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
  // `loan` is the number to give it back under.
  void* take(size_t bytes, uintptr_t& loan) {
    // Also what fits is judged by this: a block that this very size was given has to fit it again.
    const size_t capacity = (bytes + kGranularity - 1) / kGranularity * kGranularity;
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      const auto found = kept_.lower_bound(bytes);
      if (found != kept_.end() && found->first <= capacity + capacity / 2) {
        const Block block = {found->second, found->first};
        kept_bytes_ -= block.capacity;
        kept_.erase(found);
        loan = lend(block);
        return block.memory;
      }
    }
    void* memory =
        mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    const std::lock_guard<std::mutex> guard(mutex_);
    loan = lend({memory, capacity});
    return memory;
  }

  // The first time counts.
  void giveBack(uintptr_t loan) {
    Block block;
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      const auto found = lent_.find(loan);
      if (found == lent_.end()) return;
      block = found->second;
      lent_.erase(found);
      if (kept_bytes_ + block.capacity <= kMostKeptBytes) {
        kept_.emplace(block.capacity, block.memory);
        kept_bytes_ += block.capacity;
        return;
      }
    }
    munmap(block.memory, block.capacity);
  }

 private:
  struct Block {
    void* memory = nullptr;
    size_t capacity = 0;
  };

  uintptr_t lend(const Block& block) {
    lent_.emplace(++last_loan_, block);
    return last_loan_;
  }

  std::mutex mutex_;
  std::unordered_map<uintptr_t, Block> lent_;
  uintptr_t last_loan_ = 0;
  std::multimap<size_t, void*> kept_;
  size_t kept_bytes_ = 0;
};

}  // namespace

napi_value warmBuffer(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  if (!arguments.valid()) return nullptr;
  double bytes = 0;
  napi_get_value_double(env, arguments.value(0), &bytes);
  uintptr_t loan = 0;
  void* block = Blocks::ofThisProcess().take(static_cast<size_t>(bytes), loan);
  if (block == nullptr) {
    napi_throw_error(env, "ERR_ZOO_SYSTEM", "no memory for a large value");
    return nullptr;
  }
  napi_value buffer = nullptr;
  const auto finalize = [](napi_env, void*, void* hint) {
    Blocks::ofThisProcess().giveBack(reinterpret_cast<uintptr_t>(hint));
  };
  if (napi_create_external_arraybuffer(env, block, static_cast<size_t>(bytes), finalize,
                                       reinterpret_cast<void*>(loan), &buffer) != napi_ok) {
    // Some versions of Node have called the finalizer by now, some will, and some will not.
    Blocks::ofThisProcess().giveBack(loan);
    return nullptr;
  }
  return buffer;
}

}  // namespace zoo::addon
