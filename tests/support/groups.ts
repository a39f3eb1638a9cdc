/** Groups of instances in memory, for tests: each has a clock of its own, which moves with the others. */
import { createGroup } from "../../src/cluster/mod.ts";
import type { BackplaneCapabilities } from "../../src/contract/backplane.ts";
import type { Logger } from "../../src/contract/logger.ts";
import type { Group, Instances, InstancesListener } from "../../src/contract/instances.ts";
import { ManualClock } from "./clock.ts";
import { type MemoryBackplane, MemoryBus } from "./memory-backplane.ts";

/** One instance of a test. */
export interface TestInstance {
  readonly id: string;
  readonly group: Group;
  readonly link: MemoryBackplane;
  readonly clock: ManualClock;
  /** The lines of its log at warn and error. */
  readonly log: string[];
  /** The part of the connector "ws". */
  readonly ws: Instances;
  /** The instances that it was told to be gone, with how much it had heard before. */
  readonly gone: string[];
  /** What that has heard, as `topic:text`, and `gap`. */
  readonly heard: string[];
}

/** What a test says of an instance. */
export interface TestInstanceOptions {
  readonly message?: InstancesListener["message"];
  readonly answer?: InstancesListener["answer"];
}

/** The instances of one service. */
export class TestService {
  readonly bus: MemoryBus;
  readonly #clock = new ManualClock();
  readonly #instances: TestInstance[] = [];
  /** Instances whose event loop is blocked: their clocks do not move. */
  readonly blocked = new Set<TestInstance>();

  constructor(capabilities: Partial<BackplaneCapabilities> = {}) {
    this.bus = new MemoryBus(capabilities, this.#clock);
  }

  /** Makes an instance that is not started. */
  make(id: string, options: TestInstanceOptions = {}): TestInstance {
    const clock = new ManualClock(this.#clock.now());
    const link = this.bus.connect(id);
    const log: string[] = [];
    const line = (text: string, properties: Readonly<Record<string, unknown>> = {}): void =>
      void log.push(text.replaceAll(/\{(\w+)\}/g, (_, name) => String(properties[name])));
    const quiet = (): void => {};
    const logger: Logger = { trace: quiet, debug: quiet, info: quiet, warn: line, error: line };
    const group = createGroup({ id, backplane: link, clock, logger });
    const heard: string[] = [];
    const gone: string[] = [];
    const ws = group.connector("ws");
    ws.hear({
      message(topic, message, from) {
        heard.push(`${topic}:${textOf(message)}`);
        return options.message?.(topic, message, from);
      },
      answer: options.answer ?? (() => bytesOf(`${id} answers`)),
      gap: () => void heard.push("gap"),
      gone: (instance) => void gone.push(`${instance} after ${heard.length}`),
    });
    const instance = { id, group, link, clock, log, ws, heard, gone };
    this.#instances.push(instance);
    return instance;
  }

  /** Makes an instance and starts it. */
  async start(id: string, options: TestInstanceOptions = {}): Promise<TestInstance> {
    const instance = this.make(id, options);
    const started = instance.group.start();
    await this.advance(600);
    await started;
    return instance;
  }

  /** An instance ends as by SIGKILL: nothing of it moves any more. */
  kill(instance: TestInstance): void {
    this.blocked.add(instance);
    void instance.link.close();
  }

  /** Moves the time of all, in steps. */
  async advance(milliseconds: number, step = 100): Promise<void> {
    for (let left = milliseconds; left > 0; left -= step) {
      const part = Math.min(step, left);
      await this.#clock.advance(part);
      for (const instance of this.#instances) {
        if (!this.blocked.has(instance)) await instance.clock.advance(part);
      }
      await ticks();
    }
  }

  /** An instance that was blocked goes on: its clock jumps to the time of the others. */
  async wake(instance: TestInstance): Promise<void> {
    this.blocked.delete(instance);
    const late = this.#clock.now() - instance.clock.now();
    await instance.clock.jump(late);
    await ticks();
  }

  /** Closes all that are not closed yet. */
  async close(): Promise<void> {
    for (const instance of this.#instances) {
      if (this.blocked.has(instance)) continue;
      const closed = instance.group.close();
      await this.advance(600);
      await closed;
    }
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The text of bytes. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Lets what was sent in this tick arrive, and what that causes. */
export async function ticks(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    await new Promise<void>((resolve) => setTimeout(() => setImmediate(resolve), 0));
  }
}
