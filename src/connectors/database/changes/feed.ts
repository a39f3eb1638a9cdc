/** What a driver offers whose database tells of its changes: a feed of changes, one of notifications. */
import type { Logger } from "../../../contract/connector.ts";
import type { DatabaseOptions } from "../options.ts";
import type { ChangeKind, TableName } from "./operation.ts";

/** One committed change of a row. */
export interface Change {
  readonly operation: ChangeKind;
  /** The table's name; with its schema where the search path does not find it. */
  readonly table: string;
  /** The row as it is now; for a DELETE what is known of the row that there was. */
  readonly row: Readonly<Record<string, unknown>>;
  /** What is known of the row as it was; null where the database does not tell. */
  readonly old: Readonly<Record<string, unknown>> | null;
  /** The columns that `row` lacks, since their large values have not changed and were not sent. */
  readonly unchanged: readonly string[];
  /** Where the change is in the database's log, such as `0/16B3748`. */
  readonly lsn: string;
  /** ISO 8601, UTC. */
  readonly committedAt: string;
}

/** A place in the database's log. */
export type Position = bigint;

/** Takes what a feed reads, in the order of the commits. */
export interface ChangeSink {
  /**
   * The feed begins again at the last position that was confirmed. Resolves when nothing is left of
   * what it has passed on before.
   */
  begin(): Promise<void>;
  /** A change, and how many bytes it has. */
  change(change: Change, size: number): void;
  /** A change that cannot be read, and why. */
  unreadable(change: Omit<Change, "row" | "old" | "unchanged">, reason: string): void;
  /** All changes up to this position have been passed on. */
  end(position: Position): void;
}

/** The changes of tables, from the last position that was confirmed. */
export interface ChangeFeed {
  /**
   * Looks whether it can be read, and changes nothing. Without `strict` tables may be missing.
   *
   * @throws {ConnectorError} It cannot; permanent where somebody has to change something. It is a
   * `TableError` where that is about tables of flows alone.
   */
  check(strict: boolean): Promise<void>;
  /**
   * Makes what the server needs to keep the changes until they are confirmed.
   *
   * @throws {ConnectorError} As `check`, and where the server does not allow it.
   */
  setUp(): Promise<void>;
  /** Begins to read, now or once the server answers and no other instance reads. Never fails. */
  read(sink: ChangeSink): void;
  /** Reads no more until `resume`. */
  pause(): void;
  resume(): void;
  /** Everything up to this position has been handled, and need not be kept. */
  confirm(position: Position): void;
  /** How a flow's table is called in changes; undefined where that is not known yet. */
  nameOf(table: TableName): string | undefined;
  /** Reads no more. */
  stop(): void;
  /** Tells the server what was confirmed, and ends the connections. */
  close(): Promise<void>;
  /** Why it cannot read at the moment; undefined where it does, or another instance does. */
  health(): string | undefined;
  /** How often changes were lost, and how many bytes of log the server keeps for it. */
  counts(): { readonly gaps: number; readonly change_lag_bytes: number };
}

/** What is sent with NOTIFY. */
export interface NotificationFeed {
  /**
   * Begins to listen, now or once the server answers. Never fails. With `takesOver`, another worker
   * has listened before.
   */
  listen(hear: (channel: string, payload: string) => void, takesOver: boolean): void;
  /** Reads no more until `resume`. */
  pause(): void;
  resume(): void;
  /** Listens no more. */
  stop(): void;
  /** Ends the connection. */
  close(): Promise<void>;
  /** Why it does not listen at the moment. */
  health(): string | undefined;
  /** How often it has listened again, which means that notifications may be missing. */
  readonly gaps: number;
}

/** What the changes of a driver exports. */
export interface ChangesModule {
  /** Makes a feed, which touches nothing yet. */
  createChangeFeed(context: ChangeFeedContext): ChangeFeed;
  /** Makes a feed, which touches nothing yet. */
  createNotificationFeed(context: NotificationFeedContext): NotificationFeed;
}

/** What both feeds are made with. */
interface FeedContext {
  /** The connector's name, for errors. */
  readonly name: string;
  readonly options: DatabaseOptions;
  readonly logger: Logger;
  /** Returns the open database, which the driver itself has made, or throws. */
  readonly database: () => object;
}

/** What a feed of changes is made with. */
export interface ChangeFeedContext extends FeedContext {
  /** The tables of the flows, each once as written, and what flows want to know of them. */
  readonly tables: readonly WantedTable[];
}

/** A table, and which of its changes flows want. */
export interface WantedTable {
  readonly table: TableName;
  readonly changes: ReadonlySet<ChangeKind>;
}

/** What a feed of notifications is made with. */
export interface NotificationFeedContext extends FeedContext {
  /** The channels of the flows, each once. */
  readonly channels: readonly string[];
}
