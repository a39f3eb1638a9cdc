// The cost of a command: time, CPU time of the server and of this program, latencies.
#include "crowd.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_PIDS = 64 };

static int pids[MAX_PIDS];
static int pid_count;
long done;
double began;

void fail(const char *format, ...) {
  va_list values;
  va_start(values, format);
  fputs("crowd: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  exit(1);
}

static double seconds_of(clockid_t clock) {
  struct timespec t;
  if (clock_gettime(clock, &t)) fail("a measured process is gone");
  return t.tv_sec + t.tv_nsec / 1e9;
}

double now(void) { return seconds_of(CLOCK_MONOTONIC); }

// CPU seconds of the measured processes with all their threads, including those that have ended.
static double cpu(void) {
  double sum = 0;
  for (int i = 0; i < pid_count; i++) {
    clockid_t clock;
    if (clock_getcpuclockid(pids[i], &clock)) fail("process %d is gone", pids[i]);
    sum += seconds_of(clock);
  }
  return sum;
}

void watch_process(int pid) {
  if (pid_count == MAX_PIDS) fail("more than %d processes", MAX_PIDS);
  pids[pid_count++] = pid;
}

static double cpu_before, own_before;
static double *latencies;
static long latency_count;

void begin(long most_latencies) {
  done = latency_count = 0;
  latencies = realloc(latencies, (most_latencies + 1) * sizeof *latencies);
  began = now();
  own_before = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  cpu_before = cpu();
}

void count_latency(double sent_at) { latencies[latency_count++] = now() - sent_at; }

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile(double q) {
  return latency_count == 0 ? 0 : latencies[(long)(q * (latency_count - 1))] * 1e3;
}

void run_until(long total, const char *what) {
  double last = now();
  for (long before = done; done < total;) {
    // A command follows only after the answer to the last one, so standard input has ended.
    if (!turn(1000)) fail("standard input ended before the command");
    if (done != before) before = done, last = now();
    else if (now() - last > PATIENCE_SECONDS) fail("only %ld of %ld %s", done, total, what);
  }
  double spent = cpu() - cpu_before, seconds = now() - began;
  double own = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - own_before;
  qsort(latencies, latency_count, sizeof *latencies, compare);
  printf("{\"done\":%ld,\"seconds\":%.6f,\"cpu\":%.9f,\"own\":%.9f,\"p50\":%.4f,\"p99\":%.4f}\n",
    done, seconds, spent, own, quantile(0.5), quantile(0.99));
}
