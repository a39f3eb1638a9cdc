/** What a test run runs: the folders with test files, and what their files must not run beside. */

import type { Tool } from "../support/toolchain.ts";

/** The runtimes that Weir supports. */
export const everyRuntime: readonly Tool[] = ["deno", "bun", "node"];

/** A folder with test files. */
export interface Suite {
  readonly folder: string;
  /** The runtimes that run it. */
  readonly runtimes: readonly Tool[];
  /**
   * How many processes share the files; without it each file has its own. A process loads Weir, its
   * parser and what tests share, which takes longer than most files.
   */
  readonly processes?: number;
  /** The queue of all its processes where everything runs, for those that use all of a core. */
  readonly queue?: string;
  /** True where `--quick` runs it. */
  readonly quick?: boolean;
}

/** In the order in which they start: the longest first, so that no lane waits for the last one. */
export const suites: readonly Suite[] = [
  { folder: "tests/unit", runtimes: everyRuntime, processes: 2, queue: "unit", quick: true },
  // These two start the runtimes that they test.
  { folder: "tests/e2e", runtimes: ["deno"], queue: "e2e" },
  { folder: "tests/examples", runtimes: ["deno"], queue: "e2e" },
  { folder: "tests/contract", runtimes: everyRuntime, processes: 1, quick: true },
  { folder: "tests/attributes", runtimes: everyRuntime, processes: 1 },
  { folder: "tests/architecture", runtimes: ["deno"] },
  { folder: "tests/faults", runtimes: everyRuntime },
  { folder: "tests/services", runtimes: everyRuntime, processes: 4 },
];

/**
 * Files that use the broker of this machine. Some of them stop it, so they run one after the other,
 * beside files that do not use it.
 */
const brokerFiles: readonly string[] = [
  "tests/services/backplane-groups.test.ts",
  "tests/services/backplane-interest.test.ts",
  "tests/services/backplane-rabbitmq.test.ts",
  "tests/services/broker-suite-rabbitmq.test.ts",
  "tests/services/differential-rabbitmq.test.ts",
  "tests/services/rabbitmq-queues.test.ts",
  "tests/services/rabbitmq.test.ts",
  "tests/services/traces.test.ts",
  "tests/e2e/traces.test.ts",
  "tests/e2e/watch-rabbitmq.test.ts",
  "tests/e2e/workers-rabbitmq.test.ts",
  "tests/e2e/executable-rabbitmq.test.ts",
  "tests/e2e/page.test.ts",
  "tests/examples/rabbitmq.test.ts",
  "tests/attributes/rabbitmq.test.ts",
];

/** Files that install and start packages, in a queue of their own: they wait for npm and Bun. */
const packageFiles = /^tests\/e2e\/(?:executable|package|project)/;

/**
 * Files whose instances or clients wait for a server that is away, or for each other: each is a queue
 * of its own, so that it starts early, and holds up none of the files that compute.
 */
const waitingFiles =
  /^tests\/(?:e2e\/(?:frameworks|instances|python-client|tutorial)|unit\/(?:presence-instances|presence-random|websocket-differential))/;

/** Files that have a process of their own where others share one. */
export const isolated: readonly string[] = [
  // No plugin was imported there before.
  "tests/unit/plugins-import.test.ts",
  "tests/unit/presence-instances.test.ts",
  "tests/unit/presence-random.test.ts",
  "tests/unit/websocket-differential.test.ts",
  ...brokerFiles,
  // They wait, which costs nothing beside others, and holds those up that come after them.
  "tests/services/backplane-redis.test.ts",
  "tests/services/client-rooms.test.ts",
  "tests/services/database-servers.test.ts",
  "tests/services/mqtt.test.ts",
  "tests/services/mysql-faults.test.ts",
  "tests/services/postgres-changes-outages.test.ts",
  "tests/services/postgres-changes-setup.test.ts",
  "tests/services/postgres-changes.test.ts",
  "tests/services/postgres-connections.test.ts",
  "tests/services/redis-counter.test.ts",
];

const faults = (...names: readonly string[]): readonly string[] =>
  names.map((name) => `tests/faults/${name}.test.ts`);

const e2e = (...names: readonly string[]): readonly string[] =>
  names.map((name) => `tests/e2e/${name}.test.ts`);

/**
 * Files that share a process where the others of their suite have one each. So they share what they
 * start, a broker's node above all, which takes longer to start than most of their tests to run.
 */
export const together: readonly (readonly string[])[] = [
  faults(
    "downstream-broker",
    "downstream-flows",
    "downstream-numbered",
    "downstream-poison",
    "downstream-start",
  ),
  faults(
    "downstream-outage",
    "downstream-sqlite",
    "downstream-sqlite-file",
    "downstream-sqlite-slow",
    "downstream-sqlite-text",
  ),
  faults("downstream-changes", "downstream-postgres", "downstream-postgres-outage"),
  faults("downstream-mysql", "downstream-mysql-outage"),
  faults("attacker", "attacker-log", "attacker-lookups", "attacker-requests"),
  faults("handshake", "http", "messages", "messages-keys"),
  faults("blocked", "handshake-waiting", "messages-pings", "peers"),
  // They run their commands in the same processes: see tests/support/weir-session.ts.
  e2e("check", "exit-codes", "health", "init", "test-command"),
  // They are short: their own process would take longer than some of them.
  e2e("identity", "library", "loading", "tls"),
];

/** A file, and the runtimes that run it: those of its suite without any. */
export interface Later {
  readonly file: string;
  readonly runtimes?: readonly Tool[];
}

/**
 * Files that measure time. They run after everything else, one row after the other; the processes of a
 * row run side by side, since they wait most of the time, or use a core each.
 */
export const later: readonly (readonly Later[])[] = [
  [
    { file: "tests/e2e/signals.test.ts" },
    { file: "tests/e2e/signals-drain.test.ts" },
    { file: "tests/e2e/heartbeat.test.ts" },
    { file: "tests/examples/tests.test.ts" },
  ],
  [{ file: "tests/e2e/client-storm.test.ts" }],
  [{ file: "tests/faults/slow-client.test.ts", runtimes: ["deno"] }],
  [{ file: "tests/faults/slow-client.test.ts", runtimes: ["bun", "node"] }],
  // The server computes for seconds: beside others that compute, its clients would wait for them.
  [{ file: "tests/faults/expressions.test.ts", runtimes: ["deno", "bun"] }],
  [{ file: "tests/faults/expressions.test.ts", runtimes: ["node"] }],
];

/** The queue of the process that begins with a file; `queue` is that of its suite. */
export function queueOf(file: string, queue: string | undefined): string | undefined {
  if (brokerFiles.includes(file)) return "broker";
  if (queue !== undefined && waitingFiles.test(file)) return file;
  return queue !== undefined && packageFiles.test(file) ? "packages" : queue;
}

/** How long the process of a file may take, in milliseconds, where that is longer than others. */
export function patienceFor(file: string): number | undefined {
  return waitingFiles.test(file) ? 400_000 : undefined;
}

/** The files of each process, where a suite says no number of them: those of `together` go first. */
export function gather(files: readonly string[]): string[][] {
  const groups = together.map((group) => group.filter((file) => files.includes(file)))
    .filter((group) => group.length > 0);
  const others = files.filter((file) => !groups.some((group) => group.includes(file)));
  return [...groups, ...others.map((file) => [file])];
}

/** Divides files into at most `count` groups: neighbors, which are alike, go to different groups. */
export function divide(files: readonly string[], count: number): string[][] {
  const groups: string[][] = Array.from({ length: Math.min(count, files.length) }, () => []);
  for (const [index, file] of files.entries()) groups[index % groups.length].push(file);
  return groups;
}
