/** Instances that a test plays: what is listened to, sent and asked waits for what the test says. */
import { BackplaneError } from "../../src/contract/backplane.ts";
import type { Answers, Instances, InstancesListener } from "../../src/contract/instances.ts";

/** Something that is not in force yet. */
export interface Waiting {
  readonly topic: string;
  /** It is in force now. */
  resolve(): void;
  /** It failed. */
  fail(message?: string): void;
}

/** The others of an instance with the id `me`. */
export class FakeInstances implements Instances {
  readonly id = "me";
  readonly echoes: boolean;
  /** Topics that are in force at once; true for all. */
  live: ReadonlySet<string> | true = true;
  /** How many `listen` of each topic count. */
  readonly counts = new Map<string, number>();
  readonly waiting: Waiting[] = [];
  readonly sent: { readonly topic: string; readonly message: Uint8Array; readonly to?: string }[] =
    [];
  /** What `publish` and `tell` return. */
  sending: () => Promise<void> | undefined = () => undefined;
  /** What the others answer. */
  answers: (question: Uint8Array) => Promise<Answers> = () =>
    Promise.resolve({ answers: [], incomplete: false });
  /** What one instance answers. */
  answer: (instance: string, question: Uint8Array) => Promise<Uint8Array | undefined> = () =>
    Promise.resolve(undefined);
  #listener: InstancesListener | undefined;

  constructor(echoes = false) {
    this.echoes = echoes;
  }

  /** Who hears. */
  get listener(): InstancesListener {
    if (this.#listener === undefined) throw new Error("nobody hears");
    return this.#listener;
  }

  hear(listener: InstancesListener): void {
    this.#listener = listener;
  }

  publish(topic: string, message: Uint8Array): Promise<void> | undefined {
    this.sent.push({ topic, message });
    return this.sending();
  }

  listen(topic: string): Promise<void> | undefined {
    if (this.live === true || this.live.has(topic)) {
      this.#count(topic, 1);
      return undefined;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.waiting.push({
      topic,
      resolve: () => {
        this.#count(topic, 1);
        resolve();
      },
      fail: (message = "the broker is away") => reject(new BackplaneError(message)),
    });
    return promise;
  }

  unlisten(topic: string): void {
    this.#count(topic, -1);
  }

  tell(to: string, message: Uint8Array): Promise<void> | undefined {
    this.sent.push({ topic: "", message, to });
    return this.sending();
  }

  ask(question: Uint8Array): Promise<Answers> {
    return this.answers(question);
  }

  askOne(instance: string, question: Uint8Array): Promise<Uint8Array | undefined> {
    return this.answer(instance, question);
  }

  /** The topics that are listened to, each with how often. */
  get listened(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.counts].filter(([, count]) => count !== 0));
  }

  #count(topic: string, by: number): void {
    const count = (this.counts.get(topic) ?? 0) + by;
    if (count < 0) throw new Error(`${topic} is taken back once too often`);
    this.counts.set(topic, count);
  }
}
