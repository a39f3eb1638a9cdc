/** PostgreSQL and MariaDB: messages that become rows, and questions that rows answer. */
import { type Crowd, measurementOf } from "../load/crowd.ts";
import { paced, paceOf } from "../pace.ts";
import type { Bench, Contender, Contest, Scenario } from "../scenario.ts";
import { openContest } from "./crowd-contest.ts";
import { openServer, type TestDatabase } from "./database-servers.ts";
import { baseline, runtimes, weir } from "./programs.ts";
import { messages } from "./sqlite.ts";

/** What is asked of the server, and what Weir must reach beside the library alone. */
interface Work {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly server: "postgres" | "mariadb";
  readonly clients: number;
  readonly frame: string;
  readonly answer: string;
  /** The rate of Weir divided by the rate of the library. */
  readonly bound: number;
  /** True where each message becomes a row. */
  readonly writes: boolean;
}

const durable = "Its ack comes after its commit, which has been synced. The loop inserts each " +
  "message by itself, over a pool of 10 connections of the library that Weir uses. The server runs " +
  "on whatever core is free. The rows are counted after each round.";

const works: readonly Work[] = [
  {
    ...durableWork("postgres"),
    title: "Message to PostgreSQL, durable",
    about:
      `100 clients, each with one message outstanding (\`synchronous_commit = on\`). ${durable}`,
    bound: 5,
  },
  {
    ...durableWork("mariadb"),
    title: "Message to MariaDB, durable",
    about: `100 clients, each with one message outstanding (InnoDB as installed). ${durable}`,
    bound: 4,
  },
  {
    name: "postgres-query",
    title: "A row of PostgreSQL for each question",
    about: "50 clients, each with one question outstanding. A step selects a row by its key, and " +
      "the response has two of its columns. The loop does the same by hand, over a pool of 10.",
    server: "postgres",
    clients: 50,
    frame: '{"type":"read","id":%n,"data":{"id":711}}',
    answer: '{"type":"ack","id":%n,"data":{"name":"item 711","price":2133}}',
    bound: 0.8,
    writes: false,
  },
];

function durableWork(server: Work["server"]) {
  const { frame, answer } = messages;
  return { name: server, server, clients: 100, frame, answer, writes: true };
}

/** Each on all runtimes, beside the library alone. */
export const scenarios: readonly Scenario[] = works.map((work) => ({
  name: work.name,
  title: work.title,
  about: work.about,
  unit: work.writes ? "µs CPU a committed message" : "µs CPU an answer",
  contenders: runtimes.flatMap((runtime) =>
    ["pool", "weir"].map((kind) => ({ name: `${kind}-${runtime}`, runtime }))
  ),
  bars: runtimes.map((runtime) => ({
    of: `weir-${runtime}`,
    against: `pool-${runtime}`,
    figure: "rate",
    bound: work.bound,
  })),
  open: (contender, bench) => open(work, contender, bench),
}));

async function open(
  { server, clients, frame, answer, writes }: Work,
  { name, runtime }: Contender,
  bench: Bench,
): Promise<Contest> {
  const database = await openServer(server);
  const env = { BENCH_URL: database.url };
  const isWeir = name.startsWith("weir-");
  // The loop needs the tables, too.
  if (!isWeir) await database.migrate(`bench/configs/${server}/migrations/1.sql`);
  const spec = isWeir
    ? weir(runtime!, `bench/configs/${server}`, { env })
    : baseline(runtime!, `${runtime}-answers.ts`, { env: { ...env, BENCH_ANSWERS: "database" } });
  let rows = 0;
  let measure: (() => ReturnType<Crowd["ask"]>) | undefined;
  return await openContest({
    spec,
    prepare: (crowd) => crowd.open(clients),
    async round(crowd) {
      const work = (each: number) => {
        rows += clients * each;
        return crowd.ask({ first: 0, count: clients, each, window: 1, frame, answer });
      };
      measure ??= paced(work, paceOf(bench), 2);
      const measurement = measurementOf(await measure());
      if (writes) await checkRows(database, rows);
      return measurement;
    },
    also: database,
  }, bench);
}

/** @throws Error when the table has others than the rows that were acked. */
async function checkRows(database: TestDatabase, expected: number): Promise<void> {
  const found = await database.count("messages");
  if (found !== expected) throw new Error(`${found} rows are there instead of ${expected}`);
}
