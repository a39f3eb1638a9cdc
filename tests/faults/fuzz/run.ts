/**
 * Lets attackers loose on a server for a while, then for longer, and compares what it holds after each.
 * With `WEIR_TEST_LONG` that is ten minutes, else a few seconds.
 */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { ready, root, type Stage, type Weir } from "../../support/process.ts";
import { type Random, seeded } from "../../support/random.ts";
import { opcodes } from "../../support/socket-frames.ts";
import { pause } from "../../support/socket-probe.ts";
import { needTool } from "../../support/toolchain.ts";
import { FrameClient } from "../client.ts";
import { processFault } from "../stage.ts";
import { within } from "../within.ts";

const long = (process.env.WEIR_TEST_LONG ?? "") !== "";
const SEED = 20_261_124;
/** Milliseconds until memory is measured first, and from then to the end. */
const LONG = [60_000, 540_000];
/**
 * What memory may be at the end, as a part of what it was, and so many bytes beside. After a minute
 * everything that is ever loaded is there; after a few seconds it is not.
 */
const [MOST, ROOM] = long ? [1.1, 0] : [1.25, 4 * 1024 * 1024];
/** So many attackers at once. */
const ATTACKERS = 8;

/** A fuzzer. */
export interface Fuzzer {
  /** The configuration of the server, as `fuzzConfig` makes it. */
  readonly config: string;
  /** How long each of the two parts of the short form takes, in milliseconds. */
  readonly short: number;
  /** It sends more than this many things in the time, or something is wrong with it. */
  readonly least: number;
  /** Sends things until the time is over, on one connection after the other; returns how many. */
  attack(weir: Weir, random: Random, until: number): Promise<number>;
}

/** What the server takes once its garbage is collected, in bytes. */
interface Memory {
  readonly heap: number;
  readonly rss: number;
}

/** Starts the server with a garbage collector that can be called. */
async function startMeasured(stage: Stage, config: string): Promise<Weir> {
  const folder = join(stage.folder, "fuzz");
  await mkdir(join(folder, "migrations"), { recursive: true });
  await writeFile(join(folder, "fuzz.hcl"), config);
  const table = "CREATE TABLE notes (text TEXT, n REAL CHECK (n < 900));";
  await writeFile(join(folder, "migrations/001.sql"), table);
  const script = join(root, "tests/fixtures/scripts/measured.ts");
  const flags = {
    deno: ["run", "-A", "--v8-flags=--expose-gc"],
    bun: ["--no-env-file"],
    node: ["--expose-gc"],
  }[stage.runtime];
  const args = [...flags, script, "run", folder, "--log-level", "error"];
  return await ready(stage.command(await needTool(stage.runtime), args));
}

/** Somebody who does nothing wrong, and is answered at any time. */
async function witness(weir: Weir, until: () => boolean): Promise<void> {
  const client = await FrameClient.connect(weir.port);
  await client.open("/ws");
  client.skim = ({ opcode, payload }) => {
    if (opcode === opcodes.ping) client.send({ opcode: opcodes.pong, payload });
    return opcode === opcodes.ping || payload.includes('{"type":"message"');
  };
  for (let id = 0; !until(); id++) {
    client.say({ type: "echo", data: id, id });
    assert.deepEqual(await client.hear(), { type: "ack", id, data: { data: id } });
    await pause(100);
  }
  client.destroy();
}

/** Lets everybody go, and looks. */
async function measure(weir: Weir, times: number): Promise<Memory> {
  const count = new URL("/count", weir.addresses.find((address) => address.startsWith("http")));
  const left = async (): Promise<number> => (await (await fetch(count)).json()).recipients;
  await within("connections", left, 0);
  // What was promised for a second is over as well.
  await pause(1_500);
  weir.signal("SIGUSR2");
  const pattern = new RegExp(`(?:memory .*\\n[^]*){${times - 1}}memory (.*)\\n`);
  const [, memory] = await weir.says(pattern);
  return JSON.parse(memory);
}

/** Registers the test of a fuzzer. */
export function fuzz(entry: string, { config, attack, short, least }: Fuzzer): void {
  processFault(entry, async (stage) => {
    const weir = await startMeasured(stage, config);
    const random = seeded(SEED);
    const run = async (duration: number): Promise<number> => {
      const end = performance.now() + duration;
      let over = false;
      const watching = witness(weir, () => over).catch((error) => {
        throw new Error(`${error.message}; the server wrote:\n${weir.output.slice(-4_000)}`);
      });
      const attackers = Array.from(
        { length: ATTACKERS },
        () => attack(weir, seeded(random.below(2 ** 31)), end),
      );
      const work = Promise.all(attackers).finally(() => over = true);
      const [sent] = await Promise.all([work, watching]);
      return sent.reduce((sum, each) => sum + each, 0);
    };
    const [warmUp, rest] = long ? LONG : [short, short];
    const first = await run(warmUp);
    const before = await measure(weir, 1);
    const second = await run(rest);
    const after = await measure(weir, 2);
    if (long) {
      console.log(JSON.stringify({ runtime: stage.runtime, sent: first + second, before, after }));
    }
    weir.signal("SIGTERM");
    const { code, stderr } = await weir.ended();
    assert.equal(code, 0, stderr.slice(-4_000));
    assert.doesNotMatch(
      stderr,
      /unhandled|failed to serve a frame|failed to decide about a handshake/,
    );
    assert.ok(first + second > least, `only ${first + second} things were sent`);
    const most = before.heap * MOST + ROOM;
    assert.ok(after.heap <= most, `${after.heap} bytes after ${before.heap}`);
  });
}
