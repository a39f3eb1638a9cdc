/** NATS as the backplane of a service: subjects without a stream, and keys in a stream. */
import type { Msg, Subscription } from "@nats-io/transport-node";
import { ConnectorError } from "../../../../../base/errors.ts";
import {
  type Backplane,
  type BackplaneCapabilities,
  type BackplaneContext,
  BackplaneError,
  type BackplaneListener,
  type BackplaneNeeds,
  type SharedKeys,
} from "../../../../../contract/backplane.ts";
import { tryBackplane } from "../../../backplane-trial.ts";
import type { MqOptions } from "../../../options.ts";
import { NatsLink } from "../connection.ts";
import { describe, isPermanent, RefusedError } from "../errors.ts";
import { readEntry } from "../login.ts";
import { type NatsSettings, settle } from "../settings.ts";
import { StreamKeys } from "./keys.ts";
import { Joiner, LARGEST, Splitter } from "./parts.ts";
import { Sender } from "./sending.ts";
import { BackplaneSubjects } from "./subjects.ts";
import { tryKeys } from "./trials.ts";

/** Makes the backplane of one instance. */
export function createBackplane(options: MqOptions, context: BackplaneContext): Backplane {
  return new NatsBackplane(settle(options), context);
}

/** Milliseconds between two attempts to do what the server has refused. */
const PAUSE = 3000;

/** What works on one connection. */
interface Parts {
  readonly link: NatsLink;
  readonly sender: Sender;
}

class NatsBackplane implements Backplane {
  readonly capabilities: BackplaneCapabilities = {
    echoes: true,
    // Each server of a cluster has an order of its own for what others publish.
    order: "sender",
    // The answer to a flush comes from this server. The others hear of a subscription later.
    live: "probe",
    members: false,
  };
  readonly keys: SharedKeys;
  readonly #settings: NatsSettings;
  readonly #context: BackplaneContext;
  readonly #subjects: BackplaneSubjects;
  readonly #splitter: Splitter;
  readonly #joiner = new Joiner();
  readonly #subscriptions = new Map<string, Subscription>();
  #parts: Parts | undefined;
  #listener: BackplaneListener | undefined;
  /** Why the server does not let it do its work. */
  #refusal: string | undefined;
  /** Whether the first attempt to work with the server has ended. */
  #tried = false;
  /** Whether all subscriptions are in force. */
  #isUp = false;
  /** Counts connections and their ends: the result of an earlier one is ignored. */
  #turn = 0;
  #cancelTry: (() => void) | undefined;
  #closed = false;

  constructor(settings: NatsSettings, context: BackplaneContext) {
    this.#settings = settings;
    this.#context = context;
    this.#subjects = new BackplaneSubjects(context.service);
    this.#splitter = new Splitter(context.instance);
    const replicas = settings.stream?.replicas;
    const keysOptions = { subjects: this.#subjects, replicas, clock: context.clock };
    this.keys = new StreamKeys(() => this.#need().link, keysOptions);
  }

  async open(listener: BackplaneListener): Promise<void> {
    const { name, instance, logger, clock } = this.#context;
    const fail = (message: string, cause?: unknown): never => {
      throw new ConnectorError(name, message, { cause, permanent: true });
    };
    const entry = await readEntry(this.#settings, fail);
    if (this.#closed) return;
    this.#listener = listener;
    const { servers } = this.#settings;
    const shown = `weir ${name} backplane ${instance}`;
    const link = new NatsLink({ servers, name: shown, entry, logger });
    const sender = new Sender(link, clock);
    const parts = this.#parts = { link, sender };
    let preparing: Promise<unknown> = Promise.resolve();
    link.listen({
      ready: () => void (preparing = this.#ready(parts)),
      lost: (reason) => this.#lost(reason),
      // A permission was taken away, perhaps, and a subscription with it.
      refused: () => this.#tryLater(),
    });
    const failure = await link.opened ?? await preparing;
    if (!isPermanent(failure)) return;
    await this.close();
    fail(`cannot start: the broker ${link.where}: ${describe(failure)}`, failure);
  }

  async publish(topic: string, message: Uint8Array): Promise<void> {
    const { link, sender } = this.#need();
    const subject = this.#subjects.topic(topic);
    const most = link.client?.info?.max_payload ?? Infinity;
    if (message.length <= most) {
      return await sender.send("publish", [subject], (client) => client.publish(subject, message));
    }
    const parts = this.#splitter.split(message, most);
    if (parts === undefined) {
      throw new BackplaneError(
        `a message has ${message.length} bytes: that is more than ${LARGEST}, or the broker takes ` +
          `too little for its parts (max_payload is ${most})`,
      );
    }
    await sender.send("publish", [subject], (client) => {
      for (const { bytes, headers } of parts) client.publish(subject, bytes, { headers });
    });
  }

  async subscribe(topics: readonly string[]): Promise<void> {
    const { sender } = this.#need();
    const fresh = topics.filter((topic) => !this.#subscriptions.has(topic));
    const listening = this.#listen(sender, fresh);
    const made = new Map(fresh.map((topic) => [topic, this.#subscriptions.get(topic)]));
    try {
      await listening;
    } catch (error) {
      // Somebody may have ended some of them, and begun them anew.
      this.unsubscribe(fresh.filter((topic) => this.#subscriptions.get(topic) === made.get(topic)));
      throw error;
    }
  }

  unsubscribe(topics: readonly string[]): void {
    for (const topic of topics) {
      this.#subscriptions.get(topic)?.unsubscribe();
      this.#subscriptions.delete(topic);
    }
  }

  health(): string | undefined {
    const parts = this.#parts;
    if (parts === undefined) return "not connected";
    return parts.link.health ?? this.#refusal ??
      (this.#isUp ? undefined : "the broker has not answered yet");
  }

  probe({ keys }: BackplaneNeeds): Promise<string> {
    const others = keys ? [() => tryKeys(this.#need(), this.#subjects)] : [];
    return tryBackplane(this, this.#context, others);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTry?.();
    this.#listener = undefined;
    const parts = this.#parts;
    this.#parts = undefined;
    if (parts === undefined) return;
    await parts.link.close();
    parts.sender.close();
  }

  #need(): Parts {
    if (this.#parts === undefined) throw new BackplaneError("not connected");
    return this.#parts;
  }

  async #listen(sender: Sender, topics: readonly string[]): Promise<void> {
    const subjects = topics.map((topic) => this.#subjects.topic(topic));
    await sender.send("subscription", subjects, (client) => {
      for (const [i, topic] of topics.entries()) {
        const callback = (error: Error | null, message: Msg): void => {
          if (error === null) this.#hear(topic, message);
        };
        this.#subscriptions.set(topic, client.subscribe(subjects[i], { callback }));
      }
    });
  }

  #hear(topic: string, message: Msg): void {
    const whole = this.#joiner.take(message.data, message.headers);
    if (whole !== undefined) this.#listener?.message(topic, whole);
  }

  /** Returns why it cannot work, if it cannot. Never rejects. */
  async #ready({ link, sender }: Parts): Promise<unknown> {
    const turn = ++this.#turn;
    const failure = await this.#prepare(sender);
    if (turn !== this.#turn || this.#closed) return undefined;
    if (failure === undefined) {
      this.#refusal = undefined;
      this.#tried = true;
      if (!this.#isUp) this.#listener?.up();
      this.#isUp = true;
      return undefined;
    }
    const reason = `the broker ${link.where} does not link the instances: ${describe(failure)}`;
    this.#down(reason);
    // The caller of `open` throws what is permanent.
    const isTold = (!this.#tried && isPermanent(failure)) || reason === this.#refusal;
    if (!isTold) this.#context.logger.warn("{reason}", { reason });
    this.#tried = true;
    this.#refusal = reason;
    this.#tryLater();
    return failure;
  }

  /** Returns why it cannot work, if it cannot. Never rejects. */
  async #prepare(sender: Sender): Promise<unknown> {
    try {
      await this.#tryRights(sender);
      // The library subscribes anew by itself, but not to what the server has refused before.
      const ended = [...this.#subscriptions].filter(([, one]) => one.isClosed());
      if (ended.length > 0) this.#down("the broker has ended a subscription");
      await this.#listen(sender, ended.map(([topic]) => topic));
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** A user without the permissions is told of it at the start, not with the first message. */
  async #tryRights(sender: Sender): Promise<void> {
    const subject = this.#subjects.trial(this.#context.instance);
    try {
      await sender.send("subscription", [subject], (client) => {
        client.subscribe(subject, { callback: () => undefined, max: 1 });
      });
      await sender.send("publish", [subject], (client) => client.publish(subject));
    } catch (error) {
      if (!(error instanceof BackplaneError && error.cause instanceof RefusedError)) throw error;
      const { message } = error.cause;
      throw new RefusedError(
        `it refuses a permission: ${message}; ${this.#subjects.grant}`,
        { cause: error },
      );
    }
  }

  #down(reason: string): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#listener?.down(reason);
  }

  #lost(reason: string): void {
    this.#turn++;
    // The rest of what has begun does not come.
    this.#joiner.clear();
    this.#down(reason);
  }

  #tryLater(): void {
    const { clock } = this.#context;
    this.#cancelTry ??= clock.after(PAUSE, () => {
      this.#cancelTry = undefined;
      const parts = this.#parts;
      // A connection that comes later begins by itself.
      if (parts?.link.client !== undefined) void this.#ready(parts);
    });
  }
}
