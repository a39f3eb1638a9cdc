/** Takes messages of a stream: asks for as many as flows can begin with, and never for more. */
import { createInbox, type Msg, nanos, type Subscription } from "@nats-io/transport-node";
import { endOfTick } from "../../../../base/clock.ts";
import { shownWords } from "../../../../base/shown.ts";
import { withTimeout } from "../../../../base/timeout.ts";
import type { Deliver } from "../../../../messaging/mod.ts";
import { type LinkListener, PATIENCE } from "./connection.ts";
import type { Ready } from "./declarations.ts";
import { type DeliveryContext, StreamDelivery } from "./delivery.ts";
import { describe } from "./errors.ts";
import { ACK_WAIT, isMissing } from "./topology.ts";

/** Milliseconds after which the server forgets a request for messages. */
const EXPIRES = 30_000;
/** How often the server says in between that it has not. */
const HEARTBEAT = 5000;
/** How often the server hears of messages whose flows run, in milliseconds. */
const WORKING = ACK_WAIT / 3;
/** After how many of those turns without a word a request is lost: two heartbeats, and more. */
const SILENT = Math.ceil((2 * HEARTBEAT + 2000) / WORKING);
/** After how many of those turns its progress is noted. */
const NOTED = 3;

/** Milliseconds before messages are asked for again that the server could not deliver. */
const PAUSE = 1000;

/** What a consumer works with. */
export interface ConsumerContext extends DeliveryContext {
  readonly prefetch: number;
}

/** The requests on one connection: those before are forgotten with their inbox. */
interface Session {
  readonly ready: Ready;
  readonly inbox: string;
  readonly subscription: Subscription;
  /** How many messages were asked for and have not come. */
  outstanding: number;
  /** Whether the server has said something since the turn before. */
  heard: boolean;
  /** For how many turns it has said nothing. */
  silent: number;
}

/** One durable consumer, from the start to the end of a connector. */
export class StreamConsumer implements LinkListener {
  readonly #context: ConsumerContext;
  /** Those whose flows run. */
  readonly #inHand = new Set<StreamDelivery>();
  #deliver: Deliver | undefined;
  #ready: Ready | undefined;
  #session: Session | undefined;
  #asking = false;
  #failure: string | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #turns = 0;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  /** Does nothing before `start`. */
  constructor(context: ConsumerContext) {
    this.#context = context;
    context.link.listen(this);
  }

  /** Why it does not consume at the moment, although it should. */
  get health(): string | undefined {
    if (this.#deliver === undefined || this.#stopped || this.#session !== undefined) {
      return undefined;
    }
    return this.#failure ?? "does not consume yet";
  }

  /** Begins to consume, now or as soon as the consumer is there. */
  start(deliver: Deliver): void {
    this.#deliver = deliver;
    this.#timer = setInterval(() => this.#tick(), WORKING);
    if (this.#ready !== undefined) this.#open(this.#ready);
  }

  /** The consumer is there. */
  attach(ready: Ready): void {
    this.#ready = ready;
    // What is on its way to a session that works would wait for the server to deliver it again.
    if (this.#deliver !== undefined && this.#session === undefined) this.#open(ready);
  }

  lost(): void {
    this.#ready = undefined;
    this.#end();
  }

  /** Takes no more messages, but those that are on their way. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#pause);
    const session = this.#session;
    if (session === undefined) return;
    // Drained: what is on its way has been delivered as far as the server knows.
    const drained = session.subscription.drain().catch(() => undefined);
    await withTimeout(drained, PATIENCE, () => undefined);
    this.#session = undefined;
  }

  /** Ends its timers. */
  close(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    clearTimeout(this.#pause);
    this.#end();
  }

  #open(ready: Ready): void {
    if (this.#stopped) return;
    const inbox = createInbox();
    const subscription = ready.client.subscribe(inbox, {
      callback: (error, message) => {
        if (error === null) this.#hear(session, message);
        else this.#trouble(session, describe(error));
      },
    });
    const session = { ready, inbox, subscription, outstanding: 0, heard: true, silent: 0 };
    this.#session = session;
    this.#failure = undefined;
    this.#ask();
  }

  #end(): void {
    this.#session?.subscription.unsubscribe();
    this.#session = undefined;
  }

  /** How many messages to ask for: not for each one, since that would cost more than the message. */
  #batch({ outstanding }: Session): number {
    const { prefetch } = this.#context;
    const batch = prefetch - this.#inHand.size - outstanding;
    return outstanding > 0 && batch * 2 < prefetch ? 0 : batch;
  }

  /** Asks at the end of the turn, once for all messages that were handled in it. */
  #askLater(session: Session | undefined): void {
    if (this.#asking || session === undefined || this.#batch(session) <= 0) return;
    this.#asking = true;
    endOfTick(() => {
      this.#asking = false;
      this.#ask();
    });
  }

  #ask(): void {
    const session = this.#session;
    if (session === undefined || this.#stopped) return;
    const batch = this.#batch(session);
    if (batch <= 0) return;
    const { stream, consumer } = session.ready;
    session.outstanding += batch;
    const request = { batch, expires: nanos(EXPIRES), idle_heartbeat: nanos(HEARTBEAT) };
    this.#context.link.client?.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
      JSON.stringify(request),
      { reply: session.inbox },
    );
  }

  #hear(session: Session, message: Msg): void {
    session.heard = true;
    const { subject } = message;
    if (subject === session.inbox) return this.#hearStatus(session, message);
    session.outstanding--;
    const delivery = new StreamDelivery(message, subject, this.#context);
    const handled = this.#deliver?.(delivery);
    if (handled !== undefined) {
      this.#inHand.add(delivery);
      void handled.then(() => {
        this.#inHand.delete(delivery);
        this.#askLater(this.#session);
      });
    }
    this.#askLater(session);
  }

  /** What the server says of a request. */
  #hearStatus(session: Session, { headers }: Msg): void {
    const code = headers?.code;
    const words = headers?.description ?? "";
    // It goes on.
    if (code === 100) return;
    if (session !== this.#session) return;
    // Neither the consumer nor its stream may be there.
    if (code === 503) return this.#trouble(session, "the consumer does not answer");
    if (code === 400 || /consumer (?:deleted|is push based)/i.test(words)) {
      return this.#trouble(session, `the server says: ${shownWords(words)}`);
    }
    const left = Number(headers?.get("Nats-Pending-Messages") || session.outstanding);
    session.outstanding = Math.max(0, session.outstanding - left);
    // Its time was up, which is no failure.
    if (code === 408) return this.#askLater(session);
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.#ask(), PAUSE);
  }

  /** Looks whether the consumer is there, and makes it where it is not; then it is attached again. */
  #trouble(session: Session, reason: string): void {
    if (session !== this.#session || this.#stopped) return;
    this.#failure = `failed to consume: ${reason}`;
    this.#end();
    clearTimeout(this.#pause);
    // Not at once: what an operator deletes is gone a moment later.
    this.#pause = setTimeout(() => void this.#context.declarations.ensure(), PAUSE / 10);
  }

  #tick(): void {
    for (const delivery of this.#inHand) delivery.working();
    const session = this.#session;
    if (session === undefined || this.#stopped) return;
    session.silent = session.heard || session.outstanding === 0 ? 0 : session.silent + 1;
    session.heard = false;
    if (session.silent >= SILENT) {
      return this.#trouble(session, "the server says nothing of a request");
    }
    if (++this.#turns % NOTED !== 0) return;
    this.#context.declarations.note().catch((error) => {
      // Any other failure leaves what was noted before.
      if (isMissing(error)) this.#trouble(session, describe(error));
    });
  }
}
