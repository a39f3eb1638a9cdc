/** Connects the workers of a service: what they say to each other, and what they share. No I/O. */
import { MemoryDedupeStore } from "../flow/dedupe.ts";
import { systemClock } from "../base/clock.ts";
import { Locks } from "./locks.ts";
import type { Said, SupervisorFunctions } from "./messages.ts";
import { Notes } from "./progress.ts";
import { Seats } from "./seats.ts";

/** A worker, as the switchboard reaches it. */
export interface Member {
  /** Takes what others have told. */
  hear(said: readonly Said[]): void;
  /** Answers; rejects where the worker has ended. */
  answer(connector: string, text: string): Promise<string>;
  /** Resolves once it has heard all that was said before; rejects where the worker has ended. */
  caughtUp(): Promise<void>;
}

/** What the switchboard does for its members. */
export type Service = Omit<SupervisorFunctions, "report" | "log">;

/** Who waits for the others at a step. */
interface Meeting {
  readonly arrived: Set<Member>;
  readonly everybody: PromiseWithResolvers<void>;
}

/** Knows the workers that are there. */
export class Switchboard {
  readonly #members = new Set<Member>();
  /** Those of them who hear the others. */
  readonly #attending = new Set<Member>();
  readonly #seats = new Seats<Member>();
  readonly #locks = new Locks<Member>();
  /** By the flow. */
  readonly #keys = new Map<string, MemoryDedupeStore>();
  /** What one worker has read for all, by its name. */
  readonly #kept = new Map<string, string>();
  readonly #progress = new Notes(systemClock);
  readonly #meetings = new Map<string, Meeting>();

  /** Takes a worker in, which hears nothing yet; gives what it can ask for. */
  join(member: Member): Service {
    this.#members.add(member);
    return {
      tell: (said) => {
        for (const other of this.#others(member)) other.hear(said);
      },
      ask: async (connector, text) => {
        const asked = this.#others(member).map((other) => other.answer(connector, text));
        // One that has ended meanwhile has no clients any more.
        return (await Promise.allSettled(asked)).flatMap((answer) =>
          answer.status === "fulfilled" ? [answer.value] : []
        );
      },
      caughtUp: async () => {
        await Promise.allSettled(this.#others(member).map((other) => other.caughtUp()));
      },
      attend: () => void this.#attending.add(member),
      acquireSlot: (name, limit) => this.#seats.take(member, name, limit),
      releaseSlot: (name) => this.#seats.leave(member, name),
      lock: (id, name) => this.#locks.take(member, id, name),
      unlock: (id) => this.#locks.release(id),
      hasKey: (flow, key, now) => this.#keys.get(flow)?.has(flow, key, now) ?? false,
      addKey: (flow, key, now, until, maxKeys) => {
        const keys = this.#keys.get(flow) ?? new MemoryDedupeStore(maxKeys);
        this.#keys.set(flow, keys);
        keys.add(flow, key, now, until);
      },
      loadProgress: (schedule) => this.#progress.of(schedule) ?? null,
      saveProgress: (schedule, progress) => this.#progress.note(schedule, progress),
      recall: (name) => this.#kept.get(name) ?? null,
      keep: (name, text) => void this.#kept.set(name, text),
      barrier: (step) => this.#meet(member, step),
    };
  }

  /** No worker runs schedules any more. The next one that does begins anew. */
  forgetProgress(): void {
    this.#progress.clear();
  }

  /** Forgets a worker that has ended, with all that it had. */
  leave(member: Member): void {
    this.#members.delete(member);
    this.#attending.delete(member);
    this.#seats.leaveAll(member);
    this.#locks.releaseAll(member);
    for (const meeting of this.#meetings.values()) this.#begin(meeting);
  }

  #others(member: Member): readonly Member[] {
    return [...this.#attending].filter((other) => other !== member);
  }

  #meet(member: Member, step: string): Promise<void> {
    let meeting = this.#meetings.get(step);
    if (meeting === undefined) {
      meeting = { arrived: new Set(), everybody: Promise.withResolvers() };
      this.#meetings.set(step, meeting);
    }
    meeting.arrived.add(member);
    this.#begin(meeting);
    return meeting.everybody.promise;
  }

  #begin({ arrived, everybody }: Meeting): void {
    if ([...this.#members].every((member) => arrived.has(member))) everybody.resolve();
  }
}
