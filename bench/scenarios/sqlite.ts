/** Messages that become rows, each acked after its commit is on the disk. */
import { DatabaseSync } from "node:sqlite";
import { measurementOf } from "../load/crowd.ts";
import type { Bench, Contender, Contest, Scenario } from "../scenario.ts";
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

async function open({ runtime }: Contender, bench: Bench): Promise<Contest> {
  const dir = Deno.env.get("BENCH_FOLDER");
  const folder = await Deno.makeTempDir({ prefix: "weir-bench-", ...dir ? { dir } : {} });
  const file = `${folder}/bench.db`;
  const each = bench.quick ? 200 : 1000;
  let rows = 0;
  return await openContest({
    spec: weir(runtime!, "bench/configs/sqlite", { env: { BENCH_DATABASE: file } }),
    prepare: (crowd) => crowd.open(clients),
    async round(crowd) {
      const work = await crowd.ask({
        first: 0,
        count: clients,
        each,
        window,
        frame: JSON.stringify({ type: "message", id: "%n", data }).replace('"%n"', "%n"),
        answer: '{"type":"ack","id":%n}',
      });
      rows += clients * each;
      const found = countRows(file);
      if (found !== rows) throw new Error(`${found} rows are there instead of ${rows}`);
      return measurementOf(work);
    },
    // The server closes the file without it: Linux keeps what is open.
    also: { [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) },
  }, bench);
}

function countRows(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return Number(database.prepare("SELECT count(*) AS rows FROM messages").get()?.rows);
  } finally {
    database.close();
  }
}
