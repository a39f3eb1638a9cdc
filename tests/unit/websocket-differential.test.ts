/**
 * What flows do to clients is the same in one process, in three linked workers and in three instances
 * on a backplane: each scenario of the table is played everywhere, and what each client has heard,
 * its end, its rooms and every result are compared. So is what clients hear of presence, history and
 * streams. The table leaves out what differs by design: a filter that fails for a client of another
 * instance, and a join that `max_rooms` refuses in one instance alone. What else differs by design is
 * in `BY_DESIGN` (tests/support/differential/features.ts).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BackplaneCapabilities } from "../../src/contract/backplane.ts";
import { BUS, BUS_TYPE, withBackplane } from "../support/backplane-runtimes.ts";
import {
  differences,
  mistakes,
  modelOf,
  playAll,
  TURNS,
  withOne,
  withoutBackplane,
} from "../support/differential/compare.ts";
import { TestConnectors } from "../support/differential/connectors.ts";
import { featuresOf } from "../support/differential/features-config.ts";
import { featureDifferences, playFeatures } from "../support/differential/features.ts";
import { playOthers } from "../support/differential/others.ts";
import { type Scenario, SCENARIOS } from "../support/differential/scenarios.ts";
import type { Runtimes } from "../support/differential/world.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { type ServingRuntime, withWorkers } from "../support/worker-runtimes.ts";

/** Makes something when it is first needed. */
function once<Made>(make: () => Promise<Made>): () => Promise<Made> {
  let made: Promise<Made> | undefined;
  return () => made ??= make();
}

const read = once(() => modelOf(SCENARIOS, BUS));
const alone = once(async () =>
  await withOne(await read(), async (one) => ({
    transcripts: await playAll(one, SCENARIOS),
    others: await playOthers(one),
  }))
);

/** Runs `act` with three instances on a backplane that can do this. */
function withInstances(capabilities: Partial<BackplaneCapabilities>) {
  return async (act: (three: Runtimes) => Promise<void>): Promise<void> => {
    const connectors = new TestConnectors();
    const model = connectors.equip(await read());
    const three = [model, model, model];
    await withBackplane(three, (...runtimes) => act({ runtimes, connectors }), capabilities);
  };
}

/** The ways to link three runtimes: the workers are the first. */
const links = {
  "three workers": async (act: (three: Runtimes) => Promise<void>): Promise<void> => {
    const connectors = new TestConnectors();
    const model = connectors.equip(withoutBackplane(await read()));
    await withWorkers(3, model, (...runtimes) => act({ runtimes, connectors }));
  },
  "three instances, one order for all": withInstances({ order: "all", live: "reply" }),
  "three instances, an order for each sender, servers that learn later": withInstances({
    order: "sender",
    live: "probe",
  }),
};

const WORKERS = 0;

test(`differential: ${SCENARIOS.length} scenarios in one process reach whom they mean`, async () => {
  const { transcripts } = await alone();
  assert.deepEqual([...transcripts].flatMap(([scenario, all]) => mistakes(scenario, all)), []);
});

/** Each scenario is played over two of the links, with the clients at any of the places. */
function scenariosOf(link: number): readonly Scenario[] {
  return SCENARIOS.filter(({ source }, index) =>
    Math.floor(index / TURNS) % 3 !== link &&
    // One of the workers hears a channel for all, as it does a broker.
    !(link === WORKERS && source === "channel")
  );
}

for (const [index, [name, link]] of Object.entries(links).entries()) {
  const scenarios = scenariosOf(index);
  test(`differential: ${scenarios.length} scenarios are the same in one process and in ${name}`, async () => {
    const { transcripts, others } = await alone();
    await link(async (three) => {
      const actual = await playAll(three, scenarios);
      assert.deepEqual(
        scenarios.flatMap((one) =>
          differences(one, transcripts.get(one), actual.get(one), { together: index !== WORKERS })
        ),
        [],
      );
      assert.deepEqual(await playOthers(three), others);
    });
  });
}

const HISTORY = { history: true };
const features = once(() => loadConfig(featuresOf(BUS, true), { connectors: BUS_TYPE }));
const aloneWithFeatures = once(async () =>
  await withOne(await features(), ({ runtimes }) => playFeatures(runtimes, HISTORY))
);

test("differential: presence, history and streams in one process end as each scenario says", async () => {
  const heard = await aloneWithFeatures();
  for (const pages of heard.values()) assert.ok(pages.length > 0);
});

/** The same links for the scenarios about presence, history and streams. */
const featureLinks: Readonly<
  Record<string, (act: (...three: readonly ServingRuntime[]) => Promise<void>) => Promise<void>>
> = {
  "three workers": async (act) => await withWorkers(3, withoutBackplane(await features()), act),
  "three instances, one order for all": async (act) => {
    const model = await features();
    await withBackplane([model, model, model], act, { order: "all", live: "reply" });
  },
  "three instances, an order for each sender, servers that learn later": async (act) => {
    const model = await features();
    await withBackplane([model, model, model], act, { order: "sender", live: "probe" });
  },
};

for (const [name, link] of Object.entries(featureLinks)) {
  test(`differential: presence, history and streams are the same in one process and in ${name}`, async () => {
    const expected = await aloneWithFeatures();
    await link(async (...runtimes) => {
      const actual = await playFeatures(runtimes, { ...HISTORY, expected });
      assert.deepEqual(featureDifferences(expected, actual), []);
    });
  });
}
