/** A client of a scenario, and what it has heard. */
import type { FakeClient } from "../worker-runtimes.ts";
import { wait } from "./wait.ts";

/** A message that a client hears. */
export interface Heard {
  readonly type: string;
  readonly id?: unknown;
  readonly data?: {
    readonly text?: string;
    readonly id?: string;
    readonly rooms?: readonly string[];
    readonly fence?: number;
  };
}

/** A client. */
export class Person {
  readonly client: FakeClient;
  #hasLeft = false;
  #log: Heard[] = [];
  /** The fence that it has heard last, and how often. */
  #fence = 0;
  #times = 0;

  constructor(client: FakeClient) {
    this.client = client;
  }

  /** Whether its connection has ended. */
  get isGone(): boolean {
    return this.#hasLeft || this.client.ended !== undefined;
  }

  /** Leaves, where it is there. */
  leave(): void {
    if (!this.isGone) this.client.leave();
    this.#hasLeft = true;
  }

  /** What it has heard since it was last asked. */
  take(): readonly Heard[] {
    this.#read();
    const log = this.#log;
    this.#log = [];
    return log;
  }

  /** Sends a frame. */
  tell(frame: Readonly<Record<string, unknown>>): void {
    if (!this.isGone) this.client.tell(frame);
  }

  /** Waits for the answer to a frame with this `id`. */
  async answered(id: string): Promise<void> {
    await wait(`the answer to ${id}`, () => {
      this.#read();
      return this.isGone || this.#log.some((message) => message.id === id);
    });
  }

  /** Sends a frame, and waits for its answer. */
  async ask(frame: Readonly<Record<string, unknown>> & { readonly id: string }): Promise<void> {
    this.tell(frame);
    await this.answered(frame.id);
  }

  /** Waits until it has heard a fence so often. */
  async fenced(fence: number, times: number): Promise<void> {
    await wait(`fence ${fence}`, () => {
      this.#read();
      return this.isGone || (this.#fence === fence && this.#times === times);
    });
  }

  #read(): void {
    for (const message of this.client.take() as Heard[]) {
      const fence = message.data?.fence;
      if (fence === undefined) this.#log.push(message);
      else [this.#fence, this.#times] = [fence, fence === this.#fence ? this.#times + 1 : 1];
    }
  }
}
