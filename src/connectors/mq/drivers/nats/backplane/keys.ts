/** Keys that the instances share: the last message of each subject of a stream of JetStream. */
import {
  jetstream,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
  type StreamConfig,
} from "@nats-io/jetstream";
import { nanos, type NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "../../../../../base/clock.ts";
import { withTimeout } from "../../../../../base/timeout.ts";
import { BackplaneError, type SharedKeys } from "../../../../../contract/backplane.ts";
import type { NatsLink } from "../connection.ts";
import { describe, isPermanent } from "../errors.ts";
import { found, isMissing, isRace, judged } from "../topology.ts";
import { PATIENCE } from "./sending.ts";
import type { BackplaneSubjects } from "./subjects.ts";

/** What `add` and `replace` are told where another instance was faster. */
const WRONG_REVISION = [10071, 10164];

/** Milliseconds that the stream keeps a message longer than any key lasts, and at least. */
const MARGIN = 60_000;
const SHORTEST = 600_000;

/** Milliseconds after which the server is asked for its time again. */
const TIME_LASTS = 10_000;

/** How often a key may change while somebody changes it. */
const ATTEMPTS = 5;

/** What to do where the server never keeps a key. */
const HINT =
  "; let the server have JetStream and its user the rights to it, or name a store for dedupe";

/** What keys are made with. */
export interface KeysOptions {
  readonly subjects: BackplaneSubjects;
  /** On how many servers of a cluster; undefined for one. */
  readonly replicas: number | undefined;
  readonly clock: Clock;
}

/** A key that is set. */
interface Entry {
  readonly value: string;
  readonly sequence: number;
}

/** The last revision of a key, 0 where there is none; with its value where it is set. */
type Last = Entry | { readonly sequence: number };

/** What is known of the stream on one connection. */
interface Store {
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  /** Milliseconds after which the stream drops a message. */
  maxAge: number;
  /** The server's time in milliseconds, at a time of this machine. */
  time: { readonly server: number; readonly here: number };
}

const encoder = new TextEncoder();

/**
 * Servers before 2.11 know no time to live of a single message. So a value begins with its own, and its
 * age is the server's time less the server's time of the message: nothing depends on this machine's clock.
 * The stream is made when a key is first used.
 */
export class StreamKeys implements SharedKeys {
  readonly #need: () => NatsLink;
  readonly #options: KeysOptions;
  #store: Promise<Store> | undefined;
  #client: NatsConnection | undefined;
  /** Whether the server has refused to keep keys the last time. */
  missing = false;

  /** `need` returns the connection, or throws a `BackplaneError`. */
  constructor(need: () => NatsLink, options: KeysOptions) {
    this.#need = need;
    this.#options = options;
  }

  add(key: string, value: string, ttl: number): Promise<string | undefined> {
    return this.#run(async (store) => {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        // Most keys are new: nothing is asked before.
        const last: Last = attempt === 0 ? { sequence: 0 } : await this.#last(store, key);
        if ("value" in last) return last.value;
        if (await this.#put(store, key, { value, sequence: last.sequence }, ttl)) return undefined;
      }
      throw new BackplaneError("others change the key at the same time");
    });
  }

  get(key: string): Promise<string | undefined> {
    return this.#run(async (store) => {
      const last = await this.#last(store, key);
      return "value" in last ? last.value : undefined;
    });
  }

  replace(key: string, old: string, value: string, ttl: number): Promise<boolean> {
    return this.#run(async (store) => {
      const last = await this.#last(store, key);
      if (!("value" in last) || last.value !== old) return false;
      return await this.#put(store, key, { value, sequence: last.sequence }, ttl);
    });
  }

  remove(key: string, value: string): Promise<void> {
    return this.#run(async (store) => {
      const last = await this.#last(store, key);
      if (!("value" in last) || last.value !== value) return;
      // The message of this revision: where another one has taken its place, it is gone already.
      await store.manager.streams.deleteMessage(this.#stream, last.sequence, false)
        .catch(ignoreMissing);
    });
  }

  get #stream(): string {
    return this.#options.subjects.stream;
  }

  async #run<T>(work: (store: Store) => Promise<T>): Promise<T> {
    const running = this.#open().then(work).catch((error) => {
      if (!isGone(error)) throw error;
      // Somebody has deleted the stream. Nothing was written.
      this.#store = undefined;
      return this.#open().then(work);
    });
    try {
      const result = await withTimeout(running, PATIENCE, () => {
        throw new BackplaneError(`JetStream has not answered within ${PATIENCE / 1000} s`, {
          unknown: true,
        });
      });
      this.missing = false;
      return result;
    } catch (error) {
      this.#store = undefined;
      this.missing = false;
      if (error instanceof BackplaneError) throw error;
      const cause = judged(error, this.#client?.info?.jetstream === true);
      this.missing = isPermanent(cause);
      const hint = this.missing ? HINT : "";
      throw new BackplaneError(`the keys of the service in NATS: ${describe(cause)}${hint}`, {
        unknown: !this.missing,
        cause,
      });
    }
  }

  async #open(): Promise<Store> {
    const { client, health } = this.#need();
    if (client === undefined) throw new BackplaneError(health ?? "not connected");
    if (this.#client !== client) this.#store = undefined;
    this.#client = client;
    return await (this.#store ??= this.#declare(client));
  }

  async #declare(connection: NatsConnection): Promise<Store> {
    const { subjects: { stream: name, keys }, replicas, clock } = this.#options;
    const manager = await jetstreamManager(connection, { checkAPI: false, timeout: PATIENCE });
    const client = jetstream(connection, { timeout: PATIENCE });
    const made = await found(manager.streams.info(name)) ??
      await manager.streams.add({
        name,
        subjects: [keys],
        max_msgs_per_subject: 1,
        max_age: nanos(SHORTEST),
        ...(replicas !== undefined && { num_replicas: replicas }),
      }).catch((error) => {
        // Another instance has made it at this moment.
        if (isRace(error)) return manager.streams.info(name);
        throw error;
      });
    const { ts, config } = made.ts === undefined ? await manager.streams.info(name) : made;
    const time = { server: timeIn(ts), here: clock.elapsed() };
    return { client, manager, maxAge: ageIn(config), time };
  }

  async #last(store: Store, key: string): Promise<Last> {
    const query = { last_by_subj: this.#options.subjects.key(key) };
    const message = await store.manager.streams.getMessage(this.#stream, query);
    if (message === null) return { sequence: 0 };
    const { seq: sequence, timestamp } = message;
    const text = message.string();
    const at = text.indexOf(" ");
    const ttl = Number(text.slice(0, at));
    // Others may write there what they like; a number that is none never is over.
    if (await this.#now(store) - Date.parse(timestamp) >= ttl) return { sequence };
    return { value: text.slice(at + 1), sequence };
  }

  /** Writes a value where the last revision of the key is the one that is known. */
  async #put(store: Store, key: string, { value, sequence }: Entry, ttl: number): Promise<boolean> {
    await this.#keepFor(store, ttl);
    const payload = encoder.encode(`${ttl} ${value}`);
    try {
      await store.client.publish(this.#options.subjects.key(key), payload, {
        expect: { lastSubjectSequence: sequence, streamName: this.#stream },
        timeout: PATIENCE,
      });
      return true;
    } catch (error) {
      if (error instanceof JetStreamApiError && WRONG_REVISION.includes(error.code)) return false;
      throw error;
    }
  }

  /** Has the stream keep messages as long as a key lasts. */
  async #keepFor(store: Store, ttl: number): Promise<void> {
    if (ttl + MARGIN <= store.maxAge) return;
    const { config } = await store.manager.streams.info(this.#stream);
    const [wanted, found] = [ttl + MARGIN, ageIn(config)];
    if (found < wanted) {
      await store.manager.streams.update(this.#stream, { max_age: nanos(wanted) });
    }
    store.maxAge = Math.max(wanted, found);
  }

  /** The server's time now, or a moment earlier. */
  async #now(store: Store): Promise<number> {
    const { clock } = this.#options;
    if (clock.elapsed() - store.time.here > TIME_LASTS) {
      const { ts } = await store.manager.streams.info(this.#stream);
      store.time = { server: timeIn(ts), here: clock.elapsed() };
    }
    return store.time.server + clock.elapsed() - store.time.here;
  }
}

/** Whether nothing is there that reads or writes the stream. */
function isGone(error: unknown): boolean {
  return isMissing(error) || (error instanceof Error && error.name === "JetStreamNotEnabled");
}

/** Milliseconds. An operator may have it keep messages for ever. */
function ageIn({ max_age: age }: Pick<StreamConfig, "max_age">): number {
  return age === 0 ? Infinity : age / nanos(1);
}

function timeIn(ts: string | undefined): number {
  if (ts === undefined) {
    throw new BackplaneError("keys need a NATS server of version 2.10 or newer");
  }
  return Date.parse(ts);
}

function ignoreMissing(error: unknown): void {
  // No message found, or deleted already.
  if (error instanceof JetStreamApiError && [10037, 10043, 10057].includes(error.code)) return;
  throw error;
}
