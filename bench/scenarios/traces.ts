/** What traces cost: Weir with an SDK that gets one trace in a hundred, beside Weir without one. */
import { fileURLToPath } from "node:url";
import type { Tool } from "../../tests/support/toolchain.ts";
import type { Bar, Contender, Scenario } from "../scenario.ts";
import type { ServerSpec } from "../servers.ts";
import { fresh } from "./fresh.ts";
import { runtimes, weir } from "./programs.ts";
import { openQuestions } from "./requests.ts";
import { openRoom } from "./room.ts";

const members = 1000;
const clients = 100;

const sdk = fileURLToPath(new URL("../sdk.ts", import.meta.url));

/** What turns traces on: Deno's own SDK, or one that is loaded before Weir. */
const traced: Readonly<Record<Tool, Readonly<Record<string, string>>>> = {
  deno: {
    OTEL_DENO: "true",
    // Nothing listens there: metrics and logs are not what is measured.
    OTEL_METRICS_EXPORTER: "none",
    OTEL_LOGS_EXPORTER: "none",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
  },
  bun: { BUN_OPTIONS: `--preload=${sdk}` },
  node: { NODE_OPTIONS: `--import=${sdk}` },
};

/** Weir on each runtime, without and with traces. */
const participants: readonly (Contender & { readonly env: ServerSpec["env"] })[] = runtimes
  .flatMap((runtime) => [
    { name: `plain-${runtime}`, runtime, env: {} },
    { name: `traced-${runtime}`, runtime, env: traced[runtime] },
  ]);

const bars: readonly Bar[] = runtimes.map((runtime) => ({
  of: `traced-${runtime}`,
  against: `plain-${runtime}`,
  figure: "efficiency",
  bound: 0.95,
}));

/** The program of a contender, with a configuration of this folder. */
function specOf({ name }: Contender, config: string): ServerSpec {
  const { runtime, env } = participants.find((each) => each.name === name)!;
  return weir(runtime as Tool, config, { env: { ...env, BENCH_TRACE_RATIO: "0.01" } });
}

/** Fan-out, and requests. */
export const scenarios: readonly Scenario[] = [
  {
    name: "traces-fanout",
    title: "Traces: fan-out to a room",
    about:
      `The scenario fanout-16, a room of ${members}, by Weir without traces and with an SDK that ` +
      "gets one trace in a hundred (trace_ratio = 0.01) and drops its spans. Each round starts a " +
      "server of its own.",
    unit: "µs CPU a delivery",
    contenders: participants,
    bars,
    open: (contender, bench) =>
      Promise.resolve(
        fresh(() =>
          openRoom({ spec: specOf(contender, "bench/fanout"), members, window: 16 }, bench)
        ),
      ),
  },
  {
    name: "traces-requests",
    title: "Traces: request and response",
    about: `The scenario requests-8, ${clients} clients, by the same.`,
    unit: "µs CPU an answer",
    contenders: participants,
    bars,
    open: (contender, bench) =>
      Promise.resolve(
        fresh(() =>
          openQuestions({ spec: specOf(contender, "bench/configs/requests"), window: 8 }, bench)
        ),
      ),
  },
];
