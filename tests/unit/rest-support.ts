/** A `rest` connector with flows, behind a Hono application. */
import { type Clock, systemClock } from "../../src/base/clock.ts";
import type { Logger } from "@logtape/logtape";
import { Hono } from "hono";
import type { Connector, FlowEvent, FlowHandler, Outcome } from "../../src/contract/connector.ts";
import { restConnector } from "../../src/connectors/rest/mod.ts";

/** Flows by operation; the name of a flow is its place in the list, from 1. */
export type Flows = readonly (readonly [operation: string, run: FlowHandler["run"]])[];

/** A connector and an application that serves it. */
export interface Served {
  readonly connector: Connector;
  readonly app: Hono;
  /** Errors that were logged. */
  readonly logged: unknown[];
  /** Sends a request. */
  request(path: string, init?: RequestInit): Promise<Response>;
}

/** Makes a connector that accepts requests, unless `accepting` is false. */
export async function serve(
  flows: Flows,
  options: Readonly<Record<string, unknown>> = {},
  { accepting = true, app = new Hono(), clock = systemClock }: {
    accepting?: boolean;
    app?: Hono;
    clock?: Clock;
  } = {},
): Promise<Served> {
  const logged: unknown[] = [];
  const logger = {
    error: (_message: string, { error }: { readonly error: unknown }) => logged.push(error),
  };
  const connector = await restConnector.create(
    { port: 0, host: "127.0.0.1", cors: [], max_body_size: 1024, ...options },
    {
      name: "api",
      logger: logger as unknown as Logger,
      clock,
      constants: {},
      lookUp: () => ({}),
    },
  );
  for (const [index, [operation, run]] of flows.entries()) {
    connector.subscribe?.(operation, { flow: String(index + 1), takes: () => true, run });
  }
  connector.http?.routes?.(app);
  if (accepting) await connector.consume?.();
  return {
    connector,
    app,
    logged,
    request: async (path, init) => await app.request(path, init),
  };
}

/** The outcome of a flow with a response. */
export function respond(data: unknown): Outcome {
  return { response: { data }, result: undefined };
}

/** A flow that answers with what it got. */
export function echo({ operation, payload, input }: FlowEvent): Outcome {
  return respond({ operation, payload, input });
}

/** A request with a JSON body, sent as it is written. */
export function json(text: string, method = "POST"): RequestInit {
  return { method, headers: { "content-type": "application/json" }, body: text };
}

/** The `error` of an answer. */
export async function errorOf(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const { error, ...others } = await response.json();
  if (Object.keys(others).length > 0) throw new Error(`beside error: ${Object.keys(others)}`);
  return error;
}
