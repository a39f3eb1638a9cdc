/** The page of the comparison, from its text and the results. */
import { table } from "../tables.ts";
import type { CaseFindings } from "./cases/mod.ts";
import type { Numbered } from "./cases/numbered.ts";
import type { Request } from "./cases/request.ts";
import { libraries, type OfEach, titles } from "./libraries/mod.ts";
import { countLines } from "./lines.ts";
import type { Results } from "./results.ts";

/** What a cell says of a library's finding; a dash where it has none. */
type Cell<F> = (finding: NonNullable<F>) => string;

/** One row of the table of cases. */
interface Row<N extends keyof CaseFindings = keyof CaseFindings> {
  readonly title: string;
  readonly name: N;
  readonly cell: Cell<CaseFindings[N]["weir"]>;
  /** The stand-in for Centrifugo decides what happens. */
  readonly starred?: boolean;
}

/** A row, with the type of its finding. */
function row<N extends keyof CaseFindings>(
  title: string,
  name: N,
  cell: Cell<CaseFindings[N]["weir"]>,
  starred = false,
): Row {
  return { title, name, cell, starred } as unknown as Row;
}

const ROWS: readonly Row[] = [
  row("Connection cut: messages lost, doubled", "cut", missing, true),
  row("Connection cut: back after", "cut", ({ back }) => seconds(back)),
  row("Stalled: noticed after", "stall", ({ noticed }) => seconds(noticed)),
  row(
    "Server restarted: the chat is told to load anew",
    "restart",
    ({ told, rounds }) => `${told} of ${rounds} times`,
    true,
  ),
  row("Server restarted: messages lost, doubled", "restart", missing, true),
  row("Server restarted: back after", "restart", ({ back }) => seconds(back)),
  row("Laptop asleep for 90 s: messages lost, doubled", "sleep", missing, true),
  row("Laptop asleep for 90 s: all is shown after", "sleep", ({ back }) => seconds(back)),
  row("A request whose answer is lost", "request", requestText),
  row("The same, repeated by the library", "repeated", requestText),
  row("The same, and the server leaves out repetitions", "deduped", requestText),
  row("1000 requests through nine cuts", "numbered", numberedText),
  row("The same, and the server leaves out repetitions", "numberedDeduped", numberedText),
  row(
    "Token refused: the script is told",
    "token",
    ({ reason, over }) => `\`${reason}\`; ${over ? "stops" : "tries again"}`,
  ),
  row(
    "Captive portal",
    "portal",
    ({ requests, over, back }) =>
      over ? "stops" : `tries again; ${requests} requests; back after ${seconds(back)}`,
  ),
  row(
    "1000 clients: largest share of attempts in 200 ms",
    "storm",
    ({ share }) => `${Math.round(share * 100)} %`,
  ),
  row("1000 clients: all back after", "storm", ({ back }) => seconds(back)),
];

/** The page, as Markdown. */
export function pageOf(text: string, results: Results, chats: OfEach<string>): string {
  const parts: Readonly<Record<string, string>> = {
    environment: environmentOf(results),
    sizes: sizesOf(results),
    chats: chatsOf(chats),
    cases: casesOf(results),
  };
  return text.replaceAll(/^<!-- (\w+) -->$/gm, (_, name: string) => {
    if (!Object.hasOwn(parts, name)) throw new Error(`comparison.md has an unknown part: ${name}`);
    return parts[name];
  });
}

function environmentOf({ date, environment, versions }: Results): string {
  const packages = Object.entries(versions).map((each) => each.join(" ")).join(", ");
  const { machine, system, node, commit, load } = environment;
  return `Measured on ${date}: ${packages}, Weir at commit ${commit}; Node ${node}, ${machine}, ${system}, load average ${
    load.toFixed(0)
  }.`;
}

function sizesOf({ sizes }: Results): string {
  const cells = (name: string, cell: (library: typeof libraries[number]) => string) => [
    name,
    ...libraries.map(cell),
  ];
  return table(["", ...headings()], [
    cells("minified and gzipped", (each) => `${kilobytes(sizes[each].gzipped)}`),
    cells("minified", (each) => `${kilobytes(sizes[each].minified)}`),
    cells("packages that it needs", (each) => String(sizes[each].installed)),
    cells("of these, packages in the bundle", (each) => String(sizes[each].bundled)),
  ]);
}

function chatsOf(chats: OfEach<string>): string {
  const counts = table(["", ...headings()], [
    ["lines", ...libraries.map((library) => String(countLines(chats[library])))],
  ]);
  // The comments at the top say what the titles say.
  const codes = libraries.map((library) => {
    const code = chats[library].replace(/^\/\*\*.*?\*\/\n/s, "").replace(
      /^\/\/ @ts-ignore.*\n/m,
      "",
    );
    const published = code.replace("../../../src/client/mod.ts", "@weir/runtime/client");
    return `### ${titles[library]}\n\n\`\`\`js\n${published.trim()}\n\`\`\``;
  });
  return [counts, ...codes].join("\n\n");
}

function casesOf({ cases }: Results): string {
  const rows = ROWS.map(({ title, name, cell, starred }) => [
    title,
    ...libraries.map((library) => {
      const finding = cases[name][library];
      const text = finding === undefined ? "–" : (cell as Cell<unknown>)(finding);
      return starred && library === "centrifuge" ? `${text} *` : text;
    }),
  ]);
  return table(["", ...headings()], rows.map((cells) => cells.map(escaped)));
}

function headings(): readonly string[] {
  return libraries.map((library) => titles[library]);
}

function missing({ lost, doubled }: { readonly lost: number; readonly doubled: number }): string {
  return `${lost}, ${doubled}`;
}

function requestText({ outcome, served }: Request): string {
  const times = served === 1 ? "once" : served === 2 ? "twice" : `${served} times`;
  return `${outcome === "answered" ? "answered" : `rejected: \`${outcome}\``}; served ${times}`;
}

function numberedText({ answered, rejected, lost, doubled, took }: Numbered): string {
  const parts = [
    `${answered} answered`,
    ...rejected > 0 ? [`${rejected} rejected`] : [],
    `${lost} not served`,
    `${doubled} served twice`,
  ];
  return `${parts.join(", ")}; ${seconds(took)}`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}

function escaped(text: string): string {
  return text.replaceAll("|", "\\|").replace(/ \*$/, " \\*");
}
