/** One stream as a consumer group reads it, and what this process has of its entries. */
import type { Buffer } from "node:buffer";
import { InFlight } from "../../../../../base/in-flight.ts";
import { quoted } from "../../../../../base/shown.ts";
import type { BrokerContext, GivenUp } from "../../../../../messaging/mod.ts";
import { Acks } from "./acks.ts";
import { BYTES } from "./client.ts";
import { deadLetterFields, type RawEntry } from "./entry.ts";
import { describe, isAnswer } from "./errors.ts";
import type { Link } from "./link.ts";

/** How many ids one command carries at most. */
const MOST_IDS = 1000;

/** The highest id, which no entry has. */
const HIGHEST = "18446744073709551615-18446744073709551615";

/** An entry of which this process has told the server that it works on it. */
export interface Holding {
  readonly id: string;
  /** How often it has been redelivered. */
  readonly retries: number;
  /** Whether another process has taken it over. */
  lost: boolean;
}

/** An entry that was read. */
export interface Read {
  readonly id: string;
  readonly retries: number;
  readonly fields: readonly Buffer[];
}

/** What a stream works with. */
export interface StreamContext extends Pick<BrokerContext, "logger" | "lost"> {
  readonly link: Link;
  readonly group: string;
  /** The name of this process in the group. */
  readonly consumer: string;
  /** Milliseconds after which what a dead consumer had in hand is claimed. */
  readonly claimAfter: number;
  readonly deadLetters: string | undefined;
}

/** What this process does with one stream. */
export class Stream {
  readonly name: string;
  /** What is worked on, and what waits to be delivered again. */
  readonly held: Map<string, Holding> = new Map();
  readonly #context: StreamContext;
  readonly #inFlight = new InFlight();
  readonly #acks: Acks;
  #renewed = performance.now();
  #cursor = "0-0";

  /** Asks the server for nothing yet. */
  constructor(name: string, context: StreamContext) {
    this.name = name;
    this.#context = context;
    this.#acks = new Acks(name, context);
  }

  /**
   * Makes the group and the stream where they are missing; returns whether they were. A new group reads
   * all that the stream has: of what was published before, such as dead letters, nothing is lost.
   */
  async declare(): Promise<boolean> {
    const { group } = this.#context;
    try {
      await this.#command(["XGROUP", "CREATE", this.name, group, "0", "MKSTREAM"]);
      return true;
    } catch (error) {
      if (isAnswer(error) && error.message.startsWith("BUSYGROUP")) return false;
      throw error;
    }
  }

  /** Fails where this user may not do what every entry needs. Changes nothing. */
  async tryRights(): Promise<void> {
    const { group, consumer } = this.#context;
    const of = [this.name, group];
    await Promise.all([
      this.#command(["XACK", ...of, "0-0"]),
      this.#command(["XPENDING", ...of, "-", "+", "1", consumer]),
      this.#command(["XCLAIM", ...of, consumer, "0", "0-0", "JUSTID"]),
      // From lower ids on, it would forget those of trimmed entries, however young.
      this.#command(["XAUTOCLAIM", ...of, consumer, "0", HIGHEST, "JUSTID"]),
      // What this process has already: nothing.
      this.#command(["XREADGROUP", "GROUP", group, consumer, "STREAMS", this.name, "0"]),
    ]);
  }

  /** Handled: the server forgets it, also where it can be told only later. */
  ack(id: string): void {
    this.held.delete(id);
    this.#acks.add(id);
  }

  /** Takes entries whose consumer has not renewed them; at most `count`. */
  async claim(count: number): Promise<readonly Read[]> {
    const { group, consumer, claimAfter, lost } = this.#context;
    const from = this.#cursor;
    const [idle, [next, entries, gone = []]] = await Promise.all([
      this.#command<readonly (readonly unknown[])[]>(
        ["XPENDING", this.name, group, "IDLE", String(claimAfter), from, "+", String(10 * count)],
      ),
      this.#command<
        readonly [next: Buffer, entries: readonly (RawEntry | null)[], gone?: readonly Buffer[]]
      >(
        [
          "XAUTOCLAIM",
          this.name,
          group,
          consumer,
          String(claimAfter),
          from,
          "COUNT",
          String(count),
        ],
        BYTES,
      ),
    ]);
    this.#cursor = next.toString();
    // The server forgets trimmed entries of the living as well: those are being handled.
    const dead = new Set(idle.map(([id]) => id));
    const trimmed = gone.filter((id) => dead.has(id.toString())).length;
    if (trimmed > 0) lost(this.name, TRIMMED, trimmed);
    const acked = this.#acks.unknown;
    const claimed = entries.filter((entry) => entry !== null)
      .map(([id, fields]) => ({ id: id.toString(), fields }))
      // This process has it, or has handled it: only what it tells the server came late.
      .filter(({ id }) => !this.held.has(id) && !acked.has(id));
    const counts = await Promise.all(claimed.map(({ id }) => this.#deliveries(id)));
    return claimed.map((entry, at) => ({ ...entry, retries: counts[at] - 1 }));
  }

  /** Whether `claim` has looked at all entries. */
  get claimedAll(): boolean {
    return this.#cursor === "0-0";
  }

  /** Reads an entry again that this process has; undefined where it is not its own any more. */
  async again({ id, retries }: Holding): Promise<Read | undefined> {
    const { group, consumer, lost } = this.#context;
    const count = String(retries + 1);
    const [entry] = await this.#command<readonly (RawEntry | null)[]>(
      ["XCLAIM", this.name, group, consumer, "0", id, "RETRYCOUNT", count],
      BYTES,
    );
    if (entry) return { id, retries, fields: entry[1] };
    this.held.delete(id);
    const [found] = await this.#command<readonly unknown[]>(["XRANGE", this.name, id, id]);
    // Where it is there, another process has handled it.
    if (found === undefined) lost(this.name, TRIMMED);
    return undefined;
  }

  /** Leaves an entry to be claimed `delay` milliseconds from now, by any process. */
  async release({ id, retries }: Holding, delay: number): Promise<void> {
    const { group, consumer, claimAfter } = this.#context;
    this.held.delete(id);
    const idle = String(Math.max(0, claimAfter - delay));
    // Claiming it counts one more delivery.
    const options = ["IDLE", idle, "RETRYCOUNT", String(retries), "JUSTID"];
    await this.#inFlight.add(
      this.#command(["XCLAIM", this.name, group, consumer, "0", id, ...options])
        // What cannot be released is claimed when nobody has renewed it.
        .catch((error) => {
          const values = { id, reason: describe(error) };
          this.#context.logger.warn("message {id} is redelivered later: {reason}", values);
        }),
    );
  }

  /**
   * Moves an entry to the dead letters and acks it, both or neither.
   *
   * @throws {Error} It was not moved, or the connection was lost before the server answered.
   */
  async deadLetter(id: string, fields: readonly Buffer[], why: GivenUp): Promise<void> {
    const { group, consumer, deadLetters = "", link } = this.#context;
    const refused = (cause: unknown) =>
      new Error(`the stream ${quoted(deadLetters)}: ${describe(cause)}`, { cause });
    // A transaction goes on after an error, and would ack the entry: so a key that is no stream is found
    // before.
    await this.#command(["XRANGE", deadLetters, "-", "-", "COUNT", "1"]).catch((cause) => {
      throw refused(cause);
    });
    const copy = deadLetterFields(this.name, fields, why);
    const [added] = await this.#inFlight.add(link.transaction([
      ["XADD", deadLetters, "*", ...copy],
      ["XACK", this.name, group, id],
    ]));
    if (isAnswer(added)) {
      // The key has changed since: the entry was acked, and is taken back.
      await this.#command(["XCLAIM", this.name, group, consumer, "0", id, "FORCE", "JUSTID"]);
      throw refused(added);
    }
    this.held.delete(id);
  }

  /** Tells the server that this process works on what it has, and what it could not tell before. */
  async renew(): Promise<void> {
    this.#acks.flush();
    const { group, consumer, claimAfter } = this.#context;
    const began = performance.now();
    // After so long, another process may have claimed it.
    if (began - this.#renewed > claimAfter * 0.8) await this.#giveUpLost();
    const ids = [...this.held.keys()];
    for (let first = 0; first < ids.length; first += MOST_IDS) {
      const some = ids.slice(first, first + MOST_IDS);
      await this.#command(
        ["XCLAIM", this.name, group, consumer, "0", ...some, "JUSTID"],
      );
    }
    this.#renewed = began;
  }

  /** What the server has sent to this process and this process does not have: a connection was lost. */
  async missed(): Promise<readonly Holding[]> {
    const acked = this.#acks.unknown;
    const all = await this.#pending();
    return [...all].filter(([id]) => !this.held.has(id) && !acked.has(id))
      .map(([id, deliveries]) => ({ id, retries: Math.max(0, deliveries - 1), lost: false }));
  }

  /** The group is gone, and with it what waits to be delivered again: a new group delivers it. */
  forget(): void {
    for (const holding of this.held.values()) holding.lost = true;
    this.held.clear();
  }

  /** Waits until the server has all acks, or has no connection to take them. */
  async settle(): Promise<void> {
    await Promise.all([this.#acks.settle(), this.#inFlight.empty()]);
  }

  async #giveUpLost(): Promise<void> {
    const own = await this.#pending();
    for (const [id, holding] of this.held) {
      if (own.has(id)) continue;
      holding.lost = true;
      this.held.delete(id);
    }
  }

  /** How often the entries were delivered that the server thinks this process has. */
  async #pending(most = Infinity): Promise<ReadonlyMap<string, number>> {
    const { group, consumer } = this.#context;
    const found = new Map<string, number>();
    for (let from = "-"; found.size < most;) {
      const count = Math.min(most, MOST_IDS);
      const some = await this.#command<readonly (readonly [string, string, number, number])[]>(
        ["XPENDING", this.name, group, from, "+", String(count), consumer],
      );
      for (const [id, , , deliveries] of some) found.set(id, deliveries);
      if (some.length < count) break;
      from = `(${some[some.length - 1][0]}`;
    }
    return found;
  }

  async #deliveries(id: string): Promise<number> {
    const [found] = await this.#command<readonly (readonly [string, string, number, number])[]>(
      ["XPENDING", this.name, this.#context.group, id, id, "1"],
    );
    return found?.[3] ?? 1;
  }

  #command<T>(args: readonly string[], options?: typeof BYTES): Promise<T> {
    return this.#context.link.command<T>(args, options);
  }
}

const TRIMMED = "the stream has no such entry any more: it was trimmed before it was handled";
