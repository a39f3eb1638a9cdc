/** Runs the steps of a test run side by side, and says how each of them went. */

import { Interrupted } from "./process.ts";
import type { StepResult } from "./suite.ts";

/** Something that is counted, and told in one line. */
export interface Step {
  readonly name: string;
  /** What can run side by side; at least one. */
  readonly parts: readonly (() => Promise<StepResult>)[];
}

/** A step whose parts are not all done. */
interface OpenStep {
  readonly step: Step;
  readonly results: StepResult[];
  start: number | undefined;
}

/** Runs the parts of all steps in their order, `lanes` at a time. Gives one result for each step. */
export async function runSteps(steps: readonly Step[], lanes: number): Promise<StepResult[]> {
  const open: OpenStep[] = steps.map((step) => ({ step, results: [], start: undefined }));
  const waiting = open.flatMap((entry) => entry.step.parts.map((part) => ({ entry, part })));
  const results: StepResult[] = [];
  const runLane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { entry, part } = next;
      entry.start ??= performance.now();
      entry.results.push(await runPart(part));
      if (entry.results.length < entry.step.parts.length) continue;
      const result = merge(entry);
      tell(entry.step.name, result, performance.now() - entry.start);
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: lanes }, runLane));
  return results;
}

/** What a part throws is its failure: the next one still runs. */
async function runPart(part: () => Promise<StepResult>): Promise<StepResult> {
  try {
    return await part();
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    const problem = error instanceof Error ? error.message : String(error);
    return { passed: 0, failures: [problem], skipped: [], output: "" };
  }
}

function merge({ step, results }: OpenStep): StepResult {
  return {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    failures: results.flatMap(({ failures }) => failures)
      .map((failure) => `${step.name}: ${failure}`),
    skipped: results.flatMap(({ skipped }) => skipped),
    output: results.filter(({ failures }) => failures.length > 0)
      .map(({ output }) => output.trim()).join("\n\n"),
  };
}

function tell(name: string, result: StepResult, milliseconds: number): void {
  const { passed, failures, skipped, output } = result;
  const counts = [`${passed} passed`];
  if (failures.length > 0) counts.push(`${failures.length} failed`);
  if (skipped.length > 0) counts.push(`${skipped.length} skipped`);
  const verdict = failures.length > 0 ? "FAILED" : "ok    ";
  console.log(`${verdict} ${name}: ${counts.join(", ")} (${(milliseconds / 1000).toFixed(1)} s)`);
  if (failures.length > 0 && output !== "") console.log(`\n${output}\n`);
  for (const test of skipped) console.log(`       skipped: ${test}`);
}

/** Prints the totals and returns the exit code. */
export function summarize(results: readonly StepResult[]): number {
  const failures = results.flatMap((result) => result.failures);
  if (failures.length > 0) console.log(`\nFailed:\n  ${failures.join("\n  ")}`);
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  console.log(`\n${passed} passed, ${failures.length} failed`);
  return failures.length > 0 ? 1 : 0;
}
