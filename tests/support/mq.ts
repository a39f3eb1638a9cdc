/** What the tests of the mq connector share. */
import assert from "node:assert/strict";
import type { Logger } from "@logtape/logtape";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { mqConnector } from "../../src/connectors/mq/mod.ts";
import type {
  Connector,
  FilterRefusal,
  FlowEvent,
  FlowHandler,
  Outcome,
  WriteRequest,
} from "../../src/contract/connector.ts";
import { FlowError } from "../../src/base/errors.ts";
import { nextLook, pause } from "./socket-probe.ts";

/** A line of the log: level, then the message with its values. */
export type LogLine = readonly [level: string, text: string];

/** A logger that keeps its lines. */
export function keepingLogger(lines: LogLine[]): Logger {
  const keep = (level: string) => (message: string, values: Record<string, unknown> = {}) => {
    lines.push([level, message.replace(/\{(\w+)\}/g, (_, name) => String(values[name]))]);
  };
  const levels = ["debug", "info", "warn", "error"].map((level) => [level, keep(level)]);
  return Object.fromEntries(levels) as unknown as Logger;
}

/** A connector made as from a configuration, with its log. */
export interface Made {
  readonly connector: Required<Connector>;
  readonly log: LogLine[];
}

/** Makes an mq connector; `options` stand for what the fields make of a block. */
export async function makeMq(
  options: Readonly<Record<string, unknown>>,
  name = "events",
  clock: Clock = systemClock,
  runtime?: object,
): Promise<Made> {
  const log: LogLine[] = [];
  const connector = await mqConnector.create(options, {
    name,
    logger: keepingLogger(log),
    clock,
    runtime,
    constants: {},
    lookUp: () => ({}),
  });
  return { connector: connector as Required<Connector>, log };
}

/** A flow whose `run` is given. */
export function flow(
  run: (event: FlowEvent) => unknown,
  takes: (event: FlowEvent) => boolean = () => true,
): FlowHandler {
  const done: Outcome = { response: undefined, result: undefined };
  return {
    flow: "test",
    takes,
    run(event) {
      const result = run(event);
      return result instanceof Promise ? result.then(() => done) : done;
    },
  };
}

/** A flow that takes nothing; its filter says what becomes of a message then. */
export function refusing(settlement: FilterRefusal["settlement"], maxRequeue = 3): FlowHandler {
  const filterRefusal = { settlement, maxRequeue };
  return { ...flow(() => assert.fail("its filter is false"), () => false), filterRefusal };
}

/** The error of a flow that may, or may not, succeed the next time. */
export function failure(permanent = false): FlowError {
  return new FlowError("test", "flow_failed", { ref: "0badc0de", permanent });
}

/** A request to publish. */
export function request(
  target: string | undefined,
  payload: unknown,
  headers?: Readonly<Record<string, unknown>>,
): WriteRequest {
  const options = headers === undefined ? {} : { headers };
  return { operation: undefined, target, payload, options, scope: {}, event: undefined };
}

/** Waits until `condition` holds; fails after `limit` milliseconds. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limit = 15_000,
): Promise<void> {
  const began = performance.now();
  while (!await condition()) {
    if (performance.now() > began + limit) throw new Error(`timed out waiting for: ${what}`);
    await pause(nextLook(began));
  }
}
