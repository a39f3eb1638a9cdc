/** Sends what flows of this instance write to the clients of all instances. */
import { messageOf } from "../../../base/shown.ts";
import { ConnectorError } from "../../../base/errors.ts";
import { recordedTrace } from "../../../base/trace-context.ts";
import { BackplaneError } from "../../../contract/backplane.ts";
import type { WriteRequest } from "../../../contract/connector.ts";
import type { Instances } from "../../../contract/instances.ts";
import { placed } from "../../../contract/placed.ts";
import type { Frame } from "../../../transport/frame.ts";
import { type ControlCommand, execute, resultOf } from "../control.ts";
import { type Audience, deliver, type Delivered, type Selection } from "../recipients.ts";
import type { RoomMessage } from "../history/mod.ts";
import type { Shared } from "../parts.ts";
import { MessageFrame } from "../slow-client/message.ts";
import { topicOf, topicOfUser } from "./audiences.ts";
import type { Filters } from "./filters.ts";
import { decodeResult, NOTHING_DONE, type Result, type Results, sumOf } from "./results.ts";
import { instanceOf, roomTopic } from "./topics.ts";
import { encode, type Head } from "./wire.ts";

/** How long the answers to "how many have you reached" may take, in milliseconds. */
const COUNT_PATIENCE = 500;
/** How long instances may take to execute an order: a join waits for its room. */
const ORDER_PATIENCE = 2_000;

/** What a sender shares with the receiver. */
export interface SenderParts {
  readonly instances: Instances;
  readonly filters: Filters;
  /** What this instance has done for the messages that it has heard. */
  readonly results: Results;
}

/** A message that is sent. */
interface Outgoing {
  readonly frame: Frame;
  readonly selection: Selection;
  /** Whether the flow reads the number of recipients. */
  readonly isCounted: boolean;
  /** The trace that it is part of, where that is recorded. */
  readonly traceparent: string | undefined;
}

/** Sends to all instances. */
export class Sender {
  readonly #shared: Shared;
  readonly #parts: SenderParts;
  #number = 0;

  constructor(shared: Shared, parts: SenderParts) {
    this.#shared = shared;
    this.#parts = parts;
  }

  /**
   * Sends a message. Returns the number of recipients in all instances where the flow reads it.
   *
   * @throws {ConnectorError} It could not be sent.
   * @throws {ExpressionError} The filter failed for a client of this instance.
   */
  send(
    frame: Frame,
    audience: Audience,
    request: WriteRequest,
    selection: Selection,
  ): Delivered | Promise<Delivered> {
    const isCounted = request.resultUsed !== false;
    const message = { frame, selection, isCounted, traceparent: recordedTrace(request) };
    if (audience.operation === "send_to_client") return this.#sendToClient(message, audience);
    const { instances } = this.#parts;
    const topic = topicOf(audience);
    if (topic === undefined) return { recipients: 0 };
    if (instances.echoes) {
      const sent = this.#sendAndHear(message, topic);
      return isCounted ? sent : placed(sent);
    }
    const recipients = deliver(this.#shared, frame, audience, selection);
    if (instances.heard?.(topic) === false) return { recipients };
    const number = isCounted ? this.#nextNumber() : undefined;
    const sending = instances.publish(topic, this.#encode(message, number));
    if (number === undefined) {
      return sending === undefined
        ? { recipients }
        : sending.then(() => ({ recipients }), (error) => this.#fail(error));
    }
    return this.#others(number, sending, COUNT_PATIENCE)
      .then((others) => ({ recipients: recipients + this.#checked(others).recipients }));
  }

  /**
   * Keeps a message, which each instance delivers when it hears it with its offset. Returns the number
   * of recipients in all instances where the flow reads it.
   *
   * @throws {ConnectorError} It could not be kept.
   */
  keep(message: RoomMessage, request: WriteRequest): Promise<Delivered> {
    const isCounted = request.resultUsed !== false;
    const sent = this.#keep(message, isCounted, recordedTrace(request));
    // Without echoes, what is not kept is delivered here at once: it must not overtake this.
    return isCounted || !this.#parts.instances.echoes ? sent : placed(sent);
  }

  async #keep(
    { room, keep, message: { text, key, except, user }, id }: RoomMessage,
    isCounted: boolean,
    traceparent: string | undefined,
  ): Promise<Delivered> {
    const { instances, results } = this.#parts;
    const number = isCounted ? this.#nextNumber() : undefined;
    const head = {
      ...(traceparent !== undefined && { traceparent, from: instances.id }),
      ...(number !== undefined && { number, asked: true, from: instances.id }),
      ...(key !== undefined && { key }),
      ...(except !== undefined && { except }),
      ...(user !== undefined && { user }),
    };
    await this.#sent(
      instances.history?.append(roomTopic(room), encode("message", head, text), keep, id),
    );
    if (number === undefined) return { recipients: 0 };
    const others = await this.#others(number, undefined, COUNT_PATIENCE);
    const own = await results.takeOwn(instances.id, number);
    return { recipients: sumOf([own, others]).recipients };
  }

  /**
   * Sends an order for the connections of a user. Each instance executes it for all of them that are
   * selected, or for none.
   *
   * @throws {ConnectorError} Connections have refused it, or an instance has not answered. What
   * others have done stays done.
   */
  order(
    command: ControlCommand & { readonly user: string },
    selection: Selection,
    traceparent: string | undefined,
  ): Promise<Delivered> {
    const { instances: { echoes } } = this.#parts;
    const here = echoes ? undefined : execute(this.#shared, command, selection);
    return this.#order(command, selection, traceparent, here);
  }

  async #order(
    command: ControlCommand & { readonly user: string },
    selection: Selection,
    traceparent: string | undefined,
    here: Result | Promise<Result> | undefined,
  ): Promise<Delivered> {
    const { instances, results } = this.#parts;
    const { operation, room, user, history } = command;
    const topic = topicOfUser(user);
    if (topic === undefined) return resultOf(this.#shared, command, NOTHING_DONE);
    const number = this.#nextNumber();
    const head = {
      ...{ number, asked: true, operation },
      ...(room !== undefined && { room }),
      ...(history && { history }),
      ...(traceparent !== undefined && { traceparent }),
      ...this.#headOf(selection),
    };
    const sending = instances.publish(topic, encode("order", head));
    const others = await this.#others(number, sending, ORDER_PATIENCE, true);
    const own = await (here ?? results.takeOwn(instances.id, number));
    return resultOf(this.#shared, command, this.#checked(sumOf([own, others])));
  }

  /** A client is in one instance, which its id names. */
  #sendToClient(message: Outgoing, audience: Audience): Delivered | Promise<Delivered> {
    const { instances } = this.#parts;
    const { frame, selection, isCounted } = message;
    const { name: client = "" } = audience;
    const instance = instanceOf(client);
    if (instance === undefined || instance === instances.id) {
      return { recipients: deliver(this.#shared, frame, audience, selection) };
    }
    const number = isCounted ? this.#nextNumber() : undefined;
    const sending = instances.tell(instance, this.#encode(message, number, client));
    if (number === undefined) {
      return sending === undefined
        ? { recipients: 0 }
        : sending.then(() => ({ recipients: 0 }), (error) => this.#fail(error));
    }
    const question = encode("reached", { number });
    return this.#both(sending, instances.askOne(instance, question, COUNT_PATIENCE))
      .then((answer) => this.#checked((answer && decodeResult(answer)) ?? NOTHING_DONE))
      .then(({ recipients }) => ({ recipients }));
  }

  /** This instance delivers the message when it hears it, so that all see one order. */
  async #sendAndHear(message: Outgoing, topic: string): Promise<Delivered> {
    const { instances, results } = this.#parts;
    const { selection, isCounted } = message;
    // A filter that fails here fails the flow, whether or not that waits for the others.
    const isLookedAt = isCounted || selection.filter !== undefined;
    const number = isLookedAt ? this.#nextNumber() : undefined;
    const sending = instances.publish(topic, this.#encode(message, number));
    if (number === undefined) {
      await this.#sent(sending);
      return { recipients: 0 };
    }
    const others = isCounted
      ? await this.#others(number, sending, COUNT_PATIENCE)
      : await this.#sent(sending).then(() => NOTHING_DONE);
    const own = await results.takeOwn(instances.id, number);
    const { recipients } = this.#checked(sumOf([own, others]));
    return { recipients };
  }

  /**
   * What the others have done for a message. Where they must all answer, one that does not is an
   * error; otherwise it counts for nothing, since the message was sent.
   */
  async #others(
    number: number,
    sending: Promise<void> | undefined,
    patience: number,
    mustAnswer = false,
  ): Promise<Result> {
    const asking = this.#parts.instances.ask(encode("reached", { number }), patience);
    const { answers, incomplete } = await this.#both(sending, asking);
    if (mustAnswer && incomplete) {
      const message = "an instance of the service has not answered in time: it may have executed " +
        "the order or not";
      throw new ConnectorError(this.#shared.name, message);
    }
    return sumOf(answers.map((answer) => decodeResult(answer) ?? NOTHING_DONE));
  }

  async #both<T>(sending: Promise<void> | undefined, asking: Promise<T>): Promise<T> {
    try {
      return (await Promise.all([asking, sending]))[0];
    } catch (error) {
      return this.#fail(error);
    }
  }

  async #sent(sending: Promise<void> | undefined): Promise<void> {
    try {
      await sending;
    } catch (error) {
      this.#fail(error);
    }
  }

  #encode(
    { frame, selection, isCounted, traceparent }: Outgoing,
    number: number | undefined,
    client?: string,
  ): Uint8Array {
    const key = frame instanceof MessageFrame ? frame.key : undefined;
    const head = {
      ...(number !== undefined && { number }),
      ...(isCounted && { asked: true }),
      ...(traceparent !== undefined && { traceparent }),
      ...(client !== undefined && { client }),
      ...(key !== undefined && { key }),
      ...this.#headOf(selection),
    };
    return encode("message", head, frame.text);
  }

  #headOf({ filter, except, scope }: Selection): Head {
    return {
      ...(except !== undefined && { except }),
      ...(filter !== undefined && this.#parts.filters.pack(filter, scope)),
    };
  }

  #nextNumber(): number {
    return ++this.#number;
  }

  /** Fails the flow where an instance could not evaluate the filter. */
  #checked(result: Result): Result {
    if (result.problem === undefined) return result;
    throw new ConnectorError(this.#shared.name, result.problem, { permanent: true });
  }

  #fail(cause: unknown): never {
    const unknown = cause instanceof BackplaneError && cause.unknown;
    const after = unknown ? "; the others may have got it all the same" : "";
    const message = `cannot send to the instances of the service: ${messageOf(cause)}${after}`;
    throw new ConnectorError(this.#shared.name, message, { cause });
  }
}
