// How many messages go from one process to another through iceoryx: a publisher that waits for its
// subscriber when the queue between them is full, and a subscriber that polls.
//
//   iceoryx_topic OPERATIONS NAME [PROCESSOR PROCESSOR]
//
// A message has 64 bytes. NAME begins the names under which both processes are known to RouDi, which
// has to run. Prints one line of JSON.
#include <array>
#include <iceoryx_posh/popo/publisher.hpp>
#include <iceoryx_posh/popo/subscriber.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>
#include <string>

#include "two_processes.h"

namespace {

using Message = std::array<unsigned char, 64>;

iox::RuntimeName_t runtimeName(const std::string& name) {
  return {iox::cxx::TruncateToCapacity, name};
}

iox::capro::ServiceDescription topic(const std::string& name) {
  return {"zoosync", "bench", iox::capro::IdString_t(iox::cxx::TruncateToCapacity, name)};
}

std::uint64_t consume(iox::popo::Subscriber<Message>& subscriber, std::uint64_t operations) {
  std::uint64_t sum = 0;
  for (std::uint64_t done = 0; done < operations;) {
    subscriber.take().and_then([&](const auto& message) {
      sum += (*message)[0];
      ++done;
    });
  }
  return sum;
}

void produce(iox::popo::Publisher<Message>& publisher, std::uint64_t operations) {
  Message message{};
  for (std::uint64_t done = 0; done < operations;) {
    message[0] = static_cast<unsigned char>(done);
    publisher.loan(message).and_then([&](auto& sample) {
      sample.publish();
      ++done;
    });
  }
}

int measure(std::uint64_t operations, const std::string& name, const bench::Places& places) {
  const bench::Partner partner(places, [&](auto ready) {
    iox::runtime::PoshRuntime::initRuntime(runtimeName(name + "-subscriber"));
    iox::popo::SubscriberOptions options;
    options.queueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;  // lose nothing
    iox::popo::Subscriber<Message> subscriber(topic(name), options);
    while (subscriber.getSubscriptionState() != iox::SubscribeState::SUBSCRIBED) sched_yield();
    ready();
    return consume(subscriber, operations);
  });
  iox::runtime::PoshRuntime::initRuntime(runtimeName(name + "-publisher"));
  iox::popo::PublisherOptions options;
  options.subscriberTooSlowPolicy = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
  iox::popo::Publisher<Message> publisher(topic(name), options);
  partner.awaitReady();
  const bench::Stopwatch watch;
  produce(publisher, operations);
  const std::uint64_t sum = partner.awaitAnswer();
  return bench::report(operations, watch.seconds(), sum);
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count != 3 && argument_count != 5) {
    bench::usage(arguments[0], "OPERATIONS NAME [PROCESSOR PROCESSOR]");
  }
  const bench::Places places =
      argument_count == 5 ? bench::Places{arguments[3], arguments[4]} : bench::Places{};
  return measure(bench::number(arguments[1]), arguments[2], places);
}
