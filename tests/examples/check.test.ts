/**
 * `weir check` on every example with a database: nothing is wrong with it, and each table, column and
 * parameter that is misspelled in one place is found there. Nothing else is reported.
 */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ConfigError } from "../../src/base/errors.ts";
import type { Problem } from "../../src/base/problem.ts";
import { readMigrations } from "../../src/connectors/database/migration-files.ts";
import type {
  DatabaseDestination,
  DatabaseOptions,
} from "../../src/connectors/database/options.ts";
import type { RequestProblem } from "../../src/contract/probe.ts";
import type { SourceFile } from "../../src/hcl/tree.ts";
import type { Model, PlannedRequest } from "../../src/model/mod.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { hostOptions, readConfigFiles } from "../../src/server/files.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const examples = join(root, "examples");

/** The variables of examples that have no default. */
const secrets: Readonly<Record<string, string>> = {
  JWT_SECRET: "0123456789abcdef0123456789abcdef",
  LINK_SECRET: "0123456789abcdef0123456789abcdef",
  SHOP_SECRET: "0123456789abcdef0123456789abcdef",
};

/** A word of a configuration that names something of its database. */
interface Word {
  readonly text: string;
  /** Where it is. */
  readonly place: Problem;
  /** What is reported where it is misspelled. */
  readonly codes: readonly string[];
  /** The flow or connector whose request has it; undefined where several have. */
  readonly owner: string | undefined;
}

/** What a connector's migrations make. */
type Names = ReadonlyMap<string, "table" | "column">;

function load(
  files: readonly SourceFile[],
  readFile: (path: string) => string | Promise<string> = hostOptions.readFile,
): Promise<Model> {
  const env = (name: string) => secrets[name];
  return loadConfig(files, { ...hostOptions, readFile, env, embedded: false, inspect: true });
}

/** The configuration files of an example, without its tests. */
async function filesOf(example: string): Promise<readonly SourceFile[]> {
  const files = await readConfigFiles(join(examples, example));
  return files.filter(({ path }) => basename(path) !== "tests.hcl");
}

async function namesOf({ migrations = "" }: DatabaseOptions): Promise<Names> {
  const database = new DatabaseSync(":memory:");
  for (const { sql } of await readMigrations(migrations)) {
    // SQLite has no such functions.
    database.exec(sql.replaceAll("gen_random_uuid()", "1").replaceAll("now()", "2"));
  }
  const select = `SELECT t.name AS "table", c.name AS "column"
    FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'`;
  const rows = database.prepare(select).all();
  database.close();
  return new Map([
    ...rows.map(({ column }) => [String(column), "column"] as const),
    ...rows.map(({ table }) => [String(table), "table"] as const),
  ]);
}

/** Makes the place of a part of a request. */
type PlaceOf = (at: Pick<RequestProblem, "attribute" | "field" | "item" | "part">) => Problem;

function wordsOf(request: PlannedRequest, names: Names): readonly Omit<Word, "owner">[] {
  const { operation, target, fields, named } = request;
  const { query, key = [], params = {} } = request.options as DatabaseDestination;
  const placeOf: PlaceOf = (at) => request.problem({ message: "", ...at });
  if (query !== undefined) {
    // The events of some flows may have any field.
    const isSent = (name: string) => fields !== undefined || Object.hasOwn(params, name);
    return wordsOfQuery(query, names, placeOf, isSent);
  }
  if (target === undefined) return [];
  const column = (text: string, place: Problem) => ({ text, place, codes: ["unknown-column"] });
  const written = operation === "DELETE" ? [] : named.filter(({ name }) => !key.includes(name));
  return [
    { text: target, place: inQuotes(placeOf({ attribute: "target" })), codes: ["unknown-table"] },
    ...written.map(({ name }) => column(name, placeOf({ attribute: "target", field: name }))),
    ...key.map((name) => column(name, inQuotes(placeOf({ attribute: "key", item: name })))),
  ];
}

function inQuotes(place: Problem): Problem {
  return { ...place, column: place.column + 1 };
}

function wordsOfQuery(
  query: string,
  names: Names,
  placeOf: PlaceOf,
  isSent: (name: string) => boolean,
): readonly Omit<Word, "owner">[] {
  const pattern = /'[^']*'|(?<as>\bAS )?(?<colon>:?)(?<word>\b\w+)/g;
  return [...query.matchAll(pattern)].flatMap(({ index, groups }) => {
    const { as, colon = "", word } = groups ?? {};
    if (word === undefined || as !== undefined) return [];
    const start = index + colon.length;
    const place = placeOf({ attribute: "query", part: { start, end: start + word.length } });
    if (colon !== "") {
      const codes = ["missing-parameter", "unknown-parameter"];
      return isSent(word) ? [{ text: word, place, codes }] : [];
    }
    const kind = names.get(word);
    return kind === undefined ? [] : [{ text: word, place, codes: [`unknown-${kind}`] }];
  });
}

/** All words of an example, each once. */
async function wordsIn({ connectors, source }: Model): Promise<readonly Word[]> {
  const words = new Map<string, Word>();
  for (const request of (await source.planned()).requests) {
    const connector = connectors.get(request.connector);
    if (connector?.type !== "database") continue;
    for (const word of wordsOf(request, await namesOf(connector.options as DatabaseOptions))) {
      const place = placeText(word.place);
      const owner = /^\w+ "[^"]+"/.exec(word.place.message)?.[0];
      words.set(place, { ...word, owner: words.has(place) ? undefined : owner });
    }
  }
  return [...words.values()];
}

function placeText({ file, line, column }: Problem): string {
  return `${file}:${line}:${column}`;
}

/** Words that can be wrong at once: of several flows, one of each. */
function divide(words: readonly Word[]): readonly (readonly Word[])[] {
  const shared = words.filter(({ owner }) => owner === undefined).map((word) => [word]);
  const owned = [...Map.groupBy(words.filter(({ owner }) => owner), ({ owner }) => owner).values()];
  const most = Math.max(0, ...owned.map(({ length }) => length));
  const groups = Array.from({ length: most }, (_, i) => owned.flatMap((list) => list[i] ?? []));
  return [...shared, ...groups];
}

/** The errors of the files where the last letter of each word is doubled. */
async function misspell(
  files: readonly SourceFile[],
  words: readonly Word[],
): Promise<readonly Problem[]> {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  // The last one first, so that the places of the others stay.
  const order = words.toSorted(({ place: a }, { place: b }) =>
    b.line - a.line || b.column - a.column
  );
  for (const { text, place: { file, line, column } } of order) {
    const lines = (texts.get(file) ?? await readFile(join(root, file), "utf8")).split("\n");
    const end = column - 1 + text.length;
    assert.equal(lines[line - 1].slice(column - 1, end), text, `${file}:${line}`);
    lines[line - 1] = lines[line - 1].slice(0, end) + text.at(-1) + lines[line - 1].slice(end);
    texts.set(file, lines.join("\n"));
  }
  const changed = files.map((file) => ({ ...file, text: texts.get(file.path) ?? file.text }));
  // A query may be in a file of its own.
  const others = [...texts].filter(([path]) => !files.some((file) => file.path === path));
  const read = (path: string) =>
    others.find(([name]) => path.endsWith(name))?.[1] ?? hostOptions.readFile(path);
  try {
    await load(changed, read);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.filter(({ severity }) => severity === "error");
  }
}

/** Whether a problem is that of a word: at its place, with the right word as its hint. */
function isOf(problem: Problem, { text, place, codes }: Word): boolean {
  // The caret of a target and of a key begins at the quote; that of a parameter may be at `params`.
  const isThere = problem.file === place.file && problem.line === place.line &&
    Math.abs(problem.column - place.column) < 2;
  return codes.includes(problem.code) && problem.hint?.includes(`"${text}`) === true &&
    (isThere || codes.includes("missing-parameter"));
}

for (const example of (await readdir(examples)).sort()) {
  const files = await filesOf(example);
  if (!files.some(({ text }) => /^ *type *= "database"/m.test(text))) continue;
  test(`check finds each name of the database that is misspelled in examples/${example}`, async () => {
    const words = await wordsIn(await load(files));
    assert.ok(words.length > 0);
    const wrong: string[] = [];
    for (const group of divide(words)) {
      const problems = await misspell(files, group);
      for (const word of group) {
        if (problems.some((problem) => isOf(problem, word))) continue;
        wrong.push(`${placeText(word.place)}: ${word.text} is not found`);
      }
      for (const problem of problems) {
        // A field of a transform may be a column here and a parameter there.
        if (group.some(({ text }) => problem.hint?.includes(`"${text}`))) continue;
        wrong.push(`${placeText(problem)}: ${problem.message}`);
      }
    }
    assert.deepEqual(wrong, []);
  });
}
