/** The instances of a service, as a connector and the runtime of one of them see them. No I/O. */
import type { Entries, Keep, Position } from "./backplane.ts";
import type { DedupeStore, Lock, Progress } from "./cluster.ts";

/**
 * The same connector in the instances of the service. Call `hear` before the connector's `start`, and
 * everything else only after it has begun.
 */
export interface Instances {
  /** The id of this instance: 1 to 32 of `a-z` and `0-9`. */
  readonly id: string;
  /**
   * Whether what this instance publishes comes back to it in the order that all instances see: then
   * it delivers a message when it hears it. Otherwise only the others hear it, and it delivers to its
   * own clients at once.
   */
  readonly echoes: boolean;
  /** Sets who hears the messages of this connector. */
  hear(listener: InstancesListener): void;
  /**
   * Sends a message to the instances that listen to a topic; with `echoes` to this one, too. Messages
   * of one burst and topic travel together. What one instance publishes arrives in its order, whatever
   * the topics. Undefined where there is nothing to wait for. Otherwise it resolves when the message
   * is on its way, and with `echoes` when this instance has heard it, if it listens; without `echoes`,
   * wait before you publish more, or a queue grows without bound.
   *
   * @throws {BackplaneError} It was not sent within two seconds, or nobody knows whether it was.
   */
  publish(topic: string, message: Uint8Array): Promise<void> | undefined;
  /**
   * False where no other instance listens to a topic, as far as is known here: then a message needs
   * not be encoded. Absent where that is never known.
   */
  heard?(topic: string): boolean;
  /**
   * Listens to a topic, once more for each call. Undefined where that is in force already. Otherwise
   * it resolves when it is in force everywhere: what any instance publishes after that arrives.
   *
   * @throws {BackplaneError} It is not in force after two seconds, or ten where many wait for their
   * turn. Then this call counts for nothing.
   */
  listen(topic: string): Promise<void> | undefined;
  /** Takes back one `listen`. After the last one the topic is still listened to for a second. */
  unlisten(topic: string): void;
  /** Sends a message to one instance, which hears it with an empty topic. As `publish` else. */
  tell(instance: string, message: Uint8Array): Promise<void> | undefined;
  /**
   * Asks every other living instance, after everything that this one has published. Resolves with
   * the answers when all have answered or died, after `patience` milliseconds at the latest.
   *
   * @throws {BackplaneError} The question was not sent.
   */
  ask(question: Uint8Array, patience: number): Promise<Answers>;
  /** Keeps the newest messages of topics; absent where the instances share no store. */
  readonly history?: InstancesHistory | undefined;
  /** Asks one instance. Undefined where it does not live or has not answered in time. */
  askOne(instance: string, question: Uint8Array, patience: number): Promise<Uint8Array | undefined>;
}

/** The newest messages of topics, which all instances share. */
export interface InstancesHistory {
  /**
   * Adds a message to a topic, unless one with this id is there, and passes it to the `kept` of the
   * instances that listen to the topic, this one included. Messages of one burst and topic travel
   * together. Resolves when it is kept, and this instance has heard it if it listens.
   *
   * @throws {BackplaneError} It was not kept within two seconds, or nobody knows whether it was.
   */
  append(topic: string, message: Uint8Array, keep: Keep, id?: string): Promise<void>;
  /**
   * The messages after a position, or at most a number of the newest ones.
   *
   * @throws {BackplaneError} The store cannot be reached.
   */
  read(topic: string, keep: Keep, question: Position | number): Promise<Entries>;
}

/** The answers to a question. */
export interface Answers {
  /** In any order. */
  readonly answers: readonly Uint8Array[];
  /** True where an instance that lives has not answered in time. */
  readonly incomplete: boolean;
}

/** Hears what the instances send to one connector. */
export interface InstancesListener {
  /**
   * A message of an instance, this one or another, in the order of the backplane. Nothing more is
   * heard until a returned promise has settled. An error is logged.
   */
  message(topic: string, message: Uint8Array, from: string): void | Promise<void>;
  /**
   * A question of another instance, in its turn among the messages, but without holding them back.
   * Returns the answer.
   */
  answer(question: Uint8Array, from: string): Uint8Array | Promise<Uint8Array>;
  /**
   * Answers a question ahead of the messages that a promise holds back, if its answer depends on none
   * of them. Two instances may hold back what they hear until each has answered the other.
   */
  answerAhead?(question: Uint8Array, from: string): Uint8Array | undefined;
  /**
   * An instance has left or died. One that was declared dead may come back: it notices that, and its
   * own `gap` is called.
   */
  gone?(instance: string): void;
  /** What others have sent may be lost: this instance was cut off, and hears again now. */
  gap(): void;
  /** Kept messages of a topic, in their turn; the first one has the offset of `at`. */
  kept?(topic: string, at: Position, messages: readonly Uint8Array[]): void;
}

/** The instances of a service, as the runtime of one of them sees them. */
export interface Group {
  /** The part of one connector. */
  connector(name: string): Instances;
  /** Connects and joins the others. Where the broker is away, it returns and goes on trying. */
  start(): Promise<void>;
  /** Tells the others that this instance leaves, and disconnects. May be called before `start`. */
  close(): Promise<void>;
  /** Why the others cannot be reached, in a few words; undefined while all is well. */
  health(): string | undefined;
  /** Its numbers: `backplane_gaps` and the like. */
  counts(): Readonly<Record<string, number>>;
  /**
   * Does what the service does once. `begin` is called when this instance has become the oldest that
   * lives, at the start or later; `end` when it no longer is. They are not called side by side.
   */
  lead(turn: Turn): void;
  /**
   * Whether something that the service does once may begin here now: this instance is the oldest, and
   * the others have heard of it within the last five seconds.
   */
  readonly mayLead: boolean;
  /** How far a schedule has come, here or in another instance; undefined if it has never run. */
  loadProgress(schedule: string): Progress | undefined;
  /** Keeps how far a schedule has come, and tells all others. */
  saveProgress(schedule: string, progress: Progress): void;
  /** Locks and keys for `dedupe`; undefined where the backplane has no keys. */
  readonly shared: SharedDedupe | undefined;
}

/** What an instance does while it is the oldest. */
export interface Turn {
  /** It is the oldest now. `takesOver` is true where another one was before. */
  begin(takesOver: boolean): Promise<void>;
  /** It is no longer the oldest. */
  end(): Promise<void>;
}

/** What the instances share for `dedupe`. */
export interface SharedDedupe {
  /** Requests a lock that one instance holds at a time. It is free again when that one has died. */
  lock(name: string): Lock;
  /** Keys that all instances know. */
  readonly store: DedupeStore;
}
