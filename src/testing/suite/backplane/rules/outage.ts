/** Rules about a broker that goes away and comes back. */
import { must, needs } from "../../failure.ts";
import { type BackplaneInstance, refused } from "../instance.ts";
import { type BackplaneRule, type BackplaneSubject, requires, type Team } from "../subject.ts";
import { flushed } from "./subscriptions.ts";

/** How many topics are subscribed again. */
const MANY = 500;

const away: BackplaneRule = {
  name: "away",
  title: "while the broker is away, health() says so and every call fails with a BackplaneError",
  outage: true,
  check: (subject) =>
    withOutage(subject, ["delivery"], async ({ join }) => {
      const instance = await join();
      await instance.subscribe("a");
      await subject.outage.stop();
      await instance.disconnected();
      await failsAll(instance);
    }),
};

const late: BackplaneRule = {
  name: "late",
  title: "open() returns while the broker is away, and connects when it is there",
  outage: true,
  check: (subject) =>
    withOutage(subject, ["delivery", "away"], async ({ make, join }) => {
      await subject.outage.stop();
      const instance = await make();
      await instance.open();
      must(!instance.isUp, "up() was called while the broker is away");
      must(instance.backplane.health() !== undefined, "the broker is away, and health() is good");
      await failsAll(instance);
      await subject.outage.start();
      await instance.connected();
      await instance.subscribe("a");
      await flushed(await join(), instance);
    }),
};

const recovery: BackplaneRule = {
  name: "recovery",
  title: "after an outage it connects again, and every subscription is in force before up()",
  outage: true,
  check: (subject) =>
    withOutage(subject, ["delivery", "unsubscribe", "resubscribe", "away"], async ({ join }) => {
      const [one, two] = [await join(), await join()];
      const topics = Array.from({ length: MANY }, (_, index) => `topic ${index}`);
      for (const instance of [one, two]) await instance.subscribe(...topics, "gone", "left");
      one.backplane.unsubscribe(["gone"]);
      await subject.outage.stop();
      for (const instance of [one, two]) await instance.disconnected();
      one.backplane.unsubscribe(["left"]);
      await refused("subscribe() while the broker is away", () => one.backplane.subscribe(["no"]));
      // What is published in the moment when it has come back must arrive.
      const last = topics[MANY - 1];
      const published = [one, two].map((instance) => {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        instance.onUp = () => {
          const own = instance.publish(last, `back ${instance.id}`);
          const all = one.isUp && two.isUp ? instance.publish(last, "both are back") : own;
          Promise.all([own, all]).then(() => resolve(), reject);
        };
        return promise;
      });
      await subject.outage.start();
      for (const instance of [one, two]) await instance.connected();
      await Promise.all(published);
      if (one.backplane.capabilities.echoes) {
        for (const instance of [one, two]) await instance.hears(last, `back ${instance.id}`);
        await one.hears(last, "both are back");
        await two.hears(last, "both are back");
      }
      for (const topic of [...topics, "gone", "left", "no"]) await two.publish(topic, "again");
      await flushed(two, one);
      const missing = topics.filter((topic) => !one.texts(topic).includes("again"));
      must(missing.length === 0, `${missing.length} of ${MANY} subscriptions are gone`);
      for (const topic of ["gone", "left", "no"]) {
        must(
          !one.texts(topic).includes("again"),
          `it hears the topic "${topic}", which it is not subscribed to`,
        );
      }
    }),
};

/** Runs a rule with a broker that is there again at the end. */
async function withOutage(
  subject: BackplaneSubject,
  needed: readonly string[],
  act: (team: Team) => Promise<void>,
): Promise<void> {
  requires(subject, "open", ...needed);
  try {
    await subject.with(act);
  } finally {
    await needs("open", () => subject.outage.start());
  }
}

async function failsAll({ backplane }: BackplaneInstance): Promise<void> {
  const bytes = new Uint8Array(1);
  const { keys } = backplane;
  await Promise.all([
    refused("publish() while the broker is away", () => backplane.publish("a", bytes)),
    refused("subscribe() while the broker is away", () => backplane.subscribe(["b"])),
    ...(keys === undefined ? [] : [
      refused("keys.add() while the broker is away", () => keys.add("k", "v", 1_000)),
      refused("keys.get() while the broker is away", () => keys.get("k")),
      refused("keys.replace() while it is away", () => keys.replace("k", "v", "w", 1_000)),
      refused("keys.remove() while it is away", () => keys.remove("k", "v")),
    ]),
  ]);
}

/** The rules about outages. */
export const outageRules: readonly BackplaneRule[] = [away, late, recovery];
