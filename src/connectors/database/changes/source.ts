/** A database as the source of flows: what its changes and notifications start, and how it ends. */
import { ConnectorError } from "../../../base/errors.ts";
import { messageOf, shownWords } from "../../../base/shown.ts";
import type { ConnectorContext, FlowHandler } from "../../../contract/connector.ts";
import type { ProbeSource } from "../../../contract/probe.ts";
import { type Matcher, Subscriptions } from "../../../contract/subscriptions.ts";
import type { Database } from "../driver.ts";
import type { DatabaseOptions } from "../options.ts";
import type { SourceCounts } from "./counts.ts";
import { DeadLetterTable } from "./dead-letters.ts";
import { ChangeDeliveries } from "./deliveries.ts";
import type { ChangeFeed, ChangesModule, NotificationFeed, WantedTable } from "./feed.ts";
import { NotificationDeliveries } from "./notifications.ts";
import { type ChangeKind, CHANGES, parseOperation, type TableName } from "./operation.ts";
import { TableError } from "./table-error.ts";

/** What a source is made with. */
export interface SourceContext
  extends Pick<ConnectorContext, "name" | "logger" | "clock" | "cluster" | "hasBackplane"> {
  readonly options: DatabaseOptions;
  /** Returns the open database, or throws. */
  readonly database: () => Database;
}

/** Makes the source of one connector. */
export type MakeSource = (context: SourceContext) => DatabaseSource;

/** The flows that changes of a database start. */
export class DatabaseSource {
  readonly #module: ChangesModule;
  readonly #context: SourceContext;
  readonly #subscriptions = new Subscriptions((operation) => this.#matcher(operation));
  readonly #counts: SourceCounts = {
    consumed: 0,
    acked: 0,
    retried: 0,
    dead_lettered: 0,
    discarded: 0,
  };
  /** Made when all flows are known; undefined where no flow wants one. */
  #parts: Parts | undefined;
  #reading = false;
  #stopped = false;

  /** Connects to nothing before `start`. */
  constructor(module: ChangesModule, context: SourceContext) {
    this.#module = module;
    this.#context = context;
  }

  /** Whether any flow starts here. */
  get used(): boolean {
    return this.#subscriptions.operations.length > 0;
  }

  /** Adds a flow. */
  subscribe(operation: string | undefined, handler: FlowHandler): void {
    this.#subscriptions.add(operation, handler);
  }

  /**
   * Looks whether the changes can be read, and changes nothing.
   *
   * @throws {ConnectorError} They cannot.
   */
  async check(): Promise<void> {
    await this.#made().changes?.feed.check(true);
  }

  /**
   * The same for a source that is never started and has no flows but these; leaves nothing open.
   * Without `strict` tables may be missing. What is wrong with a table is reported where it is named.
   *
   * @throws {ConnectorError} They cannot.
   */
  async probe(sources: readonly ProbeSource[], strict: boolean): Promise<void> {
    for (const { operation } of sources) this.subscribe(operation, UNSTARTED);
    try {
      if (this.used) await this.#made().changes?.feed.check(strict);
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
      report(error, sources);
    } finally {
      await this.close();
    }
  }

  /**
   * Makes the table of dead letters, the publication and the slot, in the worker that reads, once
   * nothing is known that would keep one of them from being made. Returns where the server is away:
   * reading tries again.
   *
   * @throws {ConnectorError} Somebody has to change something first.
   */
  async start(): Promise<void> {
    const { changes } = this.#made();
    const { cluster, logger } = this.#context;
    if (changes === undefined || cluster?.leader === false) return;
    try {
      await changes.feed.check(true);
      await changes.deadLetters?.make();
      await changes.feed.setUp();
    } catch (error) {
      if (!(error instanceof ConnectorError) || error.permanent) throw error;
      logger.warn("failed to prepare the changes; trying again: {reason}", {
        reason: shownWords(messageOf(error)),
      });
    }
  }

  /**
   * Begins to read: changes in the one worker that is the leader, and notifications, too, unless each
   * instance of the service hears them by itself.
   */
  async read(): Promise<void> {
    if (this.#reading || !this.used) return;
    this.#reading = true;
    const { changes, notifications } = this.#made();
    const { cluster, hasBackplane } = this.#context;
    const listen = (takesOver: boolean): void => {
      notifications?.feed.listen(notifications.deliveries.hear, takesOver);
    };
    const begin = (takesOver: boolean): Promise<void> => {
      if (!this.#stopped) {
        changes?.feed.read(changes.deliveries);
        if (!hasBackplane) listen(takesOver);
      }
      return Promise.resolve();
    };
    if (hasBackplane) listen(false);
    await (cluster?.whenLeader(begin) ?? begin(false));
  }

  /** Takes no more. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#parts?.changes?.feed.stop();
    this.#parts?.notifications?.feed.stop();
    this.#parts?.changes?.deliveries.stop();
    return Promise.resolve();
  }

  /** Waits for the flows that run. */
  async drain(): Promise<void> {
    await this.stop();
    await Promise.all([
      this.#parts?.changes?.deliveries.drain(),
      this.#parts?.notifications?.deliveries.drain(),
    ]);
  }

  /** Ends the connections; what was handled is confirmed before. */
  async close(): Promise<void> {
    await this.stop();
    await Promise.all([
      this.#parts?.changes?.feed.close(),
      this.#parts?.notifications?.feed.close(),
    ]);
  }

  /** Why it cannot read at the moment. */
  health(): string | undefined {
    const { changes, notifications } = this.#parts ?? {};
    // A change that holds up all others says more than what may become a problem.
    return changes?.deliveries.health() ?? changes?.feed.health() ?? notifications?.feed.health();
  }

  /** Its numbers; none where no flow starts here. */
  counts(): Readonly<Record<string, number>> {
    if (!this.used) return {};
    const { changes, notifications } = this.#parts ?? {};
    const { gaps = 0, change_lag_bytes = 0 } = changes?.feed.counts() ?? {};
    const missed = notifications?.feed.gaps ?? 0;
    return { ...this.#counts, gaps: gaps + missed, change_lag_bytes };
  }

  #made(): Parts {
    return this.#parts ??= this.#make();
  }

  #make(): Parts {
    const { createChangeFeed, createNotificationFeed } = this.#module;
    const { tables, channels } = wantedBy(this.#subscriptions.operations);
    const { name, logger, clock, options, database } = this.#context;
    const common = { subscriptions: this.#subscriptions, counts: this.#counts, logger, clock };
    const parts: { -readonly [Name in keyof Parts]: Parts[Name] } = {};
    if (tables.length > 0) {
      const { max_retries = 2, retry_delay = 1000, dead_letter } = options.changes ?? {};
      const feed = createChangeFeed({ name, options, logger, database, tables });
      const deadLetters = dead_letter === undefined
        ? undefined
        : new DeadLetterTable(name, dead_letter, database);
      const settings = { maxRetries: max_retries, retryDelay: retry_delay };
      const deliveries = new ChangeDeliveries({ ...common, feed, settings, deadLetters });
      parts.changes = { feed, deliveries, deadLetters };
    }
    if (channels.length > 0) {
      const feed = createNotificationFeed({ name, options, logger, database, channels });
      parts.notifications = { feed, deliveries: new NotificationDeliveries({ ...common, feed }) };
    }
    return parts;
  }

  #matcher(operation: string | undefined): Matcher {
    const wanted = parseOperation(operation);
    if (wanted === undefined) return () => false;
    if (wanted.kind === "NOTIFY") return (happened) => happened === operation;
    // How the table is called is known when the feed has found it.
    const nameOf = () => this.#parts?.changes?.feed.nameOf(wanted.table);
    const start = `${wanted.kind} `;
    return wanted.kind === "*"
      ? (happened) => happened.slice(happened.indexOf(" ") + 1) === nameOf()
      : (happened) => happened.startsWith(start) && happened.slice(start.length) === nameOf();
  }
}

/** The flow of a source that only looks whether it could be started. */
const UNSTARTED: FlowHandler = {
  flow: "",
  takes: () => false,
  run() {
    throw new Error("a source that has not been started starts no flows");
  },
};

function report({ problems }: TableError, sources: readonly ProbeSource[]): void {
  for (const { table, message, hint, unknown } of problems) {
    for (const source of sources) {
      const wanted = parseOperation(source.operation);
      if (wanted === undefined || wanted.kind === "NOTIFY") continue;
      if (wanted.table.written !== table) continue;
      source.report({
        ...(unknown && { code: "unknown-table" }),
        attribute: "operation",
        message: `cannot read changes: ${message}`,
        ...(hint !== undefined && { hint }),
      });
    }
  }
}

/** What reads and what delivers. */
interface Parts {
  readonly changes?: {
    readonly feed: ChangeFeed;
    readonly deliveries: ChangeDeliveries;
    readonly deadLetters: DeadLetterTable | undefined;
  };
  readonly notifications?: {
    readonly feed: NotificationFeed;
    readonly deliveries: NotificationDeliveries;
  };
}

/** The tables and channels of all flows, each once. */
function wantedBy(operations: readonly (string | undefined)[]): {
  readonly tables: readonly WantedTable[];
  readonly channels: readonly string[];
} {
  const tables = new Map<string, { table: TableName; changes: Set<ChangeKind> }>();
  const channels = new Set<string>();
  for (const operation of operations) {
    const wanted = parseOperation(operation);
    if (wanted?.kind === "NOTIFY") channels.add(wanted.channel);
    else if (wanted !== undefined) {
      const { kind, table } = wanted;
      const known = tables.get(table.written) ?? { table, changes: new Set() };
      for (const change of kind === "*" ? CHANGES : [kind]) known.changes.add(change);
      tables.set(table.written, known);
    }
  }
  return { tables: [...tables.values()], channels: [...channels] };
}
