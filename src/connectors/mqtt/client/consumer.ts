/** Takes the messages of one connection, and acknowledges them. */
import { Buffer } from "node:buffer";
import type {
  IPublishPacket,
  ISubscriptionGrant,
  ISubscriptionMap,
  MqttClient,
  Packet,
} from "mqtt";
import type { Clock } from "../../../base/clock.ts";
import { messageOf, shown } from "../../../base/shown.ts";
import { withTimeout } from "../../../base/timeout.ts";
import type { Logger } from "../../../contract/connector.ts";
import type { Filter } from "../filters.ts";
import type { Qos } from "../options.ts";
import { Acks } from "./acks.ts";
import type { ConnectionEvents, MqttConnection } from "./connection.ts";
import { wordsOf } from "./failure.ts";
import { PATIENCE } from "./streams.ts";

/** Milliseconds until a subscription that was refused is tried again. */
const PAUSE = 10_000;

const NO_HEADERS = Object.freeze({});

/** Milliseconds for a last answer. */
const GOODBYE = 1000;

/** A message as it came. */
export interface Received {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retained: boolean;
  /** The user properties; empty with MQTT 3.1.1. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** To be called when it was handled or given up; undefined where the broker waits for nothing. */
  readonly settled: (() => void) | undefined;
}

/** What a consumer works with. */
export interface ConsumerContext {
  readonly filters: readonly Filter[];
  readonly qos: Qos;
  readonly protocol: 4 | 5;
  readonly clean: boolean;
  /** How many messages may wait for their acknowledgment. */
  readonly window: number;
  /** Milliseconds. */
  readonly keepAlive: number;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Takes a message. */
  take(message: Received): void;
  /** Makes the connection. */
  connect(events: ConnectionEvents): MqttConnection;
}

/** Consumes with one connection, and subscribes again whenever it is made. */
export class Consumer {
  readonly #context: ConsumerContext;
  readonly #acks = new Acks(() => this.#readOn());
  readonly #connection: MqttConnection;
  #consuming = false;
  #stopped = false;
  /** The quality of service of the message that is about to be handled. */
  #qos: Qos = 0;
  /** Goes on with reading. */
  #held: (() => void) | undefined;
  #cancelPing: (() => void) | undefined;
  #cancelRetry: (() => void) | undefined;
  #resumed = false;
  /** Whether this connection has its subscriptions. */
  #live = false;
  /** Whether the session has had them. */
  #subscribed = false;
  #accepted = 0;
  #gaps = 0;
  #failure: string | undefined;

  /** Connects at once, and takes nothing before `start`. */
  constructor(context: ConsumerContext) {
    this.#context = context;
    this.#connection = context.connect({
      accepted: (client, resumed) => this.#begin(client, resumed),
      ready: (client) => void this.#subscribe(client),
      packet: (packet) => this.#see(packet),
      message: (packet, done) => this.#receive(packet, done),
      lost: () => this.#lost(),
    });
  }

  /** Its connection. */
  get connection(): MqttConnection {
    return this.#connection;
  }

  /** Why it does not consume at the moment, although it should. */
  get health(): string | undefined {
    if (this.#connection.health !== undefined) return this.#connection.health;
    if (!this.#consuming || this.#stopped || this.#live) return undefined;
    return this.#failure ?? "has not subscribed yet";
  }

  /** How often messages may be missing, since the broker had no session. */
  get gaps(): number {
    return this.#gaps;
  }

  /** Begins to consume, now or as soon as there is a connection. */
  async start(takesOver: boolean): Promise<void> {
    this.#consuming = true;
    if (takesOver && this.#context.clean) this.#gaps++;
    // What a session has kept is in front of the answer to a subscription.
    this.#readOn();
    const { client } = this.#connection;
    if (client !== undefined) await this.#subscribe(client);
  }

  /**
   * Takes no more messages. The broker keeps those of a session that lasts, so nothing more is read
   * from it.
   */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancelRetry?.();
    const { client } = this.#connection;
    if (!this.#context.clean || client === undefined || !this.#consuming) return;
    const names = this.#context.filters.map(({ subscription }) => subscription);
    // Fails where the connection is lost meanwhile, which is as good.
    const done = client.unsubscribeAsync(names).then(() => {}, () => {});
    await withTimeout(done, GOODBYE, () => {}, this.#context.clock);
  }

  /** Writes the last acknowledgments, and ends the connection. */
  async close(): Promise<void> {
    await this.stop();
    this.#acks.flush();
    this.#cancelPing?.();
    await this.#connection.close();
  }

  #begin(client: MqttClient, resumed: boolean): void {
    this.#acks.begin({ write: (bytes) => client.stream.write(Buffer.from(bytes)) }, resumed);
    this.#resumed = resumed;
    this.#live = false;
    if (++this.#accepted === 1 || resumed) return;
    this.#gaps++;
    const message = this.#context.clean
      ? "subscribes anew; messages since the connection was lost are missing"
      : "the broker has no session any more; messages since the connection was lost are missing";
    this.#context.logger.warn(message);
  }

  #lost(): void {
    this.#acks.lost();
    this.#cancelRetry?.();
    this.#cancelPing?.();
    this.#cancelPing = undefined;
    // It belongs to the connection.
    this.#held = undefined;
  }

  /** The client would acknowledge by itself, before the message was handled. */
  #see(packet: Packet): void {
    if (packet.cmd === "publish") {
      this.#qos = packet.qos as Qos;
      packet.qos = 0;
    } else if (packet.cmd === "pubrel" && packet.messageId !== undefined) {
      this.#acks.released(packet.messageId);
    }
  }

  #receive(packet: IPublishPacket, done: () => void): void {
    const qos = this.#qos;
    const receive = (): void => {
      this.#take(packet, qos);
      if (this.#mayRead()) done();
      else this.#hold(done);
    };
    if (this.#mayRead()) receive();
    else this.#hold(receive);
  }

  #take(
    { topic, payload, messageId: id = 0, dup, retain: retained, properties }: IPublishPacket,
    qos: Qos,
  ): void {
    const settled = qos === 0 ? undefined : this.#acks.take({ id, qos, dup });
    if (qos > 0 && settled === undefined) return;
    const own = properties?.userProperties;
    const headers = own === undefined ? NO_HEADERS : { ...own };
    this.#context.take({ topic, payload: payload as Buffer, qos, retained, headers, settled });
  }

  #mayRead(): boolean {
    return this.#consuming && !(this.#stopped && !this.#context.clean) &&
      this.#acks.open < this.#context.window;
  }

  /** Reads nothing until `go` is called; the connection stays alive. */
  #hold(go: () => void): void {
    this.#held = go;
    this.#cancelPing ??= this.#context.clock.after(this.#context.keepAlive / 2, this.#ping);
  }

  #readOn(): void {
    const held = this.#held;
    if (held === undefined || !this.#mayRead()) return;
    this.#held = undefined;
    this.#cancelPing?.();
    this.#cancelPing = undefined;
    held();
  }

  /** The answers to pings are not read now, so the client must not wait for them. */
  readonly #ping = (): void => {
    const { client } = this.#connection;
    client?.sendPing();
    client?.reschedulePing(true);
    this.#cancelPing = this.#context.clock.after(this.#context.keepAlive / 2, this.#ping);
  };

  /** Never fails: what is refused is logged and tried again. */
  async #subscribe(client: MqttClient): Promise<void> {
    if (!this.#consuming || this.#stopped) return;
    const { filters, qos, protocol } = this.#context;
    // With MQTT 3.1.1 the broker would send all retained messages again.
    if (protocol === 4 && this.#resumed && this.#subscribed) {
      this.#live = true;
      return;
    }
    const wanted: ISubscriptionMap = {};
    for (const { subscription, group } of filters) {
      // Retained messages come with a new subscription alone.
      wanted[subscription] = { qos, ...(protocol === 5 && group === undefined && { rh: 1 }) };
    }
    const asked = new Promise<readonly ISubscriptionGrant[]>((resolve, reject) => {
      client.subscribe(wanted, (error, granted = [], packet) => {
        if (error !== null && packet === undefined) reject(error);
        else {resolve(
            granted.map((one, at) => ({ ...one, qos: packet?.granted[at] as Qos ?? one.qos })),
          );}
      });
    });
    try {
      const granted = await withTimeout(asked, PATIENCE, () => {
        throw new Error(`no answer to a subscription within ${PATIENCE / 1000} s`);
      }, this.#context.clock);
      this.#judge(client, granted);
    } catch (error) {
      // A connection that is lost subscribes when it is back; one that is not read has no answer.
      if (client.connected && this.#held === undefined) this.#connection.drop(messageOf(error));
    }
  }

  #judge(client: MqttClient, granted: readonly ISubscriptionGrant[]): void {
    const { qos, logger } = this.#context;
    const refused = granted.filter(({ qos }) => qos >= 0x80);
    for (const { topic, qos: less } of granted) {
      if (less >= qos) continue;
      const message = "the broker sends what matches {filter} with QoS {less} at most";
      logger.warn(message, { filter: shown(topic), less });
    }
    const failure = refused.map(({ topic, qos }) => `${shown(topic)}: ${wordsOf(qos)}`).join("; ");
    this.#subscribed = this.#live = failure === "";
    if (failure === "") {
      if (this.#failure !== undefined) logger.info("the broker grants all subscriptions");
      this.#failure = undefined;
      return;
    }
    const message = `the broker refuses to subscribe to ${failure}`;
    if (this.#failure !== message) logger.error("{message}", { message });
    this.#failure = message;
    this.#cancelRetry = this.#context.clock.after(PAUSE, () => void this.#subscribe(client));
  }
}
