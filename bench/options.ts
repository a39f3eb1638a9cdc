/** The command line of a run. */
import { parseArgs } from "node:util";
import type { Contender, Scenario } from "./scenario.ts";

/** A scenario, and its contenders in this run. */
export interface Choice {
  readonly scenario: Scenario;
  readonly contenders: readonly Contender[];
}

/** What to run. */
export interface Options {
  /** In order. */
  readonly choices: readonly Choice[];
  /** Measurements of each contender. */
  readonly rounds: number;
  readonly quick: boolean;
  /** Whether the results are saved for the report. */
  readonly save: boolean;
  /** The file for the results as JSON. */
  readonly out: string | undefined;
}

const runtimes = ["deno", "bun", "node"];

/** What `--help` prints. */
export function usageOf(scenarios: readonly Scenario[]): string {
  return `deno task bench [SCENARIO…] [OPTION…]

Scenarios, all by default:
${scenarios.map(({ name, title }) => `  ${name.padEnd(18)}${title}`).join("\n")}

--contenders NAMES  only these contenders, such as weir-node,ws-node
--runtimes NAMES    only contenders on these runtimes: ${runtimes.join(",")}
--rounds N          measurements of each contender, 5 by default
--quick             shorter rounds, 2 by default: a first look
--out FILE          writes the results as JSON
--save              saves the results for the report: docs/performance/results.json
--help              prints this`;
}

/**
 * Parses the command line; undefined when it asks for help.
 *
 * @throws TypeError with what is wrong.
 */
export function parseOptions(
  args: string[],
  scenarios: readonly Scenario[],
): Options | undefined {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      contenders: { type: "string" },
      runtimes: { type: "string" },
      rounds: { type: "string" },
      quick: { type: "boolean", default: false },
      out: { type: "string" },
      save: { type: "boolean", default: false },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) return undefined;
  const { quick, save, out } = values;
  const some = values.contenders !== undefined || values.runtimes !== undefined;
  if (save && (quick || some)) {
    throw new TypeError("--save needs a whole run: remove --quick, --contenders and --runtimes");
  }
  const chosen = choose("scenario", scenarios.map(({ name }) => name), positionals);
  const from = scenarios.filter(({ name }) => chosen.includes(name));
  const named = from.flatMap(({ contenders }) => contenders.map(({ name }) => name));
  const wanted = choose("contender", [...new Set(named)], values.contenders?.split(","));
  const on = choose("runtime", runtimes, values.runtimes?.split(","));
  const takesPart = ({ name, runtime }: Contender) =>
    wanted.includes(name) &&
    (values.runtimes === undefined || runtime !== undefined && on.includes(runtime));
  const choices = from
    .map((scenario) => ({ scenario, contenders: scenario.contenders.filter(takesPart) }))
    .filter(({ contenders }) => contenders.length > 0);
  if (choices.length === 0) throw new TypeError("none of the contenders runs on these runtimes");
  return { choices, rounds: count("rounds", values.rounds, quick ? 2 : 5), quick, save, out };
}

/** The names that are asked for, or all. */
function choose(
  kind: string,
  names: readonly string[],
  wanted: readonly string[] = [],
): readonly string[] {
  for (const name of wanted) {
    if (!names.includes(name)) {
      throw new TypeError(`unknown ${kind} "${name}": use one of ${names.join(", ")}`);
    }
  }
  return wanted.length === 0 ? names : wanted;
}

function count(option: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new TypeError(`--${option} must be a positive integer, not "${text}"`);
}
