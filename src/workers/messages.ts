/** What a supervisor and its workers say to each other. Everything that goes across is JSON. */
import type { LogLevel } from "@logtape/logtape";
import type { SourceFile } from "../hcl/tree.ts";
import type { Counts } from "../runtime/core.ts";
import type { Progress } from "../contract/cluster.ts";
import type { RelayedRecord } from "./log.ts";
import type { Reads } from "./reads.ts";
import type { KnownText } from "./texts.ts";
import type { Wired } from "./wire.ts";

/** What one connector says to the same connector in the other workers: JSON that they alone read. */
export type Said = readonly [connector: string, text: string];

/** What came of something. */
export type Result<T> =
  | { readonly value: T }
  | { readonly failure: Wired };

/** What a worker is to run. */
export interface StartOrder {
  /** From 1 on: what it is called in logs. */
  readonly worker: number;
  readonly leader: boolean;
  readonly files: readonly SourceFile[];
  /** What the parser has said of them. */
  readonly texts: readonly KnownText[];
  /** What they have read: a worker that starts later runs the same configuration. */
  readonly reads: Reads;
  readonly ports: Readonly<Record<string, number>>;
  /** From which level on its log is wanted; undefined for nothing of it. */
  readonly logLevel: LogLevel | undefined;
}

/** Where a worker listens. */
export interface Started {
  readonly addresses: readonly string[];
  readonly ports: Readonly<Record<string, number>>;
}

/** How a worker is. */
export interface Status {
  readonly counts: Counts;
  readonly health: Readonly<Record<string, string>>;
}

/** The calls that a service of several workers hands on to one of them. */
export type RuntimeCall = "broadcast" | "sendToRoom" | "sendToUser" | "publish";

/** What a supervisor has its workers do. */
export interface WorkerFunctions {
  start(order: StartOrder): Promise<Result<Started>>;
  /** From now on this worker does what the service does only once. */
  lead(): void;
  /** Takes what others have told, in order. */
  hear(said: readonly Said[]): void;
  /** Answers what another asks, in JSON. */
  answer(connector: string, text: string): string;
  /** Comes back once all that was to be heard before has been. */
  caughtUp(): void;
  /** `args` is a list in JSON. */
  call(method: RuntimeCall, args: string): Promise<Result<unknown>>;
  close(): Promise<Result<null>>;
}

/** What a worker wants of its supervisor. */
export interface SupervisorFunctions {
  /** Passes on to the others. */
  tell(said: readonly Said[]): void;
  /** Gives the answers of the others. */
  ask(connector: string, text: string): Promise<readonly string[]>;
  /** Resolves once the others have taken all that was told before. */
  caughtUp(): Promise<void>;
  /** From now on it hears the others. */
  attend(): void;
  acquireSlot(name: string, limit: number): boolean;
  releaseSlot(name: string): void;
  /** Resolves once the lock is there; `id` is its own for each time that one is asked for. */
  lock(id: string, name: string): Promise<void>;
  unlock(id: string): void;
  hasKey(flow: string, key: string, now: number): boolean;
  addKey(flow: string, key: string, now: number, until: number, maxKeys: number): void;
  /** How far a schedule has come; null where no worker has led before. */
  loadProgress(schedule: string): Progress | null;
  saveProgress(schedule: string, progress: Progress): void;
  /** What a worker has kept under a name; null where none has. */
  recall(name: string): string | null;
  /** Keeps what was read, for the workers that come. */
  keep(name: string, text: string): void;
  /** Resolves once every worker has come to the step. */
  barrier(step: string): Promise<void>;
  report(status: Status): void;
  log(record: RelayedRecord): void;
}
