/** The entries of "Rooms" about history: clients are cut and workers are killed under load. */
import assert from "node:assert/strict";
import process from "node:process";
import { until } from "../support/socket-probe.ts";
import type { Weir } from "../support/process.ts";
import { childrenOf, gone } from "../support/workers.ts";
import { Resuming, sendNumbers, startRooms } from "./rooms.ts";
import { processFault } from "./stage.ts";

const COUNT = 2_000;

/** Five clients read all numbers while `fault` happens after each batch. */
async function readAll(
  weir: Weir,
  fault: (readers: readonly Resuming[], sent: number) => Promise<void>,
): Promise<void> {
  const readers = Array.from({ length: 5 }, () => new Resuming(weir));
  await Promise.all(readers.map((reader) => reader.start()));
  await sendNumbers(weir, COUNT, (sent) => fault(readers, sent));
  await until(
    "all numbers",
    () => readers.every(({ numbers }) => numbers.length >= COUNT),
    20,
    30_000,
  );
  await Promise.all(readers.map((reader) => reader.stop()));
  for (const { numbers, unrecovered } of readers) {
    assert.deepEqual(numbers, readers[0].numbers);
    assert.deepEqual([numbers.length, new Set(numbers).size, unrecovered], [COUNT, COUNT, 0]);
  }
  assert.ok(readers.some(({ recovered }) => recovered > 0), "nobody came back");
  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0, weir.output);
}

/** Cuts one of the clients after each hundred. */
const cuts = (readers: readonly Resuming[], sent: number): Promise<void> => {
  if (sent % 100 === 0) readers[(sent / 100) % readers.length].cut();
  return Promise.resolve();
};

processFault(
  "clients in a room with history are cut again and again under load → they resume, nothing is missing and nothing comes twice",
  async (stage) => await readAll(await startRooms(stage), cuts),
);

processFault(
  "clients in a room with history are cut again and again under load, with two workers → they resume at any of them, nothing is missing and nothing comes twice",
  async (stage) => await readAll(await startRooms(stage, "--workers", "2"), cuts),
);

processFault(
  "workers are killed again and again under load → their clients in a room with history resume, nothing is missing and nothing comes twice",
  async (stage) => {
    const weir = await startRooms(stage, "--workers", "2");
    await readAll(weir, async (_, sent) => {
      if (sent % 500 !== 0) return;
      const workers = await childrenOf(weir.pid);
      // In turn: the kernel may have put all clients on one of them.
      const victim = workers.at((sent / 500) % workers.length);
      if (victim === undefined) return;
      process.kill(victim, "SIGKILL");
      await gone(victim);
    });
  },
);
