/** The process of a worker, as its supervisor sees it. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { SupervisorFunctions } from "../../src/workers/protocol.ts";
import { workerCommand, WorkerProcess } from "../../src/workers/process.ts";
import { until } from "../support/mq.ts";

const chatter = new URL("../fixtures/scripts/chatter.ts", import.meta.url).href;

test("a worker that is killed in the middle of a message ended by that signal", async () => {
  let reports = 0;
  const functions = { report: () => void reports++ } as Partial<SupervisorFunctions>;
  const worker = new WorkerProcess(workerCommand(chatter), functions as SupervisorFunctions);
  await until("20 reports", () => reports >= 20);
  process.kill(worker.pid as number, "SIGKILL");
  assert.equal(await worker.ended, "signal SIGKILL");
});
