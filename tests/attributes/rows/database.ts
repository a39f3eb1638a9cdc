/** The attributes of the `database` connector and of the `to` and `step` blocks that name one, `atomic` among them. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rowsOf } from "../../support/talk.ts";
import type { Row } from "../row.ts";
import { inWorld, REST, withFolder } from "../support.ts";

const MIGRATION = `
  CREATE TABLE notes (name TEXT, text TEXT);
  INSERT INTO notes VALUES ('ada', 'first'), ('bob', 'second');
`;

const ADA = { name: "ada", text: "first" };
const BOB = { name: "bob", text: "second" };
const NEW = { name: "ada", text: "new" };
const LOUD = { name: "ada", text: "NEW" };
const CHANGED = [{ name: "ada", text: "newada" }, { name: "bob", text: "newbob" }];

const database = ({
  driver = 'driver = "sqlite"',
  file = 'database = "notes.db"',
  migrations = 'migrations = "migrations"',
}) => `connector "db" {\n  type = "database"\n${driver}\n${file}\n${migrations}\n}\n`;

/** The flow that a call starts. */
const flow = (body: string) =>
  `flow "f" {
  from {
    connector = "api"
    operation = "POST /notes"
  }
  ${body}
}
`;

const to = (body: string) => flow(`to {\nconnector = "db"\n${body}\n}`);

const step = (body: string) =>
  flow(`step "s" {\nconnector = "db"\n${body}\n}\nresponse { found = "step.s" }`);

/** What a call is answered, and what is found in the folder afterwards. */
function call<T>(config: string, find: (folder: string) => T) {
  return withFolder(async (folder) => {
    await mkdir(join(folder, "migrations"));
    await writeFile(join(folder, "migrations/1.sql"), MIGRATION);
    const { body } = await inWorld(
      REST + config,
      ({ request }) => request("POST /notes", NEW),
      { folder },
    );
    return { answer: body, found: find(folder) };
  });
}

/** What a call is answered. */
async function answer(config: string): Promise<unknown> {
  return (await call(config, () => undefined)).answer;
}

/** What a call is answered, and the rows of the table afterwards. */
async function write(config: string, file = "notes.db") {
  const { answer, found } = await call(config, (folder) => rowsOf(join(folder, file), "notes"));
  return { answer, rows: found };
}

/** Inserts a note, and then one that has no such column, in one transaction if both say so. */
async function insertTwo(attribute: string) {
  const note = `to {
    connector = "db"
    target    = "notes"
    ${attribute}
  }`;
  return await write(database({}) + flow(`${note}\n${note.replace("notes", "letters")}`));
}

/** Each of them, with a scenario that it changes. */
export const databaseRows: readonly Row[] = [
  {
    attribute: "connector database/driver",
    text: 'driver = "sqlite"',
    observe: (driver) => write(database({ driver }) + to('target = "notes"')),
    without: ["missing-attribute"],
    with: { answer: NEW, rows: [ADA, BOB, NEW] },
  },
  {
    attribute: "connector database/database",
    text: 'database = "data/other.db"',
    observe: (file) => write(database({ file }) + to('target = "notes"'), "data/other.db"),
    without: ["missing-attribute"],
    with: { answer: NEW, rows: [ADA, BOB, NEW] },
  },
  {
    // Whether the table is there that a file of the folder makes.
    attribute: "connector database/migrations",
    text: 'migrations = "migrations"',
    observe: (migrations) =>
      answer(
        database({ migrations }) +
          step(`query = "SELECT name FROM sqlite_schema WHERE name = 'notes'"\nrows = "all"`),
      ),
    without: { found: [] },
    with: { found: [{ name: "notes" }] },
  },
  {
    attribute: "to database/key",
    text: 'key = "name"',
    observe: (text) => write(database({}) + to(`target = "notes"\noperation = "UPDATE"\n${text}`)),
    without: ["missing-key"],
    with: { answer: NEW, rows: [NEW, BOB] },
  },
  {
    // A note has the name and the text, and none has them both.
    attribute: "to database/key",
    text: 'key = ["name", "text"]',
    observe: (text) => write(database({}) + to(`target = "notes"\noperation = "DELETE"\n${text}`)),
    without: ["missing-key"],
    with: { answer: null, rows: [ADA, BOB] },
  },
  {
    attribute: "to database/query",
    text: 'query = "UPDATE notes SET text = :text || name RETURNING *"',
    observe: (text) => write(database({}) + to(text)),
    without: ["missing-target"],
    with: { answer: CHANGED, rows: CHANGED },
  },
  {
    attribute: "to database/params",
    text: 'params = { text = "upper(input.text)" }',
    observe: (text) =>
      write(
        database({}) + to(`query = "INSERT INTO notes VALUES (:name, :text) RETURNING *"\n${text}`),
      ),
    without: { answer: [NEW], rows: [ADA, BOB, NEW] },
    with: { answer: [LOUD], rows: [ADA, BOB, LOUD] },
  },
  {
    attribute: "flow/to/atomic",
    text: "atomic = true",
    observe: async (text) => (await insertTwo(text)).rows,
    without: [ADA, BOB, NEW],
    with: [ADA, BOB],
  },
  {
    attribute: "step database/key",
    text: 'key = "name"',
    observe: (text) =>
      write(database({}) + step(`target = "notes"\noperation = "UPDATE"\n${text}`)),
    without: ["missing-key"],
    with: { answer: { found: NEW }, rows: [NEW, BOB] },
  },
  {
    attribute: "step database/query",
    text: 'query = "SELECT text FROM notes WHERE name = :name"',
    observe: (text) => write(database({}) + step(text)),
    without: ["missing-target"],
    with: { answer: { found: { text: "first" } }, rows: [ADA, BOB] },
  },
  {
    attribute: "step database/rows",
    text: 'rows = "all"',
    observe: (text) =>
      answer(
        database({}) + step(`query = "SELECT text FROM notes WHERE name = :name"\n${text}`),
      ),
    without: { found: { text: "first" } },
    with: { found: [{ text: "first" }] },
  },
];
