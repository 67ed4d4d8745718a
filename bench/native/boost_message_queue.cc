// How many messages go from one process to another through the message queue of Boost.Interprocess,
// by its blocking calls.
//
//   boost_message_queue OPERATIONS BYTES CAPACITY NAME [PROCESSOR PROCESSOR]
//
// NAME is that of the shared memory, which is removed at the end. Prints one line of JSON.
#include <boost/interprocess/ipc/message_queue.hpp>
#include <vector>

#include "two_processes.h"

namespace {

using boost::interprocess::message_queue;

// The memory keeps its name until somebody takes it away.
class Name {
 public:
  explicit Name(const char* name) : name_(name) {}
  Name(const Name&) = delete;
  Name& operator=(const Name&) = delete;
  ~Name() { message_queue::remove(name_); }

 private:
  const char* name_;
};

void produce(message_queue& queue, std::uint64_t operations, std::size_t bytes) {
  std::vector<unsigned char> message(bytes, 1);
  for (std::uint64_t done = 0; done < operations; ++done) {
    message[0] = static_cast<unsigned char>(done);
    queue.send(message.data(), bytes, 0);
  }
}

std::uint64_t consume(message_queue& queue, std::uint64_t operations, std::size_t bytes) {
  std::vector<unsigned char> message(bytes);
  std::uint64_t sum = 0;
  message_queue::size_type received = 0;
  unsigned priority = 0;
  for (std::uint64_t done = 0; done < operations; ++done) {
    queue.receive(message.data(), bytes, received, priority);
    sum += message[0];
  }
  return sum;
}

int measure(std::uint64_t operations, std::size_t bytes, std::size_t capacity, const char* name,
            const bench::Places& places) {
  using namespace boost::interprocess;
  const Name removed(name);
  message_queue queue(create_only, name, capacity, bytes);
  const bench::Partner partner(places, [&](auto ready) {
    message_queue same(open_only, name);
    ready();
    return consume(same, operations, bytes);
  });
  partner.awaitReady();
  const bench::Stopwatch watch;
  produce(queue, operations, bytes);
  const std::uint64_t sum = partner.awaitAnswer();
  return bench::report(operations, watch.seconds(), sum);
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count != 5 && argument_count != 7) {
    bench::usage(arguments[0], "OPERATIONS BYTES CAPACITY NAME [PROCESSOR PROCESSOR]");
  }
  const bench::Places places =
      argument_count == 7 ? bench::Places{arguments[5], arguments[6]} : bench::Places{};
  try {
    return measure(bench::number(arguments[1]), bench::number(arguments[2]),
                   bench::number(arguments[3]), arguments[4], places);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
