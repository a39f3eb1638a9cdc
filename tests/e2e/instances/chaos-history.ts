/** Clients that resume in a room with history whenever their connection has ended. */
import assert from "node:assert/strict";
import type { Instance, InstancesOfService, Member } from "../../support/instances.ts";
import type { Random } from "../../support/random.ts";
import { pause, until } from "../../support/socket-probe.ts";
import type { Sent } from "./chaos-judge.ts";

/** Something that a client has heard of its room, in order. All times are of this process's clock. */
type Entry =
  | {
    readonly kind: "message";
    readonly number: number;
    readonly epoch: unknown;
    readonly offset: number;
    readonly time: number;
  }
  /** It was told that messages are lost. */
  | { readonly kind: "gap"; readonly time: number };

/** All that was acknowledged has come within this time after the last fault, in milliseconds. */
const WHOLE_WITHIN = 30_000;

/** One client. It resumes at any instance. */
export class HistoryReader {
  /** How often it came back with a place and nothing was missing. */
  resumed = 0;
  readonly #service: InstancesOfService;
  readonly #instances: readonly Instance[];
  readonly #room: string;
  readonly #random: Random;
  readonly #entries: Entry[] = [];
  /** When it had joined for the first time. */
  #since = Infinity;
  #at: { readonly epoch: unknown; readonly offset: number } | undefined;
  #stopped = false;

  constructor(
    service: InstancesOfService,
    instances: readonly Instance[],
    room: string,
    random: Random,
  ) {
    this.#service = service;
    this.#instances = instances;
    this.#room = room;
    this.#random = random;
  }

  /** How often it was told that messages are lost. */
  get gaps(): number {
    return this.#entries.filter(({ kind }) => kind === "gap").length;
  }

  /** Ends `run`. */
  stop(): void {
    this.#stopped = true;
  }

  /** Reads, and comes back, until it is stopped. Now and then it ends its connection itself. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      let read = 0;
      try {
        const member = await this.#service.connect(this.#random.pick(this.#instances));
        while (!this.#stopped && !await this.#join(member)) await pause(100);
        while (!this.#stopped && member.ended === undefined) {
          read = this.#take(member, read);
          if (this.#random.chance(0.002)) member.leave();
          await pause(10);
        }
        this.#take(member, read);
      } catch {
        // The instance has just been killed.
        await pause(50);
      }
    }
  }

  /** Returns false where it has to try again. */
  async #join(member: Member): Promise<boolean> {
    const answer = await member.ask({
      type: "join_room",
      room: this.#room,
      history: this.#at ?? true,
    });
    if (answer.type === "ended") return true;
    if (answer.type !== "ack") return false;
    if (answer.recovered === false) this.#entries.push({ kind: "gap", time: performance.now() });
    if (answer.recovered === true) {
      this.resumed++;
      assert.deepEqual({ epoch: answer.epoch, offset: answer.offset }, this.#at);
    }
    this.#since = Math.min(this.#since, performance.now());
    this.#at = { epoch: answer.epoch, offset: answer.offset as number };
    return true;
  }

  #take({ heard, times }: Member, from: number): number {
    for (let read = from; read < heard.length; read++) {
      const { type, room, data, offset, epoch = this.#at?.epoch } = heard[read];
      if (room !== this.#room) continue;
      const time = times[read];
      if (type === "resync") this.#entries.push({ kind: "gap", time });
      if (type !== "message") continue;
      const [, number] = String((data as { readonly text: string }).text).split(" ");
      this.#entries.push({
        kind: "message",
        number: Number(number),
        epoch,
        offset: offset as number,
        time,
      });
      this.#at = { epoch, offset: offset as number };
    }
    return heard.length;
  }

  /** Waits until all that was acknowledged has come, or it was told of a gap at that place. */
  async judge(sent: readonly Sent[]): Promise<void> {
    const missing = () => this.#missing(sent);
    await until(`all messages of ${this.#room}`, () => missing().length === 0, 50, WHOLE_WITHIN)
      .catch((error) => {
        for (const { number, at, acked } of missing()) {
          console.log(`${this.#room}: ${number}, ${Math.round(at)} to ${Math.round(acked ?? 0)}`);
        }
        const gaps = this.#entries.filter(({ kind }) => kind === "gap");
        console.log(`joined at ${this.#since}, gaps at ${gaps.map(({ time }) => time)}`);
        throw error;
      });
    const messages = this.#entries.filter((one) => one.kind === "message");
    const numbers = messages.map(({ number }) => number);
    assert.equal(new Set(numbers).size, numbers.length, "something came twice");
    const lastOf = new Map<unknown, number>();
    const lastFrom = new Map<number, number>();
    for (const { epoch, offset, number } of messages) {
      assert.ok(offset > (lastOf.get(epoch) ?? 0), `offset ${offset} came too late`);
      lastOf.set(epoch, offset);
      // One that failed may have been on its way for any time.
      if (sent[number].acked === undefined) continue;
      const { sender } = sent[number];
      assert.ok(number > (lastFrom.get(sender) ?? -1), `${number} of ${sender} came too late`);
      lastFrom.set(sender, number);
    }
  }

  /** All messages that have not come, and that no gap explains. */
  #missing(sent: readonly Sent[]): readonly Sent[] {
    const heard = new Set<number>();
    /** The time of each gap, and when the newest of the messages before it had been sent. */
    const gaps: { readonly time: number; readonly after: number }[] = [];
    let after = -Infinity;
    for (const entry of this.#entries) {
      if (entry.kind === "gap") gaps.push({ time: entry.time, after });
      else {
        heard.add(entry.number);
        after = Math.max(after, sent[entry.number].at);
      }
    }
    return sent.filter(({ room, number, at, acked }) =>
      room === this.#room && acked !== undefined && at > this.#since && !heard.has(number) &&
      // Sent before the client was told, and not before something that it has heard before that.
      !gaps.some((gap) => at <= gap.time && acked >= gap.after)
    );
  }

  /** No pair of epoch and offset means two messages. */
  static compare(readers: readonly HistoryReader[]): void {
    const meanings = new Map<string, number>();
    for (const reader of readers) {
      for (const entry of reader.#entries) {
        if (entry.kind === "gap") continue;
        const place = `${reader.#room} ${entry.epoch} ${entry.offset}`;
        assert.equal(entry.number, meanings.get(place) ?? entry.number, `two messages at ${place}`);
        meanings.set(place, entry.number);
      }
    }
  }
}
