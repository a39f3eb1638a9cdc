/** Sends the events of a test: client frames, requests, and the messages of other connectors. */
import type { FlowEvent, FlowHandler, HttpService } from "../contract/connector.ts";
import { admit, dispatch } from "../contract/dispatch.ts";
import { isObject } from "../base/json.ts";
import type { EventStep, GivenStep, RequestStep, TestClient } from "../model/test.ts";
import { createSite, type Site } from "../runtime/site.ts";
import { vouchFor } from "../transport/vouched.ts";
import type { Activity } from "./activity.ts";
import { ClientConnection } from "./client.ts";
import type { Observer } from "./observe.ts";
import type { Records } from "./records.ts";

/** What all senders use. */
export interface SendersContext {
  readonly records: Records;
  readonly activity: Activity;
  readonly observer: Observer;
  /** The `constants` of the configuration. */
  readonly constants: Readonly<Record<string, unknown>>;
  /** Why which connector cannot serve at the moment. */
  health(): Readonly<Record<string, string>>;
  /** The test's time. */
  now(): number;
}

/** The address of a caller, which is reserved for documentation. */
const CALLER = "2001:db8::ffff";
const JSON_BODY = { "content-type": "application/json" };

/** All senders of one test. */
export class Senders {
  readonly #context: SendersContext;
  readonly #clients = new Map<string, ClientConnection>();
  readonly #requests = new Map<string, RequestSender>();

  /** The runtime must have been started. */
  constructor(clients: readonly TestClient[], context: SendersContext) {
    this.#context = context;
    for (const [index, client] of clients.entries()) {
      const http = context.observer.connectors.get(client.connector)?.connector.http;
      const { socket: endpoint, stream } = http ?? {};
      if (endpoint === undefined) {
        context.records.mistake(
          `client "${client.name}": connector "${client.connector}" has no WebSocket in tests`,
        );
        continue;
      }
      const own = { ...context, endpoint, stream, number: index + 1 };
      this.#clients.set(client.name, new ClientConnection(client, own));
    }
  }

  /** Connects a client, which joins its rooms. */
  connect(client: string, late = false): void {
    this.#clients.get(client)?.connect(late);
  }

  /** The first step begins. */
  begin(): void {
    for (const client of this.#clients.values()) client.begin();
  }

  /** Records a mistake if a client is not connected or not in its rooms. */
  checkReady(client: string): void {
    this.#clients.get(client)?.checkReady();
  }

  /** Sends the event of a step. Its results follow later. */
  send(step: GivenStep): void {
    switch (step.kind) {
      case "connect":
        return this.connect(step.subject, true);
      case "reading":
        return this.#clients.get(step.subject)?.read(step.reads);
      case "disconnect":
        return this.#clients.get(step.subject)?.disconnect(step.code);
      case "frame":
        return this.#clients.get(step.subject)?.send(step);
      case "request":
        return this.#requestSender(step.subject)?.send(step);
      case "event":
        return this.#publish(step);
    }
  }

  #requestSender(name: string): RequestSender | undefined {
    const { observer, records } = this.#context;
    const known = this.#requests.get(name);
    if (known !== undefined) return known;
    const service = observer.connectors.get(name)?.connector.http;
    if (service?.routes === undefined) {
      records.mistake(`connector "${name}" serves no requests in tests`);
      return undefined;
    }
    const sender = new RequestSender(name, { ...this.#context, service });
    this.#requests.set(name, sender);
    return sender;
  }

  /** Through the broker if something takes the message there; else directly to the flows. */
  #publish({ subject, operation, data, headers, old }: EventStep): void {
    const { constants, observer, records, now } = this.#context;
    const observed = observer.connectors.get(subject);
    if (observed === undefined) return;
    const { connector, model: { definition: { source, test }, options }, subscriptions } = observed;
    const comesBack = (wanted: string | undefined) =>
      source?.receives?.(wanted, operation, options) === true;
    const request = {
      ...{ operation: undefined, target: operation, payload: data, event: undefined },
      ...{ options: { headers }, scope: { constants } },
    };
    if (connector.receive?.(request)) return;
    // What is given to a database is a change of it, not a row to be written.
    const isBroker = test !== undefined && source?.kind === "messages" && !source.given;
    const arrives = [...observer.connectors.values()].some((other) =>
      other.subscriptions.some((one) =>
        other === observed
          ? comesBack(one.operation)
          : other.model.definition === observed.model.definition &&
            source?.receivesFrom?.(one.operation, operation, other.model.options, options) === true
      )
    );
    if (isBroker && arrives) {
      connector.write?.(request);
      return;
    }
    const handlers = subscriptions
      .filter((one) => [undefined, operation].includes(one.operation) || comesBack(one.operation))
      .map(({ handler }) => handler);
    if (handlers.length === 0) {
      return records.mistake(`no flow takes "${operation}" of connector "${subject}"`);
    }
    const given = source?.given?.event(operation, data, old, now());
    if (given !== undefined) return this.#dispatch(subject, handlers, given);
    const metadata = source?.kind === "messages" ? { body: data, headers } : {};
    const input = { ...(isObject(data) ? data : {}), ...metadata };
    this.#dispatch(subject, handlers, { operation, payload: data, input });
  }

  #dispatch(connector: string, handlers: readonly FlowHandler[], event: FlowEvent): void {
    const { activity, records } = this.#context;
    const broken = (error: unknown) => records.mistake(`connector "${connector}" failed: ${error}`);
    // The failure of a flow is recorded by the observer.
    const { all } = dispatch(admit(handlers, event), event);
    Promise.resolve(all).then(() => activity.touch(), broken);
  }
}

/** What a request sender uses. */
interface RequestContext {
  readonly service: HttpService;
  readonly records: Records;
  readonly activity: Activity;
  readonly observer: Observer;
  /** Why which connector cannot serve at the moment. */
  health(): Readonly<Record<string, string>>;
}

/** Sends requests to one connector, without a listener. */
class RequestSender {
  readonly #name: string;
  readonly #context: RequestContext;
  readonly #site: Site;

  /** `name` is that of the connector. */
  constructor(name: string, context: RequestContext) {
    const { service, health } = context;
    this.#name = name;
    this.#context = context;
    this.#site = createSite({ services: [service], upgrader: undefined, health: { health } });
  }

  /** Sends a request. The response is recorded when it arrives. */
  send(step: RequestStep): void {
    const { activity, observer, records } = this.#context;
    let event: FlowEvent | undefined;
    const arrived = activity.begin(`the request ${step.method} ${step.path}`);
    // From then on the flow works, and may wait for the clock.
    observer.arrivals.set(this.#name, (first) => {
      observer.arrivals.delete(this.#name);
      event = first;
      arrived();
    });
    const responded = Promise.resolve(this.#site.fetch(...toRequest(step))).then((response) => {
      observer.arrivals.delete(this.#name);
      arrived();
      return activity.track("a response", this.#record(response, () => event));
    });
    responded.catch((error) => {
      observer.arrivals.delete(this.#name);
      arrived();
      records.mistake(`the request ${step.method} ${step.path} failed: ${error}`);
    });
  }

  async #record(response: Response, event: () => FlowEvent | undefined): Promise<void> {
    const { status } = response;
    const headers = Object.fromEntries(response.headers);
    const text = await response.text();
    const isJson = (headers["content-type"] ?? "").startsWith("application/json");
    const data = text === "" ? undefined : isJson ? JSON.parse(text) : text;
    const error = data?.error?.code;
    this.#context.records.add(
      this.#name,
      { status, data, headers, error: typeof error === "string" ? error : undefined },
      (failure) => failure.answering && failure.event === event(),
    );
  }
}

/** A request, and what a server tells of it. */
function toRequest(step: RequestStep): [request: Request, server: unknown] {
  const { method, path, headers, body, identity, remoteAddress = CALLER } = step;
  const url = new URL(path, "http://localhost");
  const init = body === undefined ? { headers } : { body, headers: { ...JSON_BODY, ...headers } };
  const request = new Request(url, { method, ...init });
  if (identity !== undefined) vouchFor(request, identity);
  return [request, { remoteAddr: { hostname: remoteAddress } }];
}
