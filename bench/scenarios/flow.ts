/** The cost of a flow that filters, validates, transforms and answers, and of a plain echo flow. */
import { type Crowd, measurementOf } from "../load/crowd.ts";
import { paced, paceOf } from "../pace.ts";
import type { Bench, Contender, Contest, Scenario } from "../scenario.ts";
import { openContest } from "./crowd-contest.ts";
import { runtimes, weir } from "./programs.ts";

const clients = 50;
const window = 8;

const data = '{"id":4711,"customer":" Ada Lovelace ","quantity":3,"price":9.5}';

/** A flow that gets the question, and the expected answer. */
interface Flow {
  readonly path: string;
  readonly result: string;
}

const flows: Readonly<Record<string, Flow>> = {
  echo: { path: "/echo", result: `{"data":${data}}` },
  full: {
    path: "/full?user_id=u%d",
    result: '{"id":4711,"customer":"Ada Lovelace","total":28.5,"note":"none","by":"u%d"}',
  },
};

/** Both flows on each runtime. */
export const scenario: Scenario = {
  name: "flow",
  title: "A whole flow and an echo flow",
  about:
    `${clients} clients, each with ${window} questions outstanding. The echo flow answers with ` +
    "the data that it received; the full flow filters it, validates it by a type, and answers with five " +
    "fields that it makes of it.",
  unit: "µs CPU an answer",
  contenders: runtimes.flatMap((runtime) =>
    Object.keys(flows).map((flow) => ({ name: `${flow}-${runtime}`, runtime }))
  ),
  bars: [],
  open,
};

function open({ name, runtime }: Contender, bench: Bench): Promise<Contest> {
  const { path, result } = flows[name.split("-")[0]];
  const questions = {
    first: 0,
    count: clients,
    window,
    frame: `{"type":"message","id":%n,"data":${data}}`,
    answer: `{"type":"ack","id":%n,"data":${result}}`,
  };
  let measure: (() => ReturnType<Crowd["ask"]>) | undefined;
  return openContest({
    spec: weir(runtime!, "bench/flow"),
    prepare: (crowd) => crowd.open(clients, path),
    async round(crowd) {
      const work = (each: number) => crowd.ask({ ...questions, each });
      measure ??= paced(work, paceOf(bench), 2 * window);
      return measurementOf(await measure());
    },
  }, bench);
}
