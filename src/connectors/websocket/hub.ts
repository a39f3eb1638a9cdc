/** All connections of one `websocket` connector: its rooms, its users, and what is sent to them. */
import { type Clock, endOfTick } from "../../base/clock.ts";
import { InFlight } from "../../base/in-flight.ts";
import type { ConnectorCluster } from "../../contract/cluster.ts";
import type {
  Connector,
  ConnectorContext,
  FlowHandler,
  HttpService,
  Logger,
  WriteRequest,
} from "../../contract/connector.ts";
import type { Frame } from "../../transport/frame.ts";
import { checkHandshake, refuse } from "../../transport/handshake.ts";
import { Flusher, type Patience } from "./outbox.ts";
import type { ClientFrame } from "./protocol.ts";
import { Groups } from "./rooms/membership.ts";
import type {
  Handshake,
  HandshakeRefusal,
  HandshakeRequest,
  VouchedClient,
} from "../../transport/socket.ts";
import { TimerWheel } from "./timer-wheel.ts";
import { type AdmissionHost, type Admitted, decide } from "./admission.ts";
import type { Authenticator } from "./auth/authenticator.ts";
import { Connection, type ConnectionHost } from "./connection.ts";
import { type Counter, Counters } from "./counters.ts";
import { carryOut, type ControlHost, isControl, orderOf, resultOf } from "./control.ts";
import { type FrameHost, serveFrame } from "./frames.ts";
import type { WebSocketDestinationOptions, WebSocketOptions } from "./options.ts";
import { type Audience, audienceOf, type Choice, choose, type Delivered } from "./recipients.ts";
import { slowClientOptions } from "./slow-client/fields.ts";
import { Outboxes } from "./slow-client/outboxes.ts";
import { Places } from "./places.ts";
import { RoomRules } from "./rooms/rules.ts";
import { Siblings } from "./siblings.ts";
import { shutDownAll } from "./shutdown.ts";
import { Subscriptions } from "./subscriptions.ts";

/**
 * With several workers none is busy for as long as a burst takes to come: one that did not wait for
 * it would send its first messages alone.
 */
const BURST: Patience = { quiet: 4, most: 32 };

const SHUTTING_DOWN = refuse(503, "the server is shutting down");

/**
 * The connector at work. Whoever drives it without an adapter does what adapters do: it calls
 * `http.socket.accept`, and then `open` or `abandon` of the session that it was given, once.
 */
export class Hub implements Connector, AdmissionHost, ConnectionHost, ControlHost, FrameHost {
  readonly options: WebSocketOptions;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly authenticator: Authenticator | undefined;
  readonly counters: Counters = new Counters();
  readonly places: Places;
  readonly outboxes: Outboxes;
  readonly wheel: TimerWheel;
  readonly http: HttpService;
  readonly rules: RoomRules;
  readonly name: string;
  /** From the handshake to the end of the last flow. */
  readonly #sessions = new Set<Connection>();
  /** Those that get what is sent. */
  readonly #connections = new Set<Connection>();
  /** Those of them whose `id` somebody may know. */
  readonly #named = new Map<string, Connection>();
  readonly #rooms = new Groups<Connection>();
  readonly #users = new Groups<Connection>();
  readonly #subscriptions = new Subscriptions();
  /** Handshakes that flows decide about. */
  readonly #deciding = new InFlight();
  #stopped = false;
  readonly #siblings: Siblings | undefined;

  /** `authenticator` where the options have `auth`. */
  constructor(
    options: WebSocketOptions,
    context: ConnectorContext,
    authenticator?: Authenticator,
  ) {
    const { name, logger, clock, cluster } = context;
    this.options = options;
    this.places = placesOf(options, cluster);
    this.rules = new RoomRules(options.room, context);
    this.logger = logger;
    this.name = name;
    this.clock = clock;
    this.outboxes = new Outboxes(slowClientOptions(options.slow_client), {
      name,
      flusher: new Flusher(endOfTick, cluster && BURST),
      counters: this.counters,
      clock,
    });
    this.wheel = new TimerWheel(options.ping_interval);
    this.authenticator = authenticator;
    this.#siblings = cluster && new Siblings(this, cluster);
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
    this.#subscriptions.add(operation, handler);
  }

  handlers(operation: string): readonly FlowHandler[] | undefined {
    return this.#subscriptions.of(operation);
  }

  suggest(type: string): string | undefined {
    return this.#subscriptions.suggest(type, this.authenticator === undefined ? [] : ["auth"]);
  }

  write(request: WriteRequest): Delivered | Promise<Delivered> {
    const { operation, payload, scope, event, options } = request;
    const { filter, exclude_sender } = options as WebSocketDestinationOptions;
    const sender = event?.client?.id;
    const except = exclude_sender ? sender : undefined;
    const choice = { filter, except, scope };
    if (isControl(operation)) {
      const order = orderOf(this, operation, request);
      const done = carryOut(this, order, choice);
      return this.#siblings?.control(order, choice, done) ?? resultOf(this, order, done);
    }
    const audience = audienceOf(this.name, request);
    const room = audience.operation === "send_to_room" ? audience.name : undefined;
    const frame = this.outboxes.message({ payload, room, scope });
    const recipients = this.deliver(frame, audience, choice);
    return this.#siblings?.send(frame, audience, request, choice, recipients) ?? { recipients };
  }

  /** Sends to those of an audience who are connected to this worker; gives how many they are. */
  deliver(frame: Frame, audience: Audience, choice: Choice): number {
    const group = this.#group(audience);
    const everybody = choice.filter === undefined && choice.except === undefined;
    return send(frame, everybody ? group : choose(group, choice));
  }

  serve(connection: Connection, frame: ClientFrame): Promise<void> | undefined {
    return serveFrame(this, connection, frame);
  }

  opened(connection: Connection): void {
    const { id, credentials: { identity: { userId } } } = connection;
    this.#connections.add(connection);
    if (id !== undefined) this.#named.set(id, connection);
    if (userId !== null) this.#users.add(userId, connection);
  }

  named(connection: Connection, id: string): void {
    if (this.#connections.has(connection)) this.#named.set(id, connection);
  }

  remove(connection: Connection): void {
    if (!this.#connections.delete(connection)) return;
    const { id, credentials: { identity: { userId } } } = connection;
    if (id !== undefined) this.#named.delete(id);
    for (const room of connection.rooms) this.#rooms.remove(room, connection);
    if (userId !== null) this.#users.remove(userId, connection);
  }

  released(): void {
    this.places.leave();
  }

  ofUser(user: string): Iterable<Connection> {
    return this.#users.members(user);
  }

  ofClient(id: string): readonly Connection[] {
    const connection = this.#named.get(id);
    return connection === undefined ? [] : [connection];
  }

  finished(connection: Connection): void {
    this.#sessions.delete(connection);
  }

  join(connection: Connection, room: string): void {
    if (!this.#connections.has(connection)) return;
    connection.arrival.enter(room);
    this.#rooms.add(room, connection);
  }

  leave(connection: Connection, room: string): void {
    connection.arrival.leave(room);
    this.#rooms.remove(room, connection);
  }

  counts(): Readonly<Record<string, number>> {
    return {
      connections: this.#connections.size,
      rooms: this.#rooms.size,
      users: this.#users.size,
      ...this.counters.all(),
    };
  }

  stop(): Promise<void> {
    this.#stopped = true;
    for (const session of this.#sessions) session.stop();
    return Promise.resolve();
  }

  async drain(): Promise<void> {
    await Promise.all([this.#deciding.empty(), ...[...this.#sessions].map((one) => one.idle())]);
  }

  closeClients(spread: number): Promise<void> {
    return shutDownAll([...this.#sessions], spread);
  }

  close(): Promise<void> {
    for (const session of this.#sessions) session.destroy("the server has ended");
    return Promise.resolve();
  }

  #accept(
    request: HandshakeRequest,
    vouched: VouchedClient | undefined,
  ): Handshake | Promise<Handshake> {
    const form = checkHandshake(request.method, request.headers);
    if (!form.accepted) return this.#refused("refused_request", form);
    if (this.#stopped) return this.#refused("refused_shutdown", SHUTTING_DOWN);
    const decision = decide(this, request, form.protocols, vouched);
    return decision instanceof Promise
      ? this.#deciding.add(decision.then((one) => this.#enter(one)))
      : this.#enter(decision);
  }

  #refused(counter: Counter, refusal: HandshakeRefusal): HandshakeRefusal {
    this.counters.add(counter);
    return refusal;
  }

  #enter(decision: Admitted | HandshakeRefusal): Handshake {
    if (!decision.accepted) return decision;
    // The shutdown began while the flows were asked.
    if (this.#stopped) {
      this.places.leave();
      return this.#refused("refused_shutdown", SHUTTING_DOWN);
    }
    const session = new Connection(this, decision.arrival);
    this.#sessions.add(session);
    return { accepted: true, protocol: decision.protocol, session };
  }

  #group({ operation, name = "" }: Audience): Iterable<Connection> {
    switch (operation) {
      case "send_to_room":
        return this.#rooms.members(name);
      case "send_to_user":
        return this.#users.members(name);
      case "send_to_client":
        return this.ofClient(name);
      default:
        return this.#connections;
    }
  }
}

/** Those of `max_connections`, which all workers have together. */
function placesOf({ max_connections: most }: WebSocketOptions, cluster?: ConnectorCluster): Places {
  if (most === undefined || cluster === undefined) return new Places(most);
  return new Places(most, {
    take: () => cluster.acquireSlot(most),
    leave: () => cluster.releaseSlot(),
  });
}

function send(frame: Frame, recipients: Iterable<Connection>): number {
  let count = 0;
  for (const recipient of recipients) {
    if (recipient.send(frame)) count++;
  }
  return count;
}
