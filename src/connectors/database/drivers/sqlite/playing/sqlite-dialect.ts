/** What SQLite alone understands. The database that is played would refuse it, so a test must not pass. */
import type { Syntax } from "../../../driver.ts";
import { find } from "./create-table.ts";
import type { Piece } from "./pieces.ts";

/** The databases that are played, in messages. */
export const TITLES: Readonly<Record<Syntax, string>> = {
  sqlite: "SQLite",
  postgres: "PostgreSQL",
  mysql: "MySQL",
};

/** The beginnings of statements. */
const BEGINNINGS: readonly (readonly string[])[] = [
  ["PRAGMA"],
  ["ATTACH"],
  ["DETACH"],
  ["CREATE", "VIRTUAL", "TABLE"],
  ["INSERT", "OR"],
  ["UPDATE", "OR"],
];

/** Functions that both lack. */
const FUNCTIONS =
  "DATETIME JULIANDAY STRFTIME UNIXEPOCH RANDOMBLOB ZEROBLOB LAST_INSERT_ROWID TYPEOF IIF";

/** More of them. */
const UNKNOWN_FUNCTIONS: Readonly<Record<Syntax, ReadonlySet<string>>> = {
  sqlite: new Set(),
  postgres: new Set(`${FUNCTIONS} IFNULL GROUP_CONCAT JSON_EXTRACT INSTR HEX PRINTF`.split(" ")),
  mysql: new Set(`${FUNCTIONS} PRINTF JSON_EACH JSON_GROUP_ARRAY`.split(" ")),
};

/** Types that SQLite takes as it takes any word, and in whose place the database wants others. */
const UNKNOWN_TYPES: Readonly<Record<Syntax, Readonly<Record<string, string>>>> = {
  sqlite: {},
  postgres: {
    DATETIME: "timestamptz",
    BLOB: "bytea",
    TINYINT: "smallint",
    MEDIUMINT: "integer",
    CLOB: "text",
    LONGTEXT: "text",
    MEDIUMTEXT: "text",
  },
  mysql: {
    BYTEA: "BLOB",
    CLOB: "TEXT",
    JSONB: "JSON",
    TIMESTAMPTZ: "TIMESTAMP",
    BIGSERIAL: "BIGINT AUTO_INCREMENT",
  },
};

/** @throws {SyntaxError} The played database would refuse the statement, which SQLite takes. */
export function refuseDialect(statement: readonly Piece[], syntax: Syntax): void {
  const title = TITLES[syntax];
  const words = statement.map(({ upper }) => upper);
  for (const beginning of BEGINNINGS) {
    if (!beginning.every((word, at) => words[at] === word)) continue;
    throw unknown(title, words.slice(0, beginning.at(-1) === "OR" ? 3 : beginning.length));
  }
  if (syntax === "postgres" && words[0] === "REPLACE") throw unknown(title, ["REPLACE"]);
  if (syntax === "mysql") refuseInMysql(words);
  for (const collation of ["NOCASE", "RTRIM"]) {
    if (find(words, ["COLLATE", collation])) throw unknown(title, ["COLLATE", collation]);
  }
  for (const [at, piece] of statement.entries()) {
    refuseQuotes(piece, syntax);
    if (isCall(statement, at) && UNKNOWN_FUNCTIONS[syntax].has(piece.upper)) {
      throw unknown(title, [`${piece.text}()`]);
    }
  }
}

/** @throws {SyntaxError} MySQL refuses what both others know. */
function refuseInMysql(words: readonly string[]): void {
  const title = TITLES.mysql;
  const [verb] = words;
  if (verb === "INSERT" && find(words, ["ON", "CONFLICT"])) {
    throw unknown(title, ["ON CONFLICT"], 'operation = "UPSERT"');
  }
  if (verb === "INSERT" && find(words, ["DEFAULT", "VALUES"])) {
    throw unknown(title, ["DEFAULT VALUES"], "() VALUES ()");
  }
  if (verb === "UPDATE" && words.includes("RETURNING")) {
    throw unknown(title, ["UPDATE … RETURNING"]);
  }
  if (verb === "CREATE" && /^(UNIQUE INDEX|INDEX)\b/.test(words.slice(1, 3).join(" "))) {
    if (words.includes("WHERE")) throw unknown(title, ["indexes with WHERE"]);
  }
}

/** Whether a word is the name of a function, and no type such as `DATETIME(6)` and no table. */
function isCall(statement: readonly Piece[], at: number): boolean {
  const [open, first] = statement.slice(at + 1, at + 3);
  return statement[at].kind === "word" && open?.text === "(" && !/^\d/.test(first?.text ?? "") &&
    !BEFORE_TABLES.has(statement[at - 1]?.upper ?? "");
}

/** Words in front of the name of a table, which may be that of a function. */
const BEFORE_TABLES = new Set(["INTO", "TABLE", "EXISTS", "ON", "REFERENCES", "."]);

/** @throws {SyntaxError} The column is written in SQLite's own words. */
export function refuseColumn(
  { name, pieces, type: [type] }: {
    readonly name: string;
    readonly pieces: readonly Piece[];
    readonly type: readonly Piece[];
  },
  syntax: Syntax,
): void {
  const title = TITLES[syntax];
  const words = pieces.map(({ upper }) => upper);
  if (words.includes("AUTOINCREMENT", 1)) {
    const instead = syntax === "mysql" ? "AUTO_INCREMENT" : "GENERATED ALWAYS AS IDENTITY";
    throw unknown(title, ["AUTOINCREMENT"], instead);
  }
  if (find(words, ["ON", "CONFLICT"])) {
    throw unknown(title, ["ON CONFLICT"], undefined, "in a column");
  }
  if (type === undefined || NO_TYPES.has(type.upper)) {
    throw new SyntaxError(`${title} wants a type for column "${name}"`);
  }
  const types = UNKNOWN_TYPES[syntax];
  if (type.kind === "word" && Object.hasOwn(types, type.upper)) {
    throw unknown(title, [`the type ${type.text}`], types[type.upper]);
  }
}

/** @throws {SyntaxError} Behind the columns of a CREATE TABLE is what SQLite alone knows. */
export function refuseTableOptions(options: readonly Piece[], syntax: Syntax): void {
  const words = options.map(({ upper }) => upper);
  const title = TITLES[syntax];
  if (words.includes("STRICT")) throw unknown(title, ["STRICT"]);
  if (find(words, ["WITHOUT", "ROWID"])) throw unknown(title, ["WITHOUT ROWID"]);
}

/** Words behind the name of a column that has no type. */
const NO_TYPES = new Set(["PRIMARY", "UNIQUE", "NOT", "NULL", "DEFAULT", "CHECK", "REFERENCES"]);

/** In MySQL `"` is around strings, in SQLite around names; PostgreSQL does not know MySQL's quotes. */
function refuseQuotes({ text }: Piece, syntax: Syntax): void {
  if (syntax === "mysql" && text.startsWith('"')) {
    throw new SyntaxError(
      `${text} is a string in MySQL, and a name in SQLite; write '…' for strings and \`…\` for names`,
    );
  }
  if (syntax === "postgres" && text === "`") {
    throw new SyntaxError('PostgreSQL does not know names in `…`; write "…"');
  }
}

function unknown(
  title: string,
  words: readonly string[],
  instead?: string,
  where = "",
): SyntaxError {
  const place = where === "" ? "" : ` ${where}`;
  const hint = instead === undefined ? "" : `; write ${instead}`;
  return new SyntaxError(`${title} does not know ${words.join(" ")}${place}${hint}`);
}
