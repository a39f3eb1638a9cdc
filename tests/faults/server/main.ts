/**
 * The process of a server under test: `deno run -A main.ts`, `bun main.ts` or `node main.ts`. It does
 * what its test asks for, and catches no error that a server started by a user would not catch.
 */
import { configureSync } from "@logtape/logtape";
import { createBirpc } from "birpc";
import { readdir, readlink } from "node:fs/promises";
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { defineConnector } from "../../../src/contract/definition.ts";
import { hosts, type RunningHost } from "../../support/socket-hosts.ts";
import { Probe } from "../../support/socket-probe.ts";
import { message } from "../listener.ts";
import { clockTime } from "../reader-thread.ts";
import { TimerLedger, uncounted } from "../timers.ts";
import type {
  Delivered,
  Held,
  LogLine,
  Memory,
  ServerFunctions,
  StartResult,
} from "./functions.ts";

/** Collects everything that nothing holds any more. */
const collect: () => void = "Bun" in globalThis
  ? () => (globalThis as unknown as { Bun: { gc(force: boolean): void } }).Bun.gc(true)
  : (setFlagsFromString("--expose-gc"), runInNewContext("gc"));

/** Outlives the timers that are counted. */
function pause(duration: number): Promise<void> {
  return new Promise((resolve) => uncounted.setTimeout(resolve, duration));
}

class Server implements ServerFunctions {
  readonly #now = Date.now;
  /** It can be asked for its counts when it has ended, too. */
  #runtime: RunningHost["runtime"] | undefined;
  #close: (() => Promise<void>) | undefined;
  #probe = new Probe();
  #steps: string[] = [];
  #log: LogLine[] = [];
  #timers: TimerLedger | undefined;
  #talking: ReturnType<typeof setInterval> | undefined;
  #sent = 0;

  async start(name: string, config: string): Promise<StartResult> {
    const host = hosts.find((one) => one.name === name);
    if (host === undefined) throw new Error(`this runtime has no host "${name}"`);
    this.#probe = new Probe();
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    // What no message between processes can hold.
    this.#probe.results.set("cycle", cycle);
    this.#probe.results.set("BigInt", { n: 10n });
    this.#probe.results.set("never", new Promise(() => {}));
    this.#steps = [];
    this.#sent = 0;
    this.#record();
    this.#timers?.stop();
    this.#timers = new TimerLedger();
    try {
      const running = await host.start(config, { connectors: this.#connectors() });
      this.#runtime = running.runtime;
      this.#close = running.close;
      return { port: running.port };
    } catch (error) {
      const { name, message } = error as Error;
      return { error: { name, message } };
    }
  }

  async warmUp(): Promise<void> {
    // Bun opens both once more when somebody asks, as MQTT's client does.
    for (const { isTTY } of [process.stdout, process.stderr]) void isTTY;
    const config = 'connector "api" {\n type = "rest"\n port = 0\n}';
    for (const { start, mount } of hosts) {
      const { port, close } = await start(config);
      const response = await fetch(`http://127.0.0.1:${port}${mount}/health/live`, {
        headers: { connection: "close" },
      });
      await response.text();
      await close();
    }
  }

  async close(): Promise<void> {
    this.quiet();
    this.release();
    this.jump(0);
    const close = this.#close;
    this.#close = undefined;
    await close?.();
  }

  counts() {
    return this.#served.counts();
  }

  sendToRoom(room: string, data: unknown): Promise<number> {
    return this.#served.sendToRoom(room, data);
  }

  sendToUser(user: string, data: unknown): Promise<number> {
    return this.#served.sendToUser(user, data);
  }

  async flood(user: string, text: string, count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      await this.#served.sendToUser(user, text);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async talkFor(room: string, perSecond: number, duration: number, from: number): Promise<number> {
    const began = performance.now();
    let sent = 0;
    for (;;) {
      const passed = performance.now() - began;
      if (passed >= duration) return sent;
      for (; sent < passed / 1_000 * perSecond; sent++) {
        const data = { n: from + sent, at: clockTime(), text: "y".repeat(100) };
        await this.#served.sendToRoom(room, data);
      }
      await pause(2);
    }
  }

  talk(room: string, every: number): void {
    this.#talking = uncounted.setInterval(() => {
      void this.#served.sendToRoom(room, message(this.#sent++));
    }, every);
  }

  quiet(): number {
    uncounted.clearInterval(this.#talking);
    return this.#sent;
  }

  sent(): number {
    return this.#sent;
  }

  deliveries(): readonly Delivered[] {
    return this.#probe.deliveries.map(({ target, payload, input }) => ({
      ...(target === undefined ? {} : { target }),
      payload,
      input,
    }));
  }

  hold(): void {
    this.#probe.holds = true;
  }

  release(): void {
    this.#probe.releaseAll();
  }

  setResult(target: string, value: unknown): void {
    this.#probe.results.set(target, value);
  }

  steps(): readonly string[] {
    return this.#steps;
  }

  log(): readonly LogLine[] {
    return this.#log;
  }

  async held(): Promise<Held> {
    return {
      timers: this.#timers?.pending() ?? [],
      descriptors: await Promise.all((await readdir("/dev/fd")).map(async (number) => {
        const target = await readlink(`/dev/fd/${number}`).catch(() => "");
        return `${number} ${target}`;
      })),
    };
  }

  async memory(first: boolean): Promise<Memory> {
    // Twice, since finalizers may let go of more.
    for (let i = 0; first && i < 2; i++) {
      collect();
      await pause(50);
    }
    const { rss, heapUsed, external } = process.memoryUsage();
    return { rss, heap: heapUsed, external };
  }

  block(duration: number): void {
    // Without using the processor, which other tests need.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, duration);
  }

  jump(offset: number): void {
    Date.now = offset === 0 ? this.#now : () => this.#now() + offset;
  }

  get #served() {
    if (this.#runtime === undefined) throw new Error("nothing was served yet");
    return this.#runtime;
  }

  #connectors() {
    const step = (name: string) => (): Promise<void> => {
      this.#steps.push(name);
      return Promise.resolve();
    };
    const steps = defineConnector({
      fields: {},
      create: () => ({ start: step("start"), consume: step("consume"), close: step("close") }),
    });
    return { ...this.#probe.connectors, steps };
  }

  /** Keeps the log of one server. */
  #record(): void {
    const lines: LogLine[] = this.#log = [];
    configureSync({
      reset: true,
      sinks: {
        lines: ({ level, message }) =>
          void lines.push({ level, text: message.map(String).join("") }),
      },
      loggers: [
        { category: ["weir"], lowestLevel: "info", sinks: ["lines"] },
        { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["lines"] },
      ],
    });
  }
}

createBirpc<Record<string, never>, ServerFunctions>(new Server(), {
  // A string: what it cannot hold would be lost without a word between some of the runtimes.
  post: (call) => void process.send?.(call),
  on: (hear) => void process.on("message", hear),
  serialize: (call) => JSON.stringify(call, plain),
  deserialize: (text) => JSON.parse(text),
  bind: "functions",
  timeout: -1,
});
process.once("disconnect", () => process.exit());
// Deno opens a pair of sockets for signals with the first one that is listened for, or by itself about
// a second after its start: they must be there before descriptors are counted.
process.on("SIGWINCH", () => {});

/** An error as its parts: it would be `{}`. */
function plain(_key: string, value: unknown): unknown {
  if (value instanceof Error) return { name: value.name, message: value.message };
  return typeof value === "bigint" ? String(value) : value;
}
