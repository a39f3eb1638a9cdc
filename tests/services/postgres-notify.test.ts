/** NOTIFY of PostgreSQL as events. */
import assert from "node:assert/strict";
import type { FlowEvent } from "../../src/contract/connector.ts";
import { failure, until } from "../support/mq.ts";
import { withPostgres } from "../support/postgres.ts";
import { Proxy } from "../support/proxy.ts";
import { serviceTest } from "../support/services.ts";
import { keeping, withSource } from "./postgres-changes-support.ts";

/** A test on the machine's server, with a proxy before it. */
async function notifyTest(
  name: string,
  run: (parts: {
    readonly url: string;
    readonly proxy: Proxy;
    readonly notify: (channel: string, payload?: string) => Promise<unknown>;
  }) => Promise<void>,
): Promise<void> {
  await serviceTest("postgres", `NOTIFY: ${name}`, () =>
    withPostgres(async ({ url, sql }) => {
      const proxy = await Proxy.open(Number(new URL(url).port));
      try {
        await run({
          url: Object.assign(new URL(url), { port: String(proxy.port) }).href,
          proxy,
          notify: (channel, payload = "") => sql("select pg_notify($1, $2)", [channel, payload]),
        });
      } finally {
        proxy.close();
      }
    }));
}

await notifyTest("payloads that are JSON are parsed, others are text", async ({ url, notify }) => {
  const { events, keep } = keeping();
  const other = keeping();
  const flows = { "NOTIFY news": keep, 'NOTIFY The "Channel"': other.keep };
  await withSource({ url }, flows, async ({ connector, counts }) => {
    await until("it listens", () => connector.health() === undefined);
    const payloads = ['{"a":[1],"channel":"x","__proto__":1}', "[1]", "12", "plain {", "", "null"];
    const deep = "[".repeat(100) + "]".repeat(100);
    for (const payload of [...payloads, deep]) await notify("news", payload);
    await notify("NEWS", "not for anybody");
    await notify('The "Channel"', '"text"');
    await until("all are there", () => events.length === 7 && other.events.length === 1);
    assert.deepEqual(events.map(({ payload }) => payload), [
      JSON.parse(payloads[0]),
      [1],
      12,
      "plain {",
      "",
      null,
      deep,
    ]);
    const [{ operation, input, metadata }] = events;
    assert.equal(operation, "NOTIFY news");
    assert.deepEqual(Object.entries(input), [
      ["a", [1]],
      ["channel", "news"],
      ["__proto__", 1],
      ["operation", "NOTIFY"],
      ["body", events[0].payload],
    ]);
    assert.deepEqual([...metadata ?? []], ["channel", "operation", "body"]);
    assert.equal(other.events[0].input.body, "text");
    assert.deepEqual(counts(), { consumed: 8, acked: 8 });
  });
});

await notifyTest(
  "they come one by one, in order; what fails is not repeated",
  async ({ url, notify }) => {
    const seen: unknown[] = [];
    const slow = async ({ payload }: FlowEvent) => {
      seen.push(`begins ${payload}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      seen.push(`ends ${payload}`);
      if (payload === 2) throw failure();
    };
    await withSource({ url }, { "NOTIFY c": slow }, async ({ connector, counts, log }) => {
      await until("it listens", () => connector.health() === undefined);
      for (const payload of ["1", "2", "3"]) await notify("c", payload);
      await until("all are there", () => counts().consumed === 3 && counts().acked === 2);
      assert.deepEqual(seen, [1, 2, 3].flatMap((n) => [`begins ${n}`, `ends ${n}`]));
      assert.deepEqual(counts(), { consumed: 3, acked: 2, discarded: 1 });
      assert.match(JSON.stringify(log), /notification NOTIFY c was discarded: flow_failed/);
    });
  },
);

await notifyTest(
  "a flood that flows cannot follow is read later, and complete",
  async ({ url, notify }) => {
    const go = Promise.withResolvers<void>();
    let seen = 0;
    const take = () => {
      seen++;
      return seen === 1 ? go.promise : undefined;
    };
    await withSource({ url }, { "NOTIFY c": take }, async ({ connector, counts, log }) => {
      await until("it listens", () => connector.health() === undefined);
      for (let n = 0; n < 20; n++) {
        await Promise.all(Array.from({ length: 100 }, (_, i) => notify("c", `${n} ${i}`)));
      }
      // Longer than an answer may take: nothing is read, and nothing is lost for that.
      await new Promise((resolve) => setTimeout(resolve, 3000));
      assert.equal(seen, 1);
      go.resolve();
      await until("all are there", () => counts().acked === 2000);
      assert.deepEqual(log.filter(([level]) => level !== "info"), []);
    });
  },
);

await notifyTest(
  "it listens again after a cut and after a silence, and counts the gap",
  async ({ url, notify, proxy }) => {
    const { events, keep } = keeping();
    await withSource({ url }, { "NOTIFY c": keep }, async ({ connector, counts, log }) => {
      await until("it listens", () => connector.health() === undefined);
      proxy.cut();
      await until("it has listened again", () => counts().gaps === 1, 3000);
      await until("the database is there", () => connector.health() === undefined);
      await notify("c", "1");
      await until("it hears", () => events.length === 1);
      proxy.stall();
      const knows = /^does not listen, and tries again: the server does not answer$/;
      await until("it knows", () => log.some(([, line]) => knows.test(line)), 5000);
      proxy.resume();
      await until("it has listened again", () => counts().gaps === 2);
      await until("the database is there", () => connector.health() === undefined);
      await notify("c", "2");
      await until("it hears", () => events.at(-1)?.payload === 2);
      assert.match(
        JSON.stringify(log),
        /listens again: notifications since it was lost are missing/,
      );
    });
  },
);
