/** Rows that another program inserts into PostgreSQL, on their way to a client. */
import pg from "pg";
import { PostgresServer } from "../../tests/support/postgres.ts";
import type { Bench, Contender, Contest, Measurement, Scenario } from "../scenario.ts";
import { Server } from "../servers.ts";
import { runtimes, weir } from "./programs.ts";

/** Rows a second, and rows of one commit. */
const RATE = 2000;
const ROWS = 20;

/** How long a round may take to deliver what was inserted, in milliseconds. */
const PATIENCE = 10_000;

/** Bars of the median, in milliseconds, and of the rate, in changes a second. */
const MEDIAN = 20;
const KEPT_UP = 0.95 * RATE;

/** The scenario. */
export const scenario: Scenario = {
  name: "changes",
  title: "A change of a row to a client",
  about:
    `Another program inserts ${RATE} rows a second, in commits of ${ROWS}. Weir reads them from ` +
    "its logical replication slot and broadcasts them. The time is that from the end of the commit " +
    "to the frame; the rate is that at which the rows arrive, until the last one. PostgreSQL runs " +
    "on whatever core is free.",
  unit: "µs CPU a change",
  contenders: runtimes.map((runtime) => ({ name: `weir-${runtime}`, runtime })),
  bars: runtimes.flatMap((runtime) => [
    { of: `weir-${runtime}`, figure: "p50" as const, bound: MEDIAN },
    { of: `weir-${runtime}`, figure: "rate" as const, bound: KEPT_UP },
  ]),
  open,
};

async function open({ runtime }: Contender, bench: Bench): Promise<Contest> {
  await using stack = new AsyncDisposableStack();
  const database = await PostgresServer.open({ fsync: true });
  stack.defer(() => database.end());
  const env = { BENCH_URL: database.url(), BENCH_SLOT: `weir_bench_${runtime}` };
  const spec = weir(runtime!, "bench/configs/changes", { env });
  const server = stack.use(await Server.start(spec, bench.tools, bench.pinning));
  const client = new pg.Client({ connectionString: database.url() });
  await client.connect();
  stack.defer(() => client.end());
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws`);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  stack.defer(() => socket.close());
  const seconds = bench.quick ? 2 : 5;
  const running = stack.move();
  return {
    measure: () => measure(server, client, socket, seconds),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Inserts for some seconds, and waits for every row. */
async function measure(
  server: Server,
  client: pg.Client,
  socket: WebSocket,
  seconds: number,
): Promise<Measurement> {
  const rows = RATE * seconds;
  const committed = new Map<number, number>();
  const arrived: [price: number, at: number][] = [];
  const all = Promise.withResolvers<void>();
  socket.onmessage = ({ data }) => {
    arrived.push([JSON.parse(data).data.price, performance.now()]);
    if (arrived.length === rows) all.resolve();
  };
  const cpu = await server.cpu();
  const began = performance.now();
  for (let first = 0; first < rows; first += ROWS) {
    const due = began + first * 1000 / RATE;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    const insert =
      "INSERT INTO prices (item, price) SELECT 'item ' || n, n FROM generate_series($1::int, $2) AS n";
    await client.query(insert, [first, first + ROWS - 1]);
    const now = performance.now();
    for (let n = first; n < first + ROWS; n++) committed.set(n, now);
  }
  const late = setTimeout(
    () => all.reject(new Error(`${arrived.length} of ${rows} rows have arrived`)),
    PATIENCE,
  );
  await all.promise.finally(() => clearTimeout(late));
  const ended = performance.now();
  // A frame may be faster than the answer to the commit.
  const waits = arrived.map(([price, at]) => Math.max(0, at - committed.get(price)!))
    .sort((a, b) => a - b);
  if (arrived.some(([price], index) => price !== index)) {
    throw new Error("the rows came in another order");
  }
  return {
    cost: (await server.cpu() - cpu) * 1e6 / rows,
    rate: rows * 1000 / (ended - began),
    p50: waits[rows >> 1],
    p99: waits[Math.floor(rows * 0.99)],
  };
}
