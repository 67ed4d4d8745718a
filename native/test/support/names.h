// Names in /dev/shm that only this test uses, and what is left of them.
#pragma once

#include <dirent.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "core/os/shm_file.h"

namespace zoo::test {

inline std::string namePrefix(pid_t process = getpid()) {
  return "zoosync-test-" + std::to_string(process) + "-";
}

inline std::string freshName(const char* purpose) {
  static int count = 0;
  return namePrefix() + purpose + "-" + std::to_string(++count);
}

inline std::vector<std::string> leftovers(const std::string& prefix) {
  std::vector<std::string> found;
  DIR* directory = opendir(kShmDirectory);
  if (directory == nullptr) return found;
  while (const dirent* entry = readdir(directory)) {
    if (std::strncmp(entry->d_name, prefix.c_str(), prefix.size()) == 0) {
      found.push_back(entry->d_name);
    }
  }
  closedir(directory);
  return found;
}

// A name that is removed when the test ends, however it ends.
class TemporaryName {
 public:
  explicit TemporaryName(const char* purpose) : name_(freshName(purpose)) {}
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;
  ~TemporaryName() { ::unlink(shmPath(name_).c_str()); }
  const std::string& get() const { return name_; }
  operator const std::string&() const { return name_; }

 private:
  std::string name_;
};

}  // namespace zoo::test
