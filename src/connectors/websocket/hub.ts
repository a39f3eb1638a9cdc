/** A `websocket` connector at work: lets clients in, sends what flows write, and shuts down. */
import { type Clock, systemClock } from "../../base/clock.ts";
import { ConnectorError } from "../../base/errors.ts";
import { InFlight } from "../../base/in-flight.ts";
import { recordedTrace } from "../../base/trace-context.ts";
import type {
  Connector,
  ConnectorContext,
  FlowHandler,
  HttpService,
  WriteRequest,
} from "../../contract/connector.ts";
import type { Measured, Measures } from "../../contract/metrics.ts";
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
import { commandOf, isControl } from "./control.ts";
import type { Counter } from "./counters.ts";
import { HISTORY } from "./history/listing.ts";
import type { CreateHistory, History, RoomMessage } from "./history/mod.ts";
import { messageIdOf } from "./history/message-id.ts";
import { PRESENCE } from "./presence/checks.ts";
import { orderHere, Others } from "./instances/mod.ts";
import type { WebSocketDestinationOptions, WebSocketOptions } from "./options.ts";
import { audienceOf, deliver, type Delivered } from "./recipients.ts";
import { RefusedClients } from "./refused/mod.ts";
import { createShared, type Shared } from "./parts.ts";
import type { RoomFeature } from "./room-feature.ts";
import { MessageFrame } from "./slow-client/message.ts";
import type { CreateStreams, Door } from "./sse/mod.ts";

const SHUTTING_DOWN = refuse(503, "the server is shutting down");

/** From this many clients on a shutdown uses its whole time; fewer use their part of it. */
const MANY = 20;

/** Makes a feature of rooms. */
export type MakeFeature = (shared: Shared) => RoomFeature;

/** The parts that not every connector has. */
export interface HubParts {
  /** Present where the options have `auth`. */
  readonly authenticator?: Authenticator | undefined;
  /** What the options ask of rooms. */
  readonly features?: readonly MakeFeature[];
  /** Present where the options have `sse`. */
  readonly createStreams?: CreateStreams | undefined;
  /** Present where the options have `client`. */
  readonly routes?: HttpService["routes"] | undefined;
  /** Present where rooms have `history`. */
  readonly createHistory?: CreateHistory | undefined;
}

/**
 * The connector at work. A caller without an adapter does what adapters do: it calls
 * `http.socket.accept`, and then once `open` or `abandon` of the session that it gets.
 */
export class Hub implements Connector, Measured {
  readonly http: HttpService;
  readonly #shared: Shared;
  /** Undefined where there can be no other instances. */
  readonly #others: Others | undefined;
  /** Undefined where no room has one. */
  readonly #history: History | undefined;
  /** From the handshake to the end of the last flow. */
  readonly #connections = new Set<Connection>();
  /** Handshakes that wait for their decision. */
  readonly #deciding = new InFlight();
  readonly #refused: RefusedClients;
  #stopped = false;

  /** Pass the parts that the options ask for. */
  constructor(
    options: WebSocketOptions,
    context: ConnectorContext,
    { authenticator, features = [], routes, createStreams, createHistory }: HubParts = {},
  ) {
    const { instances } = context;
    this.#shared = createShared(options, context, authenticator);
    this.#refused = new RefusedClients(this.#shared.clock);
    for (const make of features) this.#shared.features.add(make(this.#shared));
    this.#history = createHistory?.(this.#shared, instances);
    if (this.#history !== undefined) this.#shared.features.add(this.#history);
    this.#others = instances && new Others(this.#shared, instances, context, this.#history);
    this.http = {
      listen: { host: options.host, port: options.port, tls: options.tls ?? null },
      socket: {
        path: options.path,
        maxMessageSize: options.max_message_size,
        pingInterval: options.ping_interval,
        compression: options.compression,
        accept: (request, vouched) => this.#accept(request, vouched),
      },
      ...(routes && { routes }),
      ...(createStreams && { stream: createStreams(this.#shared, this.#door()) }),
      ...(options.static === undefined ? {} : { files: options.static }),
    };
  }

  subscribe(operation: string | undefined, handler: FlowHandler): void {
    this.#shared.flows.add(operation, handler);
  }

  write(request: WriteRequest): unknown {
    const { operation, payload, scope, event, options, everyInstance } = request;
    const feature = this.#shared.features.asked(operation);
    if (feature !== undefined) return feature.ask?.(request);
    if (operation === PRESENCE || operation === HISTORY) {
      const message = `${operation}: no room of the connector has it`;
      throw new ConnectorError(this.#shared.name, message, { permanent: true });
    }
    // Each of the others hears the event by itself.
    const others = everyInstance ? undefined : this.#others;
    const { name, outboxes } = this.#shared;
    const history = this.#history;
    const { filter, exclude_sender, frame: type } = options as WebSocketDestinationOptions;
    const sender = event?.client?.id ?? undefined;
    const except = exclude_sender ? sender : undefined;
    const selection = { filter, except, scope };
    if (isControl(operation)) {
      const command = commandOf(name, operation, request);
      return others === undefined
        ? orderHere(this.#shared, command, selection)
        : others.order(command, selection, recordedTrace(request));
    }
    const audience = audienceOf(name, request);
    const room = audience.operation === "send_to_room" ? audience.name : undefined;
    const keep = room === undefined ? undefined : history?.keepOf(room);
    const frame = outboxes.message({ payload, room, type, scope, keptIn: keep && room });
    if (history !== undefined && keep !== undefined && room !== undefined && filter === undefined) {
      return this.#keep(history, { room, keep, frame, selection }, request);
    }
    return others === undefined
      ? { recipients: deliver(this.#shared, frame, audience, selection) }
      : others.send(frame, audience, request, selection);
  }

  /** Sends a message to a room with history. */
  #keep(
    history: History,
    message: Omit<RoomMessage, "message" | "id">,
    request: WriteRequest,
  ): Delivered | Promise<Delivered> {
    const { frame, selection: { except } } = message;
    history.checkSize(frame);
    const { message_id } = request.options as WebSocketDestinationOptions;
    const id = message_id && messageIdOf(this.#shared.name, message_id, request.scope);
    const user = except === undefined ? undefined : request.event?.client?.user_id ?? undefined;
    const key = frame instanceof MessageFrame ? frame.key : undefined;
    const kept = { ...message, message: { text: frame.text, key, except, user }, id };
    return this.#others === undefined ? history.send(kept) : this.#others.keep(kept, request);
  }

  async start(): Promise<void> {
    await this.#others?.start();
  }

  health(): string | undefined {
    return this.#others?.problem;
  }

  counts(): Readonly<Record<string, number>> {
    const { registry, counters, features } = this.#shared;
    const others = this.#others?.counts();
    return { ...registry.counts(), ...counters.all(), ...features.counts(), ...others };
  }

  /** Beside its counts: handshakes that were accepted, frames in and out, ends by code. */
  measures(): Measures {
    const { registry, traffic, arrivals, departures } = this.#shared;
    const { frames: frames_sent, bytes: bytes_sent, queued: queued_bytes } = traffic;
    return {
      numbers: { accepted: registry.opened, frames_sent, bytes_sent, queued_bytes },
      labelled: {
        frames_received: arrivals.all(),
        closes_by_server: departures.byServer,
        closes_by_client: departures.byClient,
      },
    };
  }

  stop(): Promise<void> {
    this.#stopped = true;
    for (const connection of this.#connections) connection.stop();
    return Promise.resolve();
  }

  async drain(): Promise<void> {
    await Promise.all([this.#deciding.empty(), ...[...this.#connections].map((one) => one.idle())]);
  }

  async closeClients(spread: number): Promise<void> {
    await Promise.all([shutDownAll([...this.#connections], spread), this.#refused.settled()]);
  }

  close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy("the server has ended");
    this.#refused.close();
    this.#others?.close();
    this.#shared.features.close();
    return Promise.resolve();
  }

  #accept(
    request: HandshakeRequest,
    vouched: VouchedClient | undefined,
  ): Handshake | Promise<Handshake> {
    const form = checkHandshake(request.method, request.headers);
    if (!form.accepted) return this.#refuse("refused_request", form);
    const { protocols } = form;
    if (this.#stopped) {
      return this.#refused.answer(this.#refuse("refused_shutdown", SHUTTING_DOWN), protocols);
    }
    const { proxies } = this.#shared;
    const seen = proxies === undefined ? request : proxies.handshake(request);
    const decision = decide(this.#shared, seen, protocols, vouched);
    return decision instanceof Promise
      ? this.#deciding.add(decision.then((one) => this.#connect(one, protocols)))
      : this.#connect(decision, protocols);
  }

  #door(): Door {
    const isStopped = () => this.#stopped;
    return {
      get stopped() {
        return isStopped();
      },
      refusal: SHUTTING_DOWN,
      wait: (decision) => this.#deciding.add(decision),
      connect: (pending) => new Connection(this.#shared, pending, this.#connections),
    };
  }

  #refuse(counter: Counter, refusal: HandshakeRefusal): HandshakeRefusal {
    this.#shared.counters.add(counter);
    return refusal;
  }

  #connect(
    decision: PendingConnection | HandshakeRefusal,
    protocols: readonly string[],
  ): Handshake {
    if (!decision.accepted) return this.#refused.answer(decision, protocols);
    // The shutdown began while the flows were asked.
    if (this.#stopped) {
      this.#shared.slots.release();
      return this.#refused.answer(this.#refuse("refused_shutdown", SHUTTING_DOWN), protocols);
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
