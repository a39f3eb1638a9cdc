/** The `websocket` connectors of several instances, linked by a backplane in memory. */
import assert from "node:assert/strict";
import { createGroup } from "../../src/cluster/mod.ts";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import type { BackplaneCapabilities } from "../../src/contract/backplane.ts";
import type { ConnectorContext, FlowHandler, WriteRequest } from "../../src/contract/connector.ts";
import type { RelayObserver } from "../../src/contract/request-observer.ts";
import type { Group, Instances } from "../../src/contract/instances.ts";
import { createHistory } from "../../src/connectors/websocket/history/mod.ts";
import { Hub } from "../../src/connectors/websocket/hub.ts";
import { createStreams } from "../../src/connectors/websocket/sse/mod.ts";
import type {
  WebSocketDestinationOptions,
  WebSocketOptions,
} from "../../src/connectors/websocket/options.ts";
import { compileExpression, type Expression } from "../../src/expression/mod.ts";
import { type Recorder, recorder } from "./log.ts";
import { type MemoryBackplane, MemoryBus } from "./memory-backplane.ts";
import { OPTIONS } from "./websocket.ts";
import { type FakeClient, openClient } from "./worker-runtimes.ts";

/** One instance. */
export interface LinkedHub extends TestHub {
  readonly link: MemoryBackplane;
  readonly group: Group;
}

/** How instances are made. */
export interface HubOptions {
  readonly capabilities?: Partial<BackplaneCapabilities>;
  readonly options?: Partial<WebSocketOptions> | undefined;
  /** Watches what each does for the requests of the others. */
  readonly relayed?: RelayObserver | undefined;
  /** The flows of each. */
  readonly flows?: Readonly<Record<string, readonly FlowHandler[]>>;
}

/** Runs `act` with linked connectors. */
export async function withHubs(
  count: number,
  { capabilities, options, flows = joinable(), relayed }: HubOptions,
  act: (...hubs: LinkedHub[]) => Promise<void>,
  bus: MemoryBus = new MemoryBus(capabilities),
): Promise<void> {
  const hubs = Array.from(
    { length: count },
    (_, i) => linkedHub(bus, `n${i + 1}`, options, flows, relayed),
  );
  try {
    await Promise.all(hubs.map(({ group }) => group.start()));
    await Promise.all(hubs.map(({ hub }) => hub.start()));
    await act(...hubs);
  } finally {
    await Promise.all(hubs.map(async ({ hub, group }) => {
      await hub.stop();
      await hub.close();
      await group.close();
    }));
    bus.end();
  }
}

function linkedHub(
  bus: MemoryBus,
  id: string,
  options: Partial<WebSocketOptions> | undefined,
  flows: Readonly<Record<string, readonly FlowHandler[]>>,
  relayed: RelayObserver | undefined,
): LinkedHub {
  const log = recorder();
  const { logger } = log;
  const link = slow(bus.connect(id));
  const group = createGroup({ id, backplane: link, clock: systemClock, logger });
  return { ...hubWith(group.connector("ws"), { options, flows, log, relayed }), link, group };
}

/** Its broker needs some time for a subscription: what is sent meanwhile does not arrive. */
function slow(link: MemoryBackplane): MemoryBackplane {
  const subscribe = link.subscribe.bind(link);
  link.subscribe = async (topics) => {
    for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
    await subscribe(topics);
  };
  return link;
}

/** A connector without a server, and what a test does with it. */
export interface TestHub {
  readonly hub: Hub;
  readonly log: Recorder;
  /** Connects a client. */
  open(user?: string, query?: string): Promise<FakeClient>;
  /** Writes as a flow does; the result is not used unless `resultUsed` says so. */
  write(request: TestRequest): unknown;
}

/** What differs from a request that says nothing. */
export type TestRequest = Omit<Partial<WriteRequest>, "options"> & {
  readonly options?: Partial<WebSocketDestinationOptions>;
};

/** Makes a connector with these other instances, if any. */
export function hubWith(
  instances: Instances | undefined,
  { options = {}, flows = joinable(), log = recorder(), clock = systemClock, relayed }:
    & Pick<HubOptions, "options" | "flows" | "relayed">
    & { readonly log?: Recorder; readonly clock?: Clock } = {},
): TestHub {
  const all = { ...OPTIONS, ...options };
  const keeps = all.room.some(({ history }) => history !== undefined);
  const context: ConnectorContext = {
    name: "ws",
    logger: log.logger,
    clock,
    constants: {},
    lookUp: () => ({}),
    instances,
    relayed,
  };
  const hub = new Hub(all, context, {
    createStreams: all.sse === undefined ? undefined : createStreams,
    createHistory: keeps ? createHistory : undefined,
  });
  for (const [operation, handlers] of Object.entries(flows)) {
    for (const handler of handlers) hub.subscribe(operation, handler);
  }
  return {
    hub,
    log,
    open: (user = "", query) => openClient(hub.http.socket, user, query),
    write: ({ options, ...request }) =>
      hub.write({
        operation: undefined,
        target: undefined,
        payload: null,
        scope: {},
        event: undefined,
        resultUsed: false,
        ...request,
        options: { ...NO_OPTIONS, ...options },
      }),
  };
}

const NO_OPTIONS: WebSocketDestinationOptions = {
  filter: undefined,
  user: undefined,
  frame: undefined,
  message_id: undefined,
  history: false,
  exclude_sender: false,
};

/** A flow that takes everything. */
export function flowThat(run: FlowHandler["run"], parts: Partial<FlowHandler> = {}): FlowHandler {
  return { flow: "test", takes: () => true, run, ...parts };
}

/** Flows without a destination, so that clients can join and leave, and tell their id. */
export function joinable(): Readonly<Record<string, readonly FlowHandler[]>> {
  const nothing = flowThat(() => ({ response: undefined, result: undefined }));
  const who = flowThat(({ client }) => ({ response: { data: client?.id }, result: undefined }));
  return { join_room: [nothing], leave_room: [nothing], who: [who] };
}

/** A filter or a user of a destination. */
export function expression(text: string, ...variables: readonly string[]): Expression {
  return compileExpression(text, ["client", ...variables]);
}

/** Waits, turn by turn of the event loop, until something holds. */
export async function soon(what: string, holds: () => boolean): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what}: nothing within 10 s`)), 10_000);
  try {
    while (!holds()) await Promise.race([late, new Promise((resolve) => setImmediate(resolve))]);
  } finally {
    clearTimeout(timer);
  }
}

/** Sends a frame that is answered with this error code, or without one. Returns the answer's data. */
export async function ask(
  client: FakeClient,
  frame: Readonly<Record<string, unknown>>,
  code?: string,
): Promise<unknown> {
  const heard: unknown[] = [];
  const isAnswer = (one: unknown) => (one as { readonly id?: unknown }).id === "ask";
  client.tell({ ...frame, id: "ask" });
  await soon("the answer", () => heard.push(...client.take()) > 0 && heard.some(isAnswer));
  const answer = heard.find(isAnswer) as { readonly code?: string; readonly data?: unknown };
  assert.equal(answer.code, code, JSON.stringify(answer));
  return answer.data;
}

/** Waits until a client has heard as many messages, which must have these data. */
export async function hears(client: FakeClient, ...expected: readonly unknown[]): Promise<void> {
  await soon("all messages", () => client.heard >= expected.length);
  const data = client.take().map((frame) => (frame as { readonly data: unknown }).data);
  assert.deepEqual(data, expected);
}
