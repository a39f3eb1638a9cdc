/** The scenarios of the differential test over a broker of this machine. */
import assert from "node:assert/strict";
import { newInstanceId } from "../../src/cluster/mod.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { differences, modelOf, playAll, TURNS, withOne } from "../support/differential/compare.ts";
import { featuresOf } from "../support/differential/features-config.ts";
import { featureDifferences, hasHistory, playFeatures } from "../support/differential/features.ts";
import { TestConnectors } from "../support/differential/connectors.ts";
import { playOthers } from "../support/differential/others.ts";
import { SCENARIOS } from "../support/differential/scenarios.ts";
import { type Runtimes, World } from "../support/differential/world.ts";
import { serviceTest } from "../support/services.ts";
import { type ServingRuntime, startRuntime } from "../support/worker-runtimes.ts";
import { brokers } from "./backplane-brokers.ts";

/** Each broker plays a part of the scenarios, and together they play a good part of them. */
const PARTS = 10;

/** What the messages that every instance hears by itself do. */
const TELLING = {
  all: 'to {\n connector = "ws"\n operation = "broadcast"\n }',
  room: 'to {\n connector = "ws"\n operation = "send_to_room"\n target = "constants.kitchen"\n }',
  user: 'to {\n connector = "ws"\n operation = "send_to_user"\n target = "constants.bob"\n }',
  step: `step "tell" {
    connector = "ws"
    operation = "broadcast"
    params    = { text = "input.text" }
  }`,
} as const;

/** The backplane of a service. */
function busOf(driver: keyof typeof brokers, service: string): string {
  return `
    service {
      name = "${service}"
    }
    connector "bus" {
      type   = "mq"
      driver = "${driver}"
      host   = "127.0.0.1"
    }
  `;
}

/** The blocks of the backplane, and the flows of a connector without a queue. */
function blocksOf(driver: keyof typeof brokers, service: string): string {
  const address = `type = "mq"\n driver = "${driver}"\n host = "127.0.0.1"`;
  const exchange = 'exchange {\n name = "amq.topic"\n type = "topic"\n }';
  const flows = Object.entries(TELLING).map(([name, blocks]) => `
    flow "tell ${name}" {
      from {
        connector = "events"
        operation = "${service}.${name}"
      }
      ${blocks}
      to {
        connector = "done"
      }
    }
  `);
  return `
    ${busOf(driver, service)}
    connector "events" {
      ${address}
      ${driver === "rabbitmq" ? exchange : ""}
    }
    ${flows.join("\n")}
  `;
}

/** Publishes what every instance hears by itself. Returns what the clients have heard. */
async function playEvents(service: string, runtimes: Runtimes): Promise<readonly unknown[]> {
  const heard: unknown[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const world = new World(runtimes, turn);
    for (const name of Object.keys(TELLING)) {
      const publish = ({ runtime }: ServingRuntime) => () =>
        runtime.publish(`${service}.${name}`, { text: name }, { connector: "events" });
      heard.push(
        await world.hear((place) =>
          runtimes.connectors.ending(publish(place), runtimes.runtimes.length)
        ),
      );
    }
    world.leave();
  }
  return heard;
}

/** Registers the test of a broker with one of the parts of the scenarios. */
export async function differentialTest(
  driver: keyof typeof brokers,
  part: number,
): Promise<void> {
  const scenarios = SCENARIOS.filter((_, index) => index % PARTS === part);
  await serviceTest(
    driver,
    `differential: ${scenarios.length} scenarios are the same in one process and in three over ${driver}`,
    async () => {
      const service = `weir-test-${newInstanceId()}`;
      const model = await modelOf(scenarios, blocksOf(driver, service));
      const play = async (runtimes: Runtimes) =>
        [
          await playAll(runtimes, scenarios),
          await playOthers(runtimes),
          await playEvents(service, runtimes),
        ] as const;
      const [expected, others, events] = await withOne(model, play);
      const connectors = new TestConnectors();
      const runtimes: ServingRuntime[] = [];
      try {
        for (let n = 0; n < 3; n++) runtimes.push(await startRuntime(connectors.equip(model)));
        const [actual, theirs, heard] = await play({ runtimes, connectors });
        assert.deepEqual(
          scenarios.flatMap((one) =>
            differences(one, expected.get(one), actual.get(one), { together: true })
          ),
          [],
        );
        assert.deepEqual(theirs, others);
        assert.deepEqual(heard, events);
      } finally {
        await Promise.all(runtimes.map(({ runtime }) => runtime.close()));
        await brokers[driver].clean(service);
      }
    },
  );
}

/** Registers the test of presence and streams over a broker, and of history where it keeps messages. */
export async function featuresTest(driver: keyof typeof brokers): Promise<void> {
  const history = hasHistory(driver);
  await serviceTest(
    driver,
    `differential: presence, ${history ? "history, " : ""}streams are the same over ${driver}`,
    async () => {
      const service = `weir-test-${newInstanceId()}`;
      const model = await loadConfig(featuresOf(busOf(driver, service), history));
      const expected = await withOne(model, ({ runtimes }) => playFeatures(runtimes, { history }));
      const runtimes: ServingRuntime[] = [];
      try {
        for (let n = 0; n < 3; n++) runtimes.push(await startRuntime(model));
        const actual = await playFeatures(runtimes, { history, expected });
        assert.deepEqual(featureDifferences(expected, actual), []);
      } finally {
        await Promise.all(runtimes.map(({ runtime }) => runtime.close()));
        await brokers[driver].clean(service);
      }
    },
  );
}
