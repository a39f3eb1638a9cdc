/** Takes what is published while it is subscribed; what is published meanwhile is lost. */
import { withTimeout } from "../../../../base/timeout.ts";
import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import {
  type BrokerContext,
  type DeadLetter,
  type Deliver,
  type GivenUp,
  Intake,
  type IntakeContext,
  type Pushed,
} from "../../../../messaging/mod.ts";
import { type LinkListener, type NatsLink, PATIENCE } from "./connection.ts";
import { type DeadLetterSender, sendDeadLetter } from "./delivery.ts";
import { describe } from "./errors.ts";
import { coveringSubjects, isInternal, isOpen } from "./filters.ts";
import { readMessage } from "./message.ts";
import { EVERY_SUBJECT } from "./routing.ts";
import type { NatsSettings } from "./settings.ts";

/** What a consumer works with. */
export interface CoreContext
  extends Pick<BrokerContext, "operations" | "logger" | "clock" | "lost"> {
  readonly link: NatsLink;
  readonly settings: NatsSettings;
  /** Absent where dead letters are discarded. */
  readonly deadLetters: DeadLetterSender | undefined;
}

/** A message as it came. */
interface CoreMessage extends Pushed {
  readonly message: Msg;
}

/** One subscription for each operation, or for all that a queue group takes. */
export class CoreConsumer implements LinkListener {
  readonly #context: CoreContext;
  readonly #subscriptions = new Map<string, Subscription>();
  /** Why the server refuses a subject. */
  readonly #refused = new Map<string, string>();
  #intake: Intake | undefined;
  #client: NatsConnection | undefined;
  /** How often nobody was subscribed. */
  #gaps = 0;
  #stopped = false;

  /** Does nothing before `start`. */
  constructor(context: CoreContext) {
    this.#context = context;
    context.link.listen(this);
  }

  /** Why it does not consume at the moment, although it should. */
  get health(): string | undefined {
    const [refused] = this.#refused;
    return refused && `may not subscribe to ${refused[0]}: ${refused[1]}`;
  }

  /** How often messages may have been missed. */
  get gaps(): number {
    return this.#gaps;
  }

  /** How many messages wait. */
  get waiting(): number {
    return this.#intake?.waiting ?? 0;
  }

  /**
   * Begins to consume, now or as soon as there is a connection. `takesOver` is true if another process
   * has consumed before.
   */
  async start(deliver: Deliver, takesOver: boolean): Promise<void> {
    const { clock, lost, settings: { consumer: { prefetch } }, deadLetters, link } = this.#context;
    const context: IntakeContext = { clock, lost, prefetch, deliver };
    this.#intake = new Intake({
      ...context,
      ...(deadLetters !== undefined && {
        deadLetter: (pushed: Pushed, why: GivenUp) => bury(pushed as CoreMessage, why, deadLetters),
      }),
    });
    if (takesOver) this.#gaps++;
    const { client } = link;
    if (client === undefined) return;
    this.#subscribe(client);
    await link.flush();
  }

  ready(client: NatsConnection): void {
    if (this.#intake === undefined || this.#stopped) return;
    // The library subscribes again by itself on its own connection.
    const missed = this.#client !== undefined;
    this.#subscribe(client);
    if (!missed) return;
    this.#gaps++;
    this.#context.logger.warn(
      "is subscribed again; what was published since the connection was lost is missing",
    );
  }

  /** Takes no more messages, but those that are on their way: nobody else gets them. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    const open = [...this.#subscriptions.values()].filter((one) => !one.isClosed());
    // Nothing is on its way, and nothing may come when the connection is back.
    if (this.#context.link.client === undefined) {
      for (const one of open) one.unsubscribe();
      return;
    }
    const drained = Promise.allSettled(open.map((one) => one.drain()));
    await withTimeout(drained, PATIENCE, () => undefined);
  }

  /** Waits for the messages that it has. */
  async drain(): Promise<void> {
    await this.#intake?.drain();
  }

  #subscribe(client: NatsConnection): void {
    this.#client = client;
    const { queue } = this.#context.settings;
    for (const [subject, drops] of this.#subjects()) {
      const former = this.#subscriptions.get(subject);
      if (former !== undefined && !former.isClosed()) continue;
      this.#refused.delete(subject);
      const subscription = client.subscribe(subject, {
        ...(queue !== undefined && { queue }),
        callback: (error, message) => {
          if (error === null) this.#take(message, subject, drops);
          else this.#refuse(subject, describe(error));
        },
      });
      this.#subscriptions.set(subject, subscription);
    }
  }

  /** What it subscribes to, and whether the subjects of NATS itself are dropped there. */
  #subjects(): readonly (readonly [subject: string, drops: boolean])[] {
    const { operations, settings: { queue } } = this.#context;
    const named = [...new Set(operations.map((operation) => operation ?? EVERY_SUBJECT))];
    if (queue === undefined) return named.map((operation) => [operation, isOpen(operation)]);
    const drops = named.every(isOpen);
    return coveringSubjects(named).map((subject) => [subject, drops]);
  }

  #take(message: Msg, operation: string, drops: boolean): void {
    const { subject } = message;
    if (drops && isInternal(subject)) return;
    // The server delivers once for each subscription, but only once to a queue group.
    const key = this.#context.settings.queue === undefined ? operation : subject;
    const content = readMessage(message, subject, key);
    const pushed: CoreMessage = {
      routingKey: subject,
      content,
      size: message.data.length,
      message,
    };
    this.#intake?.push(pushed);
  }

  #refuse(subject: string, reason: string): void {
    this.#refused.set(subject, reason);
    this.#context.logger.error("may not subscribe to {subject}: {reason}", { subject, reason });
  }
}

async function bury(
  { message, routingKey }: CoreMessage,
  why: GivenUp,
  deadLetters: DeadLetterSender,
): Promise<DeadLetter> {
  return await sendDeadLetter(deadLetters, message, { subject: routingKey, id: undefined }, why);
}
