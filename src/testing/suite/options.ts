/** What the author of a connector tells the contract suite. */
import type { Connector } from "../../contract/connector.ts";

/**
 * The context that a test runner passes to a test. Only `skip` is used, where the runner has it:
 * `node:test` does.
 */
export interface TestContext {
  /** Marks the test as skipped. */
  skip?(reason?: string): void;
}

/** Registers a test: `test` of `node:test`, of `bun:test` or of Vitest, or `Deno.test`. */
export type RegisterTest = (name: string, run: (context?: unknown) => Promise<void>) => unknown;

/** How the suite writes to the connector, and what the service says about it. */
export interface DestinationOptions {
  /**
   * The inside of a `to` block without `connector`, in the language of the configuration. Empty by
   * default.
   *
   * @example `operation = "append"\n target = "notes"`
   */
  readonly to?: string;
  /** A payload that the connector can write many times. `{ text: "hello" }` by default. */
  readonly payload?: unknown;
  /**
   * All payloads that have arrived at the service until now, the oldest first. With it, the suite
   * checks that a write that has resolved has arrived, and that every value arrives as it was sent.
   */
  received?(this: void): readonly unknown[] | Promise<readonly unknown[]>;
  /**
   * The values that must arrive as they were sent. By default: text, numbers, null, lists, nested
   * and empty objects, characters of many languages, and 100 000 characters of text.
   */
  readonly values?: readonly unknown[];
  /** A payload that the service refuses, such as one that breaks a rule of a database. */
  readonly refused?: { readonly payload: unknown };
}

/** How the suite makes the connector start flows. */
export interface SourceOptions {
  /**
   * The `operation` of the `from` block, where nothing happens but what `emit` does: not the target of
   * the destination. A `from` without an operation by default.
   */
  readonly operation?: string;
  /** A payload that the source can receive. `{ text: "hello" }` by default. */
  readonly payload?: unknown;
  /**
   * Makes something happen outside that starts a flow with this payload, such as a message that
   * another client publishes. May wait until the flow has ended, and reject if the flow failed.
   * `connector` is the connector at work, for a source that gets its events from this process.
   */
  emit(payload: unknown, connector: Connector): unknown;
  /** As those of the destination. */
  readonly values?: readonly unknown[];
  /**
   * Whether an event whose flow failed is delivered again. By default true for a source of the kind
   * `messages`, otherwise false.
   */
  readonly redelivers?: boolean;
}

/** How the suite takes the service away, and brings it back. Each is called in its turn. */
export interface OutageOptions {
  /** Stops the service, and closes its connections. */
  stop(): unknown;
  /** Starts the service again at the same address. */
  start(): unknown;
}

/** The options of `testConnector`. */
export interface ConnectorTestOptions {
  /** Registers a test with the runner: `test` of `node:test`, or `Deno.test`. */
  readonly test: RegisterTest;
  /**
   * The URL of a module whose default export is a table of connector types, as for `plugins`.
   * Some rules import it in a new process, so the tests must be in another file.
   *
   * @example `new URL("./redis.ts", import.meta.url)`
   */
  readonly module: string | URL;
  /** The name of the connector type in that table. */
  readonly type: string;
  /**
   * A configuration with a `connector` block of this type, and nothing else that uses it. `env` reads
   * the variables of this process.
   */
  readonly config: string;
  /** Configurations with a mistake that the connector must find, such as a bad `url`. */
  readonly mistakes?: readonly string[];
  /** Required if the type is a destination. */
  readonly destination?: DestinationOptions;
  /** Required if the type is a source. */
  readonly source?: SourceOptions;
  /** With it, the suite also checks what happens while the service is away. */
  readonly outage?: OutageOptions;
  /**
   * Rules that do not apply, by their name, each with the reason. They appear as skipped.
   *
   * @example `{ drain: "nothing is in flight: flows run inside the call" }`
   */
  readonly skip?: Readonly<Record<string, string>>;
  /**
   * How many milliseconds one step of the connector may take, such as to connect again after an
   * outage. 4000 by default.
   */
  readonly patience?: number;
}

/** Values that a connector must not change on their way. */
export const VALUES: readonly unknown[] = [
  { text: "hello" },
  { text: "ä ß 漢字 🙂 العربية\n\t\"'\\" },
  { nothing: null, yes: true, no: false },
  { zero: 0, negative: -0.5, large: Number.MAX_SAFE_INTEGER, small: 1e-7 },
  { nested: { list: [1, [2, { three: 3 }], []], empty: {} } },
  { big: "x".repeat(100_000) },
  {},
  [],
  ["a", 1, null],
  "text",
  "",
  7,
  false,
  null,
];
