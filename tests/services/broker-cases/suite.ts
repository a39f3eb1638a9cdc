/** Registers and runs the cases. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { messageOf } from "../../../src/base/shown.ts";
import { service, serviceTest } from "../../support/services.ts";
import type { Kind, Outside } from "./kind.ts";
import { Place, type Topic } from "./place.ts";
import { topics } from "./topics.ts";

/**
 * Registers a test for each kind and topic, with the broker itself and with the one that plays it. The
 * cases wait far more than they work, so that many of them run at once.
 */
export async function suite(kinds: Readonly<Record<string, Kind>>): Promise<void> {
  for (const [title, kind] of Object.entries(kinds)) {
    const found = await service(kind.service);
    for (const [name, topic] of Object.entries(topics)) {
      test(`${title}, played: ${name}`, begin(() => runCases(topic, kind, undefined)));
      const run = () => runOutside(topic, kind);
      await serviceTest(kind.service, `${title}: ${name}`, found.ok ? begin(run) : run);
    }
  }
}

/** Begins now; what is returned waits for the end. */
function begin(run: () => Promise<void>): () => Promise<void> {
  const running = run();
  // Whoever waits is told of it.
  running.catch(() => {});
  return () => running;
}

async function runOutside(topic: Topic, kind: Kind): Promise<void> {
  const outside = await within("the start of the other client", kind.outside());
  try {
    await runCases(topic, kind, outside);
  } finally {
    await within("the end of the other client", outside.close());
  }
}

/** What hangs is a failure of its own, and not of the whole file. */
async function within<T>(what: string, running: Promise<T>): Promise<T> {
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(() => limit.reject(new Error(`timed out: ${what}`)), LIMIT);
  return await Promise.race([running, limit.promise]).finally(() => clearTimeout(timer));
}

const LIMIT = 30_000;

/** How many more cases may begin. All at once would not leave their clients the time to connect. */
let free = 24;
const waiting: (() => void)[] = [];

async function inTurn(run: () => Promise<void>): Promise<void> {
  if (free > 0) free--;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    await run();
  } finally {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  }
}

/** All of them run, also where one fails; the error lists each that did. */
async function runCases(topic: Topic, kind: Kind, outside: Outside | undefined): Promise<void> {
  const reasons: string[] = [];
  const details: string[] = [];
  await Promise.all(
    Object.entries(topic).map(async ([name, run]) => {
      const place = new Place(kind, outside);
      try {
        await inTurn(() =>
          within(name, run(place)).finally(() => within(`${name}: its end`, place.close()))
        );
      } catch (error) {
        reasons.push(`${name}: ${messageOf(error)}`);
        details.push(inspect(error));
      }
    }),
  );
  assert.equal(reasons.length, 0, [...reasons, ...details].join("\n\n"));
}
