/** One connection to a broker, which is made again whenever it is lost. */
import type { Duplex } from "node:stream";
import {
  type IClientOptions,
  type IConnackPacket,
  type IPublishPacket,
  MqttClient,
  type Packet,
} from "mqtt";
import type { Clock } from "../../../base/clock.ts";
import { retryDelay } from "../../../base/retry.ts";
import { withTimeout } from "../../../base/timeout.ts";
import { asked, describe, isPermanent, ReasonError, TAKEN_OVER } from "./failure.ts";
import type { Outage } from "./outage.ts";
import { type Address, PATIENCE } from "./streams.ts";

/** The delays between attempts to connect. */
const DELAYS = { delay: 500, maxDelay: 5000, backoff: "exponential" } as const;

/** The same while the broker closes what it has accepted. */
const LONG_DELAYS = { delay: 500, maxDelay: 60_000, backoff: "exponential" } as const;

/** A connection that lasted so many milliseconds was a good one. */
const GOOD = 30_000;

/** After so many short ones in a row, another client may have the same id. */
const SUSPICIOUS = 5;

/** Milliseconds for a goodbye. */
const GOODBYE = 1000;

/** Who a connection is to the broker. */
export interface Identity {
  readonly clientId: string;
  readonly protocol: 4 | 5;
  readonly clean: boolean;
  /** Seconds. */
  readonly keepAlive: number;
  readonly will: IClientOptions["will"] | undefined;
  readonly properties: IClientOptions["properties"] | undefined;
}

/** What a connection tells. */
export interface ConnectionEvents {
  /** The broker has accepted it, before any message comes. `resumed`: it still has the session. */
  accepted?(client: MqttClient, resumed: boolean): void;
  /** It can be used. */
  ready?(client: MqttClient): void;
  /** A packet has come, and is about to be handled. */
  packet?(packet: Packet): void;
  /** A message has come. Nothing else is read before `done` is called. */
  message?(packet: IPublishPacket, done: () => void): void;
  /** It is lost. */
  lost?(reason: string): void;
}

/** What a connection is made with. */
export interface ConnectionContext {
  readonly address: Address;
  readonly identity: Identity;
  readonly outage: Outage;
  readonly clock: Clock;
  readonly events: ConnectionEvents;
}

/** Keeps one connection until it is closed. Each attempt has a client of its own. */
export class MqttConnection {
  /** Resolves when the first attempt has ended, with the error that it ended with, if any. */
  readonly opened: Promise<unknown>;
  readonly #context: ConnectionContext;
  readonly #settleOpened: (failure?: unknown) => void;
  #client: MqttClient | undefined;
  #ready = false;
  #tried = false;
  #health: string | undefined;
  #failure: unknown;
  #attempts = 0;
  /** Connections in a row that the broker accepted, and that did not last. */
  #short = 0;
  #cancelRetry: (() => void) | undefined;
  #ended = false;

  /** Connects at once. */
  constructor(context: ConnectionContext) {
    this.#context = context;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.opened = promise;
    this.#settleOpened = resolve;
    this.#health = `the broker ${context.address.where} has not answered yet`;
    this.#connect();
  }

  /** Why nothing can be sent at the moment; undefined when it can. */
  get health(): string | undefined {
    return this.#health;
  }

  /** Whether the first attempt has ended. */
  get tried(): boolean {
    return this.#tried;
  }

  /** The client; undefined while nothing can be sent. */
  get client(): MqttClient | undefined {
    return this.#ready ? this.#client : undefined;
  }

  /** Ends this connection, and makes another one. */
  drop(reason: string): void {
    this.#failure ??= new Error(reason);
    this.#client?.stream.destroy();
  }

  /** Says goodbye, so that the broker publishes no will; drops it where the broker does not answer. */
  async close(): Promise<void> {
    this.#ended = true;
    this.#cancelRetry?.();
    const client = this.#client;
    if (client === undefined) return;
    const ended = new Promise<void>((resolve) => client.end(!client.connected, () => resolve()));
    await withTimeout(ended, GOODBYE, () => void client.stream.destroy());
  }

  #connect(): void {
    this.#failure = undefined;
    this.#attempts++;
    const { events } = this.#context;
    let client: MqttClient;
    try {
      client = this.#makeClient();
    } catch (error) {
      this.#failure = error;
      return this.#lost(undefined);
    }
    this.#client = client;
    let since: number | undefined;
    client.handleMessage = (packet, done) =>
      events.message === undefined ? done() : events.message(packet, done);
    client.on("error", (error) => void (this.#failure ??= error));
    client.on("packetreceive", (packet) => {
      if (packet.cmd === "connack" && isAccepted(packet)) {
        since = this.#context.clock.elapsed();
        events.accepted?.(client, packet.sessionPresent);
      } else if (packet.cmd === "disconnect") {
        this.#failure ??= new ReasonError("it closed the connection", packet.reasonCode ?? 0x80);
      }
      events.packet?.(packet);
    });
    client.on("connect", () => this.#up(client));
    client.on("close", () => this.#lost(since));
  }

  #makeClient(): MqttClient {
    const { address, identity } = this.#context;
    const { clientId, protocol, clean, keepAlive, will, properties } = identity;
    return new MqttClient(() => this.#openStream(), {
      clientId,
      protocolVersion: protocol,
      clean,
      keepalive: keepAlive,
      ...(address.username !== undefined && { username: address.username }),
      ...(address.password !== undefined && { password: address.password }),
      ...(will !== undefined && { will }),
      ...(protocol === 5 && properties !== undefined && { properties }),
      connectTimeout: PATIENCE,
      // Another client is made instead: this one would keep what it has not sent, however late it is.
      reconnectPeriod: 0,
      timerVariant: "native",
      log: () => {},
    });
  }

  #openStream(): MqttClient["stream"] {
    const stream: Duplex = this.#context.address.open();
    // The client hides errors that have no code, which some runtimes do not set.
    stream.on("error", (error) => void (this.#failure ??= error));
    return stream as unknown as MqttClient["stream"];
  }

  #up(client: MqttClient): void {
    if (this.#ended) return;
    this.#ready = true;
    this.#health = undefined;
    this.#attempts = 0;
    this.#context.outage.ends(this);
    this.#tried = true;
    this.#settleOpened();
    this.#context.events.ready?.(client);
  }

  /** `since` is when the broker has accepted it; undefined where it has not. */
  #lost(since: number | undefined): void {
    const { events, address: { where, kind }, identity, outage, clock } = this.#context;
    const failure = this.#failure ?? new Error("the connection was closed");
    const error = since === undefined ? asked(failure, kind) : failure;
    const wasReady = this.#ready;
    this.#ready = false;
    this.#client = undefined;
    const reason = describe(error);
    if (wasReady) events.lost?.(reason);
    const isFirst = !this.#tried;
    this.#tried = true;
    this.#settleOpened(error);
    if (this.#ended) return;
    this.#health = `the broker ${where} is away: ${reason}`;
    // The caller that waits for `opened` throws it.
    if (!isFirst || !isPermanent(error)) {
      outage.begins(this, reason, since === undefined && isPermanent(error));
    }
    if (isTakenOver(error) && !identity.clean) return this.#giveUp();
    const lasted = since === undefined ? 0 : clock.elapsed() - since;
    this.#short = since !== undefined && lasted < GOOD ? this.#short + 1 : 0;
    if (this.#short === SUSPICIOUS) outage.suspects(identity.clientId, SUSPICIOUS);
    const [attempt, delays] = this.#short < SUSPICIOUS
      ? [Math.max(1, this.#attempts), DELAYS]
      : [this.#short, LONG_DELAYS];
    const delay = retryDelay(attempt, delays, Math.random());
    this.#cancelRetry = clock.after(delay, () => this.#connect());
  }

  /** Two clients with one id throw each other out: this one stops, and the other one stays. */
  #giveUp(): void {
    const { identity: { clientId }, outage } = this.#context;
    this.#ended = true;
    this.#health = `another client has taken over the client id "${clientId}"`;
    outage.isTakenOver(clientId);
  }
}

function isAccepted({ reasonCode, returnCode }: IConnackPacket): boolean {
  return (reasonCode ?? returnCode) === 0;
}

function isTakenOver(error: unknown): boolean {
  return error instanceof ReasonError && error.code === TAKEN_OVER;
}
