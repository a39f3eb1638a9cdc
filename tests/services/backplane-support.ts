/** What the tests of the brokers' backplanes share: instances, and what they hear. */
import assert from "node:assert/strict";
import { systemClock } from "../../src/base/clock.ts";
import { ConnectorError } from "../../src/base/errors.ts";
import { drivers } from "../../src/connectors/mq/drivers/mod.ts";
import type { MqOptions } from "../../src/connectors/mq/options.ts";
import { type Backplane, BackplaneError } from "../../src/contract/backplane.ts";
import { keepingLogger, type LogLine, until } from "../support/mq.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Where an instance connects: what stands for the fields of a `connector` block. */
export type Where = Readonly<Record<string, unknown>> & { readonly driver: "nats" | "rabbitmq" };

/** One instance. */
export class Instance {
  readonly backplane: Backplane;
  /** What it has heard: the topic and the message. */
  readonly heard: (readonly [topic: string, message: Uint8Array])[] = [];
  /** `up` and the reasons of `down`, in their order. */
  readonly states: string[] = [];
  readonly log: readonly LogLine[];

  constructor(backplane: Backplane, log: readonly LogLine[]) {
    this.backplane = backplane;
    this.log = log;
  }

  get isUp(): boolean {
    return this.states.at(-1) === "up";
  }

  async open(): Promise<void> {
    await this.backplane.open({
      message: (topic, message) => void this.heard.push([topic, message]),
      up: () => void this.states.push("up"),
      down: (reason) => void this.states.push(reason),
      members: () => assert.fail("it knows no members"),
    });
  }

  async publish(topic: string, text: string | Uint8Array): Promise<void> {
    await this.backplane.publish(topic, typeof text === "string" ? encoder.encode(text) : text);
  }

  /** The texts of a topic. */
  texts(topic: string): readonly string[] {
    return this.heard.filter(([one]) => one === topic).map(([, bytes]) => decoder.decode(bytes));
  }

  /** Waits for a text. */
  async hears(topic: string, text: string): Promise<void> {
    await until(`${text} on ${topic}`, () => this.texts(topic).includes(text));
  }

  /** Waits until it is connected again. */
  async connected(): Promise<void> {
    await until("up", () => this.isUp, 20_000);
    assert.equal(this.backplane.health(), undefined);
  }

  /** Waits until it knows that it is not connected. */
  async disconnected(): Promise<void> {
    await until("down", () => !this.isUp && this.backplane.health() !== undefined);
  }
}

/** The instances of one test, in a service of their own. */
export class Instances {
  readonly service: string;
  readonly #all: Instance[] = [];

  constructor(service = `weir-test-${crypto.randomUUID().slice(0, 8)}`) {
    this.service = service;
  }

  /** Makes one that is not connected. */
  async make(where: Where): Promise<Instance> {
    const { backplane } = drivers[where.driver];
    assert.ok(backplane !== undefined);
    const log: LogLine[] = [];
    const instance = `i${this.#all.length}`;
    const context = { name: "bus", service: this.service, instance, clock: systemClock };
    const { createBackplane } = await backplane.load();
    const options = where as unknown as MqOptions;
    const made = createBackplane(options, { ...context, logger: keepingLogger(log) });
    const one = new Instance(made, log);
    this.#all.push(one);
    return one;
  }

  /** Makes one and connects it. */
  async join(where: Where): Promise<Instance> {
    const instance = await this.make(where);
    await instance.open();
    assert.deepEqual(instance.states, ["up"]);
    return instance;
  }

  async close(): Promise<void> {
    for (const { backplane } of this.#all) await backplane.close();
  }
}

/** Calls `run` with a service, and closes its instances. */
export async function withInstances(
  run: (instances: Instances) => Promise<void>,
  service?: string,
): Promise<void> {
  const instances = new Instances(service);
  try {
    await run(instances);
  } finally {
    await instances.close();
  }
}

/** The error of a call that fails within two seconds, and some for a busy machine. */
export async function refusal(call: Promise<unknown>): Promise<BackplaneError> {
  const began = performance.now();
  const error = await call.then(() => assert.fail("it succeeds"), (error) => error);
  assert.ok(error instanceof BackplaneError, String(error));
  assert.ok(performance.now() - began < 3500, "it takes longer than two seconds");
  return error;
}

/** The message of an `open` that can never succeed. */
export async function refusedOpen(instance: Instance): Promise<string> {
  const error = await instance.open().then(() => assert.fail("it opens"), (error) => error);
  assert.ok(error instanceof ConnectorError, String(error));
  assert.equal(error.permanent, true);
  assert.deepEqual(instance.states, []);
  return error.message;
}
