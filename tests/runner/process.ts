/** Runs one command of the test run. */

import { spawn } from "node:child_process";
import process from "node:process";

/** How a command ended. */
export interface Outcome {
  /** It ended by itself and with exit code 0. */
  readonly ok: boolean;
  /** What it wrote to stdout and stderr, in the order of arrival. */
  readonly output: string;
  /** How it ended: `exit code 1`, `SIGSEGV`, `no end after 300 s`. */
  readonly end: string;
}

/** Where and how long a command runs. */
export interface CommandOptions {
  /** The working directory. */
  readonly cwd: string;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** After so many milliseconds it is killed. */
  readonly timeout: number;
}

/** The test run was told to stop: by Ctrl-C, or by a signal. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/**
 * Runs a command without stdin. Whatever it has started and left running is killed after it.
 *
 * @throws Interrupted when this process is told to stop; the command is killed before.
 */
export function run(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<Outcome> {
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

    const killAll = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // Nothing of the group is left.
      }
    };
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
    // A process that it left behind would hold the pipes open, and `close` would never come.
    child.on("exit", killAll);
    child.on("close", (code, signal) => {
      const end = timedOut
        ? `no end after ${options.timeout / 1000} s`
        : signal ?? `exit code ${code}`;
      settle(code === 0 && !timedOut, end);
    });
  });
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
