/* SPDX-License-Identifier: Apache-2.0 */
/*
 * platform: replays a recorded program on the small system of platform.h, in one or several styles
 * of modelling, and prints what each has simulated and how fast.
 *
 * A process can simulate once, so each style runs in a process of its own, one after another.
 */
#include <systemc>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include "platform/simulation.h"

namespace {

using namespace nestwalk::tb;

enum exit_status { exit_good = 0, exit_failed = 1, exit_usage = 2 };

/* Simulates in this process and hands what has been seen to the parent. */
[[noreturn]] void be_child(const options &chosen, const modelling &how, const std::string &folder,
                           int pipe_end) {
  int status = exit_good;
  try {
    const outcome seen = simulate(chosen, how, folder);
    if (write(pipe_end, &seen, sizeof seen) != ssize_t(sizeof seen))
      status = exit_failed;
    if (seen.violations > 0)
      status = exit_failed;
  } catch (const usage_error &error) {
    std::fprintf(stderr, "platform: %s\n", error.what());
    status = exit_usage;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "platform: %s: %s\n", how.name, error.what());
    status = exit_failed;
  }
  std::fflush(nullptr);
  _exit(status);
}

/* Returns the exit status; `seen` is valid when that is exit_good. */
int simulate_in_child(const options &chosen, const modelling &how, const std::string &folder,
                      outcome &seen) {
  int ends[2];
  std::fflush(nullptr);
  if (pipe(ends) != 0) {
    std::perror("platform: pipe");
    return exit_failed;
  }
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    be_child(chosen, how, folder, ends[1]);
  }
  close(ends[1]);
  const bool whole = read(ends[0], &seen, sizeof seen) == ssize_t(sizeof seen);
  close(ends[0]);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    std::perror("platform: fork");
    return exit_failed;
  }
  if (WIFSIGNALED(status)) {
    std::fprintf(stderr, "platform: %s: killed by signal %d\n", how.name, WTERMSIG(status));
    return exit_failed;
  }
  return WEXITSTATUS(status) != exit_good ? WEXITSTATUS(status) : whole ? exit_good : exit_failed;
}

void print_heading() {
  std::printf("%-7s %11s %17s %13s %11s %9s %11s %11s %9s %9s %12s\n", "mode", "references",
              "simulated cycles", "transactions", "direct", "host s", "accesses/s", "TLB misses",
              "walks", "faults", "CP15 writes");
}

void print_row(const modelling &how, const outcome &seen) {
  const double accesses = double(seen.transactions + seen.direct);
  std::printf("%-7s %11" PRIu64 " %17.0f %13" PRIu64 " %11" PRIu64 " %9.3f %11.0f %11" PRIu64
              " %9" PRIu64 " %9" PRIu64 " %12" PRIu64 "\n",
              how.name, seen.references, seen.simulated_cycles, seen.transactions, seen.direct,
              seen.host_seconds, seen.host_seconds > 0 ? accesses / seen.host_seconds : 0,
              seen.misses, seen.walks, seen.faults, seen.controls);
}

void print_rows(const modelling &how, const outcome &seen) {
  const std::uint64_t all = seen.row_hits + seen.row_misses + seen.row_conflicts;
  if (all > 0)
    std::printf("%s: DRAM rows: %.1f %% hits, %.1f %% misses, %.1f %% conflicts\n", how.name,
                100 * double(seen.row_hits) / double(all),
                100 * double(seen.row_misses) / double(all),
                100 * double(seen.row_conflicts) / double(all));
}

int run(const options &chosen) {
  std::vector<outcome> outcomes;
  bool headed = false;
  for (const modelling *how : chosen.styles) {
    std::string folder = chosen.output;
    if (!folder.empty() && chosen.styles.size() > 1)
      folder += std::string("-") + how->name;
    outcome seen;
    const int status = simulate_in_child(chosen, *how, folder, seen);
    if (status != exit_good)
      return status;
    if (!headed)
      print_heading();
    headed = true;
    print_row(*how, seen);
    outcomes.push_back(seen);
  }
  for (std::size_t i = 0; i < outcomes.size(); i++)
    print_rows(*chosen.styles[i], outcomes[i]);
  return exit_good;
}

} // namespace

int sc_main(int argc, char **argv) {
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  try {
    const options chosen = parse_options(argc, argv);
    if (!chosen.help)
      return run(chosen);
    std::fputs(options_help, stdout);
    return exit_good;
  } catch (const usage_error &error) {
    std::fprintf(stderr, "platform: %s\n", error.what());
    return exit_usage;
  }
}

/* SystemC's own would print a copyright message in every run. */
int main(int argc, char **argv) {
  setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);
  return sc_core::sc_elab_and_sim(argc, argv);
}
