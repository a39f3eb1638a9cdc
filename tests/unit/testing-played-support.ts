/** Databases of other drivers, played by SQLite. */
import { getLogger } from "@logtape/logtape";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseConnector } from "../../src/connectors/database/connector.ts";
import * as sqlite from "../../src/connectors/database/drivers/sqlite/mod.ts";
import type { PlayedDriver } from "../../src/connectors/database/options.ts";
import type { Played } from "../../src/contract/connector.ts";
import { ManualClock } from "../../src/testing/clock.ts";
import { withFolder } from "./database-support.ts";

/** PostgreSQL, as a driver describes it. */
export const POSTGRES: PlayedDriver = { title: "PostgreSQL", syntax: "postgres", changes: true };

/** MySQL, as a driver describes it. */
export const MYSQL: PlayedDriver = { title: "MySQL", syntax: "mysql", changes: false };

/** A schema of PostgreSQL, as people write it, of which SQLite takes all. */
export const POSTGRES_ORDERS = `
CREATE EXTENSION IF NOT EXISTS "uuid-ossp"; -- for uuid_generate_v4()
CREATE TABLE public.orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ref uuid NOT NULL DEFAULT gen_random_uuid(),
  name text NOT NULL DEFAULT 'it''s; new',
  paid boolean NOT NULL DEFAULT false,
  doc jsonb NOT NULL DEFAULT '{}'::jsonb,
  tags text[] NOT NULL DEFAULT '{}'::text[],
  flags boolean[],
  price numeric(10, 2),
  rate numeric,
  big bigint,
  ratio double precision,
  raw bytea,
  day date,
  at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT name_is_there CHECK (name <> '')
);
CREATE INDEX CONCURRENTLY orders_doc ON orders USING gin (doc jsonb_path_ops);
CREATE UNIQUE INDEX orders_ref ON public.orders (lower(name));
COMMENT ON TABLE orders IS 'orders; of all';
ALTER TABLE orders REPLICA IDENTITY FULL;
/* a comment /* inside; */ of another */
CREATE TABLE parts (id bigserial, name varchar(20), primary key (id));
`;

/** The same of MySQL. */
export const MYSQL_NOTES = `
# notes; of all
CREATE TABLE \`notes\` (
  \`id\` INT UNSIGNED NOT NULL AUTO_INCREMENT COMMENT 'counts; by itself',
  text VARCHAR(100) NOT NULL DEFAULT 'it\\'s\\n',
  done TINYINT(1) NOT NULL DEFAULT 0,
  doc JSON,
  price DECIMAL(6, 3),
  raw VARBINARY(10),
  at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  seen DATETIME,
  PRIMARY KEY (\`id\`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='all; notes';
`;

/** Tables of MySQL with keys, enumerations and collations, and rows that exist already. */
export const MYSQL_SHOP = `
CREATE TABLE items (
  id INT(10) UNSIGNED NOT NULL AUTO_INCREMENT,
  name VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'a, b',
  KEY by_name (name),
  shop INT NOT NULL,
  \`state\` ENUM('new','it''s') COLLATE utf8mb4_bin NOT NULL,
  size ENUM('S','M') DEFAULT NULL,
  n INT(10) UNSIGNED NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY name_in_shop (name, shop),
  INDEX (n, shop)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
ALTER TABLE items ADD COLUMN extra VARCHAR(9) COLLATE utf8mb4_bin, ADD COLUMN code INT;
ALTER TABLE items ADD COLUMN IF NOT EXISTS code TEXT, ADD INDEX by_name_again (name(5)),
  ADD UNIQUE KEY by_code (code);
CREATE TABLE seeds (id INT NOT NULL PRIMARY KEY, name VARCHAR(9), KEY by_name (name));
INSERT INTO seeds VALUES (1, 'first');
INSERT IGNORE INTO seeds VALUES (1, 'second'), (2, 'second');
INSERT INTO seeds (id, name) VALUES (1, 'third'), (2, 'fourth')
  ON DUPLICATE KEY UPDATE name = VALUES(name);
`;

/** SQL that SQLite takes, and the words in it that no other database knows. */
export const SQLITE_ALONE: readonly (readonly [sql: string, unknown: string])[] = [
  ["CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT", "STRICT"],
  ["CREATE TABLE a (id INT PRIMARY KEY) WITHOUT ROWID, STRICT", "STRICT"],
  ["CREATE TABLE a (id INT PRIMARY KEY) without rowid", "WITHOUT ROWID"],
  ["PRAGMA foreign_keys = ON", "PRAGMA"],
  ["SELECT 1; pragma user_version", "PRAGMA"],
  ["CREATE VIRTUAL TABLE a USING fts5(b)", "CREATE VIRTUAL TABLE"],
  ["INSERT OR IGNORE INTO a VALUES (1)", "INSERT OR IGNORE"],
  ["UPDATE OR REPLACE a SET n = 1", "UPDATE OR REPLACE"],
  ["CREATE TABLE a (n varchar(9) COLLATE nocase)", "COLLATE NOCASE"],
  ["CREATE TABLE a (id INT UNIQUE ON CONFLICT REPLACE)", "ON CONFLICT in a column"],
  ["CREATE TABLE a (at varchar(30) DEFAULT (datetime('now')))", "datetime()"],
  ["SELECT strftime('%s')", "strftime()"],
];

/** The same of what PostgreSQL knows, too. */
export const UNKNOWN_TO_MYSQL: typeof SQLITE_ALONE = [
  [
    "INSERT INTO a (n) VALUES (1) ON CONFLICT (n) DO NOTHING",
    'ON CONFLICT; write operation = "UPSERT"',
  ],
  ["INSERT INTO a DEFAULT VALUES", "DEFAULT VALUES; write () VALUES ()"],
  ["UPDATE a SET n = 1 RETURNING n", "UPDATE … RETURNING"],
  ["CREATE INDEX i ON a (n) WHERE n > 1", "indexes with WHERE"],
  ["CREATE UNIQUE INDEX i ON a (n) WHERE n > 1", "indexes with WHERE"],
];

/** Arrays as PostgreSQL writes them. */
export const POSTGRES_ARRAYS =
  `CREATE TABLE a (id int PRIMARY KEY, tags text[] NOT NULL DEFAULT '{new}',
      counts bigint[], flags boolean[], prices numeric[], deep numeric[]);
    INSERT INTO a VALUES (1, '{gift,"a, \\"b\\" \\\\ ''c''", NULL ,"NULL"}', '{1, -2,9007199254740993}',
      '{t,false,NULL}', '{1.50,2}', '{{1.50,2},{3,NULL}}');
    INSERT INTO a VALUES (2, '{x}'::text[], '{}', ' { } ', NULL, NULL);`;

/** Runs `use` with a started connector that has one migration, and what it says plays it. */
export async function withPlayed(
  plays: PlayedDriver,
  migration: string,
  use: (db: DatabaseConnector, played: readonly Played[], clock: ManualClock) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "001.sql"), migration);
    const played: Played[] = [];
    const clock = new ManualClock();
    const options = { driver: "sqlite", database: ":memory:", simulated: true, plays };
    const db = new DatabaseConnector(sqlite, { ...options, migrations: folder }, {
      name: "db",
      logger: getLogger(["weir", "db"]),
      clock,
      constants: {},
      lookUp: () => ({}),
      played: (by) => played.push(by),
    });
    try {
      await db.start();
      await use(db, played, clock);
    } finally {
      await db.close();
    }
  });
}
