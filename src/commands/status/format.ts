/** The lines that `weir status` prints. */
import { shown, shownWords } from "../../base/shown.ts";
import type { StatusReport } from "../../server/status.ts";
import { flowFigures } from "./flows.ts";
import type { Sample } from "./samples.ts";
import { formatTable } from "./table.ts";

/** Two looks at the metrics. */
export interface Looks {
  readonly before: readonly Sample[];
  readonly after: readonly Sample[];
  /** The time from one to the other. */
  readonly seconds: number;
}

/** All lines. Without `looks` there are no figures of flows. */
export function formatStatus(report: StatusReport, looks: Looks | undefined): readonly string[] {
  return [
    ...headOf(report),
    "",
    ...formatTable(["connector", "type", "state"], connectorRows(report)),
    ...clientsOf(report),
    ...flowsOf(report, looks),
    ...workersOf(report),
  ];
}

function headOf(report: StatusReport): readonly string[] {
  const { service: { name, version }, weir, runtime, uptime_seconds, state } = report;
  const title = name === undefined ? "weir" : version === undefined ? name : `${name} ${version}`;
  return [
    `${shown(title)}: ${shown(state.replaceAll("_", " "))}`,
    ...report.reasons.map((reason) => `  ${shownWords(reason)}`),
    `weir ${shown(weir)} on ${shown(runtime)}, up ${formatTime(uptime_seconds)}, ` +
    `flows in flight: ${report.flows_in_flight}`,
  ];
}

function connectorRows({ connectors }: StatusReport): readonly (readonly string[])[] {
  return connectors.map(({ name, type, ready, reason = "" }) => [
    shown(name),
    shown(type),
    ready ? "ready" : `not ready: ${shownWords(reason)}`,
  ]);
}

/** The connectors that clients connect to. */
function clientsOf({ counts }: StatusReport): readonly string[] {
  const rows = Object.entries(counts).flatMap(([name, { connections, rooms = 0, users = 0 }]) =>
    connections === undefined ? [] : [[shown(name), connections, rooms, users]]
  );
  if (rows.length === 0) return [];
  return ["", ...formatTable(["clients of", "connections", "rooms", "users"], rows)];
}

function flowsOf({ flows }: StatusReport, looks: Looks | undefined): readonly string[] {
  if (looks === undefined || flows.length === 0) return [];
  const rows = flowFigures(flows, looks.before, looks.after, looks.seconds)
    .map(({ flow, events, rate, failures }) => {
      const parts = Object.entries(failures).map(([outcome, count]) => `${count} ${outcome}`);
      return [shown(flow), events, Number(rate.toFixed(1)), parts.map(shown).join(", ")];
    });
  return ["", ...formatTable(["flow", "events", "per second", "failures"], rows)];
}

function workersOf({ workers }: StatusReport): readonly string[] {
  if (workers === undefined) return [];
  const rows = workers.map(({ worker, running, restarts }) => [
    worker,
    running ? "running" : "not running",
    restarts,
  ]);
  return ["", ...formatTable(["worker", "state", "restarts"], rows)];
}

/** The two largest units, such as `1 h 3 min`. */
function formatTime(seconds: number): string {
  const units: readonly (readonly [string, number])[] = [
    ["d", Math.floor(seconds / 86_400)],
    ["h", Math.floor(seconds / 3_600) % 24],
    ["min", Math.floor(seconds / 60) % 60],
    ["s", seconds % 60],
  ];
  const first = units.findIndex(([, amount]) => amount > 0);
  const shownUnits = first < 0 ? units.slice(-1) : units.slice(first, first + 2);
  return shownUnits.map(([unit, amount]) => `${amount} ${unit}`).join(" ");
}
