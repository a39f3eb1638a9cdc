/** What the command line of a run may say. */
import { parseArgs } from "node:util";
import { servers, type ServerSpec } from "./servers.ts";

/** What to run. */
export interface Options {
  /** The scenarios, in order. */
  readonly scenarios: readonly Scenario[];
  /** The servers, in order. */
  readonly servers: readonly ServerSpec[];
  /** Measurements of each server in each scenario. */
  readonly rounds: number;
  /** Messages of one measurement. */
  readonly messages: number;
  /** Members of the room. */
  readonly clients: number;
  /** The file for the numbers as JSON. */
  readonly out: string | undefined;
}

/** A way to load the servers. */
export interface Scenario {
  /** What it is called in options and tables. */
  readonly name: string;
  /** Messages that may be on their way at once. */
  readonly window: number;
}

const scenarios: readonly Scenario[] = [
  { name: "fanout-16", window: 16 },
  { name: "fanout-4", window: 4 },
  { name: "fanout-1", window: 1 },
];

/** What `--help` prints. */
export const usage: string = `deno task bench [SCENARIO…] [OPTION…]

One room, every message to every member. Scenarios, all by default: ${names(scenarios)}
(the number is how many messages may be on their way at once).

--servers NAMES   all by default: ${names(servers)}
--runtimes NAMES  the servers of these runtimes alone: deno,bun,node
--rounds N        measurements of each server, 5 by default
--messages N      messages of a measurement, 120 by default
--clients N       members of the room, 1000 by default
--quick           one round of 50 messages of fanout-16 and fanout-1
--out FILE        writes every round's numbers as JSON too
--help            prints this`;

/**
 * Reads the command line; undefined when it asks for help.
 *
 * @throws TypeError that says what is wrong with it.
 */
export function parseOptions(args: string[]): Options | undefined {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      servers: { type: "string" },
      runtimes: { type: "string" },
      rounds: { type: "string" },
      messages: { type: "string" },
      clients: { type: "string" },
      quick: { type: "boolean" },
      out: { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) return undefined;
  const quick = values.quick === true;
  const wanted = positionals.length === 0 && quick ? ["fanout-16", "fanout-1"] : positionals;
  const runtimes = values.runtimes?.split(",") ?? ["deno", "bun", "node"];
  for (const runtime of runtimes) {
    if (!servers.some((server) => server.runtime === runtime)) {
      throw new TypeError(`there is no runtime "${runtime}", only deno,bun,node`);
    }
  }
  const chosen = choose("server", servers, values.servers?.split(",") ?? [])
    .filter((server) => runtimes.includes(server.runtime));
  if (chosen.length === 0) throw new TypeError("none of the servers runs on these runtimes");
  return {
    scenarios: choose("scenario", scenarios, wanted),
    servers: chosen,
    rounds: count("rounds", values.rounds, quick ? 1 : 5),
    messages: count("messages", values.messages, quick ? 50 : 120),
    clients: count("clients", values.clients, 1000),
    out: values.out,
  };
}

/** The entries that are named, all when none is. */
function choose<T extends { readonly name: string }>(
  kind: string,
  entries: readonly T[],
  wanted: readonly string[],
): readonly T[] {
  for (const name of wanted) {
    if (!entries.some((entry) => entry.name === name)) {
      throw new TypeError(`there is no ${kind} "${name}", only ${names(entries)}`);
    }
  }
  return wanted.length === 0 ? entries : entries.filter((entry) => wanted.includes(entry.name));
}

function count(option: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new TypeError(`--${option} wants a whole number above zero, not "${text}"`);
}

function names(entries: readonly { readonly name: string }[]): string {
  return entries.map((entry) => entry.name).join(",");
}
