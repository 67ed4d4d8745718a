// Messages that can be told apart and checked: a head that says who they are, and filler that
// follows from it, so that a torn or foreign byte is noticed.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

namespace zoo::test {

struct MessageHead {
  uint64_t id;
  uint32_t bytes;  // of the whole message
  uint32_t check;
};

inline constexpr uint32_t kSmallestMessage = sizeof(MessageHead);

inline uint64_t mixed(uint64_t value) {
  value = (value ^ (value >> 31)) * 0x7fb5d329728ea185ull;
  value = (value ^ (value >> 27)) * 0x81dadef4bc2dd44dull;
  return value ^ (value >> 33);
}

inline uint32_t headCheck(uint64_t id, uint32_t bytes) {
  return static_cast<uint32_t>(mixed(id * 31 + bytes));
}

inline void fillMessage(void* target, uint64_t id, uint32_t bytes) {
  auto* at = static_cast<unsigned char*>(target);
  const MessageHead head = {id, bytes, headCheck(id, bytes)};
  std::memcpy(at, &head, sizeof head);
  uint64_t filler = mixed(id + 1);
  for (uint32_t offset = sizeof head; offset < bytes;
       offset += 8, filler += 0x9e3779b97f4a7c15ull) {
    std::memcpy(at + offset, &filler, bytes - offset < 8 ? bytes - offset : 8);
  }
}

// Whether the bytes are one whole message; then its id is in `id`.
inline bool readMessage(const void* source, uint64_t bytes, uint64_t& id) {
  const auto* at = static_cast<const unsigned char*>(source);
  MessageHead head;
  if (bytes < sizeof head) return false;
  std::memcpy(&head, at, sizeof head);
  if (head.bytes != bytes || head.check != headCheck(head.id, head.bytes)) return false;
  uint64_t filler = mixed(head.id + 1);
  for (uint32_t offset = sizeof head; offset < bytes;
       offset += 8, filler += 0x9e3779b97f4a7c15ull) {
    if (std::memcmp(at + offset, &filler, bytes - offset < 8 ? bytes - offset : 8) != 0)
      return false;
  }
  id = head.id;
  return true;
}

// Messages side by side.
inline std::vector<std::byte> packedMessages(const std::vector<uint64_t>& ids, uint32_t bytes) {
  std::vector<std::byte> packed(ids.size() * bytes);
  for (size_t index = 0; index < ids.size(); ++index) {
    fillMessage(packed.data() + index * bytes, ids[index], bytes);
  }
  return packed;
}

inline std::vector<std::byte> messageOf(uint64_t id, uint32_t bytes) {
  std::vector<std::byte> message(bytes);
  fillMessage(message.data(), id, bytes);
  return message;
}

}  // namespace zoo::test
