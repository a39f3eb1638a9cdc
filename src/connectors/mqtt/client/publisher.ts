/** Publishes messages, and waits until the broker has them. */
import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import type { IClientPublishOptions, MqttClient } from "mqtt";
import type { Clock } from "../../../base/clock.ts";
import { Fifo } from "../../../base/fifo.ts";
import { shown } from "../../../base/shown.ts";
import { UnsendableError } from "../../../messaging/mod.ts";
import type { Qos } from "../options.ts";
import { type UserProperties, userPropertiesOf } from "../user-properties.ts";
import type { MqttConnection } from "./connection.ts";
import { describe, isRefused, isRefusedForGood } from "./failure.ts";
import { PATIENCE } from "./streams.ts";

/** The largest packet of the protocol, in bytes. */
const LARGEST_PACKET = 268_435_460;

/** How many messages wait for their confirmation at most; each has a number of two bytes. */
const MOST_UNCONFIRMED = 60_000;

/** Milliseconds between two looks for messages that wait too long. */
const LOOK = 500;

/** A message for the broker. */
export interface Outgoing {
  readonly topic: string;
  readonly payload: string | Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
  /** For MQTT 5 alone. */
  readonly headers: Readonly<Record<string, unknown>>;
}

interface Sending {
  readonly message: Outgoing;
  readonly options: IClientPublishOptions;
  readonly since: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Publishes on one connection. */
export class Publisher {
  readonly #connection: MqttConnection;
  readonly #clock: Clock;
  /** What was given to the client, oldest first. */
  readonly #sent = new Set<Sending>();
  /** What waits, since the broker takes only so many at once. */
  readonly #waiting = new Fifo<Sending>();
  #cancelLook: (() => void) | undefined;
  #whenIdle: (() => void)[] = [];
  /** The stream that holds what is written back until the end of the turn. */
  #gathering: MqttClient["stream"] | undefined;

  /** `connect` makes the connection, which calls its argument when it is lost. */
  constructor(connect: (lost: (reason: string) => void) => MqttConnection, clock: Clock) {
    this.#clock = clock;
    this.#connection = connect((reason) => this.#fail(reason));
  }

  /** Its connection. */
  get connection(): MqttConnection {
    return this.#connection;
  }

  /**
   * Returns, or resolves, when the broker has confirmed the message; with QoS 0 when it was written.
   *
   * @throws {UnsendableError} It never can be sent.
   * @throws {Error} There is no connection, it was lost, or the broker refused the message.
   */
  send(message: Outgoing): void | Promise<void> {
    const { client, health = "not connected" } = this.#connection;
    if (client === undefined) throw new Error(health);
    const userProperties = userPropertiesOf(message.headers);
    requireSendable(client, message, userProperties);
    const { qos, retain } = message;
    const options = { qos, retain, ...(userProperties && { properties: { userProperties } }) };
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sending = { message, options, since: this.#clock.elapsed(), resolve, reject };
    if (qos > 0 && this.#sent.size >= mostUnconfirmed(client)) this.#waiting.push(sending);
    else this.#send(client, sending);
    this.#cancelLook ??= this.#clock.after(LOOK, this.#look);
    return promise;
  }

  /** Waits for all confirmations, then ends the connection. */
  async close(): Promise<void> {
    while (this.#sent.size > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    this.#cancelLook?.();
    await this.#connection.close();
  }

  #send(client: MqttClient, sending: Sending): void {
    const { message: { topic, payload }, options } = sending;
    this.#sent.add(sending);
    const bytes = typeof payload === "string" ? payload : Buffer.from(payload);
    this.#gather(client);
    client.publish(topic, bytes, options, (error) => {
      // The connection goes, and `lost` will say why.
      if (error && !isRefused(error)) return;
      if (!this.#sent.delete(sending)) return;
      if (error) sending.reject(failureOf(error));
      else sending.resolve();
      this.#next(client);
      if (this.#sent.size === 0) this.#idle();
    });
  }

  /** What is sent in one turn is one write, and so are the broker's answers. */
  #gather({ stream }: MqttClient): void {
    if (this.#gathering === stream) return;
    this.#gathering = stream;
    stream.cork();
    setImmediate(() => {
      this.#gathering = undefined;
      stream.uncork();
    });
  }

  #next(client: MqttClient): void {
    if (this.#waiting.length === 0 || this.#sent.size >= mostUnconfirmed(client)) return;
    const sending = this.#waiting.shift();
    if (sending !== undefined) this.#send(client, sending);
  }

  /** Whether the broker has them is not known. */
  #fail(reason: string): void {
    const error = new Error(`the broker has not confirmed it: ${reason}`);
    const lost = [...this.#sent];
    this.#sent.clear();
    for (const { reject } of lost) reject(error);
    for (let one = this.#waiting.shift(); one !== undefined; one = this.#waiting.shift()) {
      one.reject(error);
    }
    this.#idle();
  }

  #idle(): void {
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** A connection on which a message waits too long is not trusted any more. */
  readonly #look = (): void => {
    this.#cancelLook = undefined;
    const [oldest = this.#waiting.peek()] = this.#sent;
    if (oldest === undefined) return;
    if (this.#clock.elapsed() - oldest.since > PATIENCE) {
      this.#connection.drop(`no answer within ${PATIENCE / 1000} s`);
    }
    this.#cancelLook = this.#clock.after(LOOK, this.#look);
  };
}

function mostUnconfirmed({ serverProperties }: MqttClient): number {
  return Math.min(serverProperties?.receiveMaximum ?? MOST_UNCONFIRMED, MOST_UNCONFIRMED);
}

/** A broker closes the connection over what it has said that it does not take. */
function requireSendable(
  { serverProperties }: MqttClient,
  { topic, payload, qos, retain }: Outgoing,
  headers: UserProperties | undefined,
): void {
  const { maximumPacketSize = LARGEST_PACKET, maximumQoS = 2, retainAvailable = true } =
    serverProperties ?? {};
  if (qos > maximumQoS) throw new UnsendableError(`the broker takes QoS ${maximumQoS} at most`);
  if (retain && !retainAvailable) throw new UnsendableError("the broker retains no messages");
  if (!mayExceed(maximumPacketSize, topic.length + payload.length, headers)) return;
  const texts = Object.entries(headers ?? {}).flatMap(([name, values]) =>
    [values].flat().flatMap((value) => [name, value])
  );
  // Each header has an identifier and two lengths; the rest is the packet's own.
  const size = 16 + Buffer.byteLength(topic) + Buffer.byteLength(payload) +
    texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 3, 0);
  if (size <= maximumPacketSize) return;
  throw new UnsendableError(
    `it has ${size} bytes, and the broker takes ${maximumPacketSize} at most`,
  );
}

/** Most messages need not be measured: a character has three bytes at most. */
function mayExceed(most: number, length: number, headers: object | undefined): boolean {
  return headers !== undefined || 16 + 3 * length > most;
}

function failureOf(error: Error): Error {
  const Failure = isRefusedForGood(error) ? UnsendableError : Error;
  return new Failure(`the broker refused it: ${shown(describe(error))}`, { cause: error });
}
