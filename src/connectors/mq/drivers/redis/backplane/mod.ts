/** Redis as a backplane: topics are channels. One connection publishes, another one listens. */
import { Buffer } from "node:buffer";
import { ConnectorError } from "../../../../../base/errors.ts";
import {
  type Backplane,
  type BackplaneCapabilities,
  type BackplaneContext,
  BackplaneError,
  type BackplaneHistory,
  type BackplaneListener,
  type BackplaneNeeds,
  type SharedKeys,
} from "../../../../../contract/backplane.ts";
import { tryBackplane } from "../../../backplane-trial.ts";
import type { MqOptions } from "../../../options.ts";
import { connect } from "../server/connecting.ts";
import { describe, isAnswer, isFinal, isForbidden } from "../server/errors.ts";
import { Link, type LinkOptions, Outage } from "../server/link.ts";
import { Watch } from "../server/sentinel.ts";
import { type Address, addressOf, describeAddress } from "../settings.ts";
import { Commands } from "./commands.ts";
import { readKept, RedisHistory } from "./history.ts";
import { sharedKeys } from "./keys.ts";
import { type Names, namesOf } from "./names.ts";
import { Subscriptions } from "./subscriptions.ts";
import { tryHistory, tryKeys } from "./trials.ts";

/** Makes the backplane of one instance. */
export function createBackplane(options: MqOptions, context: BackplaneContext): Backplane {
  return new RedisBackplane(addressOf(options), context);
}

/** What works while it is open. */
interface Parts {
  readonly listener: BackplaneListener;
  /** Publishes, and asks for keys. */
  readonly sender: Link;
  /** Listens. */
  readonly receiver: Link;
  /** Undefined without Sentinels. */
  readonly watch: Watch | undefined;
  readonly sending: Commands;
  readonly receiving: Commands;
  readonly keys: SharedKeys;
  readonly history: RedisHistory;
  isUp: boolean;
}

class RedisBackplane implements Backplane {
  readonly capabilities: BackplaneCapabilities = {
    echoes: true,
    order: "all",
    live: "reply",
    members: false,
  };
  readonly keys: SharedKeys;
  readonly history: BackplaneHistory = {
    append: async (...args) => await this.#open().history.append(...args),
    read: async (...args) => await this.#open().history.read(...args),
  };
  readonly #address: Address;
  readonly #context: BackplaneContext;
  readonly #names: Names;
  readonly #subscriptions: Subscriptions;
  #parts: Parts | undefined;

  constructor(address: Address, context: BackplaneContext) {
    this.#address = address;
    this.#context = context;
    this.#names = namesOf(context.service, context.instance, address.username);
    const isMissing = () => this.#parts?.keys.missing === true;
    this.keys = {
      add: async (...args) => await this.#open().keys.add(...args),
      get: async (...args) => await this.#open().keys.get(...args),
      replace: async (...args) => await this.#open().keys.replace(...args),
      remove: async (...args) => await this.#open().keys.remove(...args),
      get missing() {
        return isMissing();
      },
    };
    this.#subscriptions = new Subscriptions(
      this.#names,
      (topic, message) => this.#hear(topic, message),
    );
  }

  #hear(topic: string, message: Buffer): void {
    const { listener } = this.#parts ?? {};
    const kept = readKept(message);
    if (kept === undefined) listener?.message(topic, message);
    else listener?.kept?.(topic, kept.at, kept.messages);
  }

  async open(listener: BackplaneListener): Promise<void> {
    const parts = this.#makeParts(listener);
    this.#parts = parts;
    const failures = await Promise.all([parts.sender.opened, parts.receiver.opened]);
    const final = failures.find(isFinal);
    if (final === undefined) return;
    await this.close();
    const where = describeAddress(this.#address);
    const message = `cannot link the instances: the backplane ${where} refuses: ` +
      describe(final).replace(/\.$/, "") + this.#hint(final);
    throw new ConnectorError(this.#context.name, message, { cause: final, permanent: true });
  }

  /** What to do about an answer, where Redis does not say it. */
  #hint(error: unknown): string {
    if (!isAnswer(error)) return "";
    if (isForbidden(error)) return `; ${this.#names.grants.link}`;
    return /^(?:WRONGPASS|NOAUTH)/.test(error.message) ? "; check its user and its password" : "";
  }

  async publish(topic: string, message: Uint8Array): Promise<void> {
    const { buffer, byteOffset, byteLength } = message;
    const bytes = Buffer.from(buffer, byteOffset, byteLength);
    await this.#open().sending.send(["PUBLISH", this.#names.topics + topic, bytes]);
  }

  async subscribe(topics: readonly string[]): Promise<void> {
    await this.#subscriptions.add(topics, this.#open().receiving);
  }

  unsubscribe(topics: readonly string[]): void {
    this.#subscriptions.delete(topics);
  }

  health(): string | undefined {
    if (this.#parts === undefined) return CLOSED;
    return this.#parts.sender.health ?? this.#parts.receiver.health;
  }

  probe(needs: BackplaneNeeds): Promise<string> {
    const others = [
      ...(needs.keys ? [() => tryKeys(this.keys)] : []),
      ...(needs.history ? [() => tryHistory(this.#open().history)] : []),
    ];
    return tryBackplane(this, this.#context, others);
  }

  /** What is on its way is not waited for: it fails. */
  close(): Promise<void> {
    const { sender, receiver, watch, sending, receiving } = this.#parts ?? {};
    this.#parts = undefined;
    for (const part of [sender, receiver, watch, sending, receiving]) part?.close();
    return Promise.resolve();
  }

  #open(): Parts {
    if (this.#parts === undefined) throw new BackplaneError(CLOSED);
    return this.#parts;
  }

  #makeParts(listener: BackplaneListener): Parts {
    const { name, logger, clock } = this.#context;
    const address = this.#address;
    const { beat } = this.#names;
    const watch = address.sentinel === undefined
      ? undefined
      : new Watch(address, address.sentinel, logger);
    const how = {
      outage: new Outage("backplane", describeAddress(address), logger),
      open: (signal) => connect(address, `weir:${name}`, signal),
      expected: () => watch?.place,
      lost: (reason) => this.#lost(reason),
    } satisfies LinkOptions;
    const sender = new Link({
      ...how,
      // Who may not publish, or not ask for a sign of life, is told at the start.
      prepare: async ({ client }) => {
        await Promise.all([client.publish(beat, ""), client.ping()]);
      },
    });
    const receiver = new Link({
      ...how,
      prepare: ({ client }) => this.#subscriptions.prepare(client),
      beat: (client) => this.#subscriptions.hearItself(client),
    });
    for (const link of [sender, receiver]) link.onReady(() => this.#ready());
    const sending = new Commands(sender, clock);
    const receiving = new Commands(receiver, clock);
    const keys = sharedKeys(sending, this.#names);
    const history = new RedisHistory(sending, this.#names);
    return { listener, sender, receiver, watch, sending, receiving, keys, history, isUp: false };
  }

  /** A connection is ready, and perhaps the other one, too. */
  #ready(): void {
    const parts = this.#parts;
    if (parts === undefined || this.health() !== undefined) return;
    parts.isUp = true;
    parts.listener.up();
  }

  /** A connection is lost. */
  #lost(reason: string): void {
    const parts = this.#parts;
    if (!parts?.isUp) return;
    parts.isUp = false;
    // After a failover the other one may lead to the former master for a while.
    if (parts.watch !== undefined) {
      for (const link of [parts.sender, parts.receiver]) link.drop(reason);
    }
    parts.listener.down(reason);
  }
}

const CLOSED = "the backplane is not open";
