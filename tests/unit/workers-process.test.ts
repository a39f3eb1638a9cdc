/** The process of a worker, as its supervisor sees it. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { SupervisorFunctions } from "../../src/workers/protocol.ts";
import { commandSpecifier } from "../../src/server/host.ts";
import { workerCommand, WorkerProcess } from "../../src/workers/process.ts";
import { until } from "../support/mq.ts";
import { pause } from "../support/socket-probe.ts";

/** Blocks this process, as a busy machine does: nothing that arrives is read. */
function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

const chatter = new URL("../fixtures/scripts/chatter.ts", import.meta.url).href;

test("a worker that is killed in the middle of a message ended by that signal", async () => {
  let reports = 0;
  const functions = { report: () => void reports++ } as Partial<SupervisorFunctions>;
  const worker = new WorkerProcess(workerCommand(chatter), functions as SupervisorFunctions);
  await until("20 reports", () => reports >= 20);
  process.kill(worker.pid as number, "SIGKILL");
  assert.equal(await worker.ended, "signal SIGKILL");
});

test("a worker ends when it is asked to, even if nobody has read its last message", async () => {
  const command = workerCommand(commandSpecifier() as string);
  const worker = new WorkerProcess(command, {} as SupervisorFunctions);
  await worker.functions.ping();
  const answer = worker.functions.ping();
  // Time for the message to leave, and then for the answer to arrive.
  await pause(0);
  block(300);
  // It does not run while it is asked to end.
  process.kill(worker.pid as number, "SIGSTOP");
  worker.end();
  await pause(100);
  process.kill(worker.pid as number, "SIGCONT");
  assert.equal(await worker.ended, "exit code 0");
  await answer;
});
