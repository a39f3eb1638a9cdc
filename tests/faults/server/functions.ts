/** What a test and the process of its server ask of each other. Everything that goes across is JSON. */
import type { Counts } from "../../../src/runtime/mod.ts";

/** One delivery to the connector of type `probe`. */
export interface Delivered {
  /** Absent where the destination has no target. */
  readonly target?: string;
  readonly payload: unknown;
  /** What the event's flow saw as `input`. */
  readonly input: Readonly<Record<string, unknown>>;
}

/** A line of the server's log. */
export interface LogLine {
  readonly level: string;
  readonly text: string;
}

/** What a start came to. */
export type StartResult =
  | { readonly port: number }
  | { readonly error: { readonly name: string; readonly message: string } };

/** What the process holds at the moment. */
export interface Held {
  /** Timers that wait: their kind, their delay and the code that set them. */
  readonly timers: readonly string[];
  /** Open descriptors: the number of each, and what it is open for where the system says that. */
  readonly descriptors: readonly string[];
}

/** The memory of the process, in bytes. */
export interface Memory {
  readonly rss: number;
  readonly heap: number;
  readonly external: number;
}

/** What the server's process does for a test. */
export interface ServerFunctions {
  /** Serves a configuration in one of the ways of `support/socket-hosts.ts`. */
  start(host: string, config: string): Promise<StartResult>;
  /** Does once what opens descriptors that the runtime keeps: it listens, and sends a request. */
  warmUp(): Promise<void>;
  /** Ends the runtime first, then the server; does nothing where none runs. */
  close(): Promise<void>;
  counts(): Counts;
  sendToRoom(room: string, data: unknown): Promise<number>;
  sendToUser(user: string, data: unknown): Promise<number>;
  /** Sends the same text to a user `count` times, a turn of the event loop apart. */
  flood(user: string, text: string, count: number): Promise<void>;
  /** Sends a room's messages at a steady rate for a while; returns how many it sent. */
  talkFor(room: string, perSecond: number, duration: number, from: number): Promise<number>;
  /** Sends a numbered message to a room every so many milliseconds from now on. */
  talk(room: string, every: number): void;
  /** Sends no more of them; returns how many it sent. */
  quiet(): number;
  /** How many numbered messages were sent until now. */
  sent(): number;
  deliveries(): readonly Delivered[];
  /** From now on each delivery waits for `release`. */
  hold(): void;
  /** Lets everything go that waits, and holds nothing from now on. */
  release(): void;
  /** What a delivery to a target returns to its flow from now on. */
  setResult(target: string, value: unknown): void;
  /** What the connectors of type `steps` were called with, in order. */
  steps(): readonly string[];
  /** What was logged at `info` and above since the start. */
  log(): readonly LogLine[];
  held(): Promise<Held>;
  /** `collect` collects garbage before. */
  memory(collect: boolean): Promise<Memory>;
  /** Blocks the event loop, in milliseconds. */
  block(duration: number): void;
  /** Sets the wall clock off by so many milliseconds. */
  jump(offset: number): void;
}
