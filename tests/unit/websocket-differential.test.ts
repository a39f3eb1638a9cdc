/**
 * What flows do to clients is the same in one process and in three linked workers: each scenario of
 * the table is played in both, and what each client has heard, its end, its rooms and every result
 * are compared. The table leaves out what differs by design: a filter that fails for a client of
 * another worker, and a join that `max_rooms` refuses in one worker alone.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/runtime/load.ts";
import type { Model } from "../../src/model/mod.ts";
import {
  type FakeClient,
  type ServingRuntime,
  startRuntime,
  withWorkers,
} from "../support/worker-runtimes.ts";
import {
  ADDRESSEE,
  configOf,
  hearersOf,
  type Name,
  NAMES,
  PEOPLE,
  type Scenario,
  SCENARIOS,
  typeOf,
} from "./websocket-differential-support.ts";

/** The number of scenarios that run one after the other; all such rows run at the same time. */
const ROW = 4;
/** After this many turns without a message none will come: the way through a link is shorter. */
const QUIET_TURNS = 25;

/** What became of one client. */
interface Fate {
  readonly heard: readonly unknown[];
  readonly ended: unknown;
  readonly rooms: unknown;
}

/** Also of the client that comes and leaves. */
type Transcript = Readonly<Record<Name | "newcomer", Fate>>;

type Clients = Readonly<Record<Name, FakeClient>>;

interface Heard {
  readonly type: string;
  readonly id?: unknown;
  readonly data?: { readonly text?: string; readonly id?: string; readonly rooms?: unknown };
}

/** Waits until no client receives anything any more. */
async function quiet(clients: Clients): Promise<void> {
  const sum = () =>
    NAMES.reduce((sum, name) => sum + clients[name].heard + (clients[name].ended ? 1e6 : 0), 0);
  for (let [turns, before] = [0, sum()]; turns < QUIET_TURNS; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (sum() !== before) [turns, before] = [0, sum()];
  }
}

/** Where a client is, by the turn. */
function placeOf(runtimes: readonly ServingRuntime[], name: Name, turn: number): ServingRuntime {
  return runtimes[(PEOPLE[name].worker + turn) % runtimes.length];
}

/** Connects everybody, and lets them join their rooms. */
async function gather(runtimes: readonly ServingRuntime[], turn: number): Promise<Clients> {
  const opened: [Name, FakeClient][] = [];
  for (const name of NAMES) {
    const { user, color, rooms } = PEOPLE[name];
    const client = await placeOf(runtimes, name, turn).open(user, `color=${color}`);
    opened.push([name, client]);
    for (const room of rooms) client.tell({ type: "join_room", room });
  }
  return Object.fromEntries(opened) as Clients;
}

/** Plays a scenario with its clients on these runtimes; `turn` says which client is where. */
async function play(
  runtimes: readonly ServingRuntime[],
  scenario: Scenario,
  turn: number,
): Promise<Transcript> {
  const clients = await gather(runtimes, turn);
  const { sender } = clients;
  clients[ADDRESSEE].tell({ type: "who", id: "who" });
  await quiet(clients);
  const [who] = clients[ADDRESSEE].take() as Heard[];

  const id = who.data?.id;
  let newcomer: FakeClient | undefined;
  const act = async (text: string, hidden: string): Promise<void> => {
    const data = { text, hidden, id };
    switch (scenario.source) {
      case "client":
        return sender.tell({ type: scenario.key, id: text, data });
      case "join":
        return sender.tell({ type: "join_room", room: scenario.key, id: text });
      case "broker":
        await placeOf(runtimes, "sender", turn).runtime.publish(scenario.key, data);
        break;
      default: {
        if (text === "two") newcomer?.leave();
        const query = new URLSearchParams({ text, key: scenario.key });
        newcomer ??= await placeOf(runtimes, "sender", turn).open("anna", `${query}`);
      }
    }
    await quiet(clients);
  };
  for (const [text, hidden] of [["one", "bob"], ["two", "cleo"]]) {
    await act(text, hidden);
    // The next messages show whether the order is kept, and which clients are in which room or gone.
    sender.tell({ type: "mark", id: `after ${text}`, data: { text: `after ${text}` } });
    if (scenario.source !== "client" && scenario.source !== "join") await quiet(clients);
  }
  await quiet(clients);
  const heard = Object.fromEntries(NAMES.map((name) => [name, clients[name].take()]));
  for (const name of NAMES) clients[name].tell({ type: "who", id: "who" });
  await quiet(clients);
  const fates = NAMES.map((name): [string, Fate] => {
    const [answer] = clients[name].take() as Heard[];
    const { ended } = clients[name];
    if (ended === undefined) clients[name].leave();
    return [name, { heard: heard[name].map(withoutRef), ended, rooms: answer?.data?.rooms }];
  });
  const { ended } = newcomer ?? {};
  const last: Fate = { heard: newcomer?.take().map(withoutRef) ?? [], ended, rooms: undefined };
  return Object.fromEntries([...fates, ["newcomer", last]]) as unknown as Transcript;
}

/** Each failure has a reference of its own. */
function withoutRef(message: unknown): unknown {
  return JSON.parse(JSON.stringify(message).replaceAll(/\(ref \w+\)/g, "(ref)"));
}

/** Plays each scenario in one process and in three workers. Returns what differs or is wrong. */
async function compare(scenarios: readonly Scenario[], model: Model, other: Model) {
  const wrong: string[] = [];
  const alone = await startRuntime(model);
  try {
    await withWorkers(3, [model, other, other], async (...workers) => {
      for (const [turn, scenario] of scenarios.entries()) {
        const [one, three] = await Promise.all([
          play([alone], scenario, turn),
          play(workers, scenario, turn),
        ]);
        for (const name of [...NAMES, "newcomer"] as const) {
          const [expected, actual] = [one[name], three[name]].map((fate) => JSON.stringify(fate));
          if (actual === expected) continue;
          wrong.push(`${scenario.name}: ${name}\n  one process: ${expected}\n  workers: ${actual}`);
        }
        const hearers = hearersOf(scenario);
        const text = scenario.source === "join" ? scenario.key : "one";
        const heard = NAMES.filter((name) =>
          one[name].heard.some((message) => {
            const { type, data } = message as Heard;
            return type === typeOf(scenario) && data?.text === text;
          })
        );
        if (hearers !== undefined && hearers.join() !== heard.join()) {
          wrong.push(`${scenario.name}: ${heard.join()} instead of ${hearers.join()}`);
        }
      }
    });
  } finally {
    await alone.runtime.close();
  }
  return wrong;
}

const whats = new Map<string, Scenario[]>();
for (const scenario of SCENARIOS) {
  const what = [scenario.operation, scenario.user ?? []].flat().join(", ");
  whats.set(what, [...whats.get(what) ?? [], scenario]);
}

for (const [what, scenarios] of whats) {
  test(`differential: ${what}: ${scenarios.length} scenarios are the same in one process and in three workers`, async () => {
    const text = configOf(scenarios);
    const [model, other] = [await loadConfig(text), await loadConfig(text)];
    const rows: Scenario[][] = [];
    for (const [index, scenario] of scenarios.entries()) {
      (rows[Math.floor(index / ROW)] ??= []).push(scenario);
    }
    const wrong = await Promise.all(rows.map((row) => compare(row, model, other)));
    assert.deepEqual(wrong.flat(), []);
  });
}

/** What the owner of a runtime sends, to how many, and what each client hears. */
async function send(runtimes: readonly ServingRuntime[], turn: number): Promise<unknown> {
  const clients = await gather(runtimes, turn);
  await quiet(clients);
  const { runtime } = placeOf(runtimes, "sender", turn);
  const counts = [
    await runtime.broadcast("everybody"),
    await runtime.sendToRoom("kitchen", "a room"),
    await runtime.sendToUser("bob", "a user"),
    await runtime.sendToRoom("nowhere", "nobody"),
    await runtime.sendToUser("nowhere", "nobody"),
  ];
  await quiet(clients);
  const heard = NAMES.map((name) => [name, clients[name].take()]);
  for (const name of NAMES) clients[name].leave();
  return { counts, ...Object.fromEntries(heard) };
}

test("differential: the library sends the same from one process and from each worker", async () => {
  const model = await loadConfig(configOf([]));
  const alone = await startRuntime(model);
  await withWorkers(3, model, async (...workers) => {
    for (const turn of [0, 1, 2]) {
      assert.deepEqual(await send(workers, turn), await send([alone], turn));
    }
  });
  await alone.runtime.close();
});
