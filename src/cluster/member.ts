/** The cluster as one of its members uses it, over a connection to the coordinator. */
import { getLogger } from "@logtape/logtape";
import type { Backplane } from "../contract/backplane.ts";
import type { Cluster, DedupeStore, Lock, Progress } from "../contract/cluster.ts";
import type { CoordinatorFunctions, MemberFunctions, Remote } from "./protocol.ts";

/** What a member is made with. */
export interface ClusterMemberOptions {
  /** Its number, from 1. */
  readonly worker: number;
  /** Whether it is the leader at its start. */
  readonly leader: boolean;
  /** Its id as an instance of the service. */
  readonly instance: string;
  /** Its link to the others. */
  readonly link: Backplane;
  /** Calls the coordinator. */
  readonly coordinator: Remote<CoordinatorFunctions>;
}

/** One member of the cluster. Once disconnected it is alone, which is not an error. */
export class ClusterMember implements Cluster, MemberFunctions {
  readonly worker: number;
  readonly instance: string;
  readonly link: Backplane;
  readonly #coordinator: Remote<CoordinatorFunctions>;
  #connected = true;
  #leader: boolean;
  /** What this member does when it becomes the leader. */
  #whenLeader: ((takesOver: boolean) => Promise<void>)[] = [];

  /** Sends nothing yet. */
  constructor({ worker, leader, instance, link, coordinator }: ClusterMemberOptions) {
    this.worker = worker;
    this.instance = instance;
    this.link = link;
    this.#leader = leader;
    this.#coordinator = coordinator;
  }

  get leader(): boolean {
    return this.#leader;
  }

  whenLeader(act: (takesOver: boolean) => Promise<void>): Promise<void> {
    if (this.#leader) return act(false);
    this.#whenLeader.push(act);
    return Promise.resolve();
  }

  lead(): void {
    this.#leader = true;
    for (const act of this.#whenLeader.splice(0)) {
      act(true).catch((error) => {
        getLogger(["weir", "workers"]).error("failed to take over as leader: {error}", { error });
      });
    }
  }

  async loadProgress(schedule: string): Promise<Progress | undefined> {
    const progress = await this.#call((coordinator) => coordinator.loadProgress(schedule), null);
    return progress ?? undefined;
  }

  saveProgress(schedule: string, progress: Progress): void {
    this.#send((coordinator) => coordinator.saveProgress.asEvent(schedule, progress));
  }

  acquireSlot(name: string, limit: number): Promise<boolean> {
    return this.#call((coordinator) => coordinator.acquireSlot(name, limit), false);
  }

  releaseSlot(name: string): void {
    this.#send((coordinator) => coordinator.releaseSlot.asEvent(name));
  }

  lock(name: string): Lock {
    const id = crypto.randomUUID();
    return {
      held: this.#call((coordinator) => coordinator.lock(id, name), undefined),
      release: () => this.#send((coordinator) => coordinator.unlock.asEvent(id)),
    };
  }

  dedupeStore(maxKeys: number): DedupeStore {
    return {
      has: (...entry) => this.#call((coordinator) => coordinator.hasKey(...entry), false),
      add: (flow, key, now, until, answer) =>
        this.#call(
          (coordinator) => coordinator.addKey(flow, key, now, until, answer ?? null, maxKeys),
          undefined,
        ),
      answer: async (...entry) =>
        await this.#call((coordinator) => coordinator.keyAnswer(...entry), null) ?? undefined,
    };
  }

  async readOnce<T>(name: string, read: () => Promise<T>): Promise<T> {
    const saved = await this.#call((coordinator) => coordinator.loadText(name), null);
    // In an object, since undefined alone is not JSON.
    if (saved !== null) return (JSON.parse(saved) as { readonly value: T }).value;
    const value = await read();
    const text = JSON.stringify({ value });
    await this.#call((coordinator) => coordinator.saveText(name, text), undefined);
    return value;
  }

  barrier(step: string): Promise<void> {
    return this.#call((coordinator) => coordinator.barrier(step), undefined);
  }

  ping(): void {}

  /**
   * The coordinator is gone: nothing is sent from now on. The owner of the connection must close it,
   * so that pending calls end.
   */
  disconnect(): void {
    this.#connected = false;
  }

  #send(send: (coordinator: Remote<CoordinatorFunctions>) => Promise<void>): void {
    void this.#call(send, undefined);
  }

  /** The coordinator's answer; `alone` once this member is disconnected. */
  async #call<T>(
    call: (coordinator: Remote<CoordinatorFunctions>) => Promise<T>,
    alone: T,
  ): Promise<T> {
    if (!this.#connected) return alone;
    try {
      return await call(this.#coordinator);
    } catch (error) {
      if (this.#connected) throw error;
      return alone;
    }
  }
}
