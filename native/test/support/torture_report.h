// What a run of the torture did and found, for people and as JSON.
#pragma once

#include <cinttypes>
#include <cstdio>
#include <string>
#include <vector>

#include "support/torture_stage.h"

namespace zoo::test {

struct RunFacts {
  const char* part = "";
  uint64_t seed = 0;
  double seconds = 0;
  size_t steps_died_at = 0;
  size_t steps = 0;
  uint64_t leftovers = 0;
};

inline void printReport(const RunFacts& facts, const Tally& tally) {
  for (size_t index = 0; index < static_cast<size_t>(Deed::count); ++index) {
    std::printf("  %12" PRIu64 "  %s\n", tally.done[index].load(),
                nameOf(static_cast<Deed>(index)));
  }
  std::printf("  %12zu  of %zu steps of the core at which somebody chose to die\n",
              facts.steps_died_at, facts.steps);
  std::printf("  %9.1f ms  longest call that nobody stopped (%s)\n",
              static_cast<double>(tally.longest_call_ns.load()) / 1e6,
              tally.longest_call.load() == nullptr ? "none" : tally.longest_call.load());
  std::printf("%s: seed %" PRIu64 ", %.0f s, %" PRIu64 " kills, %" PRIu64 " puts, %" PRIu64
              " violations",
              facts.part, facts.seed, facts.seconds, tally.deeds(Deed::kills),
              tally.deeds(Deed::puts), tally.allFindings());
  for (size_t index = 0; index < static_cast<size_t>(Finding::count); ++index) {
    const auto finding = static_cast<Finding>(index);
    if (tally.findings(finding) > 0)
      std::printf(", %s %" PRIu64, nameOf(finding), tally.findings(finding));
  }
  std::printf("\n");
}

inline bool writeReport(const std::string& path, const RunFacts& facts, const Tally& tally) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) {
    std::perror(path.c_str());
    return false;
  }
  std::fprintf(file, "{\n  \"part\": \"%s\",\n  \"seed\": %" PRIu64 ",\n  \"seconds\": %.0f,\n",
               facts.part, facts.seed, facts.seconds);
  std::fprintf(file, "  \"counts\": {\n");
  for (size_t index = 0; index < static_cast<size_t>(Deed::count); ++index) {
    std::fprintf(file, "    \"%s\": %" PRIu64 ",\n", nameOf(static_cast<Deed>(index)),
                 tally.done[index].load());
  }
  std::fprintf(file, "    \"steps of the core died at\": %zu\n  },\n", facts.steps_died_at);
  std::fprintf(file, "  \"longest\": { \"call\": %.1f },\n",
               static_cast<double>(tally.longest_call_ns.load()) / 1e6);
  std::fprintf(file, "  \"found\": %" PRIu64 ",\n  \"violations\": [", tally.allFindings());
  const char* separator = "";
  for (size_t index = 0; index < static_cast<size_t>(Finding::count); ++index) {
    const auto finding = static_cast<Finding>(index);
    if (tally.findings(finding) == 0) continue;
    std::fprintf(file, "%s\"%s: %" PRIu64 "\"", separator, nameOf(finding),
                 tally.findings(finding));
    separator = ", ";
  }
  std::fprintf(file, "]\n}\n");
  return std::fclose(file) == 0;
}

}  // namespace zoo::test
