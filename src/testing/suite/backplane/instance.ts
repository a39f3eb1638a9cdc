/** One instance of a service at its backplane: what it does, and what it has heard. */
import {
  type Backplane,
  BackplaneError,
  type Position,
  type SharedKeys,
} from "../../../contract/backplane.ts";
import { must, Seen, show, textOf, until, within } from "../failure.ts";

/** The longest time in which a call settles, in milliseconds: the two seconds of the contract, and some. */
const SETTLES = 2_500;

/** A message that it has heard. */
export interface Heard {
  readonly topic: string;
  readonly message: Uint8Array;
  /** The message as text. */
  readonly text: string;
}

/** Calls a backplane, and keeps what its listener was told. */
export class BackplaneInstance {
  readonly id: string;
  readonly backplane: Backplane;
  /** Every message, the oldest first. */
  readonly heard: Heard[] = [];
  /** Every message that was kept, the oldest first. */
  readonly kept: { readonly at: Position; readonly text: string }[] = [];
  /** Each call of the listener's `up` and `down`. */
  readonly calls: ("up" | "down")[] = [];
  /** The members that it was told last. */
  members: readonly string[] = [];
  /** Called in the listener's `up`. */
  onUp: () => void = () => undefined;
  /** What is wrong with a call of the listener. */
  #fault: string | undefined;
  #closed = false;
  readonly #patience: number;

  /** Calls nothing yet. */
  constructor(id: string, backplane: Backplane, patience: number) {
    this.id = id;
    this.backplane = backplane;
    this.#patience = patience;
  }

  /** Whether it is connected, as its listener was told. */
  get isUp(): boolean {
    return this.calls.at(-1) === "up";
  }

  /** Opens it. The broker may be away. */
  async open(): Promise<void> {
    await within("open()", () =>
      this.backplane.open({
        message: (topic, message) => {
          this.#note("message");
          if (!(message instanceof Uint8Array)) this.#fault ??= `message() got ${show(message)}`;
          this.heard.push({ topic, message, text: decoder.decode(message) });
        },
        down: (reason) => {
          this.#note("down");
          if (typeof reason !== "string" || reason.trim() === "") {
            this.#fault ??= `down() got the reason ${show(reason)}`;
          }
          if (!this.isUp) this.#fault ??= "down() was called without up() before it";
          this.calls.push("down");
        },
        up: () => {
          this.#note("up");
          if (this.isUp) this.#fault ??= "up() was called again without down() before it";
          this.calls.push("up");
          this.onUp();
        },
        members: (ids) => {
          this.#note("members");
          this.members = ids;
        },
        kept: (_topic, { epoch, offset }, messages) => {
          this.#note("kept");
          for (const [index, message] of messages.entries()) {
            const at = { epoch, offset: offset + index };
            this.kept.push({ at, text: decoder.decode(message) });
          }
        },
      }), this.#patience);
  }

  /** Waits until it is connected. */
  async connected(): Promise<void> {
    await this.#until(() => this.isUp, () => "up() of the listener has not been called");
    const health = this.backplane.health();
    must(health === undefined, `it is connected, and health() returns ${show(health)}`);
  }

  /** Waits until it has told that the broker is away. */
  async disconnected(): Promise<void> {
    await this.#until(
      () => !this.isUp,
      () => "the broker is away, and down() of the listener has not been called",
    );
    const health: unknown = this.backplane.health();
    must(
      typeof health === "string" && health.trim() !== "",
      `the broker is away, and health() returns ${show(health)}`,
    );
  }

  /** Publishes a text or bytes; fails the rule where that fails. */
  async publish(topic: string, message: string | Uint8Array): Promise<void> {
    const bytes = typeof message === "string" ? encoder.encode(message) : message;
    await within(`publish(${show(topic)})`, () => this.backplane.publish(topic, bytes), SETTLES);
  }

  /** Subscribes; fails the rule where that fails. */
  async subscribe(...topics: readonly string[]): Promise<void> {
    const what = `subscribe() to ${topics.length} topics`;
    await within(what, () => this.backplane.subscribe(topics), this.#patience);
  }

  /** What has been heard of one topic, or of all, as texts. */
  texts(topic?: string): string[] {
    const of = topic === undefined ? this.heard : this.heard.filter((one) => one.topic === topic);
    return of.map(({ text }) => text);
  }

  /** Waits until it has heard a message. */
  async hears(topic: string, text: string): Promise<void> {
    await this.#until(
      () => this.heard.some((one) => one.topic === topic && one.text === text),
      () => `${show(text)} was published to ${show(topic)}, and a subscriber has not heard it`,
    );
  }

  /** Waits until it has heard so many messages. */
  async hearsCount(count: number): Promise<void> {
    await this.#until(
      () => this.heard.length >= count,
      () => `${count} messages were published, and a subscriber has heard ${this.heard.length}`,
    );
  }

  /** Its keys; undefined where it has none. */
  get keys(): SharedKeys | undefined {
    return this.backplane.keys;
  }

  /** Waits for a condition; fails the rule where the listener was called in a wrong way. */
  async #until(condition: () => boolean, seen: () => string): Promise<void> {
    await until(condition, seen, this.#patience);
    this.sound();
  }

  /** Fails the rule where the listener was called in a wrong way. */
  sound(): void {
    if (this.#fault !== undefined) throw new Seen(this.#fault);
  }

  /** Closes it. */
  async close(): Promise<void> {
    await within("close()", () => this.backplane.close(), this.#patience);
    this.#closed = true;
  }

  #note(method: string): void {
    if (this.#closed) this.#fault ??= `${method}() of the listener was called after close()`;
  }
}

/** Waits for a call that must reject with a `BackplaneError`, in the time of the contract. */
export async function refused(what: string, call: () => Promise<unknown>): Promise<void> {
  let settled: { readonly error: unknown } | undefined;
  await within(what, async () => {
    try {
      await call();
    } catch (error) {
      settled = { error };
    }
  }, SETTLES);
  must(settled !== undefined, `${what} resolved`);
  const { error } = settled;
  must(
    error instanceof BackplaneError && error.message.trim() !== "",
    `${what} rejected with ${textOf(error)}, which is no BackplaneError with a message`,
  );
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
