// Plays scripts without a fuzzing engine: files, folders of files, and random ones.
//
//   segment_replay [--random COUNT] [--seed N] [file or folder ...]
//
// Without arguments: the corpus in the repository, and a hundred random ones with a fresh seed.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count);

namespace {

uint64_t played = 0;

void play(const std::vector<uint8_t>& script) {
  LLVMFuzzerTestOneInput(script.data(), script.size());
  ++played;
}

void playFile(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(stream)),
                                std::istreambuf_iterator<char>());
  std::fprintf(stderr, "%s\n", file.filename().c_str());
  play({bytes.begin(), bytes.end()});
}

void playRandom(uint64_t count, uint64_t seed) {
  for (uint64_t index = 0; index < count; ++index) {
    // Each has a seed of its own, so that one can be played alone.
    std::mt19937_64 random(seed + index);
    std::vector<uint8_t> script(16 + random() % 600);
    for (uint8_t& byte : script) byte = static_cast<uint8_t>(random());
    std::fprintf(stderr, "random script, --seed %llu\n",
                 static_cast<unsigned long long>(seed + index));
    play(script);
  }
}

}  // namespace

int main(int count, char** arguments) {
  uint64_t randoms = 0;
  uint64_t seed = std::random_device{}();
  std::vector<std::filesystem::path> places;
  for (int index = 1; index < count; ++index) {
    const bool more = index + 1 < count;
    if (more && std::strcmp(arguments[index], "--random") == 0)
      randoms = std::strtoull(arguments[++index], nullptr, 10);
    else if (more && std::strcmp(arguments[index], "--seed") == 0)
      seed = std::strtoull(arguments[++index], nullptr, 10);
    else
      places.emplace_back(arguments[index]);
  }
  if (count == 1) {
    randoms = 100;
    places.push_back(std::filesystem::path(__FILE__).parent_path() / "corpus" / "segment");
  }
  for (const auto& place : places) {
    if (!std::filesystem::is_directory(place)) {
      playFile(place);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(place)) playFile(entry.path());
  }
  playRandom(randoms, seed);
  std::printf("%llu scripts played, seed %llu\n", static_cast<unsigned long long>(played),
              static_cast<unsigned long long>(seed));
  return 0;
}
