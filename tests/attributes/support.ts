/** Runs a configuration for a row of the table and shows what comes out of it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connector, FlowHandler } from "../../src/contract/connector.ts";
import { type ConnectorType, defineConnector } from "../../src/contract/definition.ts";
import { admit, dispatch } from "../../src/contract/dispatch.ts";
import { FlowError } from "../../src/base/errors.ts";
import { isObject } from "../../src/base/json.ts";
import type { Configuration } from "../../src/runtime/load.ts";
import { assembleRuntime } from "../../src/runtime/mod.ts";
import type { RuntimeCore } from "../../src/runtime/core.ts";
import { ManualClock } from "../support/clock.ts";

/** What a connector of type `sink` was asked, without what was left out. */
export interface Delivery {
  /** The name of the sink. */
  readonly connector: string;
  readonly operation?: string;
  readonly target?: string;
  readonly payload: unknown;
}

/** What the answer to an HTTP request says. */
export interface Answer {
  readonly status: number;
  /** Parsed where it is JSON; null where there is none. Without the `ref` of an error. */
  readonly body: unknown;
}

/** A configuration at work on a clock that stands still, and what can be seen of it. */
export interface World {
  readonly runtime: RuntimeCore;
  readonly clock: ManualClock;
  /** Everything that the sinks were asked, in order. */
  readonly deliveries: readonly Delivery[];
  /**
   * Lets the connector `in`, of type `source`, have an event. Gives what its sender is told: the
   * response, `"done"` without one, `{ error, details? }`, or `"no flow"` where none takes it.
   */
  emit(data: unknown, operation?: string): Promise<unknown>;
  /** Sends an HTTP request such as `POST /orders` to the connectors that serve HTTP. */
  request(operation: string, body?: unknown): Promise<Answer>;
}

/** What a world is made with. */
export interface WorldOptions {
  /** What a sink returns or throws; nothing by default. */
  readonly reply?: (delivery: Delivery, clock: ManualClock) => unknown;
  /** Environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where relative paths begin: the configuration counts as a file of this folder. */
  readonly folder?: string;
}

/** A connector whose events a row makes, and connectors that keep what they are asked. */
export const ENDS = `
connector "in" {
  type = "source"
}
connector "a" {
  type = "sink"
}
connector "b" {
  type = "sink"
}
connector "c" {
  type = "sink"
}
`;

/** A connector that HTTP callers reach through `World.request`. */
export const REST = `
connector "api" {
  type = "rest"
  port = 0
}
`;

/** A broker inside the process. */
export const BROKER = `
connector "events" {
  type   = "mq"
  driver = "memory"
}
`;

/** The flow "f" with this body. */
export function flow(body: string): string {
  return `flow "f" {\n${body}\n}\n`;
}

/** The source of most flows. */
export const FROM = 'from { connector = "in" }';

/** A destination: a sink, and what else stands in its block. */
export function to(sink: string, rest = ""): string {
  return `to {\nconnector = "${sink}"\n${rest}\n}`;
}

/**
 * Runs a configuration while `look` does its work. It may have connectors of the types `source`
 * (named `in`) and `sink` beside those that Weir brings.
 */
export async function inWorld<T>(
  config: Configuration,
  look: (world: World) => Promise<T>,
  { reply = () => undefined, env = {}, folder }: WorldOptions = {},
): Promise<T> {
  const clock = new ManualClock();
  const deliveries: Delivery[] = [];
  const source = new Source();
  const files = typeof config === "string" && folder !== undefined
    ? [{ path: "config.hcl", text: config, folder }]
    : config;
  const runtime = await assembleRuntime(files, {
    connectors: {
      source: sourceType(source),
      sink: sinkType((delivery) => {
        deliveries.push(delivery);
        return reply(delivery, clock);
      }),
    },
    env: (name) => env[name],
    now: () => clock.now(),
    clock,
    // In the middle of the jitter, which makes none.
    random: () => 0.5,
  });
  try {
    await runtime.start();
    await runtime.consume();
    return await look({
      runtime,
      clock,
      deliveries,
      emit: (data, operation = "event") => source.emit(operation, data),
      request: (operation, body) => request(runtime, operation, body),
    });
  } finally {
    await runtime.close();
  }
}

/** Calls `use` with an empty folder, which is removed afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "weir-attributes-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A promise that the clock keeps after so many milliseconds. */
export function after(milliseconds: number, clock: ManualClock): Promise<void> {
  return new Promise((resolve) => clock.after(milliseconds, resolve));
}

/** The payloads alone. */
export function payloads(deliveries: readonly Delivery[]): readonly unknown[] {
  return deliveries.map(({ payload }) => payload);
}

/** The names of the sinks, in the order in which they were asked. */
export function sinks(deliveries: readonly Delivery[]): readonly string[] {
  return deliveries.map(({ connector }) => connector);
}

/** Hands the events of a row to the flows that want them. */
class Source implements Connector {
  readonly #flows: { readonly operation: string | undefined; readonly handler: FlowHandler }[] = [];

  subscribe(operation: string | undefined, handler: FlowHandler): void {
    this.#flows.push({ operation, handler });
  }

  async emit(operation: string, data: unknown): Promise<unknown> {
    const event = { operation, payload: data, input: isObject(data) ? data : {} };
    const wanting = this.#flows
      .filter((one) => one.operation === undefined || one.operation === operation)
      .map(({ handler }) => handler);
    const { answer, all } = dispatch(admit(wanting, event), event);
    const [ending] = await Promise.all([answer, all]);
    if (ending === undefined) return "no flow";
    if (!(ending instanceof FlowError)) return plain(ending.response?.data ?? "done");
    const { code, details } = ending;
    return plain({ error: code, details });
  }
}

function sourceType(source: Source): ConnectorType {
  return defineConnector({ fields: {}, source: {}, create: () => source });
}

function sinkType(keep: (delivery: Delivery) => unknown): ConnectorType {
  return defineConnector({
    fields: {},
    destination: { fields: {} },
    create: (_options, { name }) => ({
      write: ({ operation, target, payload }) =>
        keep(plain({ connector: name, operation, target, payload }) as Delivery),
    }),
  });
}

async function request(
  runtime: RuntimeCore,
  operation: string,
  body: unknown,
): Promise<Answer> {
  const [method, path] = operation.split(" ");
  const headers = { "content-type": "application/json" };
  const response = await runtime.fetch(
    new Request(`http://localhost${path}`, {
      method,
      ...(body === undefined ? {} : { headers, body: JSON.stringify(body) }),
    }),
  );
  const text = await response.text();
  return { status: response.status, body: withoutRef(text === "" ? null : JSON.parse(text)) };
}

/** A `ref` is another one each time. */
function withoutRef(body: unknown): unknown {
  if (!isObject(body) || !isObject(body.error)) return body;
  const { ref, message, ...error } = body.error;
  const text = typeof ref === "string" ? String(message).replace(ref, "REF") : message;
  return { ...body, error: { ...error, message: text } };
}

/** As JSON has it, which leaves out what is undefined. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
