/** Those from whom a test's events come: clients, callers, and whoever else a connector hears. */
import type { FlowEvent, FlowHandler } from "../contract/connector.ts";
import { admit, dispatch } from "../contract/dispatch.ts";
import { isObject } from "../base/json.ts";
import type { EventStep, GivenStep, TestClient } from "../model/test.ts";
import type { Activity } from "./activity.ts";
import { ClientConnection } from "./client.ts";
import type { Observer } from "./observe.ts";
import type { Records } from "./records.ts";
import { Caller } from "./requests.ts";

/** What all senders need of their test. */
export interface SendersContext {
  readonly records: Records;
  readonly activity: Activity;
  readonly observer: Observer;
  /** Values for every expression. */
  readonly constants: Readonly<Record<string, unknown>>;
  /** Why which connector cannot serve at the moment. */
  health(): Readonly<Record<string, string>>;
}

/** All senders of one test. */
export class Senders {
  readonly #context: SendersContext;
  readonly #clients = new Map<string, ClientConnection>();
  readonly #callers = new Map<string, Caller>();

  /** The runtime must have been started. */
  constructor(clients: readonly TestClient[], context: SendersContext) {
    this.#context = context;
    for (const [index, client] of clients.entries()) {
      const endpoint = context.observer.connectors.get(client.connector)?.connector.http?.socket;
      if (endpoint === undefined) {
        context.records.mistake(
          `client "${client.name}": connector "${client.connector}" has no WebSocket in tests`,
        );
        continue;
      }
      // Addresses that are for documentation alone.
      const address = `2001:db8::${(index + 1).toString(16)}`;
      this.#clients.set(
        client.name,
        new ClientConnection(client, { ...context, endpoint, address }),
      );
    }
  }

  /** Lets a client connect and join its rooms. */
  connect(client: string): void {
    this.#clients.get(client)?.connect();
  }

  /** Says where a client is not connected, or not in its rooms. */
  checkReady(client: string): void {
    this.#clients.get(client)?.checkReady();
  }

  /** Lets something happen. What comes of it comes later. */
  give(step: GivenStep): void {
    switch (step.kind) {
      case "connect":
        return this.connect(step.subject);
      case "disconnect":
        return this.#clients.get(step.subject)?.disconnect();
      case "frame":
        return this.#clients.get(step.subject)?.send(step.text);
      case "request":
        return this.#caller(step.subject)?.send(step);
      case "event":
        return this.#publish(step);
    }
  }

  #caller(name: string): Caller | undefined {
    const { observer, records } = this.#context;
    const known = this.#callers.get(name);
    if (known !== undefined) return known;
    const service = observer.connectors.get(name)?.connector.http;
    if (service?.routes === undefined) {
      records.mistake(`connector "${name}" serves no requests in tests`);
      return undefined;
    }
    const caller = new Caller(name, { ...this.#context, service });
    this.#callers.set(name, caller);
    return caller;
  }

  /** Through the broker where it brings the message back; else straight to the flows. */
  #publish({ subject, operation, data, headers }: EventStep): void {
    const { constants, observer, records } = this.#context;
    const observed = observer.connectors.get(subject);
    if (observed === undefined) return;
    const { connector, model: { definition: { source, test }, options }, subscriptions } = observed;
    const comesBack = (wanted: string | undefined) =>
      source?.receives?.(wanted, operation, options) === true;
    const isBroker = test !== undefined && source?.kind === "messages";
    if (isBroker && subscriptions.some((one) => comesBack(one.operation))) {
      const request = { operation: undefined, target: operation, payload: data, event: undefined };
      connector.write?.({ ...request, options: { headers }, scope: { constants } });
      return;
    }
    const handlers = subscriptions
      .filter((one) => [undefined, operation].includes(one.operation) || comesBack(one.operation))
      .map(({ handler }) => handler);
    if (handlers.length === 0) {
      return records.mistake(`no flow takes "${operation}" of connector "${subject}"`);
    }
    const metadata = source?.kind === "messages" ? { body: data, headers } : {};
    const input = { ...(isObject(data) ? data : {}), ...metadata };
    this.#dispatch(subject, handlers, { operation, payload: data, input });
  }

  #dispatch(connector: string, handlers: readonly FlowHandler[], event: FlowEvent): void {
    const { activity, records } = this.#context;
    const broken = (error: unknown) => records.mistake(`connector "${connector}" broke: ${error}`);
    // A flow's own failure is seen where it happens.
    const { all } = dispatch(admit(handlers, event), event);
    Promise.resolve(all).then(() => activity.touch(), broken);
  }
}
