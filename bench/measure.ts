/** Measures a scenario: opens and warms up all contenders, then measures them in turn. */
import { figuresOf, type ScenarioResult } from "./results.ts";
import type { Bench, Contender, Contest, Measurement, Scenario } from "./scenario.ts";
import { endServers } from "./servers.ts";

/** The result of a run of a scenario. */
export interface Run {
  readonly contenders: ScenarioResult["contenders"];
  /** Why contenders have no result: not installed, or failed. */
  readonly leftOut: readonly string[];
  readonly failures: readonly string[];
}

/** How a scenario is run. */
export interface RunOptions {
  readonly contenders: readonly Contender[];
  readonly rounds: number;
  /** Receives a line of progress. */
  readonly log: (text: string) => void;
}

interface Entry {
  readonly contender: Contender;
  readonly contest: Contest;
  readonly rounds: Measurement[];
}

const open = new Set<AsyncDisposableStack>();
let ending = false;

/** Ends everything that was opened, before this process ends. */
export async function endContests(): Promise<void> {
  ending = true;
  await Promise.allSettled([...open].map((stack) => stack.disposeAsync()));
  await endServers();
}

/** Runs a scenario. A contender that fails is dropped, and the others continue. */
export async function runScenario(
  scenario: Scenario,
  bench: Bench,
  { contenders, rounds, log }: RunOptions,
): Promise<Run> {
  const leftOut: string[] = [];
  const failures: string[] = [];
  const entries = new Map<string, Entry>();
  await using stack = new AsyncDisposableStack();
  open.add(stack);
  stack.defer(() => void open.delete(stack));
  const attempt = async (name: string, action: () => Promise<void>) => {
    try {
      await action();
    } catch (error) {
      // Failures while everything ends are expected: they are not reported.
      if (ending) await new Promise(() => {});
      failures.push(`${scenario.name}: ${name} failed: ${(error as Error).message}`);
      entries.delete(name);
    }
  };
  for (const contender of contenders) {
    const { name } = contender;
    const missing = await contender.missing?.();
    if (missing !== undefined) {
      leftOut.push(`${name} is left out: ${missing}`);
      continue;
    }
    log(`${scenario.name}: ${name} starts`);
    await attempt(name, async () => {
      const contest = stack.use(await scenario.open(contender, bench));
      // The first is the warm-up.
      await contest.measure();
      entries.set(name, { contender, contest, rounds: [] });
    });
  }
  for (let round = 1; round <= rounds; round++) {
    const measured = [...entries].map(([name, entry]) => () => {
      log(`${scenario.name}: round ${round} of ${rounds}, ${name}`);
      return attempt(name, async () => void entry.rounds.push(await entry.contest.measure()));
    });
    if (scenario.together) await Promise.all(measured.map((measure) => measure()));
    else for (const measure of measured) await measure();
  }
  const results = [...entries].map(([name, entry]) => [name, figuresOf(entry.rounds)] as const);
  return { contenders: Object.fromEntries(results), leftOut, failures };
}
