/** The admin port of a process under test. */
import assert from "node:assert/strict";
import type { Process } from "./process.ts";
import { rawRequest } from "./raw-http.ts";
import { pause } from "./socket-probe.ts";

/** How long it may take until an admin port answers as a test waits for, in milliseconds. */
const PATIENCE = 30_000;

/** The port that a process says it has. */
export async function adminPortOf(weir: Process): Promise<number> {
  const [, url] = await weir.says(/^admin port: (http:\/\/\S+)\n/m);
  return Number(new URL(url).port);
}

/** The status and the body of an answer. */
export async function adminJson(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<readonly [status: number, body: Record<string, unknown>]> {
  const { status, body } = await rawRequest(port, { path, headers });
  return [status, JSON.parse(body)];
}

/** Asks until the answer is as expected. Nothing else may come but refused connections. */
export async function adminSays(
  port: number,
  path: string,
  isExpected: (status: number, body: Record<string, unknown>) => boolean,
): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  for (let last: unknown;; await pause(20)) {
    const answer = await adminJson(port, path).catch((error) => void (last = error));
    if (answer !== undefined && isExpected(...answer)) return;
    last = answer ?? last;
    assert.ok(performance.now() < deadline, `${path}: ${JSON.stringify(last)}`);
  }
}
