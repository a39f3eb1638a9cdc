/** What metrics cost: Weir with them, Weir without, and Weir as it was before it had any. */
import { fileURLToPath } from "node:url";
import type { Tool } from "../../tests/support/toolchain.ts";
import { checkout, folderOf, missingCommit } from "../checkout.ts";
import type { Bar, Bench, Contender, Contest, Scenario } from "../scenario.ts";
import type { ServerSpec } from "../servers.ts";
import { fresh } from "./fresh.ts";
import { runtimes, weir } from "./programs.ts";
import { openQuestions } from "./requests.ts";
import { openRoom } from "./room.ts";

const members = 1000;
const clients = 100;

/** The last commit in which a flow could not be watched. */
const before = "dca7fdcdd7";

type Kind = "before" | "off" | "on";

const participants = runtimes.flatMap((runtime) =>
  (["before", "off", "on"] as const).map((kind) => ({
    name: `${kind}-${runtime}`,
    runtime,
    kind,
    ...kind === "before" ? { missing: () => missingCommit(before) } : {},
  }))
);

const bars: readonly Bar[] = runtimes.flatMap((runtime): Bar[] => [
  { of: `on-${runtime}`, against: `off-${runtime}`, figure: "efficiency", bound: 0.97 },
  { of: `off-${runtime}`, against: `before-${runtime}`, figure: "efficiency", bound: 0.99 },
]);

/** Weir with a configuration of this folder. Metrics are on where it has an admin port. */
const specs: Readonly<Record<Kind, (runtime: Tool, config: string) => ServerSpec>> = {
  before: (runtime, config) => ({
    ...weir(runtime, `${folderOf(before)}/${config}`, { root: `${folderOf(before)}/` }),
    build: () => checkout(before),
  }),
  off: (runtime, config) => weir(runtime, config),
  on(runtime, config) {
    const file = fileURLToPath(new URL(`../../${config}`, import.meta.url));
    const text = Deno.readTextFileSync(file);
    const files = { "weir.hcl": text.replace("service {", "service {\n  admin_port = 0") };
    return { ...weir(runtime, "{folder}"), files: () => files };
  },
};

function open(
  { name }: Contender,
  config: string,
  contest: (spec: ServerSpec) => Promise<Contest>,
): Promise<Contest> {
  const { runtime, kind } = participants.find((each) => each.name === name)!;
  return Promise.resolve(fresh(() => contest(specs[kind](runtime, config))));
}

const whom =
  "by Weir with metrics (it has an admin port, and nothing asks it), without, and by the " +
  `last version that could not have any (commit ${before}). Each round starts a server of its own`;

/** Fan-out, and requests. */
export const scenarios: readonly Scenario[] = [
  {
    name: "metrics-fanout",
    title: "Metrics: fan-out to a room",
    about: `The scenario fanout-16, a room of ${members}, ${whom}.`,
    unit: "µs CPU a delivery",
    contenders: participants,
    bars,
    open: (contender, bench: Bench) =>
      open(
        contender,
        "bench/fanout/fanout.hcl",
        (spec) => openRoom({ spec, members, window: 16 }, bench),
      ),
  },
  {
    name: "metrics-requests",
    title: "Metrics: request and response",
    about: `The scenario requests-8, ${clients} clients, ${whom}.`,
    unit: "µs CPU an answer",
    contenders: participants,
    bars,
    open: (contender, bench: Bench) =>
      open(
        contender,
        "bench/configs/requests/requests.hcl",
        (spec) => openQuestions({ spec, window: 8 }, bench),
      ),
  },
];
