/** Groups of instances over each broker of this machine: what brokers and groups do together. */
import assert from "node:assert/strict";
import { systemClock } from "../../src/base/clock.ts";
import { createGroup, newInstanceId } from "../../src/cluster/mod.ts";
import { BackplaneError } from "../../src/contract/backplane.ts";
import type { Group, Instances } from "../../src/contract/instances.ts";
import { makeBackplane } from "../support/backplane.ts";
import { bytesOf, textOf } from "../support/groups.ts";
import { recorder } from "../support/log.ts";
import { until } from "../support/mq.ts";
import { Proxy } from "../support/proxy.ts";
import { serviceTest } from "../support/services.ts";
import { brokers } from "./backplane-brokers.ts";

/** One instance, behind a proxy of its own. */
interface Instance {
  readonly group: Group;
  readonly ws: Instances;
  readonly proxy: Proxy;
  readonly heard: string[];
}

async function start(driver: keyof typeof brokers, service: string): Promise<Instance> {
  const proxy = await Proxy.open(brokers[driver].port);
  const instance = newInstanceId();
  const { logger } = recorder();
  const context = { name: "bus", logger, clock: systemClock, service, instance };
  const backplane = await makeBackplane(brokers[driver].options(proxy.port), context);
  const group = createGroup({ id: instance, backplane, clock: systemClock, logger });
  const heard: string[] = [];
  const ws = group.connector("ws");
  ws.hear({
    message: (topic, message) => void heard.push(`${topic}:${textOf(message)}`),
    answer: (question) => question,
    gap: () => void heard.push("gap"),
  });
  await group.start();
  return { group, ws, proxy, heard };
}

for (const driver of ["redis", "nats", "rabbitmq"] as const) {
  await serviceTest(
    driver,
    `${driver}: instances hear, ask and lead, and outlive a cut`,
    async () => {
      const service = `weir-test-${newInstanceId()}`;
      const a = await start(driver, service);
      const b = await start(driver, service);
      try {
        assert.deepEqual([a, b].map(({ group }) => group.counts().instances), [2, 2]);
        await until("one leads", () => a.group.mayLead && !b.group.mayLead);

        await Promise.all([a, b].flatMap(({ ws }) => [ws.listen("x"), ws.listen("y")]));
        const texts = Array.from({ length: 100 }, (_, i) => `${i % 3 === 0 ? "x" : "y"}:${i}`);
        await Promise.all(texts.map((text) => a.ws.publish(text[0], bytesOf(text.slice(2)))));
        await until("all messages", () => b.heard.length === 100);
        assert.deepEqual([a.heard, b.heard], [texts, texts]);

        const { answers, incomplete } = await a.ws.ask(bytesOf("?"), 2_000);
        assert.deepEqual([answers.map(textOf), incomplete], [["?"], false]);
        const one = await a.ws.askOne(b.ws.id, bytesOf("!"), 2_000);
        assert.equal(one && textOf(one), "!");

        const { shared } = a.group;
        assert.equal(shared === undefined, driver === "rabbitmq");
        if (shared !== undefined) {
          const first = shared.lock("order 7");
          await first.held;
          let taken = false;
          const second = b.group.shared?.lock("order 7");
          const waiting = second?.held.then(() => taken = true);
          assert.equal(taken, false);
          first.release();
          await waiting;
          second?.release();
          await shared.store.add("flow", "key", 0, 60_000, "answer");
          assert.equal(await b.group.shared?.store.answer?.("flow", "key", 0), "answer");
        }

        b.proxy.refuse();
        b.proxy.cut();
        await until("b is away", () => b.group.health() !== undefined);
        await assert.rejects(async () => await b.ws.publish("x", bytesOf("lost")), BackplaneError);
        await a.ws.publish("x", bytesOf("missed"));
        b.proxy.accept();
        await until("b is back", () => b.group.health() === undefined, 20_000);
        await a.ws.publish("x", bytesOf("after"));
        await until("the message after", () => b.heard.includes("x:after"));
        assert.deepEqual(b.heard.slice(100), ["gap", "x:after"]);

        await a.group.close();
        await until("b leads", () => b.group.mayLead && b.group.counts().instances === 1);
      } finally {
        for (const { group, proxy } of [a, b]) {
          await group.close();
          await proxy.close();
        }
        await brokers[driver].clean(service);
      }
    },
  );
}
