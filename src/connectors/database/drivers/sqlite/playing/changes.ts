/** The changes of a played database as a source of flows: what flows of the test itself have written. */
import { ConnectorError } from "../../../../../base/errors.ts";
import { quoted } from "../../../../../base/shown.ts";
import type {
  ChangeFeed,
  ChangeFeedContext,
  ChangeSink,
  ChangesModule,
  NotificationFeed,
} from "../../../changes/feed.ts";
import type { TableName } from "../../../changes/operation.ts";
import { PlayedDatabase } from "./database.ts";

/** What a played database tells of its changes. */
export const playedChanges: ChangesModule = {
  createChangeFeed: (context) => new PlayedChangeFeed(context),
  createNotificationFeed: () => silent,
};

/** Passes on what was committed, at once. */
class PlayedChangeFeed implements ChangeFeed {
  readonly #context: ChangeFeedContext;
  #sink: ChangeSink | undefined;
  #paused = false;
  #read = 0n;

  constructor(context: ChangeFeedContext) {
    this.#context = context;
  }

  check(): Promise<void> {
    return Promise.resolve();
  }

  setUp(): Promise<void> {
    const { name: connector, tables } = this.#context;
    const { changes, isMocked } = this.#database;
    // Nothing is written where everything needs a mock.
    if (isMocked) return Promise.resolve();
    for (const name of new Set(tables.map(({ table }) => this.nameOf(table)))) {
      if (changes.watch(name)) continue;
      const message = `there is no table ${quoted(name)} whose changes could start a flow`;
      return Promise.reject(new ConnectorError(connector, message, { permanent: true }));
    }
    return Promise.resolve();
  }

  read(sink: ChangeSink): void {
    this.#sink = sink;
    void sink.begin();
    this.#database.changes.listen(() => this.#pass());
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#pass();
  }

  confirm(): void {}

  /** SQLite has one schema. */
  nameOf({ name }: TableName): string {
    return name;
  }

  stop(): void {
    this.#sink = undefined;
  }

  close(): Promise<void> {
    this.stop();
    return Promise.resolve();
  }

  health(): string | undefined {
    return undefined;
  }

  counts(): { readonly gaps: number; readonly change_lag_bytes: number } {
    return { gaps: 0, change_lag_bytes: 0 };
  }

  get #database(): PlayedDatabase {
    const database = this.#context.database();
    if (database instanceof PlayedDatabase) return database;
    throw new TypeError("only a played database has played changes");
  }

  #pass(): void {
    const sink = this.#sink;
    if (sink === undefined || this.#paused) return;
    for (const change of this.#database.changes.take()) sink.change(change, 0);
    sink.end(++this.#read);
  }
}

/** What NOTIFY sends is nothing that SQLite knows: a `given` block of a test sends it. */
const silent: NotificationFeed = {
  listen: () => {},
  pause: () => {},
  resume: () => {},
  stop: () => {},
  close: () => Promise.resolve(),
  health: () => undefined,
  gaps: 0,
};
