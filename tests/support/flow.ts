/** One flow without any server: connectors that a test answers for, and a record of what it did. */
import type { DedupeStore } from "../../src/contract/cluster.ts";
import assert from "node:assert/strict";
import type { Clock } from "../../src/base/clock.ts";
import type {
  Client,
  Connector,
  FlowEvent,
  Outcome,
  WriteRequest,
} from "../../src/contract/connector.ts";
import { type ConnectorType, defineConnector } from "../../src/contract/definition.ts";
import type { FlowObserver } from "../../src/contract/observer.ts";
import { FlowError } from "../../src/base/errors.ts";
import { Flow } from "../../src/flow/mod.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { ManualClock } from "./clock.ts";
import { type Recorder, recorder } from "./log.ts";

/** Kinds of connectors, each with every freedom: `probe` has clients, `broker` has messages. */
export const probes: Readonly<Record<string, ConnectorType>> = {
  probe: defineConnector({
    fields: {},
    source: { kind: "clients" },
    destination: { fields: {}, creates: ({ operation }) => operation === "create" },
    keeps: true,
    create: () => ({}),
  }),
  broker: defineConnector({
    fields: {},
    source: { kind: "messages" },
    destination: { fields: {} },
    create: () => ({}),
  }),
  api: defineConnector({ fields: {}, source: { kind: "requests" }, create: () => ({}) }),
};

/** A flow and everything that it did. */
export interface Made {
  readonly flow: Flow;
  readonly writes: WriteRequest[];
  readonly log: Recorder;
  run(input?: Readonly<Record<string, unknown>>, client?: Client): Outcome | Promise<Outcome>;
}

/** What a flow is made with beside its body. */
export interface MakeOptions {
  /** Blocks beside the flow. */
  readonly blocks?: string;
  /** Stands still by default. */
  readonly clock?: Clock;
  /** The keys of connector `c`. */
  readonly keys?: DedupeStore;
  /** What watches the flow; nothing by default. */
  readonly observer?: FlowObserver;
}

/** The event that this input comes from. */
export function eventOf(input: Readonly<Record<string, unknown>>, client?: Client): FlowEvent {
  return { operation: "message", payload: input, input, ...(client && { client }) };
}

/**
 * The flow with this body. Its connectors are `a`, `b` and `c` with clients, `m` with messages and `r`
 * with requests; what a write returns is what `answer` gives for the connector's name.
 */
export async function make(
  body: string,
  answer: (connector: string, request: WriteRequest) => unknown = () => undefined,
  { blocks = "", clock = new ManualClock(), keys, observer }: MakeOptions = {},
): Promise<Made> {
  const kinds = { a: "probe", b: "probe", c: "probe", m: "broker", r: "api" };
  const connectors = Object.entries(kinds)
    .map(([name, type]) => `connector "${name}" {\n  type = "${type}"\n}\n`).join("");
  const constants = "constants {\n  limit = 5\n}\n";
  const source = `${connectors}${constants}flow "f" {\n${body}\n}\n${blocks}`;
  const model = await loadConfig(source, { connectors: probes });
  const writes: WriteRequest[] = [];
  const write = (name: string): Connector => ({
    write(request) {
      writes.push(request);
      return answer(name, request);
    },
    ...(name === "c" && keys ? { dedupeStore: keys } : {}),
  });
  const log = recorder();
  const flow = new Flow(model.flows[0], {
    connectors: new Map(Object.keys(kinds).map((name) => [name, write(name)])),
    constants: model.constants,
    logger: log.logger,
    clock,
    random: () => 0.5,
    observer,
  });
  return { flow, writes, log, run: (input = {}, client) => flow.run(eventOf(input, client)) };
}

/** A source. */
export const FROM = 'from { connector = "a" }';

/** A destination. */
export function to(connector: string, rest = ""): string {
  return `to {\nconnector = "${connector}"\n${rest}\n}`;
}

/** The error of a flow that must fail. */
export async function failureOf(act: () => unknown): Promise<FlowError> {
  try {
    await act();
  } catch (error) {
    assert.ok(error instanceof FlowError, String(error));
    return error;
  }
  return assert.fail("the flow did not fail");
}
