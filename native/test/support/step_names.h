// The names of all kill steps in native/core, read from its sources: a step that no test has
// visited is a gap in the test, not in the list.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace zoo::test {

// `test_source`: __FILE__ of a source in native/test/programs.
inline std::vector<std::string> stepNames(const char* test_source) {
  namespace fs = std::filesystem;
  const fs::path core = fs::path(test_source).parent_path() / ".." / ".." / "core";
  const std::string before = "ZOO_STEP(\"";
  std::vector<std::string> names;
  std::error_code missing;
  for (const auto& entry : fs::recursive_directory_iterator(core, missing)) {
    if (entry.path().extension() != ".h") continue;
    std::ifstream file(entry.path());
    const std::string text((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
    for (size_t at = text.find(before); at != std::string::npos; at = text.find(before, at + 1)) {
      const size_t begin = at + before.size();
      names.push_back(text.substr(begin, text.find('"', begin) - begin));
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
#ifdef __SANITIZE_THREAD__
  // Small messages are taken as large ones are, since the copy that may be torn is left out.
  for (const char* left_out :
       {"take.copied_small", "take.done", "take.claim_counted", "take.counted"}) {
    names.erase(std::remove(names.begin(), names.end(), left_out), names.end());
  }
#endif
  return names;
}

}  // namespace zoo::test
