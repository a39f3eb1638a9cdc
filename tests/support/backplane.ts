/** Backplanes of the mq connector in tests, and what one of them has told. */
import assert from "node:assert/strict";
import { systemClock } from "../../src/base/clock.ts";
import { mqConnector } from "../../src/connectors/mq/mod.ts";
import {
  type Backplane,
  type BackplaneContext,
  BackplaneError,
} from "../../src/contract/backplane.ts";
import { type LogRecord, recorder } from "./log.ts";
import { until } from "./mq.ts";

/** Makes a backplane; `options` stand for what the fields make of a block. */
export async function makeBackplane(
  options: Readonly<Record<string, unknown>>,
  context: BackplaneContext,
): Promise<Backplane> {
  const { backplane } = mqConnector;
  assert.ok(backplane !== undefined);
  return await backplane.create(options, context);
}

/** An instance of a service at its backplane. */
export class Linked {
  readonly backplane: Backplane;
  readonly log: readonly LogRecord[];
  /** What it has heard, such as `topic: text`. */
  readonly heard: string[] = [];
  /** Each call of `up`, and of `down` with its reason. */
  readonly calls: string[] = [];

  private constructor(backplane: Backplane, log: readonly LogRecord[]) {
    this.backplane = backplane;
    this.log = log;
  }

  /** Makes one that is not open. */
  static async make(options: Readonly<Record<string, unknown>>, service: string): Promise<Linked> {
    const { logger, records } = recorder();
    const instance = crypto.randomUUID().replaceAll("-", "");
    const context = { name: "bus", logger, clock: systemClock, service, instance };
    return new Linked(await makeBackplane(options, context), records);
  }

  /** Opens it; resolves when that has ended. */
  async open(): Promise<void> {
    await this.backplane.open({
      message: (topic, message) => {
        this.heard.push(`${topic}: ${new TextDecoder().decode(message)}`);
      },
      up: () => void this.calls.push("up"),
      down: (reason) => void this.calls.push(reason),
      members: () => assert.fail("nobody tells the members"),
    });
  }

  /** How often it was told that it is connected, if it is so now; else 0. */
  get ups(): number {
    return this.calls.at(-1) === "up" ? this.calls.filter((call) => call === "up").length : 0;
  }

  /** Waits until it is told that it is connected, for at least the time `times`. */
  async up(times = 1): Promise<void> {
    await until(`up() number ${times}`, () => this.ups >= times);
  }

  /** Waits until it is told that the connection is lost; returns the reason. */
  async down(): Promise<string> {
    await until("down()", () => this.calls.length > 0 && this.ups === 0);
    return this.calls.at(-1) ?? "";
  }

  /** Publishes a text. */
  async publish(topic: string, text: string): Promise<void> {
    await this.backplane.publish(topic, new TextEncoder().encode(text));
  }

  /** Waits until it has heard something. */
  async hears(topic: string, text: string): Promise<void> {
    await until(`${topic}: ${text}`, () => this.heard.includes(`${topic}: ${text}`));
  }
}

/** The error of a call that must fail with a `BackplaneError`, within the time of the contract. */
export async function backplaneError(call: Promise<unknown>): Promise<BackplaneError> {
  const began = performance.now();
  const error = await call.then(() => assert.fail("it resolved"), (error: unknown) => error);
  assert.ok(error instanceof BackplaneError, String(error));
  const took = performance.now() - began;
  assert.ok(took < 3_000, `it settled after ${took} ms`);
  return error;
}
