/** The attributes of a database connector and of the `to` and `step` blocks that name one. */
import { quoted } from "../../base/shown.ts";
import type { Expression } from "../../expression/mod.ts";
import { expressionMap } from "../../contract/expression-fields.ts";
import {
  attribute,
  block,
  type Field,
  type Fields,
  path,
  type Values,
} from "../../contract/fields.ts";
import { Places } from "../../contract/places.ts";
import { clientTlsField } from "../../contract/tls-field.ts";
import {
  duration,
  integer,
  oneOf,
  text,
  textOrList,
  type ValueSchema,
} from "../../contract/value-schema.ts";

const ROWS = ["auto", "one", "all"] as const;

/**
 * The result of a query. `auto`: null, the row, or the list of several rows; `one`: the first row or
 * null; `all`: the list.
 */
export type Rows = typeof ROWS[number];

/** The attributes of a `to` or `step` block beside its operation and target. */
export interface DatabaseDestination {
  /** The columns that find the row of an UPDATE, DELETE or UPSERT: at least one, each once. */
  readonly key?: readonly string[];
  /** One SQL statement with `:named` parameters. */
  readonly query?: string;
  /** A `to` block's values for the query's parameters; the others come from the payload. */
  readonly params?: Readonly<Record<string, Expression>>;
  /** Only a step has it; `all` where it is absent. */
  readonly rows?: Rows;
}

const requestFields = {
  key: attribute(keyColumns(), { about: "The column that finds the row, or a list of columns." }),
  query: attribute(text(), { about: "One SQL statement with :named parameters." }),
};

const pool = {
  max: attribute(integer({ min: 1, max: 1000 }), {
    about: "How many connections a process opens.",
    default: 10,
  }),
  acquire_timeout: attribute(duration(), {
    about: "How long a statement waits for a connection before it fails.",
    default: "10s",
  }),
  idle_timeout: attribute(duration(), {
    about: "How long a connection that is not used stays open.",
    default: "1m",
  }),
};

const changes = {
  slot: attribute(slotName(), {
    about: "The logical replication slot; it is made where it is missing.",
    default: "weir_app",
  }),
  publication: attribute(text({ maxLength: 63 }), {
    about: "The publication; it is made where it is missing, and gets the tables of the flows.",
    default: "weir_app",
  }),
  max_retries: attribute(integer({ max: 1_000_000 }), {
    about: "How often a change is delivered again after its first delivery has failed.",
    default: 2,
  }),
  retry_delay: attribute(duration(), {
    about: "How long a change waits before it is delivered again.",
    default: "1s",
  }),
  dead_letter: attribute(text(), {
    about: "A table that gets the changes that failed for good; without it they are logged alone.",
  }),
};

/** The attributes of a `connector` block, beside its `driver`. */
export const fields = {
  database: databaseField(
    'SQLite needs it: its file, whose folder is made, or ":memory:". Others: the name of the database.',
  ),
  url: attribute(text(), {
    about:
      "Such as postgres://user:password@host:5432/database or mysql://…; in place of its parts.",
  }),
  host: attribute(text(), { about: 'The host of the server; "localhost" by default.' }),
  port: attribute(integer({ min: 1, max: 65_535 }), {
    about: "The port of the server; 5432 by default for PostgreSQL, 3306 for MySQL.",
  }),
  user: attribute(text(), { about: "The user's name." }),
  password: attribute(text(), { about: "The user's password." }),
  tls: clientTlsField(),
  pool: block(pool, { about: "The connections that a process opens to the server." }),
  statement_timeout: attribute(duration(), {
    about: "How long the server works on a statement; as long as its flow waits by default.",
  }),
  migrations: path({ about: "A folder of *.sql files that are applied once, by name." }),
  changes: block(changes, { about: "How changes of tables are read as events." }),
} satisfies Fields;

/** The driver whose place SQLite takes in a test. */
export interface PlayedDriver {
  /** As people write it, such as `PostgreSQL`. */
  readonly title: string;
  /** How its SQL is read. */
  readonly syntax: "sqlite" | "postgres" | "mysql";
  /** Whether changes of its tables start flows. */
  readonly changes: boolean;
}

/** The values of a `connector` block. What it lacks, and what could not be read, is undefined. */
export interface DatabaseOptions extends Partial<Values<typeof fields>> {
  /** A name in the table of drivers. */
  readonly driver: string;
  /** Milliseconds that a write waits for the lock of another process: 5000 by default. Not in HCL. */
  readonly patience?: number;
  /** Whether SQL reads the time of the connector's clock, as a test's must. Not in HCL. */
  readonly simulated?: boolean;
  /** The driver whose place SQLite takes in a test. Not in HCL. */
  readonly plays?: PlayedDriver | undefined;
}

/** The attributes of a `to` block. */
export const destinationFields = {
  ...requestFields,
  params: expressionMap({ about: "Values for the parameters of the query." }),
} satisfies Fields;

/** The attributes of a `step` block, whose `params` are those of every step. */
export const stepFields = {
  ...requestFields,
  rows: attribute(oneOf(ROWS), {
    about:
      "The result of a query: null, its row or the list of several; the first row or null; the list.",
    default: "auto",
  }),
} satisfies Fields;

/** The name of a replication slot: what the server takes. */
function slotName(): ValueSchema<string> {
  const plain = text({ maxLength: 63 });
  return {
    ...plain,
    parse(value) {
      const result = plain.parse(value);
      if ("problem" in result || /^[a-z0-9_]+$/.test(result.value)) return result;
      return { problem: "must have lower case letters, digits and _ alone" };
    },
  };
}

/** A column or a list of columns, read as a list. */
function keyColumns(): ValueSchema<readonly string[]> {
  const list = textOrList();
  return {
    ...list,
    parse(value) {
      const result = list.parse(value);
      if ("problem" in result) return result;
      const seen = new Set<string>();
      const twice = result.value.find((column) => seen.size === seen.add(column).size);
      return twice === undefined ? result : { problem: `names the column ${quoted(twice)} twice` };
    },
  };
}

/** The driver whose databases are files. */
const WITH_FILES = "sqlite";

/** A path or `:memory:` that SQLite needs; the plain name of a database on a server. */
function databaseField(about: string): Field<string | undefined> {
  const name = attribute(text(), { about });
  const needed = attribute(text(), { about, required: true });
  const file = path({ about });
  return {
    ...name,
    type: "path or name",
    read(body, field, owner, context) {
      const isFile = new Places(body, owner).attribute("driver")?.value === WITH_FILES;
      const value = (isFile ? needed : name).read(body, field, owner, context);
      if (!isFile || value === undefined || value === ":memory:") return value;
      return file.read(body, field, owner, context);
    },
  };
}
