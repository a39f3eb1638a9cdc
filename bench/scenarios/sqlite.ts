/** Messages that become rows, each acked after its commit is on the disk. */
import { DatabaseSync } from "node:sqlite";
import type { Tool } from "../../tests/support/toolchain.ts";
import { type Crowd, measurementOf } from "../load/crowd.ts";
import type { Bench, Contender, Contest, Measurement, Scenario } from "../scenario.ts";
import { openContest } from "./crowd-contest.ts";
import { runtimes, weir } from "./programs.ts";

const clients = 100;
const window = 32;

const data = {
  author: "client %d",
  text: "The quick brown fox jumps over the lazy dog, and 100 bytes are what a row has to hold.",
};

/** The scenario. */
export const scenario: Scenario = {
  name: "sqlite",
  title: "Message to SQLite, durable",
  about: `${clients} clients, each with at most ${window} messages outstanding. Each message ` +
    "becomes a row, and its ack comes after its commit (journal_mode WAL, synchronous FULL: the " +
    "commit has been synced). The database is in the folder for temporary files, or in that of " +
    "BENCH_FOLDER: a sync costs what its disk makes it cost. The rows are counted after each round.",
  unit: "µs CPU a committed message",
  contenders: runtimes.map((runtime) => ({ name: `weir-${runtime}`, runtime })),
  bars: runtimes.map((runtime) => ({ of: `weir-${runtime}`, figure: "rate", bound: 60_000 })),
  open,
};

function open({ runtime }: Contender, bench: Bench): Promise<Contest> {
  let rows = 0;
  return openDatabase("bench/configs/sqlite", runtime!, bench, {
    prepare: (crowd) => crowd.open(clients),
    async round(crowd, file) {
      const each = bench.quick ? 200 : 1000;
      const work = await crowd.ask({ ...messages, count: clients, each, window });
      rows += clients * each;
      checkRows(file, "messages", rows);
      return measurementOf(work);
    },
  });
}

/** Frames that become rows, and their acks. */
export const messages = {
  first: 0,
  frame: JSON.stringify({ type: "message", id: "%n", data }).replace('"%n"', "%n"),
  answer: '{"type":"ack","id":%n}',
};

/** A contest of Weir with a configuration whose database is a file of its own. */
export async function openDatabase(
  config: string,
  runtime: Tool,
  bench: Bench,
  { prepare, round }: {
    prepare(crowd: Crowd): Promise<unknown>;
    round(crowd: Crowd, file: string): Promise<Measurement>;
  },
): Promise<Contest> {
  const dir = Deno.env.get("BENCH_FOLDER");
  const folder = await Deno.makeTempDir({ prefix: "weir-bench-", ...dir ? { dir } : {} });
  const file = `${folder}/bench.db`;
  return await openContest({
    spec: weir(runtime, config, { env: { BENCH_DATABASE: file } }),
    prepare,
    round: (crowd) => round(crowd, file),
    // The server closes the file without it: Linux keeps what is open.
    also: { [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) },
  }, bench);
}

/**
 * Counts the rows of a table.
 *
 * @throws Error when there are others than expected.
 */
export function checkRows(file: string, table: string, expected: number): void {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const found = Number(database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.rows);
    if (found === expected) return;
    throw new Error(`${found} rows are in "${table}" instead of ${expected}`);
  } finally {
    database.close();
  }
}
