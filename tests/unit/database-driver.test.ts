import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ConnectorError } from "../../src/base/errors.ts";
import { DatabaseConnector } from "../../src/connectors/database/connector.ts";
import type {
  Database,
  Dialect,
  DriverContext,
  Explanation,
  Result,
  Session,
  Statement,
  StatementOptions,
  Transaction as DriverTransaction,
} from "../../src/connectors/database/driver.ts";
import * as sqlite from "../../src/connectors/database/drivers/sqlite/mod.ts";
import type { Cancellable, Transaction, WriteRequest } from "../../src/contract/connector.ts";
import { systemClock } from "../../src/base/clock.ts";
import { keepingLogger, type LogLine } from "../support/mq.ts";
import { fails, withFolder, write } from "./database-support.ts";

const NOW = Date.UTC(2026, 0, 1);

/** A statement that is prepared where it is used. */
class LateStatement {
  readonly sql: string;
  readonly options: StatementOptions;

  constructor(sql: string, options: StatementOptions) {
    this.sql = sql;
    this.options = options;
  }
}

/** SQLite as a database behind a network would be: it answers nothing at once. */
class FarDatabase implements Database {
  /** Why it is away. */
  reason: string | undefined;
  /** Statements that fail. */
  refused: RegExp | undefined;
  /** How many reads were cancelled. */
  cancelled = 0;
  /** How many looks at a table have begun. */
  looks = 0;
  /** Until it resolves, no look ends. */
  held: Promise<void> | undefined;
  readonly dialect: Dialect;
  readonly #near: Database;

  constructor(near: Database) {
    this.#near = near;
    this.dialect = near.dialect;
  }

  health(): string | undefined {
    return this.reason;
  }

  async describe(table?: string): Promise<readonly string[]> {
    if (table !== undefined) this.looks++;
    await Promise.resolve();
    const found = table === undefined ? this.#near.describe() : this.#near.describe(table);
    await this.held;
    return found;
  }

  prepare(sql: string, options: StatementOptions): Statement {
    return new LateStatement(sql, options);
  }

  query(statement: Statement, values: readonly unknown[]): Cancellable<Result> {
    const reading = Promise.resolve()
      .then(() => this.#near.query(this.#prepareNow(statement), values));
    return Object.assign(reading, { cancel: () => void this.cancelled++ });
  }

  async transaction<T>(transaction: DriverTransaction<T>): Promise<T> {
    await Promise.resolve();
    try {
      return await this.#near.transaction({
        steps: transaction.steps.map(({ statement, values }) => ({
          statement: this.#prepareNow(statement),
          values,
        })),
        result: (results) => transaction.result(results),
        error: (cause) => cause as Error,
      });
    } catch (cause) {
      throw transaction.error(cause);
    }
  }

  transact<T>(
    work: (session: Session) => T | PromiseLike<T>,
    error: (cause: unknown) => Error,
  ): Cancellable<T> {
    const near = this.#near.transact((session) =>
      work({
        run: async (statement, values) => {
          await Promise.resolve();
          return session.run(this.#prepareNow(statement), values);
        },
      }), error);
    return Object.assign(Promise.resolve(near), { cancel: () => near.cancel() });
  }

  explain(error: unknown): Explanation {
    return this.#near.explain(error);
  }

  close(): Promise<void> {
    return this.#near.close();
  }

  #prepareNow(statement: Statement): Statement {
    const { sql, options } = statement as LateStatement;
    if (this.refused?.test(sql)) throw new Error("refused");
    return this.#near.prepare(sql, { ...options, background: false });
  }
}

/** A connector to such a database with a table `notes`, its database and its log. */
async function withFar(
  use: (db: DatabaseConnector, far: FarDatabase, log: readonly LogLine[]) => Promise<void>,
  open = (context: DriverContext) => sqlite.openDatabase(context),
): Promise<void> {
  await withFolder(async (migrations) => {
    const schema = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text NOT NULL);";
    await writeFile(join(migrations, "1.sql"), schema);
    const opened = Promise.withResolvers<FarDatabase>();
    const module = {
      ...sqlite,
      async openDatabase(context: DriverContext) {
        const far = new FarDatabase(await open(context));
        opened.resolve(far);
        return far;
      },
    };
    const log: LogLine[] = [];
    const db = new DatabaseConnector(
      module,
      { driver: "far", database: ":memory:", migrations },
      {
        name: "db",
        logger: keepingLogger(log),
        clock: systemClock,
        constants: {},
        lookUp: () => ({}),
      },
    );
    await db.start();
    const far = await opened.promise;
    // It is open one turn after the driver has opened it.
    await new Promise((resolve) => setTimeout(resolve, 0));
    // The start has also said which migration it applied.
    log.splice(0, log.length, ...log.filter(([, text]) => !/^appl\w+ migration /.test(text)));
    try {
      await use(db, far, log);
    } finally {
      await db.close();
    }
  });
}

test("a database that answers nothing at once: rows, results and queries are the same", async () => {
  await withFar(async (db) => {
    const note = { id: 1, text: "a" };
    assert.deepEqual(await write(db, { target: "notes", payload: note }), note);
    const update = { operation: "UPDATE", target: "notes", key: ["id"] };
    const other = { ...note, text: "b" };
    assert.deepEqual(await write(db, { ...update, payload: other }), other);
    assert.equal(await write(db, { ...update, payload: { id: 9, text: "c" } }), null);
    const upsert = { operation: "UPSERT", target: "notes", key: ["id"] };
    assert.deepEqual(await write(db, { ...upsert, payload: note }), note);
    assert.deepEqual(await write(db, { query: "SELECT text FROM notes" }), [{ text: "a" }]);
    const remove = { operation: "DELETE", target: "notes", key: ["id"], payload: { id: 1 } };
    assert.deepEqual(await write(db, remove), note);
  });
});

test("an unknown table or column is an error with the nearest name, also where it has to be asked for", async () => {
  await withFar(async (db) => {
    await assert.rejects(
      write(db, { target: "note", payload: { text: "a" } }),
      fails(/INSERT: there is no table "note"; did you mean "notes"\?$/),
    );
    await assert.rejects(
      write(db, { target: "notes", payload: { txt: "a" } }),
      fails(/INSERT: there is no column "txt" in table "notes"; did you mean "text"\?$/),
    );
    await assert.rejects(
      write(db, { target: "notes", payload: { text: null } }),
      fails(/INSERT "notes": NOT NULL constraint failed/),
    );
    await assert.rejects(
      write(db, { query: "SELECT * FROM note" }),
      fails(/query: no such table: note$/),
    );
    await assert.rejects(
      write(db, { target: "_weir_migrations", payload: { name: "x" } }),
      fails(/there is no table "_weir_migrations"$/),
    );
  });
});

test("writes that wait for the same table read it once", async () => {
  await withFar(async (db, far) => {
    const insert = (id: number) => write(db, { target: "notes", payload: { id, text: "a" } });
    await Promise.all(Array.from({ length: 50 }, (_, id) => insert(id)));
    assert.equal(far.looks, 1);
    // What a look that began before does not find is looked for once more, for all of them.
    const unknown = { target: "notes", payload: { id: 60, txt: "a" } };
    const refused = fails(/there is no column "txt"/);
    await Promise.all(
      Array.from({ length: 50 }, () => assert.rejects(write(db, unknown), refused)),
    );
    assert.equal(far.looks, 3);
  });
});

test("a column that was added while somebody else read its table is found", async () => {
  await withFar(async (db, far) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    far.held = promise;
    const payload = { text: "a", late: 1 };
    const early = assert.rejects(
      write(db, { target: "notes", payload }),
      fails(/no column "late"/),
    );
    await write(db, { query: "ALTER TABLE notes ADD COLUMN late" });
    const later = write(db, { target: "notes", payload });
    resolve();
    await early;
    assert.deepEqual(await later, { id: 1, ...payload });
  });
});

test("dedupe keys are kept, and one tick makes their table once", async () => {
  await withFar(async (db) => {
    const { dedupeStore } = db;
    assert.equal(await dedupeStore.has("f", "a", NOW), false);
    await Promise.all(["a", "b", "c"].map((key) => dedupeStore.add("f", key, NOW, NOW + 1000)));
    assert.equal(await dedupeStore.has("f", "a", NOW), true);
    assert.equal(await dedupeStore.has("f", "a", NOW + 1000), false);
    await write(db, { query: "DROP TABLE _weir_keys" });
    await dedupeStore.add("f", "d", NOW, NOW + 1000);
    assert.equal(await dedupeStore.has("f", "d", NOW), true);
    await write(db, { query: "DROP TABLE _weir_keys" });
    assert.equal(await dedupeStore.has("f", "d", NOW), false);
    await dedupeStore.add("f", "e", NOW, NOW + 1000);
    assert.equal(await dedupeStore.has("f", "e", NOW), true);
  });
});

test("a key is kept where expired ones cannot be removed, which is logged", async () => {
  await withFar(async (db, far, log) => {
    far.refused = /^DELETE/;
    await db.dedupeStore.add("f", "a", NOW, NOW + 1000);
    assert.equal(await db.dedupeStore.has("f", "a", NOW), true);
    assert.deepEqual(log, [["warn", "failed to remove expired dedupe keys: refused"]]);
  });
});

test("a transaction waits for each of its statements", async () => {
  await withFar(async (db, far) => {
    const put = (transaction: Transaction, to: Omit<WriteRequest, "scope" | "event">) =>
      transaction.write({ ...to, scope: {}, event: undefined });
    const note = { operation: undefined, target: "notes", options: {} };
    const query = { ...note, target: undefined, payload: {} };
    const seen = await db.transact(async (transaction) => {
      await put(transaction, { ...note, payload: { text: "a" } });
      return await put(transaction, { ...query, options: { query: "SELECT text FROM notes" } });
    });
    assert.deepEqual(seen, [{ text: "a" }]);
    far.refused = /^DELETE/;
    const failed = db.transact(async (transaction) => {
      await put(transaction, { ...note, payload: { text: "b" } });
      await put(transaction, { ...query, options: { query: "DELETE FROM notes" } });
    });
    await assert.rejects(Promise.resolve(failed), fails(/query: refused/));
    assert.deepEqual(await write(db, { query: "SELECT text FROM notes" }), [{ text: "a" }]);
  });
});

test("a read can be cancelled, and nothing is asked of a database that is away", async () => {
  await withFar(async (db, far) => {
    const request = { operation: undefined, target: undefined, payload: {}, event: undefined };
    const options = { query: "SELECT text FROM notes" };
    const reading = db.write({ ...request, options, scope: {} }) as Cancellable;
    reading.cancel();
    await reading;
    assert.equal(far.cancelled, 1);
    far.reason = "the server does not answer";
    assert.equal(db.health(), far.reason);
    await assert.rejects(write(db, options), fails(/the server does not answer$/, false));
  });
});

test("a database that is away at the start is tried again, one that refuses is not", async () => {
  let attempts = 0;
  await withFar(async (db, _far, log) => {
    assert.equal(db.health(), undefined);
    assert.equal(attempts, 2);
    assert.deepEqual(log, [
      ["warn", 'failed to open the database; trying again in 250 ms: connector "db": is away'],
      ["info", "the database is open"],
    ]);
    await write(db, { target: "notes", payload: { text: "a" } });
  }, (context) => {
    if (++attempts === 1) throw new ConnectorError("db", "is away");
    return sqlite.openDatabase(context);
  });
  const refuses = () => {
    throw new ConnectorError("db", "refuses the password", { permanent: true });
  };
  await assert.rejects(withFar(() => Promise.resolve(), refuses), fails(/refuses the password/));
});
