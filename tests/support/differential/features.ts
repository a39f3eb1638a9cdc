/** The scenarios about presence, history and streams, and how their results are compared. */
import { historyScenarios } from "./history-scenarios.ts";
import { type Page, Party } from "./party.ts";
import { presenceScenarios } from "./presence-scenarios.ts";
import { streamHistoryScenarios, streamScenarios } from "./stream-scenarios.ts";
import type { ServingRuntime } from "../worker-runtimes.ts";

/** One scenario: it lets clients do something, and rests after each step. */
export type FeatureScenario = (party: Party) => Promise<void>;

/** Those that need nothing of the backplane. */
const ANYWHERE: Readonly<Record<string, FeatureScenario>> = {
  ...presenceScenarios,
  ...streamScenarios,
};

/** Those that need a store that all instances share. */
const WITH_HISTORY: Readonly<Record<string, FeatureScenario>> = {
  ...historyScenarios,
  ...streamHistoryScenarios,
};

/** The ways in which runtimes are linked. */
export type Link = "workers" | "memory" | "redis" | "nats" | "rabbitmq";

/** What differs by design, so that no scenario compares it or none of them is played there. */
export const BY_DESIGN: readonly {
  readonly what: string;
  readonly why: string;
  /** Where the scenarios with history are not played at all. */
  readonly links?: readonly Link[];
}[] = [
  {
    what: "rooms with history over NATS and RabbitMQ",
    why: "they have no store that all instances share: it is an error of the configuration",
    links: ["nats", "rabbitmq"],
  },
  {
    what: "the texts of epochs, and whether two rooms have the same one",
    why:
      "one process has one store, and Redis an epoch for each room: those of a room are numbered",
  },
  {
    what: "the keys of members without a user",
    why: "each is made by chance",
  },
  {
    what: "the order of members in a list, and of those who join and leave between two rests",
    why: "each instance tells its own members",
  },
  {
    what: "in how many presence frames something is told",
    why:
      "at most ten frames a second, and each instance has its own second: what is known at rest counts",
  },
  {
    what: "the order of answers and messages, but for the answer to a join",
    why: "an answer needs no link, and a message may",
  },
  {
    what: "what is sent to a user before the answer to the first frame of its client",
    why: "its instance asks the others for the user's messages until then",
  },
];

/** Whether the scenarios with history are played over a link. */
export function hasHistory(link: Link): boolean {
  return !BY_DESIGN.some(({ links = [] }) => links.includes(link));
}

/** How often the clients change their places. */
const TURNS = 3;

/** What was heard in each scenario at each turn. */
export type Heard = ReadonlyMap<string, readonly Page[]>;

/** Plays all. `expected` is what was heard in one process. */
export async function playFeatures(
  runtimes: readonly ServingRuntime[],
  { history, expected }: { readonly history: boolean; readonly expected?: Heard },
): Promise<Heard> {
  const scenarios = { ...ANYWHERE, ...(history ? WITH_HISTORY : {}) };
  const heard = new Map<string, readonly Page[]>();
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [index, [name, play]] of Object.entries(scenarios).entries()) {
      const key = `${name}, turn ${turn}`;
      const party = new Party(runtimes, turn, String(index), expected?.get(key));
      try {
        await play(party);
      } catch (cause) {
        throw new Error(key, { cause });
      } finally {
        party.end();
      }
      heard.set(key, party.pages);
    }
  }
  return heard;
}

/** What differs, in words. */
export function featureDifferences(expected: Heard, actual: Heard): readonly string[] {
  return [...expected].flatMap(([key, pages]) =>
    pages.flatMap((page, index) => {
      const [one, other] = [page, actual.get(key)?.[index]].map((value) => JSON.stringify(value));
      return one === other ? [] : [`${key}: ${page.label}\n  one:     ${one}\n  several: ${other}`];
    })
  );
}
