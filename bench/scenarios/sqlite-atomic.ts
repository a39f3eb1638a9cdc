/** Messages that become two rows each: with two commits, or in one transaction. */
import { type Crowd, measurementOf } from "../load/crowd.ts";
import { paced, paceOf } from "../pace.ts";
import type { Bench, Contender, Contest, Scenario } from "../scenario.ts";
import { runtimes } from "./programs.ts";
import { checkRows, messages, openDatabase } from "./sqlite.ts";

/** What a transaction may cost, compared with two inserts that are not one. */
const BOUND = 1.3;

/** With one message in flight, and with one of each of 64 clients. */
export const scenarios: readonly Scenario[] = [scenario(1), scenario(64)];

function scenario(clients: number): Scenario {
  return {
    name: `sqlite-atomic-${clients}`,
    title: `Two rows in one transaction, ${clients} in flight`,
    about: `${clients === 1 ? "One client" : `${clients} clients`}, each with one message ` +
      "outstanding. Each message becomes two rows. Without a transaction the second one waits for " +
      "the commit of the first one; with `atomic = true` both share a commit. The rows are counted " +
      "after each round. `BENCH_FOLDER` as for `sqlite`.",
    unit: "µs CPU a committed message",
    contenders: runtimes.flatMap((runtime) =>
      ["plain", "atomic"].map((flow) => ({ name: `${flow}-${runtime}`, runtime }))
    ),
    bars: runtimes.map((runtime) => ({
      of: `atomic-${runtime}`,
      against: `plain-${runtime}`,
      figure: "growth",
      bound: BOUND,
    })),
    open: (contender, bench) => open(contender, bench, clients),
  };
}

function open({ name, runtime }: Contender, bench: Bench, clients: number): Promise<Contest> {
  const [flow] = name.split("-");
  let rows = 0;
  let measure: (() => ReturnType<Crowd["ask"]>) | undefined;
  return openDatabase("bench/configs/sqlite-atomic", runtime!, bench, {
    prepare: (crowd) => crowd.open(clients, `/${flow}`),
    async round(crowd, file) {
      const work = (each: number) => {
        rows += clients * each;
        return crowd.ask({ ...messages, count: clients, each, window: 1 });
      };
      measure ??= paced(work, paceOf(bench), 2);
      const measurement = measurementOf(await measure());
      for (const table of ["orders", "events"]) checkRows(file, table, rows);
      return measurement;
    },
  });
}
