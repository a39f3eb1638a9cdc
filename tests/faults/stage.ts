/** Faults of a whole process, on the runtime that runs the tests. */
import { test } from "node:test";
import { openStage, type Stage } from "../support/process.ts";
import type { Tool } from "../support/toolchain.ts";

/** The runtime that runs this. */
export const runtime: Tool = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

/**
 * Registers one fault. It fails, too, where a process ended that the test did not end, or wrote an
 * uncaught error. Nothing of its processes and files is left behind.
 */
export function processFault(entry: string, body: (stage: Stage) => Promise<void>): void {
  test(`${runtime} serve: ${entry}`, async () => {
    const stage = await openStage(runtime);
    try {
      await body(stage);
      stage.assertSound();
    } finally {
      await stage.end();
    }
  });
}
