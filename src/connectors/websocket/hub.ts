/** A `websocket` connector at work: lets clients in, sends what flows write, and shuts down. */
import { type Clock, systemClock } from "../../base/clock.ts";
import { InFlight } from "../../base/in-flight.ts";
import type {
  Connector,
  ConnectorContext,
  FlowHandler,
  HttpService,
  WriteRequest,
} from "../../contract/connector.ts";
import { checkHandshake, refuse } from "../../transport/handshake.ts";
import type {
  Handshake,
  HandshakeRefusal,
  HandshakeRequest,
  VouchedClient,
} from "../../transport/socket.ts";
import { decide, type PendingConnection } from "./admission.ts";
import type { Authenticator } from "../../access/auth/authenticator.ts";
import { Connection } from "./connection.ts";
import { commandOf, execute, isControl, resultOf } from "./control.ts";
import type { Counter } from "./counters.ts";
import type { WebSocketDestinationOptions, WebSocketOptions } from "./options.ts";
import { audienceOf, deliver, type Delivered } from "./recipients.ts";
import { Relay } from "./relay.ts";
import { createShared, type Shared } from "./shared.ts";

const SHUTTING_DOWN = refuse(503, "the server is shutting down");

/** From this many clients on a shutdown uses its whole time; fewer use their part of it. */
const MANY = 20;

/**
 * The connector at work. A caller without an adapter does what adapters do: it calls
 * `http.socket.accept`, and then once `open` or `abandon` of the session that it gets.
 */
export class Hub implements Connector {
  readonly http: HttpService;
  readonly #shared: Shared;
  readonly #relay: Relay | undefined;
  /** From the handshake to the end of the last flow. */
  readonly #connections = new Set<Connection>();
  /** Handshakes that wait for their decision. */
  readonly #deciding = new InFlight();
  #stopped = false;

  /** Pass an `authenticator` where the options have `auth`. */
  constructor(
    options: WebSocketOptions,
    context: ConnectorContext,
    authenticator?: Authenticator,
  ) {
    const { cluster } = context;
    this.#shared = createShared(options, context, authenticator);
    this.#relay = cluster && new Relay(this.#shared, cluster);
    this.http = {
      listen: { host: options.host, port: options.port, tls: options.tls ?? null },
      socket: {
        path: options.path,
        maxMessageSize: options.max_message_size,
        pingInterval: options.ping_interval,
        compression: options.compression,
        accept: (request, vouched) => this.#accept(request, vouched),
      },
      ...(options.static === undefined ? {} : { files: options.static }),
    };
  }

  subscribe(operation: string | undefined, handler: FlowHandler): void {
    this.#shared.flows.add(operation, handler);
  }

  write(request: WriteRequest): Delivered | Promise<Delivered> {
    const { operation, payload, scope, event, options } = request;
    const { name, outboxes } = this.#shared;
    const { filter, exclude_sender, frame: type } = options as WebSocketDestinationOptions;
    const sender = event?.client?.id ?? undefined;
    const except = exclude_sender ? sender : undefined;
    const selection = { filter, except, scope };
    if (isControl(operation)) {
      const command = commandOf(name, operation, request);
      const executed = execute(this.#shared, command, selection);
      return this.#relay?.control(command, selection, executed) ??
        resultOf(this.#shared, command, executed);
    }
    const audience = audienceOf(name, request);
    const room = audience.operation === "send_to_room" ? audience.name : undefined;
    const frame = outboxes.message({ payload, room, type, scope });
    const recipients = deliver(this.#shared, frame, audience, selection);
    return this.#relay?.send(frame, audience, request, selection, recipients) ?? { recipients };
  }

  counts(): Readonly<Record<string, number>> {
    const { registry, counters } = this.#shared;
    return { ...registry.counts(), ...counters.all() };
  }

  stop(): Promise<void> {
    this.#stopped = true;
    for (const connection of this.#connections) connection.stop();
    return Promise.resolve();
  }

  async drain(): Promise<void> {
    await Promise.all([this.#deciding.empty(), ...[...this.#connections].map((one) => one.idle())]);
  }

  closeClients(spread: number): Promise<void> {
    return shutDownAll([...this.#connections], spread);
  }

  close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy("the server has ended");
    return Promise.resolve();
  }

  #accept(
    request: HandshakeRequest,
    vouched: VouchedClient | undefined,
  ): Handshake | Promise<Handshake> {
    const form = checkHandshake(request.method, request.headers);
    if (!form.accepted) return this.#refuse("refused_request", form);
    if (this.#stopped) return this.#refuse("refused_shutdown", SHUTTING_DOWN);
    const { proxies } = this.#shared;
    const seen = proxies === undefined ? request : proxies.handshake(request);
    const decision = decide(this.#shared, seen, form.protocols, vouched);
    return decision instanceof Promise
      ? this.#deciding.add(decision.then((one) => this.#connect(one)))
      : this.#connect(decision);
  }

  #refuse(counter: Counter, refusal: HandshakeRefusal): HandshakeRefusal {
    this.#shared.counters.add(counter);
    return refusal;
  }

  #connect(decision: PendingConnection | HandshakeRefusal): Handshake {
    if (!decision.accepted) return decision;
    // The shutdown began while the flows were asked.
    if (this.#stopped) {
      this.#shared.slots.release();
      return this.#refuse("refused_shutdown", SHUTTING_DOWN);
    }
    const session = new Connection(this.#shared, decision, this.#connections);
    return { accepted: true, protocol: decision.protocol, session };
  }
}

/**
 * Shuts each connection down at a random moment of the next `spread` milliseconds, so that the
 * clients do not reconnect together. Resolves when all are gone.
 */
export async function shutDownAll(
  connections: readonly Pick<Connection, "shutDown">[],
  spread: number,
  clock: Clock = systemClock,
): Promise<void> {
  const time = spread * Math.min(1, connections.length / MANY);
  await Promise.all(connections.map(async (connection) => {
    const delay = Math.random() * time;
    if (delay > 0) await new Promise<void>((resolve) => clock.after(delay, resolve));
    await connection.shutDown();
  }));
}
