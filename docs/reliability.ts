/**
 * Writes docs/reliability.md from the reports of the fault tests:
 * `deno run -A docs/reliability.ts FOLDER [--check]`, where FOLDER holds a JUnit report for each test
 * file, as `RUNTIME/FILE.xml`. With `--check` it writes nothing and fails where the table is stale:
 * where an entry has no row, a row no entry, or a result has changed.
 */
import { parseReport, type TestCase } from "../tests/runner/junit.ts";
import { formatted, keepFile } from "./formatted.ts";

const INTRODUCTION = `# Reliability

Generated from the results of the tests in [tests/faults](../tests/faults). Every row is a test that runs
on every runtime, against a server in a process of its own. A test fails where that process ends by itself
or writes an uncaught error. Where the server outlives the fault, other clients use it at the same time:
they must get every message once and in order, a client that loses something must be able to see it, and
connections, timers and descriptors must return to where they were.

*Embedded Deno* is \`Deno.upgradeWebSocket\` in your own server. It can do less than the others, and
there a test demands the weaker result that is documented. A dash means that the row does not apply, or
that another column covers it.`;

/** The sections, in their order, and what each is about. */
const SECTIONS: Readonly<Record<string, string>> = {
  Handshake: "What may go wrong before a connection is open.",
  Frames: "What a client may do to the framing.",
  Compression: "What a client that negotiated compression may send.",
  HTTP: "What a client may do with HTTP requests that are not handshakes.",
  Messages: "What a client may say.",
  Expressions: "The most expensive input for each function, macro, format and pattern.",
  Peers: "What happens to clients that are slow, silent or gone.",
  Downstream:
    "What happens when databases, brokers and APIs fail: SQLite, PostgreSQL, MariaDB, RabbitMQ, Redis, NATS, MQTT, APIs by HTTP, and REST in front of them.",
  Rooms:
    "What comes of the history and the members of rooms where clients are cut and processes die.",
  Client: "What comes of the client library where networks and servers fail.",
  Workers: "What may happen between the processes of one service.",
  Configuration: "What a configuration, the files that it names and the cache may hold.",
  Process: "What may happen to the process itself.",
  Attacker: "What an attacker may try.",
};

/** The columns; a runtime's own server stands for it. */
const COLUMNS = ["Node", "Deno", "Bun", "embedded Deno"] as const;
type Column = typeof COLUMNS[number];

const served: Readonly<Record<string, Column>> = { node: "Node", deno: "Deno", bun: "Bun" };

/** One test's result on one way to serve. */
interface Result {
  readonly section: string;
  readonly entry: string;
  readonly column: Column;
  readonly result: TestCase["result"];
}

/** Files that are not named after their section. */
const SECTION_OF: Readonly<Record<string, string>> = {
  blocked: "Peers",
  database: "Downstream",
  http: "HTTP",
  killed: "Downstream",
  slow: "Peers",
};

/** A test is named `HOST: entry`; the first word of its file is the section. */
export function resultOf(runtime: string, file: string, { name, result }: TestCase): Result {
  const pattern = /^(?:(node|deno|bun) (serve|embedded): )?(.*)$/;
  // Node's reporter escapes a quote twice.
  const [, host, way, entry = name] = pattern.exec(name.replaceAll("&quot;", '"')) ?? [];
  const [word] = file.split(/[.-]/);
  return {
    section: SECTION_OF[word] ?? word.slice(0, 1).toUpperCase() + word.slice(1),
    entry,
    column: way === "embedded" ? "embedded Deno" : served[host ?? runtime],
    result,
  };
}

/** The page for these results. */
export function pageOf(results: readonly Result[]): string {
  const sections = Map.groupBy(results, ({ section }) => section);
  const parts = Object.entries(SECTIONS).flatMap(([name, about]) => {
    const found = sections.get(name);
    return found === undefined ? [] : [`## ${name}`, about, table(found)];
  });
  // Tables of cases and soaks are no entries: what counts of them is how many there are.
  const others = [...sections].filter(([name]) => !Object.hasOwn(SECTIONS, name)).sort();
  if (others.length > 0) {
    const rows = others.map(([name, found]) => row(name, (column) => sum(found, column)));
    parts.push("## Tables of cases", [...head("tests"), ...rows].join("\n"));
  }
  return `${[INTRODUCTION, ...parts].join("\n\n")}\n`;
}

function table(results: readonly Result[]): string {
  const entries = Map.groupBy(results, ({ entry }) => entry);
  const rows = [...entries].sort(([a], [b]) => a < b ? -1 : 1).map(([entry, found]) =>
    row(entry, (column) => word(found.filter((result) => result.column === column)))
  );
  return [...head("what happens → result"), ...rows].join("\n");
}

function head(first: string): readonly string[] {
  return [`| ${[first, ...COLUMNS].join(" | ")} |`, `| --- |${" --- |".repeat(COLUMNS.length)}`];
}

function row(entry: string, cell: (column: Column) => string): string {
  const escaped = entry.replaceAll("|", "\\|").replaceAll("<", "\\<").replaceAll("_", "\\_");
  return `| ${[escaped, ...COLUMNS.map(cell)].join(" | ")} |`;
}

function word(results: readonly Result[]): string {
  if (results.length === 0) return "–";
  const worst = ["failed", "skipped"].find((bad) => results.some(({ result }) => result === bad));
  return worst ?? "good";
}

function sum(results: readonly Result[], column: Column): string {
  const own = results.filter((result) => result.column === column);
  const good = own.filter(({ result }) => result === "passed").length;
  return own.length === 0 ? "–" : `${good} of ${own.length}`;
}

/** The results in all reports of a folder. */
async function readReports(folder: string): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const runtime of Object.keys(served)) {
    for await (const { name } of Deno.readDir(`${folder}/${runtime}`)) {
      if (!name.endsWith(".xml")) continue;
      const cases = parseReport(await Deno.readTextFile(`${folder}/${runtime}/${name}`));
      const file = name.replace(/(\.test\.ts)?\.xml$/, "");
      // Node reports a file with a failure outside of its tests as a test of its name.
      const tests = cases.filter((test) => !test.name.endsWith(".test.ts"));
      results.push(...tests.map((test) => resultOf(runtime, file, test)));
    }
  }
  return results;
}

if (import.meta.main) {
  const [folder] = Deno.args.filter((argument) => !argument.startsWith("--"));
  if (folder === undefined) {
    console.error("which folder of reports? deno run -A docs/reliability.ts FOLDER [--check]");
    Deno.exit(2);
  }
  const page = await formatted(pageOf(await readReports(folder)), "md");
  await keepFile(new URL("reliability.md", import.meta.url), page, "docs/reliability.md");
}
