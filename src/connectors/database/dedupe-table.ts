/** The table of the keys of handled events: its names and its SQL. */
import type { Dialect } from "./driver.ts";

/** The table of the keys. */
export const KEYS_TABLE = "_weir_keys";

/** A table that an earlier version has made lacks it until the next key is kept. */
export const ANSWER = "answer";

/** How many keys are removed at once: more than are added meanwhile, so that they cannot pile up. */
const MOST_REMOVED = 40;

/** Its name and those of its columns, quoted. */
export function names({ quoteName }: Dialect) {
  return {
    table: quoteName(KEYS_TABLE),
    flow: quoteName("flow"),
    key: quoteName("key"),
    until: quoteName("until"),
    answer: quoteName(ANSWER),
  };
}

/** The statements about keys. Values are the flow, the key, the time and the answer, in this order. */
export function keysSql(dialect: Dialect) {
  const { table, flow, key, until, answer } = names(dialect);
  const [first, second, third, fourth] = [1, 2, 3, 4].map((n) => dialect.placeholder(n));
  const one = `FROM ${table} WHERE ${flow} = ${first} AND ${key} = ${second} AND ${until}`;
  // In a table of its own, since MySQL takes no LIMIT in a subquery of IN.
  const expired = `SELECT ${flow}, ${key} FROM ${table} WHERE ${until} <= ${first} ` +
    `ORDER BY ${until} LIMIT ${MOST_REMOVED}`;
  const insert = `INSERT INTO ${table} (${flow}, ${key}, ${until}, ${answer}) ` +
    `VALUES (${first}, ${second}, ${third}, ${fourth})`;
  return {
    find: `SELECT 1 ${one} > ${third}`,
    findAnswer: `SELECT ${answer} ${one} > ${third}`,
    /** Removes one key if it has expired. */
    forget: `DELETE ${one} <= ${third}`,
    /** Its only value is the time. */
    removeExpired:
      `DELETE FROM ${table} WHERE (${flow}, ${key}) IN (SELECT * FROM (${expired}) AS expired)`,
    insert,
    upsert: insert + dialect.upsert(["flow", "key"], ["until", ANSWER]),
  };
}

/** The statements that make the table; they do nothing where it exists. */
export function creation(dialect: Dialect): readonly string[] {
  const { table, flow, key, until, answer } = names(dialect);
  const text = `${dialect.keyType} NOT NULL`;
  const index = dialect.quoteName(`${KEYS_TABLE}_until`);
  const parts = `${flow} ${text}, ${key} ${text}, ${until} DOUBLE PRECISION NOT NULL, ` +
    `${answer} ${dialect.longTextType}, PRIMARY KEY (${flow}, ${key})`;
  const create = `CREATE TABLE IF NOT EXISTS ${table}`;
  return dialect.indexInTable
    ? [`${create} (${parts}, INDEX ${index} (${until}))`]
    : [`${create} (${parts})`, `CREATE INDEX IF NOT EXISTS ${index} ON ${table} (${until})`];
}
