/**
 * Group commit for databases on a server: writes that arrive in one tick are one batch, with one
 * commit and few round trips. The next ones gather while a batch is in flight.
 */
import { endOfTick } from "../../base/clock.ts";
import type { Cancellable } from "../../contract/connector.ts";
import { commitSizes } from "./commit-sizes.ts";
import type { Result, Step } from "./driver.ts";
import { CancelledError, PendingWrite, UnknownWriteError } from "./pending-write.ts";
import { delay } from "./turns.ts";

/** A write that shares a batch with others. */
export type BatchedWrite = Step;

/** How a batch ended. */
export type BatchOutcome =
  /**
   * One result a write, in order. There may be fewer results than writes, but one at least: the others
   * were not run, and are executed next.
   */
  | { readonly committed: readonly Result[] }
  /** The write at this index was refused, and nothing of the batch is committed. */
  | { readonly refused: number; readonly error: unknown }
  /** All of it failed, for this reason. */
  | {
    readonly failed: unknown;
    /** Whether its writes may have been committed nevertheless. */
    readonly written: "no" | "unknown";
    /**
     * Whether one of its writes is the reason, and nobody knows which: a deferred constraint that
     * fails the commit.
     */
    readonly halve?: boolean;
  };

/** What a driver gives to its group commit. */
export interface GroupCommitOptions {
  /**
   * Commits a batch. `signal` is aborted when nobody waits for any of its writes, or for one of them
   * where the batch takes long: that one may be why. `begun` is to be called when the server gets the
   * batch. Where it rejects, the outcome is unknown.
   */
  execute(
    batch: readonly BatchedWrite[],
    signal: AbortSignal,
    begun: () => void,
  ): Promise<BatchOutcome>;
  /** Whether another attempt may succeed where this error undid a batch: a deadlock. */
  mayRepeat(error: unknown): boolean;
  /** The most batches in flight at the same time. */
  readonly lanes: number;
  /** The most writes of a batch. */
  readonly largest: number;
}

/** After how many milliseconds a batch in flight holds the others no longer. */
const LATE = 50;
/**
 * After how many times the usual duration a batch may be stuck, so that it is aborted where nobody
 * waits for one of its writes. Otherwise a server that is slow with all of them would end none.
 */
const SLOW = 4;
/** How often a batch is repeated. */
const REPETITIONS = 5;
/** The longest delay before the first repetition, in milliseconds; before the nth it is n times that. */
const REPETITION_DELAY = 20;

/** A batch, the writes before it is cut to size. */
interface Part {
  readonly writes: readonly PendingWrite[];
  /** How often it, or what it is a part of, has been repeated. */
  readonly repetitions: number;
}

/** Batches that run one after the other. */
interface Lane {
  /** Whether it has taken so long that the others are not held by it. */
  late: boolean;
  /** The batch in flight. */
  controller: AbortController | undefined;
}

/** Commits writes in batches. A write that is refused takes no other with it. */
export class GroupCommit {
  /** Its commits by the number of writes. */
  readonly sizes = commitSizes();
  readonly #options: GroupCommitOptions;
  readonly #lanes = new Set<Lane>();
  readonly #flush = () => {
    this.#scheduled = false;
    while (this.#waiting.length > 0 && this.#mayOpen()) {
      void this.#run(this.#waiting.splice(0, this.#size));
    }
    this.#reportIdle();
  };
  #waiting: PendingWrite[] = [];
  #scheduled = false;
  /**
   * The most writes of the next batch: fewer where some are refused, since a refused one undoes those
   * before it. Without this the work would grow with the square of the refusals.
   */
  #size: number;
  /** How long the latest batches took that were committed, in milliseconds on average. */
  #usual = 0;
  #idle: PromiseWithResolvers<void> | undefined;
  #closed: Error | undefined;
  /** Whether what has not begun fails, too. */
  #stopped = false;

  /** Executes nothing yet. */
  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#size = options.largest;
  }

  /**
   * Commits a write with the others of this tick. Settles once that is durable or has failed: with
   * what the database said, an `UnknownWriteError` where it may have been written, a `CancelledError`
   * where it was cancelled before it was written.
   */
  push({ statement, values }: Step): Cancellable<Result> {
    const write = new PendingWrite(statement, values, this.#withdraw);
    if (this.#closed === undefined) {
      this.#waiting.push(write);
      this.#schedule();
    } else write.fail(this.#closed);
    return write;
  }

  /** Resolves once nothing waits and nothing is in flight. */
  async drain(): Promise<void> {
    if (this.#isIdle()) return;
    await (this.#idle ??= Promise.withResolvers<void>()).promise;
  }

  /**
   * Takes no more writes and resolves once nothing waits, at the latest after that many milliseconds.
   * Then those that wait fail, and the signals of the batches in flight are aborted.
   */
  async close(within: number): Promise<void> {
    this.#closed ??= new CancelledError("the database is closed");
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, within));
    await Promise.race([this.drain(), late]);
    clearTimeout(timer);
    this.#stopped = true;
    for (const write of this.#waiting.splice(0)) write.fail(this.#closed);
    for (const { controller } of this.#lanes) controller?.abort(this.#closed);
    this.#reportIdle();
  }

  readonly #withdraw = (write: PendingWrite) => {
    // Those that have waited for long are the first.
    const position = this.#waiting.indexOf(write);
    if (position !== -1) this.#waiting.splice(position, 1);
    this.#reportIdle();
  };

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0 || !this.#mayOpen()) return;
    this.#scheduled = true;
    // After the messages that are being read now, so that all their writes share the commit.
    endOfTick(this.#flush);
  }

  /** Whether a batch may begin. One lane as a rule: what waits for a lock must not hold all others. */
  #mayOpen(): boolean {
    if (this.#lanes.size >= this.#options.lanes) return false;
    return [...this.#lanes].every(({ late }) => late);
  }

  async #run(writes: readonly PendingWrite[]): Promise<void> {
    const lane: Lane = { late: false, controller: undefined };
    this.#lanes.add(lane);
    const timer = setTimeout(() => {
      lane.late = true;
      this.#schedule();
    }, LATE);
    const parts: Part[] = [{ writes, repetitions: 0 }];
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      parts.unshift(...await this.#attempt(part, lane));
    }
    clearTimeout(timer);
    this.#lanes.delete(lane);
    this.#schedule();
    this.#reportIdle();
  }

  /** Executes a batch and returns what must be executed next, in order. */
  async #attempt(part: Part, lane: Lane): Promise<readonly Part[]> {
    const { repetitions } = part;
    const live = part.writes.filter((write) => !write.isDropped());
    if (this.#stopped) {
      failAll(live, this.#closed);
      return [];
    }
    if (live.length === 0) return [];
    const writes = live.slice(0, this.#size);
    const rest = partOf(live.slice(this.#size), repetitions);
    const controller = lane.controller = new AbortController();
    const started = performance.now();
    let left = writes.length;
    let stuck: ReturnType<typeof setTimeout> | undefined;
    const abandon = () => {
      if (--left === 0) return controller.abort();
      // One that waits for a lock holds the others of its batch for as long as it is in there.
      const patience = Math.max(LATE, SLOW * this.#usual) + started - performance.now();
      stuck ??= setTimeout(() => controller.abort(), Math.max(0, patience));
    };
    const flight = { abandon, begun: false };
    for (const write of writes) write.depart(flight);
    const outcome = await this.#execute(writes, controller.signal, () => flight.begun = true);
    clearTimeout(stuck);
    lane.controller = undefined;
    for (const write of writes) write.land();
    if ("committed" in outcome) this.#usual += (performance.now() - started - this.#usual) / 8;
    const { aborted } = controller.signal;
    return [...await this.#settle(writes, outcome, repetitions, aborted), ...rest];
  }

  async #execute(...batch: Parameters<GroupCommitOptions["execute"]>): Promise<BatchOutcome> {
    try {
      const outcome = await this.#options.execute(...batch);
      // It would be executed for ever.
      const nothing = "committed" in outcome && outcome.committed.length === 0;
      return nothing ? { failed: new Error("nothing was executed"), written: "no" } : outcome;
    } catch (error) {
      return { failed: error, written: "unknown" };
    }
  }

  async #settle(
    writes: readonly PendingWrite[],
    outcome: BatchOutcome,
    repetitions: number,
    interrupted: boolean,
  ): Promise<readonly Part[]> {
    if ("committed" in outcome) {
      const { committed } = outcome;
      this.sizes.add(committed.length);
      this.#size = Math.min(this.#options.largest, this.#size * 2);
      committed.forEach((result, index) => writes[index].succeed(result));
      return partOf(writes.slice(committed.length), repetitions);
    }
    const error = "refused" in outcome ? outcome.error : outcome.failed;
    if ("failed" in outcome && outcome.written === "unknown") {
      failAll(writes, new UnknownWriteError(error));
      return [];
    }
    // Without those that were cancelled: at least one less each time.
    if (interrupted) return partOf(writes, repetitions);
    const middle = writes.length + 1 >> 1;
    if (repetitions < REPETITIONS && this.#options.mayRepeat(error)) {
      await delay(REPETITION_DELAY * (repetitions + 1));
      return partsOf(writes, middle, middle, repetitions + 1);
    }
    if ("refused" in outcome) {
      const { refused } = outcome;
      this.#size = Math.min(this.#options.largest, 2 * refused + 2);
      writes[refused].fail(error);
      return partsOf(writes, refused, refused + 1, repetitions);
    }
    if (outcome.halve && writes.length > 1) {
      this.#size = Math.min(this.#size, middle);
      return partsOf(writes, middle, middle, repetitions);
    }
    failAll(writes, error);
    return [];
  }

  #isIdle(): boolean {
    return this.#waiting.length === 0 && this.#lanes.size === 0;
  }

  #reportIdle(): void {
    if (this.#idle === undefined || !this.#isIdle()) return;
    this.#idle.resolve();
    this.#idle = undefined;
  }
}

function partOf(writes: readonly PendingWrite[], repetitions: number): readonly Part[] {
  return writes.length === 0 ? [] : [{ writes, repetitions }];
}

function partsOf(
  writes: readonly PendingWrite[],
  end: number,
  start: number,
  repetitions: number,
): readonly Part[] {
  return [
    ...partOf(writes.slice(0, end), repetitions),
    ...partOf(writes.slice(start), repetitions),
  ];
}

function failAll(writes: readonly PendingWrite[], error: unknown): void {
  for (const write of writes) write.fail(error);
}
