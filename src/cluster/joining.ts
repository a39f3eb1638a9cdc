/** How an instance gets to know the others when it begins, and they it. */
import type { Clock } from "../base/clock.ts";
import type { Progress } from "../contract/cluster.ts";
import { type Entry, entry, Kind } from "./batches.ts";
import type { Members } from "./members.ts";
import { isInstanceId } from "./instance.ts";
import type { ScheduleProgress } from "./progress.ts";

/** Milliseconds that it waits for the welcome of others. One that is heard later is a member all the same. */
const TIME_FOR_WELCOMES = 500;

/** What joining needs. */
export interface JoiningOptions {
  readonly clock: Clock;
  readonly members: Members;
  /** Whether the backplane knows the members by itself. */
  readonly told: boolean;
  readonly progress: ScheduleProgress;
  /** Sends to all others. */
  sendAll(entry: Entry): Promise<void>;
  /** Sends to one instance, without waiting. */
  post(instance: string, entry: Entry): void;
}

/** What a welcome says. */
interface Welcome {
  readonly members: readonly (readonly [id: string, age: number])[];
  readonly progress: readonly SavedProgress[];
}

/** The progress of one schedule. */
type SavedProgress = readonly [schedule: string, progress: Progress];

/** Those whose welcome this instance waits for. */
interface Waiting {
  readonly expected: Set<string>;
  readonly welcomed: Set<string>;
  /** Whether `expected` has all: an instance that has joined says who is there. */
  complete: boolean;
  readonly end: PromiseWithResolvers<void>;
}

/** At most this many schedules are known: their names come from others. */
const MAX_SCHEDULES = 1_000;
/** A time that is later than this many milliseconds from now comes from a wrong clock. */
const MAX_AHEAD = 86_400_000;
/** The latest time that a `Date` can have, and as many milliseconds before. */
const LATEST = 8.64e15;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Says hello, and welcomes others. */
export class Joining {
  readonly #options: JoiningOptions;
  #waiting: Waiting | undefined;

  constructor(options: JoiningOptions) {
    this.#options = options;
  }

  /**
   * Asks who is there. Resolves when all that are known have answered, after half a second at the
   * latest.
   *
   * @throws {BackplaneError} It could not ask.
   */
  async hello(): Promise<void> {
    const { clock, members, told, sendAll } = this.#options;
    const end = Promise.withResolvers<void>();
    const [expected, welcomed] = [new Set(members.others), new Set<string>()];
    this.#waiting = { expected, welcomed, complete: told, end };
    const cancel = clock.after(TIME_FOR_WELCOMES, end.resolve);
    try {
      await sendAll(entry(Kind.hello));
      if (!told || members.others.length > 0) await end.promise;
    } finally {
      cancel();
      this.#waiting = undefined;
    }
  }

  /** Another instance begins. */
  hears(from: string): void {
    const { members, told, progress, post } = this.#options;
    if (!told) members.hear(from, undefined);
    const ages = members.ages.filter(([id]) => id !== from);
    const saved = [...progress.schedules].map((name) => [name, progress.load(name)]);
    const text = JSON.stringify({ members: told ? [] : ages, progress: saved });
    const payload = encoder.encode(text);
    post(from, entry(Kind.welcome, { number: members.age ?? 0, payload }));
    // It knows no more than this one.
    this.#welcomedBy(from);
  }

  /** Another instance has answered. Returns false if nobody can read what it says. */
  welcomed(from: string, age: number, payload: Uint8Array): boolean {
    const welcome = readWelcome(payload);
    if (welcome === undefined) return false;
    const { members, told } = this.#options;
    if (!told) members.hear(from, age === 0 ? undefined : age);
    for (const [id, itsAge] of welcome.members) {
      if (id !== members.id && !members.has(id) && !members.isDead(id)) members.hear(id, itsAge);
    }
    for (const [schedule, progress] of welcome.progress) this.#keep(schedule, progress);
    if (this.#waiting !== undefined) {
      if (age > 0) this.#waiting.complete = true;
      for (const [id] of welcome.members) if (id !== members.id) this.#waiting.expected.add(id);
    }
    this.#welcomedBy(from);
    return true;
  }

  /** Another instance tells how far a schedule has come. Returns false if nobody can read it. */
  progressed(payload: Uint8Array): boolean {
    const saved = parse(payload);
    if (!isSavedProgress(saved)) return false;
    this.#keep(...saved);
    return true;
  }

  #welcomedBy(from: string): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    waiting.welcomed.add(from);
    if (waiting.complete && waiting.expected.isSubsetOf(waiting.welcomed)) waiting.end.resolve();
  }

  /** Keeps it, unless it is older than what is known. */
  #keep(schedule: string, progress: Progress): void {
    const { progress: all, clock } = this.#options;
    if (progress.due > clock.now() + MAX_AHEAD) return;
    const known = all.load(schedule);
    if (known === undefined ? all.size < MAX_SCHEDULES : known.due <= progress.due) {
      all.save(schedule, progress);
    }
  }
}

/** Tells how far a schedule of this instance has come. */
export function progressEntry(schedule: string, progress: Progress): Entry {
  const payload = encoder.encode(JSON.stringify([schedule, progress]));
  return entry(Kind.progress, { payload });
}

function parse(payload: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(payload));
  } catch {
    return undefined;
  }
}

function readWelcome(payload: Uint8Array): Welcome | undefined {
  const { members, progress } = (parse(payload) ?? {}) as Partial<Record<keyof Welcome, unknown>>;
  if (!Array.isArray(members) || !members.every(isMember)) return undefined;
  if (!Array.isArray(progress) || !progress.every(isSavedProgress)) return undefined;
  return { members, progress };
}

function isMember(value: unknown): boolean {
  return Array.isArray(value) && isInstanceId(value[0]) && Number.isSafeInteger(value[1]) &&
    value[1] > 0;
}

function isSavedProgress(value: unknown): value is SavedProgress {
  if (!Array.isArray(value) || typeof value[0] !== "string") return false;
  const { due, ago, unfinished } = (value[1] ?? {}) as Record<keyof Progress, unknown>;
  return isTime(due) && isTime(ago) && (unfinished === null || isTime(unfinished));
}

function isTime(value: unknown): boolean {
  return typeof value === "number" && Math.abs(value) <= LATEST;
}
