// What a handle has out: reservations and claims, each under a number that is never used twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/kill_step.h"

namespace zoo {

// 20 bits of place, the rest a serial number: a cursor that was settled is never mistaken for a
// later one, and every cursor is exact in a JavaScript number.
using Cursor = int64_t;

template <typename Item>
class Cursors {
 public:
  Cursor add(const Item& item) {
    uint32_t place;
    if (free_.empty()) {
      place = static_cast<uint32_t>(entries_.size());
      entries_.push_back({});
    } else {
      place = free_.back();
      free_.pop_back();
    }
    Entry& entry = entries_[place];
    entry.item = item;
    entry.serial = ++serial_;
    ++out_;
    return static_cast<Cursor>(entry.serial << kPlaceBits | place);
  }

  Item* find(Cursor cursor) {
    if (cursor < 0) return nullptr;
    const auto place = static_cast<uint64_t>(cursor) & ((uint64_t{1} << kPlaceBits) - 1);
    if (place >= entries_.size()) return nullptr;
    Entry& entry = entries_[place];
    if (ZOO_MUTATED(27) && entry.serial != 0) return &entry.item;
    return entry.serial == static_cast<uint64_t>(cursor) >> kPlaceBits ? &entry.item : nullptr;
  }

  void remove(Cursor cursor) {
    const auto place = static_cast<uint32_t>(cursor & ((Cursor{1} << kPlaceBits) - 1));
    entries_[place].serial = 0;
    free_.push_back(place);
    --out_;
  }

  template <typename Visit>
  void forEach(Visit visit) {
    for (Entry& entry : entries_) {
      if (entry.serial != 0) visit(entry.item);
    }
  }
  void clear() {
    entries_.clear();
    free_.clear();
    out_ = 0;
  }

  uint64_t out() const { return out_; }
  bool full() const { return free_.empty() && entries_.size() >= (size_t{1} << kPlaceBits); }

 private:
  static constexpr int kPlaceBits = 20;
  struct Entry {
    Item item;
    uint64_t serial = 0;  // 0: free
  };
  std::vector<Entry> entries_;
  std::vector<uint32_t> free_;
  uint64_t serial_ = 0;
  uint64_t out_ = 0;
};

}  // namespace zoo
