/** An HTTP connector at work: requests of flows, within its limits. */
import { systemClock } from "../../base/clock.ts";
import { Deadlines } from "../../base/deadlines.ts";
import { ConnectorError } from "../../base/errors.ts";
import type { Connector, ConnectorContext, WriteRequest } from "../../contract/connector.ts";
import type { Measured, Measures } from "../../contract/metrics.ts";
import { authHeader } from "./auth.ts";
import { Call, type Shared } from "./call.ts";
import { whyNoValue } from "./header.ts";
import type { HttpOptions } from "./options.ts";
import { probeApi } from "./probe.ts";
import { type Common, RequestMaker } from "./request.ts";
import { Slots } from "./slots.ts";
import { Tokens } from "./tokens.ts";
import type { Transports } from "./loading.ts";

/** Sends the requests of flows. An API that is away fails them, and makes nothing unhealthy. */
export class HttpConnector implements Connector, Measured {
  readonly #shared: Shared;
  readonly #common: Common;
  readonly #requests: RequestMaker;
  readonly #hasAuth: boolean;
  readonly #transports: Transports;
  #isClosed = false;

  /** Sends nothing before `write` or `probe`. */
  constructor(options: HttpOptions, context: ConnectorContext, transports: Transports) {
    const { name, clock, logger, constants } = context;
    this.#transports = transports;
    const { auth, retry, timeout, max_connections: maxConnections } = options;
    const tokens = auth?.oauth2 &&
      new Tokens(auth.oauth2, { transport: transports.tokens, clock, logger, timeout });
    this.#shared = {
      ...{ name, tokens, clock, timeout, maxConnections, retry },
      transport: transports.api,
      // The time of the network, which no test's clock moves.
      deadlines: new Deadlines(systemClock, timeout),
      slots: new Slots(maxConnections),
      limit: options.max_response_size,
      calls: new Set(),
      counts: { requests: 0, retried: 0, failed: 0 },
      unanswered: 0,
    };
    this.#common = {
      connector: name,
      base: new URL(options.base_url),
      headers: headersOf(name, options, constants),
    };
    this.#requests = new RequestMaker(this.#common);
    this.#hasAuth = auth !== undefined;
  }

  /**
   * Sends a request. The promise is `Cancellable`.
   *
   * @throws {ConnectorError} What the event says cannot be sent.
   */
  write(request: WriteRequest): unknown {
    if (this.#isClosed) throw new ConnectorError(this.#shared.name, "is closed");
    const outgoing = this.#requests.make(request);
    return new Call(this.#shared, outgoing).start();
  }

  /**
   * Asks the API, and the host that issues tokens, without any request of a flow.
   *
   * @throws {ConnectorError} One does not answer, or refuses the credentials.
   */
  async probe(): Promise<string> {
    const { base, headers } = this.#common;
    const { name, tokens, transport, timeout } = this.#shared;
    const hasAuth = this.#hasAuth;
    try {
      return await probeApi({ name, base, headers, hasAuth, tokens, transport, timeout });
    } finally {
      await this.close();
    }
  }

  /** Ends what has not been answered. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#shared.tokens?.close();
    for (const call of this.#shared.calls) call.end("was ended: the connector is closed");
    this.#shared.deadlines.close();
    this.#transports.api.close();
    this.#transports.tokens.close();
    return Promise.resolve();
  }

  /** Beside its counts: how many attempts in a row have got no answer. */
  measures(): Measures {
    const { unanswered, maxConnections } = this.#shared;
    return { numbers: { unanswered, pool_max: maxConnections } };
  }

  /** What it has sent, and what is on its way. */
  counts(): Readonly<Record<string, number>> {
    const { counts, slots } = this.#shared;
    return { ...counts, in_flight: slots.taken, waiting: slots.waiting };
  }
}

/** The headers of every request; those that cannot be known before an event are not among them. */
function headersOf(
  connector: string,
  { headers = {}, auth }: HttpOptions,
  constants: ConnectorContext["constants"],
): Readonly<Record<string, string>> {
  const all: Record<string, string> = {};
  const set = (name: string, value: unknown, place: string) => {
    const reason = whyNoValue(value);
    if (reason !== undefined) {
      throw new ConnectorError(connector, `the value of ${place} ${reason}`, { permanent: true });
    }
    all[name.toLowerCase()] = String(value);
  };
  for (const [name, value] of Object.entries(headers)) {
    set(name, value.evaluate({ constants }), `the header "${name}"`);
  }
  const [name, value] = auth === undefined ? [] : authHeader(auth);
  if (name !== undefined && value !== undefined) set(name, value, "auth");
  return all;
}
