/** Compares what scenarios do in one process with what they do in several linked ones. */
import { loadConfig } from "../../../src/runtime/load.ts";
import type { Model } from "../../../src/model/mod.ts";
import { BUS_TYPE } from "../backplane-runtimes.ts";
import { startRuntime } from "../worker-runtimes.ts";
import { configOf } from "./config.ts";
import { TestConnectors, TYPES } from "./connectors.ts";
import type { Heard } from "./person.ts";
import { hearersOf, NAMES, type Scenario, typeOf } from "./scenarios.ts";
import { type Fate, type Runtimes, type Transcript, World } from "./world.ts";

/** How often the clients change their places among the runtimes. */
export const TURNS = 3;

/** Reads the configuration of scenarios; `bus` is the blocks of the backplane. */
export function modelOf(scenarios: readonly Scenario[], bus: string): Promise<Model> {
  return loadConfig(configOf(scenarios, bus), { connectors: { ...BUS_TYPE, ...TYPES } });
}

/** A model without its backplane. To read the configuration again would take longer than the tests. */
export function withoutBackplane(model: Model): Model {
  const connectors = new Map([...model.connectors].map(([name, connector]) => [
    name,
    { ...connector, options: { ...connector.options as object, backplane: undefined } },
  ]));
  return { ...model, connectors, backplane: undefined };
}

/** Runs `act` with one process that has no others, and no backplane. */
export async function withOne<Result>(
  model: Model,
  act: (runtimes: Runtimes) => Promise<Result>,
): Promise<Result> {
  const connectors = new TestConnectors();
  const runtime = await startRuntime(connectors.equip(withoutBackplane(model)));
  try {
    return await act({ runtimes: [runtime], connectors });
  } finally {
    await runtime.runtime.close();
  }
}

/** Plays scenarios one after the other, with the clients at other places from time to time. */
export async function playAll(
  runtimes: Runtimes,
  scenarios: readonly Scenario[],
): Promise<ReadonlyMap<Scenario, Transcript>> {
  const transcripts = new Map<Scenario, Transcript>();
  for (let turn = 0; turn < TURNS; turn++) {
    const world = new World(runtimes, turn);
    for (const scenario of scenarios) {
      if (Number(scenario.key.slice("op.".length)) % TURNS !== turn) continue;
      try {
        transcripts.set(scenario, await world.play(scenario));
      } catch (cause) {
        throw new Error(scenario.name, { cause });
      }
    }
    world.leave();
  }
  return transcripts;
}

/**
 * Whether a client has heard the same. With `together`, its frames may have been on their way together:
 * the messages are the same, the answers are, and each answer comes after all messages that it comes
 * after in one process.
 */
function isSame(expected: Fate, actual: Fate, together: boolean): boolean {
  if (!together) return JSON.stringify(expected) === JSON.stringify(actual);
  const [one, other] = [expected, actual].map(parted);
  return JSON.stringify([one.rest, one.messages, one.answers]) ===
      JSON.stringify([other.rest, other.messages, other.answers]) &&
    one.before.every((count, index) => other.before[index] >= count);
}

/** The messages and the answers of a client, and how many messages come before each answer. */
function parted({ heard, ...rest }: Fate) {
  const messages: unknown[] = [];
  const answers: unknown[] = [];
  const before: number[] = [];
  for (const one of heard) {
    if (["ack", "error"].includes((one as Heard).type)) {
      answers.push(one);
      before.push(messages.length);
    } else messages.push(one);
  }
  return { rest, messages, answers, before };
}

/** What differs, in words. With `together`, frames of one client may be on their way together. */
export function differences(
  scenario: Scenario,
  expected: Transcript | undefined,
  actual: Transcript | undefined,
  { together = false } = {},
): readonly string[] {
  return [...NAMES, "newcomer" as const].flatMap((name) => {
    const [one, other] = [expected?.[name], actual?.[name]];
    if (one !== undefined && other !== undefined && isSame(one, other, together)) return [];
    return [
      `${scenario.name}: ${name}\n  in one process: ${JSON.stringify(one)}\n` +
      `  in several:     ${JSON.stringify(other)}`,
    ];
  });
}

/** What is wrong with what the clients of one process have heard, in words. */
export function mistakes(scenario: Scenario, transcript: Transcript): readonly string[] {
  const hearers = hearersOf(scenario);
  if (hearers === undefined) return [];
  const text = scenario.source === "join" ? scenario.key : "one";
  const heard = NAMES.filter((name) =>
    transcript[name].heard.some((message) => {
      const { type, data } = message as Heard;
      return type === typeOf(scenario) && data?.text === text;
    })
  );
  return hearers.join() === heard.join()
    ? []
    : [`${scenario.name}: ${heard.join()} instead of ${hearers.join()}`];
}
