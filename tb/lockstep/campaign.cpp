// SPDX-License-Identifier: Apache-2.0
//
// The parent starts a worker for each variant, so many at a time, and reads their tallies from
// pipes. A worker that finds a difference prints it and ends.
#include "lockstep/campaign.h"

#include "lockstep/dice.h"
#include "lockstep/lockstep.h"

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>

#include <csignal>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lockstep {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// -- a worker ------------------------------------------------------------------------------------

void write_failure(const Campaign &c, const Variant &variant, uint64_t index) {
  if (c.failure.empty())
    return;
  FILE *file = std::fopen(c.failure.c_str(), "w");
  if (!file) {
    std::perror(c.failure.c_str());
    return;
  }
  std::fprintf(file, "--variant %s --seed %" PRIu64 " --scenario %" PRIu64 "\n", variant.name,
               c.seed, index);
  std::fclose(file);
}

void report(const Campaign &c, Lockstep &lockstep, const Variant &variant, uint64_t index,
            const Scenario &scenario, const Difference &d) {
  std::printf("\n%s: seed %" PRIu64 ", scenario %" PRIu64 ", cycle %" PRIu64 ": %s.\n",
              variant.name, c.seed, index, d.cycle,
              d.assertion ? "an assertion of the RTL failed" : "RTL and core differ");
  // nothing is cut down where each attempt prints the assertion's message
  bool cut = c.cutting && !d.assertion;
  print_difference(lockstep, cut ? cut_down(lockstep, scenario) : scenario);
  std::printf("to repeat it:\n  tb/lockstep/lockstep --variant %s --seed %" PRIu64
              " --scenario %" PRIu64 "\n",
              variant.name, c.seed, index);
  std::fflush(stdout);
  write_failure(c, variant, index);
}

void send(int pipe, const Tally &tally) {
  if (write(pipe, &tally, sizeof tally) != static_cast<ssize_t>(sizeof tally))
    _exit(2); // nobody listens any more
}

[[noreturn]] void work(const Campaign &c, const Variant &variant, uint64_t walks, int pipe) {
  std::unique_ptr<Dut> dut = variant.create();
  Lockstep lockstep(*dut, config_of(variant, c.machine));
  Tally tally{};
  Clock::time_point sent = Clock::now();
  for (uint64_t index = 0; tally.walks < walks; index++) {
    Scenario scenario = scenario_of(variant, c.seed, index);
    std::optional<Difference> d = lockstep.run(scenario, tally);
    if (d) {
      report(c, lockstep, variant, index, scenario, *d);
      send(pipe, tally);
      std::exit(1);
    }
    if (seconds_since(sent) > 0.5) {
      send(pipe, tally);
      sent = Clock::now();
    }
  }
  std::string file = c.coverage + "/" + variant.name + ".dat";
  if (!c.coverage.empty() && !dut->write_coverage(file)) {
    std::fprintf(stderr, "lockstep: lockstep-coverage alone can write coverage\n");
    std::exit(2);
  }
  send(pipe, tally);
  std::exit(0);
}

// -- the parent ----------------------------------------------------------------------------------

struct Worker {
  const Variant *variant;
  pid_t process = -1;
  int pipe = -1;
  Tally tally{};
  int status = 0;
};

class Parent {
public:
  explicit Parent(const Campaign &c) : campaign_(c) {
    for (const Variant *variant : c.variants)
      workers_.push_back({variant});
  }
  int run();

private:
  void start(Worker &worker);
  void listen();
  void hear(Worker &worker);
  void end(Worker &worker);
  void stop_all();
  Tally sum() const;
  void show_progress();

  const Campaign &campaign_;
  std::vector<Worker> workers_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point shown_ = start_;
  bool differed_ = false;
};

void Parent::start(Worker &worker) {
  int ends[2];
  std::fflush(nullptr);
  if (pipe(ends) != 0 || (worker.process = fork()) < 0) {
    std::perror("lockstep");
    std::exit(2);
  }
  if (worker.process == 0) {
    close(ends[0]);
    uint64_t share = campaign_.walks / workers_.size() + 1;
    work(campaign_, *worker.variant, share, ends[1]);
  }
  close(ends[1]);
  worker.pipe = ends[0];
}

void Parent::end(Worker &worker) {
  close(worker.pipe);
  worker.pipe = -1;
  waitpid(worker.process, &worker.status, 0);
  if (worker.status != 0 && !differed_) {
    differed_ = true;
    stop_all();
  }
}

// One difference is enough.
void Parent::stop_all() {
  for (Worker &worker : workers_)
    if (worker.pipe >= 0)
      kill(worker.process, SIGTERM);
}

void Parent::hear(Worker &worker) {
  Tally tally;
  if (read(worker.pipe, &tally, sizeof tally) == static_cast<ssize_t>(sizeof tally))
    worker.tally = tally;
  else
    end(worker);
}

void Parent::listen() {
  std::vector<pollfd> polled;
  std::vector<Worker *> of;
  for (Worker &worker : workers_)
    if (worker.pipe >= 0) {
      polled.push_back({worker.pipe, POLLIN, 0});
      of.push_back(&worker);
    }
  if (poll(polled.data(), polled.size(), 1000) <= 0)
    return;
  for (size_t i = 0; i < polled.size(); i++)
    if (polled[i].revents && of[i]->pipe >= 0)
      hear(*of[i]);
}

Tally Parent::sum() const {
  Tally sum{};
  for (const Worker &worker : workers_)
    sum.add(worker.tally);
  return sum;
}

// On a terminal a line that renews itself, else a line now and then.
void Parent::show_progress() {
  bool terminal = isatty(STDERR_FILENO);
  if (seconds_since(shown_) < (terminal ? 1 : 30))
    return;
  shown_ = Clock::now();
  Tally t = sum();
  double rate = static_cast<double>(t.walks) / seconds_since(start_);
  double left =
      rate > 0 ? static_cast<double>(campaign_.walks - std::min(campaign_.walks, t.walks)) / rate
               : 0;
  uint64_t nested = 0, faults = 0;
  for (auto &format : t.walk)
    for (unsigned s = 0; s < Tally::STAGES; s++) {
      nested += s == Tally::Nested ? format[s][Tally::Translated] : 0;
      for (unsigned o = Tally::FaultOne; o < Tally::OUTCOMES; o++)
        faults += format[s][o];
    }
  std::fprintf(stderr,
               "%s%" PRIu64 " of %" PRIu64 " walks (%" PRIu64 " nested, %" PRIu64
               " faults), %.0f/s, %.0f s left%s",
               terminal ? "\r" : "", t.walks, campaign_.walks, nested, faults, rate, left,
               terminal ? " " : "\n");
}

int Parent::run() {
  size_t next = 0;
  for (;;) {
    auto running = static_cast<size_t>(std::count_if(workers_.begin(), workers_.end(),
                                                     [](const Worker &w) { return w.pipe >= 0; }));
    if (next < workers_.size() && running < campaign_.jobs && !differed_)
      start(workers_[next++]);
    else if (running == 0)
      break;
    else
      listen();
    show_progress();
  }
  if (isatty(STDERR_FILENO))
    std::fputc('\n', stderr);
  for (const Worker &worker : workers_)
    if (worker.process >= 0)
      std::printf("%s: %s", worker.variant->name, to_string(worker.tally).c_str());
  std::printf("%s: %" PRIu64 " walks compared in %.0f s, seed %" PRIu64 "\n",
              differed_ ? "FAILED" : "no difference", sum().walks, seconds_since(start_),
              campaign_.seed);
  return differed_ ? 1 : 0;
}

} // namespace

nw_mmu_config config_of(const Variant &variant, const std::string &machine) {
  nw_mmu_config config;
  char error[1100];
  if (!nw_reference_config(machine.c_str(), &variant.entries, &config, error, sizeof error)) {
    std::fprintf(stderr, "lockstep: %s\n", error);
    std::exit(2);
  }
  return config;
}

Scenario scenario_of(const Variant &variant, uint64_t seed, uint64_t index) {
  uint64_t own = 0;
  for (const char *letter = variant.name; *letter; letter++)
    own = own * 31 + static_cast<unsigned char>(*letter);
  unsigned entries = 0;
  for (uint32_t of : variant.entries.of)
    entries = std::max(entries, of);
  return make_scenario(mixed(mixed(seed ^ own << 32) + index), entries);
}

int run_campaign(const Campaign &campaign) {
  std::printf("seed %" PRIu64 "\n", campaign.seed);
  return Parent(campaign).run();
}

} // namespace lockstep
