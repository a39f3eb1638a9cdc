/** Runs one command of the test run. */

import { spawn, spawnSync } from "node:child_process";
import process from "node:process";

/** The result of a command. */
export interface CommandResult {
  /** True where it ended by itself with exit code 0. */
  readonly ok: boolean;
  /** What it wrote to stdout and stderr, in the order of arrival. */
  readonly output: string;
  /** How it ended: `exit code 1`, `SIGSEGV`, `timed out after 300 s`. */
  readonly end: string;
}

/** Where and how long a command runs. */
export interface CommandOptions {
  /** The working directory. */
  readonly cwd: string;
  /** Environment variables, added to those of this process; undefined removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** After this time it is killed; in milliseconds. */
  readonly timeout: number;
}

/** The test run was interrupted by Ctrl-C or another signal. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/**
 * Runs a command without stdin. Processes that it started and left running are killed after it.
 *
 * @throws Interrupted when this process receives a signal; the command is killed first.
 */
export function run(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // A process group of its own, so that all of it can be killed.
    });
    const decoders = [new TextDecoder(), new TextDecoder()];
    let output = "";
    let timedOut = false;

    const killGroup = () => kill(child.pid === undefined ? [] : [child.pid]);
    const killAll = () => kill(child.pid === undefined ? [] : groupsBelow(child.pid));
    const interrupt = (signal: string) => {
      killAll();
      reject(new Interrupted(signal));
    };
    const timer = setTimeout(() => {
      timedOut = true;
      killAll();
    }, options.timeout);
    const settle = (ok: boolean, end: string) => {
      clearTimeout(timer);
      for (const signal of signals) process.off(signal, interrupt);
      resolve({ ok, output, end });
    };

    for (const signal of signals) process.on(signal, interrupt);
    child.stdout.on("data", (bytes) => output += decoders[0].decode(bytes, { stream: true }));
    child.stderr.on("data", (bytes) => output += decoders[1].decode(bytes, { stream: true }));
    child.on("error", (error) => settle(false, `cannot start: ${error.message}`));
    // A process that it left behind would keep the pipes open, and `close` would never fire.
    child.on("exit", killGroup);
    child.on("close", (code, signal) => {
      const end = timedOut
        ? `timed out after ${options.timeout / 1000} s`
        : signal ?? `exit code ${code}`;
      settle(code === 0 && !timedOut, end);
    });
  });
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function kill(groups: Iterable<number>): void {
  for (const group of groups) {
    try {
      process.kill(-group, "SIGKILL");
    } catch {
      // The group has already ended.
    }
  }
}

/** The process groups of a leader and of all processes below it, which may have their own. */
function groupsBelow(leader: number): Set<number> {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid=,pgid="], { encoding: "utf8" });
  // A machine may lack `ps`.
  const rows = (stdout ?? "").trim().split("\n").map((row) => row.trim().split(/\s+/).map(Number));
  const groups = new Set([leader]);
  const found = [leader];
  for (const above of found) {
    for (const [pid, parent, group] of rows) {
      if (parent !== above) continue;
      found.push(pid);
      groups.add(group);
    }
  }
  return groups;
}
