/** Runs a table of cases against one host, side by side, and registers a test for each. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { flows, websocket } from "../../support/socket-contract.ts";
import type { Host } from "../../support/socket-hosts.ts";
import { opcodes } from "../../support/socket-frames.ts";
import { pause, until } from "../../support/socket-probe.ts";
import { FrameClient, showFrame } from "../client.ts";
import { parsers } from "../hosts.ts";
import { type Presence, RemoteServer } from "../server/remote.ts";
import { type Case, END, type Outcome, WAITS } from "./case.ts";

/** Cases that share a server. */
export interface Table {
  readonly name: string;
  /** More attributes of the websocket connector. */
  readonly attributes: string;
  readonly cases: readonly Case[];
}

/** So many connections are at work at once. */
const CONNECTIONS = 16;
/** Where nothing may come, it has so many milliseconds to come all the same. */
const QUIET = 250;

/**
 * Registers a test for each case on each host. The first one of a host runs them all, so that they
 * run side by side; the last one looks at what they have left behind.
 */
export function conformance(table: Table): void {
  const names = new Set(table.cases.map(({ name }) => name));
  assert.equal(names.size, table.cases.length, `two cases of ${table.name} have one name`);
  for (const host of parsers) {
    let started: Promise<Results> | undefined;
    const results = (): Promise<Results> => started ??= runTable(host, table);
    for (const { name, outcome, otherwise } of table.cases) {
      const own = otherwise?.[host.sockets];
      assert.notDeepEqual(own?.outcome, outcome, `${name}: ${host.sockets} is no exception`);
      const expected = own?.outcome ?? outcome;
      const title = own === undefined ? name : `${name} (${own.why})`;
      test(`${host.name}: ${table.name}: ${title}`, async () => {
        const { outcomes } = await results();
        assert.deepEqual(outcomes.get(name)?.map(short), expected.map(short));
        assert.deepEqual(outcomes.get(name), expected);
      });
    }
    test(`${host.name}: ${table.name}: nothing is left of all that`, async () => {
      const { left } = await results();
      assert.deepEqual(left, { connections: 0, rooms: 0, users: 0 });
    });
  }
}

interface Results {
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** What the server still counts after the last client has left. */
  readonly left: Presence;
}

async function runTable(host: Host, { attributes, cases }: Table): Promise<Results> {
  const server = await RemoteServer.start(host, websocket(attributes) + flows);
  try {
    const outcomes = new Map<string, Outcome>();
    const waiting = [...cases];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const outcome = await runCase(next, host, server.port)
          .catch((error) => [`failed: ${error}`]);
        outcomes.set(next.name, outcome);
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, work));
    const left = () => server.presence();
    await until("an empty hub", async () => (await left()).connections === 0).catch(() => {});
    return { outcomes, left: await left() };
  } finally {
    await server.close();
  }
}

async function runCase(
  { packets, outcome, otherwise, closes = false }: Case,
  host: Host,
  port: number,
): Promise<Outcome> {
  const client = await FrameClient.connect(port);
  try {
    await client.open(`${host.mount}/ws`);
    const seen: string[] = [];
    for (const [i, packet] of packets.entries()) {
      if (typeof packet === "number") {
        await read(client, seen, packet);
      } else {
        if (i > 0) await pause(0);
        client.write(packet);
      }
    }
    const expected = otherwise?.[host.sockets]?.outcome ?? outcome;
    const last = expected.at(-1);
    if (last === END || last === WAITS) {
      const patience = last === WAITS ? QUIET : undefined;
      const { frames, ended } = await client.rest({ answer: !closes, patience });
      seen.push(...frames.map(showFrame));
      // Where it has ended early, a wait before this has seen it.
      if (seen.at(-1) !== END) seen.push(ended ? END : WAITS);
      return seen;
    }
    // A pong waits for the end of the tick, so the last question must not come along with a ping.
    await read(client, seen, expected.length);
    return [...seen, ...await untilAnswered(client)];
  } finally {
    client.destroy();
  }
}

/** Reads until so many are seen. */
async function read(client: FrameClient, seen: string[], count: number): Promise<void> {
  while (seen.length < count && seen.at(-1) !== END) {
    const frame = await client.next();
    seen.push(frame === undefined ? END : showFrame(frame));
  }
}

/** What comes until a last question is answered: the connection lives, and says nothing else. */
async function untilAnswered(client: FrameClient): Promise<string[]> {
  const id = crypto.randomUUID();
  const seen: string[] = [];
  client.send({
    opcode: opcodes.text,
    payload: `{"type":"leave_room","room":"none","id":"${id}"}`,
  });
  for (;;) {
    const frame = await client.next();
    const shown = frame === undefined ? END : showFrame(frame);
    if (shown === `text {"type":"ack","id":"${id}"}`) return seen;
    seen.push(shown);
    if (shown === END) return seen;
  }
}

/** So that a difference of 64 KB can be read. */
function short(text: string): string {
  return text.length < 200 ? text : `${text.slice(0, 100)}… (${text.length})`;
}
