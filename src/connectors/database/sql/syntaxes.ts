/** What the words of a statement mean in each syntax. */
import type { Syntax } from "../driver.ts";
import { mysqlReader } from "./mysql.ts";
import { postgresReader } from "./postgres.ts";
import { sqliteReader } from "./sqlite.ts";
import type { Reader } from "./token.ts";

/** How one syntax is read. All words are in upper case. */
export interface Rules {
  /** Makes a reader for one text. */
  reader(): Reader;
  /** The verbs of statements that only read, unless other words say that they write. */
  readonly reads: ReadonlySet<string>;
  /** The verbs of the other statements that may return rows. */
  readonly rows: ReadonlySet<string>;
  /** The verbs that may follow the common table expressions of a WITH. */
  readonly afterWith: ReadonlySet<string>;
  /** Words behind the verb of a statement that then does more than read. */
  readonly effects: ReadonlySet<string>;
  /** Words that make EXPLAIN run what it explains. */
  readonly explained: ReadonlySet<string>;
  /** Words that make a statement behind WITH a write, wherever they are. */
  readonly effectsInWith: ReadonlySet<string>;
  /** The first words of statements that begin or end a transaction. */
  readonly control: readonly string[];
  /**
   * The first words of statements that change the connection that they run on, and what does instead;
   * empty where nothing does.
   */
  readonly session: Readonly<Record<string, string>>;
  /** The first words of those among them that change nothing that stays. */
  readonly passing: readonly string[];
  /** What CREATE makes with statements in it, which no client runs. */
  readonly programs: ReadonlySet<string>;
  /** The words that begin the body of such a program. */
  readonly body: string;
  /** True where there may be other blocks in the body. */
  readonly blocks: boolean;
}

const NONE: ReadonlySet<string> = new Set();

/** All of them. */
export const SYNTAXES: Readonly<Record<Syntax, Rules>> = {
  sqlite: {
    reader: sqliteReader,
    reads: new Set(["SELECT", "VALUES", "EXPLAIN"]),
    rows: new Set(["PRAGMA"]),
    afterWith: new Set(["SELECT", "VALUES", "INSERT", "UPDATE", "DELETE", "REPLACE"]),
    effects: NONE,
    explained: NONE,
    effectsInWith: NONE,
    control: ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "END"],
    session: {},
    passing: [],
    programs: new Set(["TRIGGER"]),
    body: " BEGIN",
    blocks: false,
  },
  postgres: {
    reader: postgresReader,
    reads: new Set(["SELECT", "VALUES", "TABLE", "SHOW", "EXPLAIN"]),
    rows: new Set(["CALL", "FETCH"]),
    afterWith: new Set(["SELECT", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE"]),
    effects: new Set(["INTO", "FOR UPDATE", "FOR NO", "FOR SHARE", "FOR KEY"]),
    explained: new Set(["ANALYZE", "ANALYSE"]),
    effectsInWith: new Set(["INSERT", "UPDATE", "DELETE", "MERGE"]),
    control: [
      "BEGIN",
      "START TRANSACTION",
      "COMMIT",
      "END",
      "ROLLBACK",
      "ABORT",
      "SAVEPOINT",
      "RELEASE",
      "PREPARE TRANSACTION",
      "SET TRANSACTION",
      "SET SESSION CHARACTERISTICS",
    ],
    // SET LOCAL is for a transaction, which writes of several flows may share.
    session: {
      SET: "ALTER ROLE … SET changes a setting for all, " +
        "SELECT set_config('name', 'value', true) in an atomic flow for its transaction",
      RESET: "",
      DISCARD: "",
      LISTEN: "",
      UNLISTEN: "",
      PREPARE: "",
      EXECUTE: "",
      DEALLOCATE: "",
      DECLARE: "",
    },
    passing: ["SET CONSTRAINTS"],
    programs: new Set(["FUNCTION", "PROCEDURE"]),
    body: "BEGIN ATOMIC",
    blocks: false,
  },
  mysql: {
    reader: mysqlReader,
    reads: new Set(["SELECT", "VALUES", "TABLE", "SHOW", "EXPLAIN", "DESCRIBE", "DESC"]),
    rows: new Set([
      "ANALYZE",
      "CALL",
      "CHECK",
      "CHECKSUM",
      "EXECUTE",
      "HANDLER",
      "HELP",
      "OPTIMIZE",
      "REPAIR",
    ]),
    afterWith: new Set(["SELECT", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "REPLACE"]),
    effects: new Set(["INTO", "FOR UPDATE", "FOR SHARE", "LOCK IN"]),
    explained: new Set(["ANALYZE"]),
    effectsInWith: NONE,
    control: [
      "BEGIN",
      "START TRANSACTION",
      "COMMIT",
      "ROLLBACK",
      "SAVEPOINT",
      "RELEASE",
      "SET TRANSACTION",
      "SET SESSION TRANSACTION",
      "SET LOCAL TRANSACTION",
      "SET GLOBAL TRANSACTION",
      "LOCK TABLES",
      "LOCK TABLE",
      "UNLOCK TABLES",
      "UNLOCK TABLE",
      "XA",
      "DELIMITER",
    ],
    session: {
      SET: "the server's configuration changes a setting for all",
      USE: "database.table names a table of another database",
      PREPARE: "",
      EXECUTE: "",
      DEALLOCATE: "",
      "DROP PREPARE": "",
    },
    passing: ["SET STATEMENT", "EXECUTE IMMEDIATE"],
    programs: new Set(["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"]),
    body: " BEGIN",
    blocks: true,
  },
};
