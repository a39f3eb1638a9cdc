/** A worker's line to its supervisor, and through it to the other workers. */
import { getLogger } from "@logtape/logtape";
import type { BirpcReturn } from "birpc";
import type { Channel, Cluster, DedupeStore, Lock, Progress } from "../contract/cluster.ts";
import { endOfTick } from "../base/clock.ts";
import type { Said, SupervisorFunctions, WorkerFunctions } from "./messages.ts";
import { Pressure } from "./pressure.ts";

/** The supervisor, as a worker calls it. */
export type RemoteSupervisor = BirpcReturn<SupervisorFunctions, WorkerFunctions>;

/** After so many ticks in which nothing more is told, what was told is said; it is never kept longer. */
const QUIET_TICKS = 3;
const MOST_TICKS = 16;

type Hear = (message: unknown) => unknown;

/** The cluster, seen from a worker. Without its supervisor a worker is alone. */
export class Link implements Cluster {
  readonly #supervisor: RemoteSupervisor;
  readonly #hears = new Map<string, Hear>();
  readonly #pressure = new Pressure(() => {
    this.#flush();
    return this.#call((supervisor) => supervisor.caughtUp(), undefined);
  });
  #connected = true;
  #leads: boolean;
  /** What waits for this worker to lead. */
  #successions: ((takesOver: boolean) => Promise<void>)[] = [];
  #told: Said[] = [];

  /** Says nothing yet. */
  constructor(leader: boolean, supervisor: RemoteSupervisor) {
    this.#leads = leader;
    this.#supervisor = supervisor;
  }

  get leader(): boolean {
    return this.#leads;
  }

  whenLeader(act: (takesOver: boolean) => Promise<void>): Promise<void> {
    if (this.#leads) return act(false);
    this.#successions.push(act);
    return Promise.resolve();
  }

  /** The worker that has led has ended, and this one takes its place. */
  lead(): void {
    this.#leads = true;
    for (const act of this.#successions.splice(0)) {
      act(true).catch((error) => {
        getLogger(["weir", "workers"]).error("could not take over: {error}", { error });
      });
    }
  }

  async loadProgress(schedule: string): Promise<Progress | undefined> {
    return await this.#call((supervisor) => supervisor.loadProgress(schedule), null) ?? undefined;
  }

  saveProgress(schedule: string, progress: Progress): void {
    void this.#call((supervisor) => supervisor.saveProgress.asEvent(schedule, progress), undefined);
  }

  channel(connector: string): Channel {
    return {
      publish: (message) => {
        const text = JSON.stringify(message);
        if (this.#told.push([connector, text]) === 1) this.#flushSoon();
        return this.#pressure.add(text.length);
      },
      request: async (message) => {
        const text = JSON.stringify(message);
        this.#flush();
        const answers = await this.#call((supervisor) => supervisor.ask(connector, text), []);
        return answers.map((answer) => JSON.parse(answer));
      },
      subscribe: (hear) => void this.#hears.set(connector, hear),
    };
  }

  acquireSlot(name: string, limit: number): Promise<boolean> {
    return this.#call((supervisor) => supervisor.acquireSlot(name, limit), false);
  }

  releaseSlot(name: string): void {
    void this.#call((supervisor) => supervisor.releaseSlot.asEvent(name), undefined);
  }

  lock(name: string): Lock {
    const id = crypto.randomUUID();
    return {
      held: this.#call((supervisor) => supervisor.lock(id, name), undefined),
      release: () => void this.#call((supervisor) => supervisor.unlock.asEvent(id), undefined),
    };
  }

  dedupeStore(maxKeys: number): DedupeStore {
    return {
      has: (flow, key, now) => this.#call((supervisor) => supervisor.hasKey(flow, key, now), false),
      add: (...entry) =>
        this.#call((supervisor) => supervisor.addKey(...entry, maxKeys), undefined),
    };
  }

  async readOnce<T>(name: string, read: () => Promise<T>): Promise<T> {
    const kept = await this.#call((supervisor) => supervisor.recall(name), null);
    // In an object, since undefined alone is not JSON.
    if (kept !== null) return (JSON.parse(kept) as { readonly value: T }).value;
    const value = await read();
    const text = JSON.stringify({ value });
    await this.#call((supervisor) => supervisor.keep(name, text), undefined);
    return value;
  }

  barrier(step: string): Promise<void> {
    return this.#call((supervisor) => supervisor.barrier(step), undefined);
  }

  /** Resolves when it hears what others say from then on. */
  attend(): Promise<void> {
    return this.#call((supervisor) => supervisor.attend(), undefined);
  }

  /** Hands over what others have told. */
  hear(said: readonly Said[]): void {
    for (const [connector, text] of said) this.#hears.get(connector)?.(JSON.parse(text));
  }

  /** Answers what another asks; with null where nobody listens. */
  answer(connector: string, text: string): string {
    return JSON.stringify(this.#hears.get(connector)?.(JSON.parse(text)) ?? null);
  }

  /** The supervisor is gone: nothing is said or waited for any more. */
  disconnect(): void {
    this.#connected = false;
    this.#supervisor.$close();
  }

  /** What is told in one burst goes together: each message between processes has its price. */
  #flushSoon(): void {
    const burst = this.#told;
    let [count, quiet, ticks] = [0, 0, 0];
    const tick = (): void => {
      // It went with a question.
      if (this.#told !== burst) return;
      quiet = burst.length === count ? quiet + 1 : 0;
      count = burst.length;
      if (quiet < QUIET_TICKS && ++ticks < MOST_TICKS) endOfTick(tick);
      else this.#flush();
    };
    endOfTick(tick);
  }

  #flush(): void {
    const said = this.#told;
    if (said.length === 0) return;
    this.#told = [];
    void this.#call((supervisor) => supervisor.tell.asEvent(said), undefined);
  }

  /** What the supervisor says; `alone` where there is none any more, which is no failure here. */
  async #call<T>(
    call: (supervisor: RemoteSupervisor) => Promise<T>,
    alone: T,
  ): Promise<T> {
    if (!this.#connected) return alone;
    try {
      return await call(this.#supervisor);
    } catch (error) {
      if (this.#connected) throw error;
      return alone;
    }
  }
}
