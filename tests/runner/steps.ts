/** Runs the steps of a test run side by side and reports how each of them ended. */

import { Interrupted } from "./process.ts";

/** A test or a command that failed. */
export interface Failure {
  readonly name: string;
  /** Why: what the test report says, or the last lines that the command wrote. */
  readonly text: string;
}

/** The result of one part of a step, or of a whole step. */
export interface StepResult {
  readonly passed: number;
  readonly failures: readonly Failure[];
  /** One line for each test that was skipped: its name and the reason. */
  readonly skipped: readonly string[];
  /** All that the commands wrote; shown where something failed. */
  readonly output: string;
}

/** A piece of work that a lane runs, such as one test file on one runtime. */
export interface Part {
  readonly name: string;
  /** Parts of the same queue run one after the other, whatever the number of lanes. */
  readonly queue?: string | undefined;
  /** True where its queue is for the sake of the processor alone: a spare lane need not wait for it. */
  readonly heavy?: boolean;
  readonly run: () => Promise<StepResult>;
}

/** Work that is counted together and reported in one line. */
export interface Step {
  readonly name: string;
  /** What can run side by side; at least one. */
  readonly parts: readonly Part[];
}

/** Lanes beside the others, for as long as the machine has something to spare. */
export interface Spare {
  /** The most lanes, with the others. */
  readonly most: number;
  /** How often it is looked, in milliseconds; each time one part may start. */
  readonly every: number;
  /** Whether the machine was free since it was asked last. */
  free(): boolean;
}

/** A step with parts that are not finished. */
interface OpenStep {
  readonly step: Step;
  readonly results: StepResult[];
  start: number | undefined;
}

/** How many characters of a failure's text are shown. */
const TEXT_LIMIT = 2000;

/**
 * Runs the parts of all steps, `lanes` at a time, and more where `spare` says so. Parts of queues start
 * first, since a queue takes long; the others follow in their order. Returns one result for each step.
 */
export async function runSteps(
  steps: readonly Step[],
  lanes: number,
  spare?: Spare,
): Promise<StepResult[]> {
  const open: OpenStep[] = steps.map((step) => ({ step, results: [], start: undefined }));
  const waiting = open.flatMap((entry) => entry.step.parts.map((part) => ({ entry, part })))
    .sort((a, b) => Number(b.part.queue !== undefined) - Number(a.part.queue !== undefined));
  const queues = new Map<string, number>();
  const results: StepResult[] = [];
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  let running = 0;

  /** Starts the first one that may run now; false where none may. */
  const startNext = (besides: boolean): boolean => {
    const index = waiting.findIndex(({ part: { queue, heavy } }) =>
      queue === undefined || !queues.has(queue) || (besides && heavy === true)
    );
    if (index === -1) return false;
    const [{ entry, part }] = waiting.splice(index, 1);
    running++;
    runIn(entry, part).then(() => {
      running--;
      fill();
      if (running === 0) resolve();
    }, reject);
    return true;
  };
  const runIn = async (entry: OpenStep, part: Part): Promise<void> => {
    entry.start ??= performance.now();
    const { queue } = part;
    if (queue !== undefined) queues.set(queue, (queues.get(queue) ?? 0) + 1);
    entry.results.push(await runPart(part));
    if (queue !== undefined) {
      const others = (queues.get(queue) ?? 0) - 1;
      if (others > 0) queues.set(queue, others);
      else queues.delete(queue);
    }
    if (entry.results.length < entry.step.parts.length) return;
    const result = merge(entry);
    report(entry.step.name, result, performance.now() - entry.start);
    results.push(result);
  };
  const fill = (): void => {
    // What waits when none may start is of a queue at work, whose end comes back here.
    while (running < lanes && startNext(false));
  };

  fill();
  if (running === 0) return results;
  const timer = spare === undefined ? undefined : setInterval(() => {
    if (spare.free() && running < spare.most) startNext(true);
  }, spare.every);
  await done.finally(() => clearInterval(timer));
  return results;
}

/** The result of something that failed as a whole. */
export function failed(name: string, text: string, output = ""): StepResult {
  return { passed: 0, failures: [{ name, text }], skipped: [], output };
}

/** The last `count` characters of an output, from the beginning of a line. */
export function tail(output: string, count: number = TEXT_LIMIT): string {
  const trimmed = output.trim();
  return trimmed.length <= count ? trimmed : trimmed.slice(-count).replace(/^[^\n]*\n/, "…\n");
}

/** An error of a part is the part's failure: the next part still runs. */
async function runPart({ name, run }: Part): Promise<StepResult> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    return failed(name, error instanceof Error ? error.stack ?? error.message : String(error));
  }
}

function merge({ step, results }: OpenStep): StepResult {
  return {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    failures: results.flatMap(({ failures }) => failures)
      .map(({ name, text }) => ({ name: `${step.name}: ${name}`, text })),
    skipped: results.flatMap(({ skipped }) => skipped),
    output: results.filter(({ failures }) => failures.length > 0)
      .map(({ output }) => output.trim()).join("\n\n"),
  };
}

function report(name: string, result: StepResult, milliseconds: number): void {
  const { passed, failures, skipped, output } = result;
  const counts = [`${passed} passed`];
  if (failures.length > 0) counts.push(`${failures.length} failed`);
  if (skipped.length > 0) counts.push(`${skipped.length} skipped`);
  const verdict = failures.length > 0 ? "FAILED" : "ok    ";
  console.log(`${verdict} ${name}: ${counts.join(", ")} (${(milliseconds / 1000).toFixed(1)} s)`);
  if (failures.length > 0 && output !== "") console.log(`\n${output}\n`);
  for (const test of skipped) console.log(`       skipped: ${test}`);
}

/** Prints all failures with their texts, then the totals. Returns the exit code. */
export function summarize(results: readonly StepResult[]): number {
  const failures = results.flatMap((result) => result.failures);
  if (failures.length > 0) console.log("\nFailed:");
  for (const { name, text } of failures) {
    console.log(`\n  ${name}`);
    const shown = text.length <= TEXT_LIMIT ? text : `${text.slice(0, TEXT_LIMIT)}…`;
    for (const line of shown.trim().split("\n")) console.log(`      ${line}`.trimEnd());
  }
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  console.log(`\n${passed} passed, ${failures.length} failed`);
  return failures.length > 0 ? 1 : 0;
}
