/** Delivers what the instances send to the clients of this one, and answers what they ask. */
import { messageOf } from "../../../base/shown.ts";
import type { InstancesListener } from "../../../contract/instances.ts";
import type { Expression } from "../../../expression/mod.ts";
import type { Position } from "../../../base/kept-messages.ts";
import { execute } from "../control.ts";
import type { History } from "../history/mod.ts";
import { resyncFrame } from "../protocol.ts";
import { deliver, type Selection } from "../recipients.ts";
import type { Shared } from "../parts.ts";
import type { FeatureListener } from "../room-feature.ts";
import { audienceOfTopic } from "./audiences.ts";
import type { Filters } from "./filters.ts";
import { encodeResult, NOTHING_DONE, type Result, type Results } from "./results.ts";
import { relayed } from "./relayed.ts";
import { decode, type Envelope, type Head, type Kind, Nonsense } from "./wire.ts";

const EMPTY = new Uint8Array();
const NO_VALUES = {};

/** Whether a feature of rooms reads messages of a kind. */
function isOfFeature(kind: Kind): boolean {
  return kind === "presence";
}

/** The operation of the request that an instance has sent. */
function operationOf(topic: string, { operation, client }: Head): string | undefined {
  return operation ?? audienceOfTopic(topic, client)?.operation;
}

/** What a receiver shares with the sender. */
export interface ReceiverParts {
  /** The id of this instance. */
  readonly id: string;
  readonly filters: Filters;
  readonly results: Results;
  /** Undefined where no room has one. */
  readonly history: History | undefined;
}

/** Hears what the instances send, this one included where the backplane sends it back. */
export class Receiver implements InstancesListener {
  readonly #shared: Shared;
  readonly #parts: ReceiverParts;
  #hasComplained = false;
  #gaps = 0;

  constructor(shared: Shared, parts: ReceiverParts) {
    this.#shared = shared;
    this.#parts = parts;
    parts.history?.common?.onDelivered((head, recipients) => {
      if (head.from !== undefined) this.#keep(head, head.from, { ...NOTHING_DONE, recipients });
    });
  }

  /** How many messages and orders were lost here, because their filter cannot be used. */
  get filterGaps(): number {
    return this.#gaps;
  }

  message(topic: string, bytes: Uint8Array, from: string): void | Promise<void> {
    const envelope = this.#read(bytes, from);
    if (envelope === undefined) return;
    if (isOfFeature(envelope.kind)) {
      return this.#pass(from, () => this.#of(envelope)?.message(envelope.text, topic, from));
    }
    const { filter: hash, values = NO_VALUES } = envelope.head;
    if (hash === undefined) return this.#apply(topic, envelope, from, undefined);
    const filter = this.#parts.filters.find(hash, values, from);
    if (!(filter instanceof Promise)) return this.#filtered(topic, envelope, from, filter);
    const handled = filter.then((found) => this.#filtered(topic, envelope, from, found));
    this.#parts.results.holdBack(handled);
    return handled;
  }

  answer(question: Uint8Array, from: string): Uint8Array | Promise<Uint8Array> {
    const envelope = this.#read(question, from);
    const { number, filter } = envelope?.head ?? {};
    if (envelope?.kind === "reached" && number !== undefined) {
      const result = this.#parts.results.take(from, number);
      return result instanceof Promise ? result.then(encodeResult) : encodeResult(result);
    }
    if (envelope?.kind === "filter" && filter !== undefined) return this.#textOf(filter);
    if (envelope !== undefined && isOfFeature(envelope.kind)) {
      this.#pass(from, () => this.#of(envelope)?.answer(envelope.text, from));
    } else if (envelope !== undefined) this.#complain(from, "it asks nothing");
    return EMPTY;
  }

  answerAhead(question: Uint8Array, from: string): Uint8Array | undefined {
    const { kind, head } = this.#read(question, from) ?? {};
    return kind === "filter" && head?.filter !== undefined ? this.#textOf(head.filter) : undefined;
  }

  kept(topic: string, at: Position, messages: readonly Uint8Array[]): void {
    this.#parts.history?.common?.heard(topic, at, messages);
  }

  gone(instance: string): void {
    for (const listener of this.#shared.features.listeners) listener.gone(instance);
  }

  gap(): void {
    const { history } = this.#parts;
    for (const listener of this.#shared.features.listeners) listener.gap();
    for (const connection of this.#shared.registry.all) {
      for (const room of connection.state.resync) {
        if (history?.keepOf(room) === undefined) connection.send(resyncFrame(room));
      }
    }
    history?.common?.gap();
  }

  #read(bytes: Uint8Array, from: string): Envelope | undefined {
    return this.#pass(from, () => decode(bytes));
  }

  #textOf(filter: string): Uint8Array {
    return new TextEncoder().encode(this.#parts.filters.textOf(filter));
  }

  /** Ignores what makes no sense. */
  #pass<T>(from: string, act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof Nonsense)) throw error;
      this.#complain(from, error.message);
      return undefined;
    }
  }

  /** Undefined where this configuration does not have the feature. */
  #of({ kind }: Envelope): FeatureListener | undefined {
    return this.#shared.features.listener(kind);
  }

  #filtered(topic: string, envelope: Envelope, from: string, filter: Expression | undefined): void {
    if (filter !== undefined) return this.#apply(topic, envelope, from, filter);
    this.#gaps++;
    this.#keep(envelope.head, from, NOTHING_DONE);
  }

  #apply(topic: string, envelope: Envelope, from: string, filter: Expression | undefined): void {
    const { head, kind } = envelope;
    const selection = { filter, except: head.except, scope: head.values ?? NO_VALUES };
    try {
      const act = () =>
        kind === "message"
          ? this.#deliver(topic, envelope, selection)
          : this.#execute(topic, envelope, selection);
      const result = from === this.#parts.id
        ? act()
        : relayed(this.#shared, head, operationOf(topic, head), act);
      if (result === undefined) return this.#complain(from, "it is for nobody");
      this.#keep(head, from, result);
    } catch (error) {
      const problem = messageOf(error);
      this.#keep(head, from, { ...NOTHING_DONE, problem });
      // Another instance shows it in the error of its flow, where that waits for the result.
      if (head.asked || from === this.#parts.id) return;
      this.#shared.logger.error("failed to apply what instance {from} has sent: {problem}", {
        from,
        problem,
      });
    }
  }

  #deliver(
    topic: string,
    { head: { client, key }, text }: Envelope,
    selection: Selection,
  ): Result | undefined {
    const audience = audienceOfTopic(topic, client);
    if (audience === undefined) return undefined;
    const { outboxes } = this.#shared;
    const frame = outboxes.relayed(text, key);
    // Each client that it was queued for would be closed.
    if (frame.size > outboxes.limit) {
      throw new RangeError(`a message of ${frame.size} bytes is larger than a client's queue`);
    }
    return { ...NOTHING_DONE, recipients: deliver(this.#shared, frame, audience, selection) };
  }

  #execute(
    topic: string,
    { kind, head: { operation, room, history = false } }: Envelope,
    selection: Selection,
  ): Result | Promise<Result> | undefined {
    const audience = audienceOfTopic(topic, undefined);
    if (kind !== "order" || audience?.operation !== "send_to_user") return undefined;
    if (operation === undefined || (room === undefined && operation !== "disconnect")) {
      return undefined;
    }
    const { name: user = "" } = audience;
    const command = room === undefined ? { operation, user } : { operation, user, room, history };
    return execute(this.#shared, command, selection);
  }

  #keep({ number, asked }: Head, from: string, result: Result | Promise<Result>): void {
    const isTaken = asked || from === this.#parts.id;
    if (number !== undefined && isTaken) this.#parts.results.keep(from, number, result);
  }

  /** Once, since a sender that does this will do it again. */
  #complain(from: string, problem: string): void {
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    this.#shared.logger.error(
      "ignored a message of instance {from}, and will ignore others like it without a word: " +
        "{problem}",
      { from, problem },
    );
  }
}
